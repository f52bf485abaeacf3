// Runs cucumber-js and then says whether the run counts (scripts/verdict.ts). Arguments are cucumber-js's own.
import { spawn } from 'node:child_process';
import { existsSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { loadConfiguration } from '@cucumber/cucumber/api';

/** Results of the whole suite take twice as much. */
const LEAST_BYTES = 100e6;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const require = createRequire(import.meta.url);
require('../support/base/typescript.cjs');
const { reportsFolderOf } = require('../support/config.ts');
const { takenByNpm } = require('../support/base/npm-options.ts');
const { waitersAsText, waitersOf } = require('../support/environment/waiting.ts');
const { ALLOCATOR } = require('../support/platform/memory.ts');
const { processInfo } = require('../support/platform/processes.ts');
const { SHARD_VARIABLE, takeShard } = require('../support/base/shard.ts');
const { makeReportsFolder, NOTHING_RUN } = require('../support/report/result-files.ts');

const args = process.argv.slice(2);
const reports = reportsFolderOf(process.env);
const messages = join(reports, 'messages.ndjson');

/** @returns {never} */
function refuse(...lines) {
  console.error([...lines, NOTHING_RUN].join('\n'));
  process.exit(2);
}

/** cucumber-js's options, without those that npm has itself. */
const OPTIONS = {
  flags: [
    ...['b', 'backtrace', 'dry-run', 'exit', 'force-exit', 'fail-fast', 'i18n-languages'],
    ...['publish', 'strict'],
  ],
  withValue: [
    ...[
      'config',
      'format-options',
      'i18n-keywords',
      'import',
      'language',
      'loader',
      'name',
      'order',
    ],
    ...['parallel', 'plugin', 'plugin-options', 'profile', 'r', 'require', 'require-module'],
    ...['retry', 'retry-tag-filter', 'shard', 't', 'tags', 'world-parameters'],
  ],
};

/** Ends this process where an option is unknown or its value malformed, and after --help and --version. */
async function checkOptions() {
  const onExit = (code) => {
    // cucumber-js's parser has said what is wrong, and what was meant.
    if (code === 0) return;
    // Word for word, as docs/troubleshooting.md has it.
    console.error(
      'Nothing was run; the results of an earlier run are kept. Options: npx cucumber-js --help',
    );
    process.exitCode = 2;
  };
  process.once('exit', onExit);
  const problem = await loadConfiguration({ file: false, provided: args }).then(
    ({ useConfiguration }) => notThere(useConfiguration),
    (error) => error.message,
  );
  process.off('exit', onExit);
  if (problem !== undefined) refuse(problem);
}

const FORMATS = [
  ...['html', 'json', 'junit', 'message', 'pretty', 'progress', 'progress-bar', 'rerun'],
  ...['snippets', 'summary', 'usage', 'usage-json'],
];
const ORDER = /^(defined|reverse|random(:.*)?)$/;

/**
 * What is wrong with a file, a module or a name that an option asks for. cucumber-js says it by the stack of an error, with the
 * exit code of a scenario that has failed.
 */
function notThere({ format, loader, plugin, requireModule, order }) {
  if (!ORDER.test(order)) return `--order ${order}: defined, reverse or random[:SEED]`;
  const config = { type: 'string', multiple: true, short: 'c' };
  const { values } = parseArgs({ args, strict: false, options: { config } });
  const noFile = values.config?.find((file) => !existsSync(file));
  if (noFile !== undefined) return `--config ${noFile}: there is no such file`;
  // `json:FILE`, `"file:///name":"FILE"`, or the two of them.
  const formats = format.map((one) => /^"?((file:)?[^":]*)/.exec([one].flat()[0])?.[1] ?? '');
  const modules = [
    ...formats.filter((one) => !FORMATS.includes(one)).map((one) => ['--format', one]),
    ...loader.map((one) => ['--loader', one]),
    ...plugin.map((one) => ['--plugin', one]),
    ...requireModule.map((one) => ['--require-module', one]),
  ];
  const [name, module] = modules.find(([, module]) => !isModule(module)) ?? [];
  if (name !== undefined) return `${name} ${module}: there is no such file or package`;
  return undefined;
}

/** Whether Node.js would find it from the root of this checkout. */
function isModule(specifier) {
  if (specifier.startsWith('file:') || specifier.startsWith('node:')) return true;
  try {
    require.resolve(specifier, { paths: [root] });
    return true;
  } catch (error) {
    // Of a package that is only for `import`, it is another one.
    return error.code !== 'MODULE_NOT_FOUND';
  }
}

const isNoPath = (text) => !existsSync(text);
const toType = takenByNpm(process.env, 'acceptance', args, OPTIONS, isNoPath);
if (toType) refuse('npm takes options before -- for its own. Type:', `  ${toType}`);
await checkOptions();

try {
  makeReportsFolder(reports);
} catch (error) {
  console.error(error.message);
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

// Shards are dealt out by how long they take (support/session/shards.ts); cucumber-js itself would deal out scenarios in turn, and most
// broadcasts several times.
const { text: shard, rest } = takeShard(args);

const startedAt = Date.now();
const waiters = waitersOf(process.pid);
const isFromNpm = process.env.npm_config_user_agent?.startsWith('npm/');
if (waiters.length === 0 && isFromNpm && process.env.npm_lifecycle_event === 'acceptance') {
  console.error('npm, which has started this run, is gone: nothing is run');
  process.exit(2);
}
// The suite ends when one of them is gone (support/session/lifecycle.ts): killed, they cannot tell it.
const env = {
  ...ALLOCATOR,
  ...process.env,
  ...withoutProxyForLoopback(process.env),
  [SHARD_VARIABLE]: shard,
  LIVE_DUBBING_WAITERS: waitersAsText([processInfo(process.pid), ...waiters]),
};

/**
 * Loopback is never behind a proxy, whoever asks it: this program (Node.js with NODE_USE_ENV_PROXY), ffmpeg, or a service. Some
 * read the one spelling, some the other.
 */
function withoutProxyForLoopback({ NO_PROXY, no_proxy }) {
  const hosts = [NO_PROXY ?? no_proxy, '127.0.0.1', 'localhost', '::1'].filter(Boolean).join(',');
  return { NO_PROXY: hosts, no_proxy: hosts };
}

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
// Short-lived audio buffers are collected early: 70 MB less memory at the same speed. Those of an analysis, when it is over
// (support/platform/memory.ts).
const ran = await run('--max-semi-space-size=2', '--expose-gc', cucumber, ...rest);
const wasFull = isFull(1e6);
if (ran > 1) process.exit(ran);
// No scenario has begun, or only steps were matched (--dry-run): the results are those of an earlier run.
const hasResults = existsSync(messages) && statSync(messages).mtimeMs >= startedAt;
if (!hasResults) process.exit(ran || Number(wasFull));
const verdict = await run(
  '-r',
  './support/base/typescript.cjs',
  join(root, 'scripts/verdict.ts'),
  messages,
);
process.exit(ran || verdict || Number(wasFull));
