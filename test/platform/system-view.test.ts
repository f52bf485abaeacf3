import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { eventually } from '../../support/base/eventually';
import { isRunning, processesWith, processInfo, system } from '../../support/platform/processes';

describe('what the operating system tells', () => {
  it('is the processes that run, with their parents and groups', () => {
    const own = processInfo(process.pid);
    expect(own).to.deep.include({ pid: process.pid, parent: process.ppid });
    expect(own?.command).to.include('node');
    expect(own?.command.length).to.be.at.most(200);
    expect(system.processes().map(({ pid }) => pid)).to.include(process.pid);
    expect(processInfo(4194305)).to.be.undefined;
  });

  it('is which of them were started with a variable, and that they have ended', async () => {
    const value = `of-${process.pid}`;
    const script = ['-e', 'setInterval(() => undefined, 1000)', 'IS_TESTED=by-argument'];
    const child = spawn(process.execPath, script, { env: { IS_TESTED: value }, detached: true });
    const found = (): number[] => processesWith('IS_TESTED', (one) => one === value).map(idOf);
    const idOf = ({ pid }: { pid: number }): number => pid;
    await eventually('the child', () => expect(found()).to.deep.equal([child.pid]), {
      withinMs: 5000,
    });
    const [process_] = processesWith('IS_TESTED', () => true);
    expect(process_).to.deep.include({ group: child.pid, parent: process.pid });
    expect(process_ && isRunning(process_)).to.be.true;
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(found()).to.deep.equal([]);
    expect(process_ && isRunning(process_)).to.be.false;
  });

  it('is when one has started that was started this moment, to within a second', async () => {
    const child = spawn('sleep', ['300']);
    const { pid = 0 } = child;
    const startTime = Number(system.startTimeOfNew(pid));
    const told = Number(processInfo(pid)?.startTime);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // Clock ticks since boot, or seconds since the epoch: those by ps(1) are rounded.
    expect(startTime).to.be.within(told - 1, told + 1);
  });

  it('is who listens on a port, and where connections lead', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1' });
    await once(server, 'connection');
    expect(system.listeningPorts()).to.include(port);
    expect(system.listenerOn(port)).to.equal(process.pid);
    const connections = system.connectionsOf([process.pid]);
    const expected = { remoteAddress: '127.0.0.1', remotePort: port };
    const own = connections.filter(({ remotePort }) => remotePort === port);
    expect(own).to.have.length(1);
    expect(own[0]).to.deep.include(expected);
    expect(system.connectionsOf([])).to.deep.equal([]);
    client.destroy();
    server.close();
    await once(server, 'close');
    expect(system.listenerOn(port)).to.be.undefined;
  });

  it('is how much of the machine a process takes', () => {
    expect(system.residentBytes(process.pid)).to.be.within(20e6, 2e9);
    expect(system.openDescriptors(process.pid)).to.be.within(3, 1000);
    expect(system.residentBytes(4194305)).to.equal(0);
    expect(system.openDescriptors(4194305)).to.equal(0);
  });

  const isUntold = system.secondsOfChildren() === undefined && 'ps(1) does not tell';
  it('is the processor time of children that have ended', { skip: isUntold }, () => {
    const before = system.secondsOfChildren() ?? NaN;
    const program = `const end = Date.now() + 60_000;
      while (process.cpuUsage().user < 400_000 && Date.now() < end);`;
    const { status } = spawnSync(process.execPath, ['--eval', program]);
    expect(status).to.equal(0);
    expect((system.secondsOfChildren() ?? NaN) - before).to.be.within(0.38, 2);
  });

  it('is one boot, and one namespace', () => {
    expect(system.bootId()).to.equal(system.bootId());
    expect(system.bootId()).not.to.equal('');
    expect(system.pidNamespace()).not.to.equal('');
  });
});
