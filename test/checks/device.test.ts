import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown } from '../../support/base/errors';
import { judge, type Verdict } from '../../support/checks/criterion';
import { cpuAlone } from '../../support/checks/device';
import { readWithoutCompose } from '../../support/environment/compose-reader';

describe('the device of the STS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'device-test-'));
  after(() => rmSync(folder, { recursive: true }));

  /** By a compose file in which the service has these lines. */
  function verdict(...lines: string[]): Promise<Verdict> {
    const file = join(folder, 'docker-compose.yml');
    const service = ['image: any/sts', ...lines].map((line) => `    ${line}\n`);
    writeFileSync(file, `services:\n  sts:\n${service.join('')}`);
    const compose = readWithoutCompose([file], 'project', {});
    return judge(cpuAlone, { compose, name: 'sts' }, null);
  }

  it('is the CPU where its composition says so', async () => {
    expect(await verdict('environment: { DEVICE: cpu }')).to.include({ state: 'passed' });
  });

  it('is not where another one is configured, also on the host only', async () => {
    for (const device of ['auto', 'cuda', 'CPU', "''"]) {
      expect((await verdict(`environment: { DEVICE: ${device} }`)).state, device).to.equal(
        'failed',
      );
    }
    const onHost = 'x-host: { command: [sts], environment: { DEVICE: cuda } }';
    const { state, seen } = await verdict('environment: { DEVICE: cpu }', onHost);
    expect([state, seen]).to.deep.equal(['failed', 'DEVICE: cuda']);
  });

  it('is not the CPU alone where a GPU is reserved', async () => {
    const cpu = 'environment: { DEVICE: cpu }';
    const devices = '[{ driver: nvidia, count: 1, capabilities: [gpu] }]';
    for (const gpu of [
      'gpus: all',
      'runtime: nvidia',
      `deploy: { resources: { reservations: { devices: ${devices} } } }`,
    ]) {
      expect((await verdict(cpu, gpu)).seen, gpu).to.equal('a GPU is reserved for it');
    }
    const memory = 'deploy: { resources: { reservations: { memory: 1g } } }';
    expect((await verdict(cpu, memory)).state).to.equal('passed');
    expect((await verdict(cpu, 'runtime: runc')).state).to.equal('passed');
  });

  it('is not shown where nothing says it', async () => {
    const error = await verdict('environment: { OTHER: cpu }').catch((one: unknown) => one);
    expect(error).to.be.instanceOf(CannotBeShown);
    expect(String(error)).to.contain('no variable DEVICE of sts');
  });
});
