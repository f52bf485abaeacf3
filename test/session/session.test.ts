import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { processesWith, startTimeOf } from '../../support/platform/processes';
import { RUN_VARIABLE } from '../../support/environment/session-state';

/** A session with one program that was never written down. It does what it is told on its standard input. */
const SESSION = `
const { spawn } = require('node:child_process');
const { openSession, closeSession } = require('./support/session/lifecycle');
const { readConfig } = require('./support/config');
const [reportsFolder] = process.argv.slice(1);
const config = { ...readConfig({ PATH: process.env.PATH, HOME: process.env.HOME }), reportsFolder,
  stateFolder: reportsFolder + '/state', waiters: process.env.WAITERS ?? '' };
openSession(() => config);
spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).unref();
console.log(process.env.LIVE_DUBBING_RUN);
process.stdin.on('data', (what) => ({
  throw: () => { throw new Error('nobody catches this'); },
  reject: () => { Promise.reject(new Error('nobody waits for this')); },
  print: () => setInterval(() => process.stdout.write('a line\\n'), 10),
  close: () => closeSession().then(() => process.exit(0)),
})[what.toString()]());
`;
const { PATH, HOME } = readConfig().variables;

type Session = ChildProcessByStdio<Writable, Readable, null>;

describe('the end of a session', () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const gone = spawn('sleep', ['300'], { stdio: 'ignore' });
  const waiters = `${gone.pid ?? 0}:${startTimeOf(gone.pid ?? 0) ?? ''}`;
  const tell =
    (what: string) =>
    ({ stdin }: Session): void =>
      void stdin.write(what);
  const ends: [string, (session: Session) => unknown, number][] = [
    ['when it is closed', tell('close'), 0],
    ['after SIGINT', (session) => session.kill('SIGINT'), 130],
    ['after SIGTERM', (session) => session.kill('SIGTERM'), 143],
    ['after SIGHUP', (session) => session.kill('SIGHUP'), 129],
    ['after an error that nobody catches', tell('throw'), 1],
    ['after a promise that is rejected and nobody waits for', tell('reject'), 1],
    [
      'when nobody reads what it prints',
      (session) => {
        session.stdout.destroy();
        tell('print')(session);
      },
      1,
    ],
    ['when whoever waits for it is gone', () => gone.kill('SIGKILL'), 1],
  ];
  for (const [when, end, exitCode] of ends) {
    it(`leaves nothing ${when}`, async () => {
      const child = spawn(
        process.execPath,
        ['-r', './support/base/typescript.cjs', '-e', SESSION, folder],
        {
          env: { PATH, HOME, WAITERS: waiters },
          stdio: ['pipe', 'pipe', 'ignore'],
        },
      );
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      const run = said.toString().trim();
      const processes = (): unknown[] => processesWith(RUN_VARIABLE, (value) => value === run);
      expect(processes(), 'before').to.have.length(1);
      end(child);
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).to.equal(exitCode);
      expect(processes(), 'after').to.be.empty;
      expect(readdirSync(join(folder, 'state'))).to.be.empty;
    });
  }
});
