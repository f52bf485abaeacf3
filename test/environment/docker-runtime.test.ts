import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { DockerRuntime } from '../../support/environment/docker-runtime';
import type { Composition } from '../../support/environment/runtime';
import { SessionState } from '../../support/environment/session-state';

const DIGEST = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

/** As `docker inspect` tells a container. */
function container(service: string, state: object): object {
  return {
    ...{ Id: `id-of-${service}`, Name: `/sts-${service}-1`, Image: DIGEST },
    Config: {
      Image: 'live-dubbing/sts-service:latest',
      Labels: { 'com.docker.compose.service': service },
    },
    NetworkSettings: { Networks: {} },
    State: { ExitCode: 0, Error: '', StartedAt: '2026-11-27T08:00:00.5Z', ...state },
  };
}

describe('containers as docker tells them, by a command in its place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docker-runtime-test-'));
  const config = readConfig();
  const variables = { PATH: `${folder}:${config.variables['PATH'] ?? ''}` };
  const state = new SessionState(join(folder, 'state'), config.variables);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });
  const local = { servicesHost: '127.0.0.1', publishAddress: '127.0.0.1' };
  const engine = {
    ...{ ...local, endpoint: 'unix:///nowhere', isRemote: false, gatewayAddress: '127.0.0.1' },
    ...{ environment: variables, testHost: { name: 'host', address: '127.0.0.1' } },
  };
  const composition = { name: 'sts', project: 'e2e-sts', variables } as unknown as Composition;

  function says(containers: readonly object[]): void {
    writeFileSync(join(folder, 'inspected.json'), JSON.stringify(containers));
    const ids = containers.map((_, index) => index).join('\n');
    const script = `#!/bin/sh\ncase "$1" in\nps) echo '${ids}' ;;\ninspect) cat '${folder}/inspected.json' ;;\nesac\n`;
    writeFileSync(join(folder, 'docker'), script);
    chmodSync(join(folder, 'docker'), 0o755);
  }

  it('are shown with the digest of their image, not its name', async () => {
    says([
      container('sts-service', { Status: 'running' }),
      container('models', { Status: 'exited', ExitCode: 3 }),
    ]);
    const startedAt = Date.UTC(2026, 10, 27, 8, 0, 0, 500);
    expect(await new DockerRuntime(engine, state).ps(composition)).to.deep.equal([
      { service: 'sts-service', state: 'running', image: DIGEST, startedAt },
      { service: 'models', state: 'exited', image: DIGEST, startedAt, exitCode: 3 },
    ]);
  });

  it('are none where there are none', async () => {
    says([]);
    expect(await new DockerRuntime(engine, state).ps(composition)).to.deep.equal([]);
  });
});
