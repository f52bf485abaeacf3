import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { environmentOf, remainsOf, treeOf, type Trial } from '../../tools/remains';
import { UsageSampler } from '../../tools/usage-sampler';
import { readConfig } from '../../support/config';
import { RUN_VARIABLE, runPrefix, SessionState } from '../../support/environment/session-state';

describe('what a run leaves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'remains-test-'));
  const started: ChildProcess[] = [];
  const server = createServer();
  after(() => {
    server.close();
    started.forEach((one) => one.kill('SIGKILL'));
    rmSync(folder, { recursive: true });
  });
  const sleep = async (env: Record<string, string>): Promise<number> => {
    const child = spawn('sleep', ['300'], { env: { ...readConfig().variables, ...env } });
    started.push(child);
    await once(child, 'spawn');
    return child.pid ?? 0;
  };

  it('is found by its variables, and otherwise as well', async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const stateFolder = join(folder, 'state');
    const temporary = join(folder, 'temporary');
    mkdirSync(temporary);
    mkdirSync(stateFolder);
    const variables = { ...readConfig().variables, STS_PORT: String(port) };
    const config = { ...readConfig(variables), stateFolder };
    const trial: Trial = { config, name: 'a-trial', temporary, withDocker: false };
    const others = new Set(await remainsOf(trial));
    others.delete(`port ${port}`);

    const byTrial = await sleep(environmentOf(trial));
    const byRun = await sleep({ [RUN_VARIABLE]: `${runPrefix(stateFolder)}1` });
    const unnamed = await sleep({});
    mkdirSync(join(temporary, 'lda-run-1'));
    mkdirSync(join(temporary, 'node-compile-cache'));
    writeFileSync(join(stateFolder, 'session-1.json'), '');
    const tree = treeOf(process.pid).filter(({ pid }) => pid === unnamed);
    expect(tree).to.have.length(1);
    const found = (await remainsOf(trial, tree)).filter((one) => !others.has(one));
    expect(found).to.have.members([
      ...[byTrial, byRun, unnamed].map((pid) => `process ${pid} (sleep 300)`),
      `port ${port}`,
      `folder ${join(temporary, 'lda-run-1')}`,
      'state session-1.json',
    ]);
  });

  it('and what it takes is told by program', async () => {
    const stateFolder = join(folder, 'sampled');
    const state = new SessionState(stateFolder, readConfig().variables);
    const pid = await sleep({});
    state.addGroup(pid, 'publisher');
    const service = spawn('sleep', ['300'], { detached: true });
    started.push(service);
    await once(service, 'spawn');
    state.addGroup(service.pid ?? 0, 'e2e-sts-019-01eed7/sts-service');
    const sampler = new UsageSampler(stateFolder);
    await sampler.sample();
    await sampler.sample();
    state.removeAll();
    const usage = sampler.usage();
    expect(Object.keys(usage)).to.have.members(['runner', 'e2e-sts-019/sts-service']);
    expect(usage['runner']?.peakMegabytes).to.be.within(40, 1000);
    expect(usage['runner']?.descriptors.first).to.be.above(5);
    const { peak, last } = usage['e2e-sts-019/sts-service']?.descriptors ?? {};
    // Standard input, output and error.
    expect(peak).to.be.within(3, 10).and.to.equal(last);
  });
});
