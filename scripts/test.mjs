// `npm test [-- FILE …]`: the suite's own tests (node:test) and, at the same time, those of the reference services
// (pytest); of named files only those. Options for node:test are passed on.
import { spawn } from 'node:child_process';
import { extname } from 'node:path';

import { filesBelow, root, temporaryFolder } from './commands.mjs';

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
// Each in a process of its own, as they are services of their own: GStreamer and ONNX Runtime bring libraries of the same
// names, and an error of one is not caught where the other's are loaded.
const services = ['media-service', 'sts-service'].map((name) => `compose/services/${name}`);

async function pytest(paths, isHeldBack) {
  const results = [];
  for (const path of paths) {
    results.push(await run('.venv/bin/python', ['-m', 'pytest', '-q', ...path], isHeldBack));
  }
  return {
    code: results.find(({ code }) => code !== 0)?.code ?? 0,
    output: results.map(({ output }) => output.trimEnd()).join('\n'),
  };
}

const [suite, python] = await Promise.all([
  all.length > 0 ? run(process.execPath, node) : nothing,
  isAll || servicesFiles.length > 0
    ? pytest(isAll ? services.map((path) => [path]) : [servicesFiles], isAll)
    : nothing,
]);
if (python.output) console.log(python.output);
process.exitCode = suite.code || python.code;
