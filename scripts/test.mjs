// The suite's own tests (node:test) and those of the reference services (pytest).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .sort();
const run = (command, args) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

const suite = run(process.execPath, [
  '-r',
  'ts-node/register',
  '--test',
  '--test-concurrency=2',
  ...files,
]);
const services = run('.venv/bin/python', ['-m', 'pytest', '-q', 'compose/services']);
process.exitCode = suite || services;
