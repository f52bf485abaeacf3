import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
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

  /** A docker command whose engine runs on that kernel, with that gateway of its bridge. */
  function engineOf(kernel: string, gateway: string): { PATH: string } {
    const docker = `#!/bin/sh
      case "$1 $2" in
        'version --format') echo 27.0.1 ;;
        'context inspect') echo unix:///var/run/docker.sock ;;
        'compose version') echo 2.30.0 ;;
        'info --format') echo '${kernel}' ;;
        'network inspect') echo '[{"Subnet":"172.17.0.0/16","Gateway":"${gateway}"}]' ;;
      esac`;
    writeFileSync(join(folder, 'docker'), docker, { mode: 0o755 });
    return { PATH: `${folder}:/usr/bin:/bin` };
  }

  const elsewhere = '6.10.14-linuxkit';
  const gateways: [string, string, string, string][] = [
    ['on this host', release(), '127.0.0.2', '127.0.0.2'],
    ['on this host, whose bridge has another address', release(), '192.0.2.1', '127.0.0.1'],
    ['in a virtual machine', elsewhere, '192.0.2.1', '127.0.0.1'],
    ['in a virtual machine with an address of this host', elsewhere, '127.0.0.2', '127.0.0.1'],
  ];
  for (const [where, kernel, gateway, address] of gateways) {
    it(`${where}: containers reach this host on ${address}`, async () => {
      expect(await findEngine(engineOf(kernel, gateway), state)).to.deep.include({
        gatewayAddress: address,
        testHost: { name: 'host.docker.internal', address },
        ...{ publishAddress: '127.0.0.1', servicesHost: '127.0.0.1', isRemote: false },
      });
    });
  }
});
