// Every check that reads the code without running it. All of them run; any that fails fails the whole.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = (name, ...args) => [join('node_modules/.bin', name), ...args];
const python = (name, ...args) => [join('.venv/bin', name), ...args];
const services = 'compose/services';
const ruffConfig = ['--config', `${services}/pyproject.toml`];
// Two mypy that run at once must not share a cache: one would read what the other is writing, and crash.
const mypy = (name, path) =>
  python(
    'mypy',
    '--config-file',
    `${services}/pyproject.toml`,
    '--cache-dir',
    `.mypy_cache/${name}`,
    path,
  );

const checks = {
  types: npm('tsc', '--noEmit'),
  eslint: npm('eslint', '--max-warnings', '0', '.'),
  prettier: npm('prettier', '--check', '--log-level', 'warn', '.'),
  'unused code': npm('knip'),
  'folder rules': npm('depcruise', 'support', 'step-definitions', 'scripts', 'fixtures', 'tools'),
  'pinned versions': [process.execPath, 'scripts/check-pins.mjs'],
  dockerfiles: python(
    'hadolint',
    ...['media-service', 'mediamtx', 'sts-service'].map((name) => `${services}/${name}/Dockerfile`),
    'compose/tests/Dockerfile',
    'compose/tools/Dockerfile',
  ),
  gherkin: [process.execPath, 'scripts/check-features.mjs'],
  'undefined steps': [process.execPath, 'scripts/check-steps.mjs'],
  ruff: python('ruff', 'check', ...ruffConfig, services, 'fixtures', 'support'),
  'ruff format': python(
    'ruff',
    'format',
    '--check',
    ...ruffConfig,
    services,
    'fixtures',
    'support',
  ),
  'types (media-service)': mypy('media-service', `${services}/media-service`),
  'types (sts-service)': mypy('sts-service', `${services}/sts-service`),
  'types (fixtures)': mypy('fixtures', 'fixtures/speak.py'),
  'types (listening)': mypy('listening', 'support/analyze/listen.py'),
};

function run([command, ...args]) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const add = (chunk) => (output += chunk);
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', (error) => done({ code: 1, output: error.message }));
    child.on('close', (code) => done({ code, output }));
  });
}

const waiting = Object.entries(checks);
async function worker() {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [name, command] = next;
    const { code, output } = await run(command);
    console.log(`lint: ${name}: ${code === 0 ? 'ok' : 'failed'}`);
    if (code === 0) continue;
    console.log(output.trimEnd());
    process.exitCode = 1;
  }
}
await Promise.all([worker(), worker()]);
