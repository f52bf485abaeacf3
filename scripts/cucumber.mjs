// Runs cucumber-js and then says whether the run counts (scripts/verdict.ts). Arguments are cucumber-js's own.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = process.env.REPORTS_DIR || join(root, 'reports');
const messages = join(reports, 'messages.ndjson');
try {
  mkdirSync(reports, { recursive: true });
} catch (error) {
  console.error(
    `${reports}: the folder of the reports cannot be made\n  seen:     ${error.message}\n` +
      '  expected: a folder that can be written to\n  next:     set REPORTS_DIR to another one',
  );
  process.exit(2);
}
// Results of an earlier run must not be taken for this one's.
rmSync(messages, { force: true });

function run(...args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    // On Ctrl-C the child gets the signal as well and tidies up; this process waits for it.
    const forward = (signal) => child.kill(signal);
    process.on('SIGTERM', forward);
    const wait = () => undefined;
    process.on('SIGINT', wait);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward);
      process.off('SIGINT', wait);
      done(code ?? 128 + constants.signals[signal]);
    });
  });
}

const cucumber = join(root, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
// Short-lived audio buffers are collected early: 70 MB less memory at the same speed.
const ran = await run('--max-semi-space-size=2', cucumber, ...process.argv.slice(2));
if (ran > 1) process.exit(ran);
const verdict = await run('-r', 'ts-node/register', join(root, 'scripts/verdict.ts'), messages);
process.exit(ran || verdict);
