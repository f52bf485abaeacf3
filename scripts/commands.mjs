// Running programs for the set-up; only what Node.js brings may be imported here.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const tools = join(root, '.tools');
export const logs = join(tools, 'logs');

/** In one of which the suite's own tests open the reports, by their names on PATH, or where macOS has it; the first that is there. */
export const BROWSERS = [
  ...['chromium', 'google-chrome', 'google-chrome-stable'],
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Whether packages of Debian's own archive can be installed: others that have its package manager have other ones. */
export function isDebian() {
  const release = '/etc/os-release';
  return existsSync(release) && /^ID="?debian"?$/m.test(readFileSync(release, 'utf8'));
}

/** The same as in support/config.ts: what belongs to this checkout carries it in its name. */
export function checkoutId() {
  return createHash('sha256').update(root).digest('hex').slice(0, 6);
}

/**
 * A temporary folder that is removed when this process ends. Those that killed processes of this checkout have left are
 * removed as well.
 */
export function temporaryFolder(name) {
  const ours = new RegExp(`^lda-\\w+-${checkoutId()}-(\\d+)-`);
  for (const found of readdirSync(tmpdir())) {
    const pid = ours.exec(found)?.[1];
    if (pid === undefined || isThere(Number(pid))) continue;
    rmSync(join(tmpdir(), found), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(tmpdir(), `lda-${name}-${checkoutId()}-${process.pid}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isThere(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is another user's.
    return error.code === 'EPERM';
  }
}

/** Something that the set-up cannot do; the message says what it was, and what to do. */
export class SetupError extends Error {}

/**
 * Whether a Node.js is one that package.json asks for: `^20.19.0 || >=24`, each with the least version of its kind.
 *
 * @param {string} version `20.19.0`
 * @param {string} range
 */
export function fitsNode(version, range) {
  const [major, minor] = version.split('.').map(Number);
  return range.split(' || ').some((part) => {
    const [, kind, least, leastMinor = '0'] = /^(\^|>=)(\d+)(?:\.(\d+))?/.exec(part) ?? [];
    if (kind === '>=' && major > Number(least)) return true;
    return major === Number(least) && minor >= Number(leastMinor);
  });
}

const running = new Set();
/** Of commands that are waited for where others are stopped: half of what they do is worse than all of it. */
const finishing = new Set();

/**
 * Runs a command, its output in the log file of a step; fails with the last lines of it.
 *
 * @param options those of spawn, and `finishes`: it is never stopped
 */
export async function run(step, command, args, { finishes = false, ...options } = {}) {
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, `${step}.log`);
  const log = openSync(logFile, 'a');
  const ended = new Promise((done, failed) => {
    const child = spawn(command, args, {
      ...{ cwd: root, stdio: ['ignore', log, log], detached: true },
      ...options,
    });
    if (!finishes && child.pid !== undefined) running.add(child);
    child.on('error', failed).on('exit', done);
    child.on('exit', () => running.delete(child));
  });
  if (finishes) finishing.add(ended);
  const code = await ended.finally(() => {
    finishing.delete(ended);
    closeSync(log);
  });
  if (code === 0) return;
  const lastLines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-25).join('\n    ');
  throw new SetupError(
    `${command} ${args.join(' ')} ended with ${code}:\n    ${lastLines}\n  the whole log: ${logFile}`,
  );
}

/** Standard output of a command, or undefined when it fails or is not there. */
export async function outputOf(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], ...options });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child
      .on('error', () => done(undefined))
      .on('close', (code) => done(code === 0 ? text : undefined));
  });
}

/**
 * Options that npm has taken for its own, as they stood before `--`: `npm run setup --docker`. For scripts that run before there are
 * packages; support/base/npm-options.ts says the same for all others.
 *
 * @param command as npm knows it: `setup`
 * @param names of its options; of those with a value, npm passes on what is not joined by `=`
 */
export function refuseTakenByNpm(command, names) {
  const { env } = process;
  if (env.npm_lifecycle_event !== command) return;
  const taken = names.filter((name) => env[`npm_config_${name}`] !== undefined);
  if (taken.length === 0) return;
  const options = taken.map((name) => {
    const value = env[`npm_config_${name}`];
    return value === 'true' ? `--${name}` : `--${name} ${value}`;
  });
  const toType = [`npm run ${command} --`, ...options, ...process.argv.slice(2)].join(' ');
  console.error(`npm takes options before -- for its own. Type:\n  ${toType}`);
  process.exit(2);
}

export function onPath(program) {
  if (isAbsolute(program)) return existsSync(program) ? program : undefined;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
}

/**
 * Ends the commands that still run: process groups, as npm, pip and go start programs of their own. Settles when those have ended
 * that are never stopped: packages that are half installed would have to be mended by hand.
 */
export async function stopCommands() {
  for (const { pid } of running) process.kill(-pid, 'SIGTERM');
  if (finishing.size > 0) console.error('packages are being installed: their end is waited for');
  await Promise.allSettled(finishing);
}

const INSTALL = ['install', '-y', '--no-install-recommends'];

/** What is to be said of packages that only root may install. */
export function asRoot(packages) {
  const install = [...INSTALL, ...packages].join(' ');
  return new SetupError(
    `packages are missing, and only root may install them. Run\n  sudo apt-get update && sudo apt-get ${install}`,
  );
}

/** Debian packages; the command to install them where only root may. */
export async function installPackages(step, packages) {
  const install = [...INSTALL, ...packages];
  if (process.getuid?.() !== 0) throw asRoot(packages);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(step, 'apt-get', ['update'], { env });
  await run(step, 'apt-get', install, { env, finishes: true });
}

/** Files of the project below one of its folders, by name; not those that are made or installed. */
export function filesBelow(folder, fits) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || ['node_modules', 'vendor', 'reports'].includes(entry.name))
      return [];
    if (entry.isDirectory()) return filesBelow(path, fits);
    return fits(entry.name) ? [path] : [];
  });
}
