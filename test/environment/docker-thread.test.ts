import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { runInThread } from '../../support/environment/docker-thread';
import { exists } from '../../support/platform/processes';
import { inSessionOfItsOwn } from '../../support/base/own-session';
import { eventually } from '../../support/base/eventually';

const PATH = '/usr/bin:/bin';
const never = new AbortController().signal;
const run = (program: string, args: string[], signal = never): ReturnType<typeof runInThread> =>
  runInThread(inSessionOfItsOwn({ program, args }, PATH), { PATH, SAID: "it's" }, signal);

describe('a program that is run from a thread', () => {
  it('has its own environment, and tells what it wrote and how it has ended', async () => {
    const ended = await run('sh', ['-c', 'echo "$SAID $HOME"; echo "ñ" >&2; exit 3']);
    expect(ended).to.deep.equal({
      ...{ exitCode: 3, signal: null, problem: undefined },
      ...{ stdout: "it's \n", stderr: 'ñ\n' },
    });
  });

  it('tells much, and each of several its own', async () => {
    const all = await Promise.all(
      ['a', 'b', 'c'].map((one) => run('sh', ['-c', `yes ${one} | head -n 300000`])),
    );
    expect(all.map(({ stdout }) => [stdout.length, new Set(stdout).size])).to.deep.equal(
      Array(3).fill([600_000, 2]),
    );
    expect(all.map(({ stdout }) => stdout[0])).to.deep.equal(['a', 'b', 'c']);
  });

  it('is missed by its own name', async () => {
    const { exitCode, problem } = await run('no-such-program', []);
    expect(exitCode).to.equal(null);
    expect(problem).to.equal('spawn no-such-program ENOENT');
  });

  it('is killed with all that it has started', async () => {
    const abort = new AbortController();
    const script = 'sleep 60 & echo $! >&2; kill -STOP $$; wait';
    const ending = run('sh', ['-c', script], abort.signal);
    setTimeout(() => abort.abort(), 300);
    const { exitCode, signal, stderr } = await ending;
    expect([exitCode, signal]).to.deep.equal([null, 'SIGKILL']);
    await eventually('the end of the other', () => expect(exists(Number(stderr))).to.be.false, {
      withinMs: 2000,
    });
  });

  it('is killed in the moment of its start', async () => {
    const abort = new AbortController();
    const ending = run('sleep', ['60'], abort.signal);
    abort.abort();
    expect((await ending).signal).to.equal('SIGKILL');
  });

  it('is waited for by the process, which ends after it', () => {
    const script = `
      const { runInThread } = require('./support/environment/docker-thread');
      runInThread({ program: 'sh', args: ['-c', 'sleep 0.3; echo done'], detached: true },
        { PATH: '${PATH}' }, new AbortController().signal).then(({ stdout }) => process.stdout.write(stdout));`;
    const args = ['-r', './support/base/typescript.cjs', '-e', script];
    const { status, stdout, signal } = spawnSync(process.execPath, args, {
      ...{ encoding: 'utf8', timeout: 20_000 },
    });
    expect([status, signal, stdout]).to.deep.equal([0, null, 'done\n']);
  });
});
