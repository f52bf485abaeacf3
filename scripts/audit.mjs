// `npm run audit`: asks osv.dev for known vulnerabilities of all locked packages (npm, PyPI, Go). Exit code 1 when there are
// any, 3 when it could not be asked, which says nothing of the packages; 0 when none are known.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { filesBelow, root, run, SetupError, tools } from './commands.mjs';

const VERSION = 'v2.2.4';
/** osv-scanner's exit codes up to here are about vulnerabilities, the others about itself. */
const LAST_RESULT = 126;

const locks = [
  'package-lock.json',
  'compose/services/mediamtx/go.mod',
  ...filesBelow('.', (name) => /^requirements.*\.lock$/.test(name)).map(
    (path) => `requirements.txt:${path}`,
  ),
];

/** Whether the database answers at all: the scanner is not built for nothing. */
async function answers() {
  try {
    await fetch('https://api.osv.dev/', { signal: AbortSignal.timeout(10_000) });
    return true;
  } catch {
    return false;
  }
}

/** osv-scanner, built from the Go module proxy: about 4 minutes, once; undefined where osv.dev does not answer. */
async function scanner() {
  const folder = join(tools, 'osv-scanner', VERSION);
  const program = join(folder, 'osv-scanner');
  if (existsSync(program)) return program;
  if (!(await answers())) return undefined;
  const module = `github.com/google/osv-scanner/v2/cmd/osv-scanner@${VERSION}`;
  await run('audit', 'go', ['install', module], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return program;
}

async function audit() {
  const program = await scanner();
  if (program === undefined) return 3;
  const files = locks.flatMap((lock) => ['--lockfile', lock]);
  const args = ['scan', 'source', '--no-resolve', ...files];
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  return status === 0 ? 0 : status !== null && status <= LAST_RESULT ? 1 : 3;
}

try {
  process.exitCode = await audit();
} catch (error) {
  if (!(error instanceof SetupError) && error.code !== 'ENOENT') throw error;
  console.error(error.message);
  process.exitCode = 3;
}
if (process.exitCode === 3) console.error('audit: osv.dev could not be asked');
