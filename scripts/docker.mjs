// Docker for the suite: an engine where none answers, Compose and buildx, and the images of the reference services.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import {
  checkoutId,
  installPackages,
  isDebian,
  onPath,
  outputOf,
  root,
  run,
  SetupError,
  temporaryFolder,
  tools,
} from './commands.mjs';

const MINIMUM_COMPOSE = [2, 20];
const ENGINE_START_MS = 60_000;
const ENGINE_STOP_MS = 60_000;
const PLUGINS = '/usr/local/lib/docker/cli-plugins';

const engineFile = join(tools, 'engine.json');
/** Variables of the compose files that the set-up has decided on; read by support/config.ts. */
const imagesFile = join(tools, 'images.json');
/** The name of the image of the suite's own Python programs; read by support/platform/tool-python.ts. */
const toolsImageFile = join(tools, 'tools-image');

const MEDIAMTX_IMAGE = 'bluenviron/mediamtx:1.14.0';
const OWN_MEDIAMTX_IMAGE = 'live-dubbing/mediamtx:1.14.0';
const BASE_IMAGE = 'debian:bookworm-slim';
const OWN_BASE_IMAGE = 'live-dubbing/debian:bookworm-slim';

const docker = (...args) => outputOf('docker', args, { timeout: 20_000 });

/** Whether an engine answers, as "linux/amd64 ABCD:…"; undefined where none does. */
async function engine() {
  const text = await docker('info', '--format', '{{.OSType}}/{{.Architecture}} {{.ID}}');
  // The command succeeds without an engine, too, and then says nothing of it.
  return text && /^\w+\/\w+ \S+/.test(text.trim()) ? text.trim() : undefined;
}

async function composeFits() {
  const version = (await docker('compose', 'version', '--short'))?.match(/(\d+)\.(\d+)/);
  if (!version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return (
    major > MINIMUM_COMPOSE[0] || (major === MINIMUM_COMPOSE[0] && minor >= MINIMUM_COMPOSE[1])
  );
}

/** Whether containers can be started, and may be. */
export async function dockerIsUsable() {
  if (process.env.RUNTIME === 'host' || !onPath('docker')) return false;
  return (await engine()) !== undefined && (await composeFits());
}

/** Whether the suite will run the services as containers; the same rule as in support/environment/find-runtime.ts. */
export async function dockerIsUsed() {
  return process.env.RUNTIME !== 'external' && (await dockerIsUsable());
}

/** An engine that answers, with Compose and buildx. */
export async function setUpEngine() {
  const done = [];
  if (!onPath('docker') || (!(await engine()) && !onPath('dockerd'))) {
    if (process.env.DOCKER_HOST && onPath('docker')) {
      throw new SetupError(
        `no engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}: start it, or unset DOCKER_HOST`,
      );
    }
    if (!isDebian()) {
      throw new SetupError(
        'no Docker engine answers, and this is not Debian: install Docker Engine with Compose 2.20 or newer and buildx, and start it',
      );
    }
    await installPackages('docker', ['docker.io', 'iptables']);
    done.push('docker.io installed');
  }
  if (!(await composeFits()) || (await docker('buildx', 'version')) === undefined) {
    await installPlugins();
    done.push('Compose and buildx installed');
  }
  if (!(await engine())) done.push(await startEngine());
  return done.join(', ') || 'answers';
}

/**
 * Debian 12 has neither Compose v2 nor buildx; the next release has, as programs without further dependencies. They
 * are taken from there, from the mirror that this machine uses, and nothing else is.
 */
async function installPlugins() {
  const packages = ['docker-compose', 'docker-buildx'];
  const hint =
    'install Docker Compose 2.20 or newer and buildx (packages docker-compose-plugin, docker-buildx-plugin)';
  if (process.getuid?.() !== 0) throw new SetupError(`only root may install packages: ${hint}`);
  const folder = temporaryFolder('plugins');
  try {
    const sources = join(folder, 'sources.list');
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(sources, `deb [signed-by=${keys}] ${debianMirror(hint)} trixie main\n`);
    for (const name of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const apt = [
      ...['-o', `Dir::Etc::SourceList=${sources}`, '-o', 'Dir::Etc::SourceParts=-'],
      ...['-o', `Dir::State::Lists=${folder}/lists`, '-o', `Dir::Cache=${folder}/cache`],
      ...['-o', 'APT::Sandbox::User=root'],
    ];
    await run('docker', 'apt-get', [...apt, 'update']);
    await run('docker', 'apt-get', [...apt, 'download', ...packages], { cwd: folder });
    mkdirSync(PLUGINS, { recursive: true });
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      const unpacked = join(folder, file.split('_')[0]);
      await run('docker', 'dpkg-deb', ['--extract', join(folder, file), unpacked]);
      const from = join(unpacked, 'usr/libexec/docker/cli-plugins');
      for (const name of readdirSync(from)) copyFileSync(join(from, name), join(PLUGINS, name));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!(await composeFits())) throw new SetupError(`Compose does not run: ${hint}`);
}

/** The address of the Debian archive in this machine's own apt sources. */
function debianMirror(hint) {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const text = ['/etc/apt/sources.list', ...files]
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const mirror = /^\s*(?:URIs:|deb\s+(?:\[[^\]]*\]\s+)?)\s*(\S+\/debian\/?)(?:\s|$)/m.exec(
    text,
  )?.[1];
  if (!mirror) throw new SetupError(`no Debian archive in this machine's apt sources: ${hint}`);
  return mirror;
}

async function startEngine() {
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'no Docker engine answers, and only root may start one: sudo systemctl start docker, or sudo dockerd',
    );
  }
  // Where systemd runs, it owns the engine.
  if (existsSync('/run/systemd/system')) {
    await run('docker', 'systemctl', ['start', 'docker']);
    writeFileSync(engineFile, JSON.stringify({ systemd: true }));
    return 'started by systemd';
  }
  mkdirSync(tools, { recursive: true });
  const logFile = join(tools, 'dockerd.log');
  const log = openSync(logFile, 'a');
  const child = spawn('dockerd', [], { cwd: '/', detached: true, stdio: ['ignore', log, log] });
  child.unref();
  let ended;
  child
    .on('error', (error) => (ended = error.message))
    .on('exit', (code) => (ended = `ended with ${code}`));
  writeFileSync(engineFile, JSON.stringify({ pid: child.pid, startTime: startTimeOf(child.pid) }));
  for (
    const from = performance.now();
    performance.now() - from < ENGINE_START_MS;
    await delay(200)
  ) {
    if (ended) break;
    if (await engine()) return `started (pid ${child.pid})`;
  }
  rmSync(engineFile, { force: true });
  if (!ended) child.kill('SIGTERM');
  const lastLines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n    ');
  throw new SetupError(
    `dockerd ${ended ?? 'does not answer'}:\n    ${lastLines}\n  the whole log: ${logFile}`,
  );
}

function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Stops the engine that this checkout's set-up has started, and no other. */
export async function stopEngine({ force }) {
  if (!existsSync(engineFile))
    return 'nothing to stop: the set-up of this checkout has started no engine';
  const { pid, startTime, systemd } = JSON.parse(readFileSync(engineFile, 'utf8'));
  const isRunning = systemd || (startTimeOf(pid) !== undefined && startTimeOf(pid) === startTime);
  const containers = isRunning ? (await docker('ps', '--format', '{{.Names}}'))?.trim() : '';
  if (containers && !force) {
    throw new SetupError(
      `containers are running: ${containers.split('\n').join(', ')}. Stop them first, or: npm run engine:stop -- --force`,
    );
  }
  if (systemd) {
    await run('docker', 'systemctl', ['stop', 'docker.socket', 'docker.service']);
  } else if (isRunning) {
    process.kill(pid, 'SIGTERM');
    for (const from = performance.now(); startTimeOf(pid) === startTime; await delay(100)) {
      if (performance.now() - from > ENGINE_STOP_MS) {
        throw new SetupError(`dockerd (pid ${pid}) does not end within ${ENGINE_STOP_MS / 1000} s`);
      }
    }
  }
  rmSync(engineFile);
  return isRunning ? `stopped ${systemd ? 'by systemd' : `(pid ${pid})`}` : 'it has ended already';
}

/** The reference services, by their folders. */
export const SERVICES = ['media-service', 'sts-service'];

const imageNameOf = (service) => `live-dubbing/${service}:${checkoutId()}`;

/** The images of the reference services, with what the STS holds besides; built when what they are made of has changed. */
export async function images(stamps, stamp, extras, say) {
  const checkout = checkoutId();
  const built = SERVICES.map(imageNameOf);
  const hash = createHash('sha256')
    .update(
      JSON.stringify([
        ...[await engine(), process.env.BASE_IMAGE, process.env.MEDIAMTX_IMAGE],
        ...extras,
      ]),
    )
    .update(contentOf('compose'))
    .digest('hex');
  const decided = existsSync(imagesFile) ? JSON.parse(readFileSync(imagesFile, 'utf8')) : {};
  const expected = [...built, ...Object.values(decided)];
  if (stamps.images === hash && (await docker('image', 'inspect', ...expected)) !== undefined) {
    return 'unchanged';
  }
  const baseImage = process.env.BASE_IMAGE ?? (await baseImageOf());
  const authorities = certificates();
  const env = {
    ...{ ...process.env, CHECKOUT: checkout, BASE_IMAGE: baseImage, DOCKER_BUILDKIT: '1' },
    ...(authorities ? { CA_BUNDLE: authorities } : {}),
    EXTRAS: extras.join(' '),
  };
  const variables = {};
  if (!process.env.MEDIAMTX_IMAGE && !(await isAvailable(MEDIAMTX_IMAGE))) {
    await buildMediaMtx(baseImage, env);
    variables.MEDIAMTX_IMAGE = OWN_MEDIAMTX_IMAGE;
  }
  if (extras.length > 0) say(`the STS with ${extras.join(', ')} …`);
  const before = await Promise.all(built.map(imageId));
  for (const composition of ['sts', 'media']) {
    const file = `compose/${composition}/docker-compose.yml`;
    await run('images', 'docker', ['compose', '-f', file, 'build'], { env });
  }
  // What has been replaced would otherwise fill the disk, 700 MB each time.
  for (const [index, name] of built.entries()) {
    const old = before[index];
    if (old !== undefined && old !== (await imageId(name))) await docker('image', 'rm', old);
  }
  writeFileSync(imagesFile, JSON.stringify(variables, null, 2));
  stamp('images', hash);
  return 'built';
}

/** A certificate bundle that this machine is given; undefined where it is given none. */
function certificates() {
  return ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'REQUESTS_CA_BUNDLE']
    .map((name) => process.env[name])
    .find((file) => file && existsSync(file));
}

/**
 * Builds an image of a Dockerfile below `compose/` and files of this project, which it has under the same names, on top of
 * another, `from`: where that, the Dockerfile or a file has changed. `args` gives the build's arguments.
 */
async function imageOf(name, { folder, files, from, args }) {
  const dockerfile = `compose/${folder}/Dockerfile`;
  const hash = createHash('sha256').update((await imageId(from)) ?? '');
  for (const file of [dockerfile, ...files]) hash.update(readFileSync(join(root, file)));
  const label = `live-dubbing.made-of=${hash.digest('hex')}`;
  const found = await docker('image', 'ls', '--quiet', '--filter', `label=${label}`, name);
  if (found?.trim()) return 'unchanged';
  const context = join(tools, `${folder}-context`);
  rmSync(context, { recursive: true, force: true });
  for (const file of files) {
    mkdirSync(dirname(join(context, file)), { recursive: true });
    copyFileSync(join(root, file), join(context, file));
  }
  await run('images', 'docker', [
    ...['build', '--file', join(root, dockerfile), '--tag', name, '--label', label],
    ...Object.entries(await args()).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...['--secret', `id=ca-bundle,src=${certificates() ?? '/dev/null'}`, context],
  ]);
  return 'built';
}

/** The image of the suite's own Python programs, which takes a model from the STS's. */
export async function toolsImage() {
  const name = imageNameOf('tools');
  const models = imageNameOf('sts-service');
  const done = await imageOf(name, {
    folder: 'tools',
    files: [
      ...['fixtures/requirements.lock', 'fixtures/speak.py'],
      ...['support/analyze/requirements.lock', 'support/analyze/listen.py'],
    ],
    from: models,
    args: async () => ({
      BASE_IMAGE: process.env.BASE_IMAGE ?? (await baseImageOf()),
      STS_IMAGE: models,
    }),
  });
  writeFileSync(toolsImageFile, `${name}\n`);
  return done;
}

/** The image in which the tests of a reference service run where it is no process. */
export function testsImageOf(service) {
  return imageNameOf(`${service}-tests`);
}

/** The services' images with what their tests need. */
export async function testsImages() {
  const all = [];
  for (const service of SERVICES) {
    const image = imageNameOf(service);
    const files = ['compose/services/requirements-dev.lock'];
    const args = () => ({ SERVICE_IMAGE: image });
    all.push(await imageOf(testsImageOf(service), { folder: 'tests', files, from: image, args }));
  }
  return all.includes('built') ? 'built' : 'unchanged';
}

async function imageId(image) {
  return (await docker('image', 'inspect', '--format', '{{.Id}}', image))?.trim();
}

async function isAvailable(image) {
  if ((await docker('image', 'inspect', image)) !== undefined) return true;
  return run('images', 'docker', ['pull', '--quiet', image]).then(
    () => true,
    () => false,
  );
}

/** Debian's image; where no registry answers, the same made of packages by debootstrap. */
async function baseImageOf() {
  if (await isAvailable(BASE_IMAGE)) return BASE_IMAGE;
  if ((await docker('image', 'inspect', OWN_BASE_IMAGE)) !== undefined) return OWN_BASE_IMAGE;
  const hint = `the engine cannot pull ${BASE_IMAGE}; set BASE_IMAGE to an image of Debian 12 that it can`;
  if (process.getuid?.() !== 0)
    throw new SetupError(`only root may make a base image, and ${hint}`);
  if (!onPath('debootstrap')) await installPackages('images', ['debootstrap']);
  const folder = temporaryFolder('base');
  try {
    const target = join(folder, 'root');
    await run('images', 'debootstrap', [
      '--variant=minbase',
      'bookworm',
      target,
      debianMirror(hint),
    ]);
    // As in Debian's own slim image: no documentation, no translations, nothing that apt has fetched.
    const excluded = ['doc', 'info', 'locale', 'man'].map((name) => `usr/share/${name}`);
    writeFileSync(
      join(target, 'etc/dpkg/dpkg.cfg.d/slim'),
      excluded.map((name) => `path-exclude /${name}/*\n`).join(''),
    );
    for (const name of [...excluded, 'var/cache/apt', 'var/lib/apt/lists']) {
      rmSync(join(target, name), { recursive: true, force: true });
      mkdirSync(join(target, name), { recursive: true });
    }
    const archive = join(folder, 'root.tar');
    await run('images', 'tar', ['--create', '--file', archive, '--directory', target, '.']);
    await run('images', 'docker', ['import', archive, OWN_BASE_IMAGE]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return OWN_BASE_IMAGE;
}

/** MediaMTX as the set-up has built it for this host, in an image; or the image that there is already. */
async function buildMediaMtx(baseImage, env) {
  const isBuilt = existsSync(join(tools, 'mediamtx'));
  if (!isBuilt && (await imageId(OWN_MEDIAMTX_IMAGE)) !== undefined) return;
  const here = `linux/${{ x64: 'x86_64', arm64: 'aarch64' }[arch()] ?? arch()}`;
  const there = (await engine())?.split(' ')[0];
  if (process.platform !== 'linux' || there !== here || !isBuilt) {
    throw new SetupError(
      `the engine cannot pull ${MEDIAMTX_IMAGE}, and runs ${there}, for which nothing is built here: set MEDIAMTX_IMAGE`,
    );
  }
  const context = join(tools, 'mediamtx-image');
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  copyFileSync(join(tools, 'mediamtx'), join(context, 'mediamtx'));
  const source = join(root, 'compose/services/mediamtx');
  copyFileSync(join(source, 'mediamtx.yml'), join(context, 'mediamtx.yml'));
  const build = ['build', '--file', join(source, 'Dockerfile'), '--tag', OWN_MEDIAMTX_IMAGE];
  await run('images', 'docker', [...build, '--build-arg', `BASE_IMAGE=${baseImage}`, context], {
    env,
  });
}

/** Names and contents of all files under a folder that go into images. */
function contentOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(
      ({ name }) => !['vendor', '__pycache__', 'tests'].includes(name) && !name.startsWith('.'),
    )
    .map((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory()
        ? contentOf(path)
        : `${path}\n${readFileSync(join(root, path), 'utf8')}`;
    })
    .join('\n');
}
