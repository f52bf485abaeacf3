// Runs cucumber-js and then says whether the run counts (scripts/verdict.ts). Arguments are cucumber-js's own.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Results of the whole suite take twice as much. */
const LEAST_BYTES = 100e6;

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

/** Says so when the disk of the results has less room than that. */
function isFull(bytes) {
  const { bavail, bsize } = statfsSync(reports);
  if (bavail * bsize >= bytes) return false;
  console.error(
    `${reports}: the disk is full\n  seen:     ${Math.floor((bavail * bsize) / 1e6)} MB free\n` +
      `  expected: ${bytes / 1e6} MB for the results of a run\n` +
      '  next:     make room, or set REPORTS_DIR to a folder on another disk',
  );
  return true;
}
if (isFull(LEAST_BYTES)) process.exit(2);

const require = createRequire(import.meta.url);
require('ts-node/register');
const { waitersAsText, waitersOf } = require('../support/environment/waiting.ts');
const { processInfo } = require('../support/environment/processes.ts');

const startedAt = Date.now();
const waiters = waitersOf(process.pid);
const isFromNpm = process.env.npm_config_user_agent?.startsWith('npm/');
if (waiters.length === 0 && isFromNpm && process.env.npm_lifecycle_event === 'acceptance') {
  console.error('npm, which has started this run, is gone: nothing is run');
  process.exit(2);
}
// The suite ends when one of them is gone (support/session.ts): killed, they cannot tell it.
const env = {
  ...process.env,
  LIVE_DUBBING_WAITERS: waitersAsText([processInfo(process.pid), ...waiters]),
};

function run(...args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
    // The child tidies up when it gets a signal, and this process waits for it. It gets that of a terminal twice.
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    signals.forEach((signal) => process.on(signal, forward));
    child.on('exit', (code, signal) => {
      signals.forEach((name) => process.off(name, forward));
      done(code ?? 128 + constants.signals[signal]);
    });
  });
}

const cucumber = join(root, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
// Short-lived audio buffers are collected early: 70 MB less memory at the same speed.
const ran = await run('--max-semi-space-size=2', cucumber, ...process.argv.slice(2));
const wasFull = isFull(1e6);
if (ran > 1) process.exit(ran);
// Results of an earlier run must not be taken for this one's.
if (existsSync(messages) && statSync(messages).mtimeMs < startedAt) rmSync(messages);
const verdict = await run('-r', 'ts-node/register', join(root, 'scripts/verdict.ts'), messages);
process.exit(ran || verdict || Number(wasFull));
