// The suite's own tests (node:test) and those of the reference services (pytest).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { root, temporaryFolder } from './commands.mjs';

const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .sort();
// What tests that are broken off leave, and what services leave that tests kill, is removed with it.
const env = { ...process.env, TMPDIR: temporaryFolder('test') };
const run = (command, args) =>
  spawnSync(command, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;

const suite = run(process.execPath, [
  '-r',
  'ts-node/register',
  '--test',
  '--test-concurrency=3',
  ...files,
]);
const services = run('.venv/bin/python', ['-m', 'pytest', '-q', 'compose/services']);
process.exitCode = suite || services;
