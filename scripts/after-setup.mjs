// `node scripts/after-setup.mjs [--development] PROGRAM [arguments]`: sets the machine up (scripts/setup.mjs, with that option),
// then runs a program of this project. What only asks for an answer needs no set-up, once there are packages to answer with.
// Only what Node.js brings may be imported here.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ASKS = /^(-h|--help|-v|--version|--i18n-languages|--i18n-keywords(=.*)?)$/;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const options = process.argv[2] === '--development' ? process.argv.splice(2, 1) : [];
const [program] = process.argv.splice(2, 1);

const hasPackages = existsSync(join(root, 'node_modules/.package-lock.json'));
if (!hasPackages || !process.argv.slice(2).some((argument) => ASKS.test(argument))) {
  const setup = [join(root, 'scripts/setup.mjs'), ...options];
  const { status, signal } = spawnSync(process.execPath, setup, { stdio: 'inherit' });
  const code = status ?? 128 + constants.signals[signal];
  if (code !== 0) process.exit(code);
}
const file = resolve(root, program);
if (file.endsWith('.ts')) {
  const require = createRequire(import.meta.url);
  require('../support/base/typescript.cjs');
  require(file);
} else {
  await import(pathToFileURL(file));
}
