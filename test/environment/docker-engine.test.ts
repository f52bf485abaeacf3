import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { findEngine, remoteHost } from '../../support/environment/docker-engine';
import { SessionState } from '../../support/environment/session-state';

describe('Docker engines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'engines-'));
  const state = new SessionState(folder, readConfig().variables);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  const endpoints: [string, string | undefined][] = [
    ['unix:///var/run/docker.sock', undefined],
    ['npipe:////./pipe/docker_engine', undefined],
    ['tcp://127.0.0.1:2375', undefined],
    ['tcp://localhost:2375', undefined],
    ['tcp://10.1.2.3:2376', '10.1.2.3'],
    ['ssh://somebody@build.example:22', 'build.example'],
    ['tcp://[fd00::1]:2375', 'fd00::1'],
  ];
  for (const [endpoint, host] of endpoints) {
    it(`finds ${endpoint} on ${host ?? 'this host'}`, () => {
      expect(remoteHost(endpoint)).to.equal(host);
    });
  }

  it('says that none answers, or that there is no docker command', async () => {
    const none = { DOCKER_HOST: 'tcp://127.0.0.1:9', PATH: '/nowhere' };
    expect(await findEngine(none, state)).to.match(/^no Docker engine answers\n/);
    const silent = { ...none, PATH: '/usr/local/bin:/usr/bin:/bin' };
    expect(await findEngine(silent, state)).to.match(/^no Docker engine answers\n/);
  });
});
