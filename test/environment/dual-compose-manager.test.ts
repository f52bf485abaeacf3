import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { DualComposeManager } from '../../support/environment/dual-compose-manager';
import { HostRuntime } from '../../support/environment/host-runtime';
import { SessionState } from '../../support/environment/session-state';

describe('reading both compositions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'manager-test-'));
  const state = new SessionState(join(folder, 'state'), readConfig().variables);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  function read(
    stsFile: string,
    environment: Record<string, string> = {},
    started?: string[],
  ): Promise<unknown> {
    const file = join(folder, 'sts.yml');
    writeFileSync(file, stsFile);
    const config = readConfig({ STS_COMPOSE_FILE: file, ...environment });
    const settings = config.settings('127.0.0.1');
    const { compositions } = settings;
    const sts = { ...compositions.sts, ...(started ? { services: started } : {}) };
    return DualComposeManager.read(new HostRuntime(state), {
      settings: { ...settings, compositions: { ...compositions, sts } },
      variables: config.variables,
      healthTimeoutMs: 1000,
    });
  }

  const service = (name: string, port: string): string =>
    `services:\n  ${name}:\n    image: x\n    ports: ["${port}"]\n`;

  it('takes files of other people that have the service and publish its port', async () => {
    expect(await read(service('sts-service', '3000:80'))).to.be.instanceOf(DualComposeManager);
    const renamed = { STS_NAME: 'speech', STS_PORT: '3100' };
    expect(await read(service('speech', '3100:80'), renamed)).to.be.instanceOf(DualComposeManager);
  });

  it('leaves the address of a service on another host to its owner', async () => {
    const elsewhere = { STS_HEALTH_URL: 'http://sts.example:9000/health' };
    expect(await read(service('sts-service', '80'), elsewhere)).to.be.instanceOf(
      DualComposeManager,
    );
  });

  it('takes a service on the network of the host to listen on the ports of its addresses', async () => {
    const host = 'services:\n  sts-service: { image: x, network_mode: host }\n';
    const manager = (await read(host, { STS_PORT: '3456' })) as DualComposeManager;
    expect(manager.publishedPorts().get(3456)).to.equal('sts-service');
    const other = await read(host.replace('host }', 'bridge }')).then(() => 'it was taken', String);
    expect(other).to.match(/the port of sts-service in acceptance\.yaml is not published/);
  });

  const pair =
    `${service('sts-service', '3000:80')}    depends_on: [models]\n` +
    '  models: { image: x }\n  other: { image: x, ports: ["3900:80"] }\n';

  it('leaves out services that are not started, with their ports', async () => {
    const all = (await read(pair)) as DualComposeManager;
    expect([...all.publishedPorts().values()]).to.include('other');
    const some = (await read(pair, {}, ['sts-service'])) as DualComposeManager;
    expect(some.sts.compose.services.map(({ name }) => name)).to.deep.equal([
      ...['models', 'sts-service'],
    ]);
    expect([...some.publishedPorts().values()]).to.not.include('other');
  });

  it('names a service to be started that the file does not have', async () => {
    const refusal = await read(pair, {}, ['speech']).then(() => 'it was taken', String);
    expect(refusal).to.match(
      /no such service.*(models, other, sts-service|sts-service, models, other).*speech/s,
    );
  });

  const faults: [string, string, RegExp][] = [
    [
      'a service that is not there',
      service('speech', '3000:80'),
      /no such service.*speech.*sts-service.*acceptance\.yaml/s,
    ],
    [
      'a port that is not published',
      service('sts-service', '3001:80'),
      /not published.*3001.*port 3000.*services\.sts\.health/s,
    ],
    [
      'a port that gets a random number',
      service('sts-service', '3000'),
      /not published.*no port.*port 3000/s,
    ],
  ];
  for (const [name, file, message] of faults) {
    it(`says what to change about ${name}`, async () => {
      const refusal = await read(file).then(
        () => 'it was taken',
        (error: unknown) => String(error),
      );
      expect(refusal).to.match(message).and.include('sts.yml');
    });
  }
});
