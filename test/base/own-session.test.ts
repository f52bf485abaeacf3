import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { inSessionOfItsOwn } from '../../support/base/own-session';
import { processInfo, signalGroup } from '../../support/platform/processes';

describe('a program in a session of its own', () => {
  let child: ChildProcess;
  const start = (script: string): ChildProcess => {
    const { program, args, detached } = inSessionOfItsOwn({
      program: 'sh',
      args: ['-c', script, 'sh', "it's $HOME"],
    });
    return spawn(program, args, { detached, stdio: ['ignore', 'pipe', 'inherit'] });
  };
  afterEach(() => child.kill('SIGKILL'));

  it('has the id of the process that is started, is given its arguments, and leads its group', async () => {
    child = start('echo "$$ $1"; sleep 60 & wait');
    const [said] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    const pid = child.pid ?? 0;
    expect(said.toString()).to.equal(`${pid} it's $HOME\n`);
    expect(processInfo(pid)?.group).to.equal(pid);
    signalGroup(pid, 'SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([null, 'SIGTERM']);
  });

  it('ends with its own exit code', async () => {
    child = start('exit 3');
    expect(await once(child, 'exit')).to.deep.equal([3, null]);
  });

  it('is missed by its own name', async () => {
    const { program, args, detached } = inSessionOfItsOwn(
      { program: 'no-such-program', args: [] },
      '/usr/bin:/bin',
    );
    child = spawn(program, args, { detached });
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    expect(error).to.include({ code: 'ENOENT', syscall: 'spawn no-such-program' });
  });

  it('is made by `setsid` where there is one, so that whoever starts it is not kept waiting', () => {
    const { program, args, detached } = inSessionOfItsOwn(
      { program: 'sh', args: ['-c', 'true'] },
      '/bin',
    );
    if (process.platform === 'linux') {
      expect(program).to.match(/\/setsid$/);
      expect(args).to.deep.equal(['sh', '-c', 'true']);
    }
    expect(detached).to.equal(process.platform !== 'linux');
  });
});
