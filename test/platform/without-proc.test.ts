import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../../support/config';

/** Runs what follows with an empty /proc. */
const HIDDEN = ['--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh'];

/** This system's own program, where there is a /proc; what macOS's is told is said in its words. */
const withProc = (program: string): string => `#!/bin/sh
for one in "$@"; do
  shift
  case "$one" in
    -ax) set -- "$@" ax ;;
    -E) set -- "$@" e ;;
    -ww) set -- "$@" ww ;;
    *) set -- "$@" "$one" ;;
  esac
done
exec unshare --mount sh -c 'umount /proc && exec /usr/bin/${program} "$@"' sh "$@"
`;

/** Off Linux there are no sockets without a file. */
const NO_ABSTRACT_SOCKETS = `
const { Server } = require('node:net');
const { listen } = Server.prototype;
Server.prototype.listen = function (where, ...rest) {
  if (typeof where !== 'string' || !where.startsWith('\\0')) return listen.call(this, where, ...rest);
  const error = Object.assign(new Error('listen EINVAL'), { code: 'EINVAL' });
  process.nextTick(() => this.emit('error', error));
  return this;
};
`;

/** What asks for processes, sockets, start times and locks; of the many tests of sessions, those by the names of them. */
const FILES: [string, string][] = [
  ['environment/waiting', '.'],
  ['environment/ports', '.'],
  ['environment/session-state', 'kill -9|goes on|reboot'],
  ['platform/claim', '.'],
  ['platform/system-view', '.'],
];

describe('a host without /proc and without sockets that have no file', () => {
  const { status, stderr } = spawnSync('unshare', [...HIDDEN, 'true'], { encoding: 'utf8' });
  const refused = status === 0 ? false : `no mount namespaces here: ${stderr}`;
  const skip = existsSync('/proc/self/stat') ? refused : 'no /proc here to be hidden';
  const folder = mkdtempSync(join(tmpdir(), 'without-proc-'));
  after(() => rmSync(folder, { recursive: true }));
  const { PATH = '', HOME } = readConfig().variables;
  for (const program of ['ps', 'lsof']) {
    writeFileSync(join(folder, program), withProc(program), { mode: 0o755 });
  }
  const noSockets = join(folder, 'no-abstract-sockets.cjs');
  writeFileSync(noSockets, NO_ABSTRACT_SOCKETS);
  const env = { HOME, PATH: `${folder}:${PATH}`, NODE_OPTIONS: `--require ${noSockets}` };

  for (const [file, pattern] of FILES) {
    it(`passes ${file}.test.ts`, { skip }, () => {
      const options = [
        '-r',
        './support/base/typescript.cjs',
        '--test',
        `--test-name-pattern=${pattern}`,
      ];
      const test = [...options, `test/${file}.test.ts`];
      const run = spawnSync('unshare', [...HIDDEN, process.execPath, ...test], {
        ...{ cwd: projectRoot, env, encoding: 'utf8' },
      });
      expect(run.status, run.stdout + run.stderr).to.equal(0);
      expect(run.stdout).to.match(/^# pass [1-9]/m);
    });
  }
});
