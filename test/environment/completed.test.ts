import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { messageOf } from '../../support/base/errors';
import { readConfig } from '../../support/config';
import { HostRuntime } from '../../support/environment/host-runtime';
import type { Composition } from '../../support/environment/runtime';
import { SessionState } from '../../support/environment/session-state';

describe('a service that waits for another to complete, as processes of this host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'completed-test-'));
  const { variables } = readConfig();
  const state = new SessionState(join(folder, 'state'), variables);
  const runtime = new HostRuntime(state);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  /** What starting it within that time came to, and what was started. */
  async function started(job: string, withinMs: number): Promise<[string, string]> {
    const file = join(folder, 'docker-compose.yml');
    const hosts = { job, main: 'exec sleep 60' };
    const service = (name: keyof typeof hosts): object => ({
      image: 'x',
      'x-host': { command: ['sh', '-c', hosts[name]] },
    });
    const depends_on = { job: { condition: 'service_completed_successfully' } };
    const services = { main: { ...service('main'), depends_on }, job: service('job') };
    writeFileSync(file, JSON.stringify({ services }));
    const composition: Composition = {
      ...{
        name: 'sts',
        project: `lda-test-${process.pid}-completed`,
        variables,
        health: new Map(),
      },
      compose: await runtime.read([file], 'completed', variables),
    };
    try {
      const outcome = await runtime.up(composition, { withinMs }).then(() => 'started', messageOf);
      const states = await runtime.ps(composition);
      return [outcome, states.map(({ service, state }) => `${service} ${state}`).join()];
    } finally {
      await runtime.down(composition);
    }
  }

  it('is started when that has ended with exit code 0', async () => {
    const outcome = await started('sleep 0.3', 20_000);
    expect(outcome).to.deep.equal(['started', 'job exited,main running']);
  });

  it('is not started when that fails, whose log is shown', async () => {
    const [outcome, states] = await started('echo no models; exit 3', 20_000);
    expect(outcome).to.match(/completed\/job: .*"code":3.*no models.*expected: exit code 0/s);
    expect(states).to.equal('job exited');
  });

  it('is not started when that takes longer than services may take', async () => {
    const [outcome, states] = await started('exec sleep 60', 300);
    expect(outcome).to.match(/seen: +it runs/);
    expect(states).to.equal('job running');
  });
});
