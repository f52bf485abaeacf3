import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { SessionState } from '../../support/environment/session-state';
import { ServiceSets } from '../../support/session/services';

describe('services that are stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'services-test-'));
  const { variables } = readConfig();
  const state = new SessionState(join(folder, 'state'), variables);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  it('leave nothing that listens, even where one of them cannot be stopped, which is said', async () => {
    const config = readConfig({ ...variables, RUNTIME: 'host' });
    const sets = new ServiceSets(config, state, new AbortController().signal, join(folder, 'logs'));
    const { manager, tap } = await sets.echo({ echoSegmentSeconds: 6 });
    if (!tap) throw new Error('no tap');
    const url = `http://127.0.0.1:${tap.port}/health`;
    expect((await fetch(url)).status).to.equal(200);
    const stopAll = manager.stopAll.bind(manager);
    manager.stopAll = async (logsTo) => {
      await stopAll(logsTo);
      throw new Error('its logs are gone');
    };
    const refused = await sets.stop(undefined).then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
    expect(refused).to.include('its logs are gone');
    const seen = await fetch(url).then(
      () => 'an answer',
      () => 'nothing',
    );
    expect(seen).to.equal('nothing');
  });
});
