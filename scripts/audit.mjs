// `npm run audit`: asks the registries for known vulnerabilities of the locked packages. Exit code 1 when there are any,
// 3 when a registry could not be asked, which says nothing of the packages; 0 when all were asked and none are known.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { filesBelow, root, run, SetupError, temporaryFolder, tools } from './commands.mjs';

const require = createRequire(import.meta.url);
require('ts-node/register');
const { npmAnswer, pipAnswer } = require('./audit-answers.ts');

const LOCKS = filesBelow('.', (name) => /^requirements.*\.lock$/.test(name)).sort();
const ASK_MS = 120_000;
const environment = join(tools, 'audit');

function output(command, args) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd: root, timeout: ASK_MS });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', failed);
    child.on('close', () => done({ stdout, stderr }));
  });
}

const askNpm = async () => npmAnswer(await output('npm', ['audit', '--json']));

async function askPython(lock) {
  const pipAudit = join(environment, 'bin/pip-audit');
  const args = ['--disable-pip', '--require-hashes', '--progress-spinner', 'off'];
  return pipAnswer(await output(pipAudit, [...args, '--format', 'json', '-r', lock]));
}

/** pip-audit, in an environment of its own. */
async function installPipAudit() {
  const lock = join(root, 'scripts/requirements-audit.lock');
  const stamp = join(environment, 'stamp');
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  await run('audit', 'python3', ['-m', 'venv', '--clear', environment]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--require-hashes'];
  await run('audit', join(environment, 'bin/python'), [...pip, '-r', lock]);
  writeFileSync(stamp, hash);
}

let [vulnerable, unasked] = [0, 0];
function tell(what, { known, problem }) {
  if (problem !== undefined) {
    unasked += 1;
    console.log(`audit: ${what}: could not ask: ${problem}`);
    return;
  }
  vulnerable += known.length;
  console.log(`audit: ${what}: ${known.length === 0 ? 'nothing known' : `${known.length} known`}`);
  known.forEach((one) => console.log(`  ${one}`));
}

process.env.TMPDIR = temporaryFolder('audit');
tell('npm', await askNpm());
try {
  await installPipAudit();
  for (const lock of LOCKS) {
    const answer = await askPython(lock);
    tell(lock, answer);
    // The same registry would not answer the others either.
    if (answer.problem !== undefined) break;
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  tell('Python', { problem: error.message });
}
process.exitCode = vulnerable > 0 ? 1 : unasked > 0 ? 3 : 0;
