// The suite's own tests (node:test) and, at the same time, those of the reference services (pytest).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { root, temporaryFolder } from './commands.mjs';

const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .sort();
// What tests that are broken off leave, and what services leave that tests kill, is removed with it.
const env = { ...process.env, TMPDIR: temporaryFolder('test') };

/** What it prints comes in one piece when `isHeldBack`: two programs that print at once cannot be read. */
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

const [suite, services] = await Promise.all([
  run(process.execPath, ['-r', 'ts-node/register', '--test', '--test-concurrency=2', ...files]),
  run('.venv/bin/python', ['-m', 'pytest', '-q', 'compose/services'], true),
]);
console.log(services.output.trimEnd());
process.exitCode = suite.code || services.code;
