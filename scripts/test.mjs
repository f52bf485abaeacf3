// `npm test [-- FILE …]`: the suite's own tests (node:test) and, at the same time, those of the reference services
// (pytest); of named files only those. Options for node:test are passed on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';

import { filesBelow, root, temporaryFolder } from './commands.mjs';
import { SERVICES, testsImageOf } from './docker.mjs';

const named = process.argv.slice(2);
const options = named.filter((one) => one.startsWith('-'));
const files = named.filter((one) => !one.startsWith('-'));
const suiteFiles = files.filter((one) => extname(one) === '.ts');
const servicesFiles = files.filter((one) => extname(one) !== '.ts');
// What interrupted tests and the services that tests kill leave behind is removed with it.
const env = { ...process.env, TMPDIR: temporaryFolder('test') };

/** `isHeldBack`: its output comes in one piece; two programs that print at once cannot be read. */
function run(command, args, isHeldBack) {
  return new Promise((done) => {
    const stdio = isHeldBack ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(command, args, { cwd: root, env, stdio });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => done({ code: 1, output: error.message }));
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

const nothing = { code: 0, output: '' };
const isAll = files.length === 0;
const all = isAll ? filesBelow('test', (name) => name.endsWith('.test.ts')).sort() : suiteFiles;
const node = [
  '-r',
  './support/base/typescript.cjs',
  '--test',
  '--test-concurrency=2',
  // It names the failed ones once more at the end, where a log is read first; that of a pipe (TAP) does not.
  ...(options.some((one) => one.startsWith('--test-reporter')) ? [] : ['--test-reporter=spec']),
  ...options,
  ...all,
];
const ownPython = '.venv/bin/python';

/** Python with what a service needs: of the set-up's environment, or in the service's image, without a network. */
function pythonOf(service) {
  if (existsSync(join(root, ownPython))) return [ownPython];
  const tests = join(root, 'compose/services');
  return [
    ...['docker', 'run', '--rm', '--init', '--network', 'none'],
    ...['--mount', `type=bind,source=${tests},target=/suite/compose/services,readonly`],
    ...[testsImageOf(service), 'python'],
  ];
}

/**
 * Each service's in a process of their own, as it is one: GStreamer and ONNX Runtime bring libraries of the same names, and an error
 * of one is not caught where the other's are loaded.
 *
 * @param files of services; none for all tests of both
 */
async function pytest(files, isHeldBack) {
  const results = [];
  for (const service of SERVICES) {
    const folder = `compose/services/${service}`;
    const others = SERVICES.filter((one) => one !== service);
    const own = files.filter((file) => !others.some((one) => `${file}/`.includes(`/${one}/`)));
    if (files.length > 0 && own.length === 0) continue;
    const [program, ...args] = pythonOf(service);
    const tests = files.length > 0 ? own : [folder];
    results.push(await run(program, [...args, '-m', 'pytest', '-q', ...tests], isHeldBack));
  }
  return {
    code: results.find(({ code }) => code !== 0)?.code ?? 0,
    output: results.map(({ output }) => output.trimEnd()).join('\n'),
  };
}

const [suite, services] = await Promise.all([
  all.length > 0 ? run(process.execPath, node) : nothing,
  isAll || servicesFiles.length > 0 ? pytest(servicesFiles, isAll) : nothing,
]);
if (services.output) console.log(services.output);
process.exitCode = suite.code || services.code;
