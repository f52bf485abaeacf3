import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { whyNoCompose } from '../../support/environment/compose-config';
import { SessionState } from '../../support/environment/session-state';
import { ServiceSets } from '../../support/session/services';

describe('warnings of Docker Compose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warnings-test-'));
  const { variables } = readConfig();
  const state = new SessionState(join(folder, 'state'), variables);
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  it('are shown once, however often the files are read', async (context) => {
    const whyNot = await whyNoCompose({ environment: variables, state });
    if (whyNot !== undefined) return context.skip(whyNot);
    const file = join(folder, 'sts.yml');
    writeFileSync(
      file,
      'services:\n  sts-service:\n    image: x\n    ports: ["${STS_PORT}:80"]\n    environment: [A=$NOT_SET_HERE]\n',
    );
    const given = { RUNTIME: 'host', STS_COMPOSE_FILE: file, STS_PORT: '3456' };
    const config = readConfig({ ...variables, ...given });
    const sets = new ServiceSets(config, state, new AbortController().signal, join(folder, 'logs'));
    const write = context.mock.method(process.stderr, 'write', () => true);
    await sets.manager();
    await sets.manager({ suffix: '-again' });
    write.mock.restore();
    const lines = write.mock.calls.map(({ arguments: [text] }) => String(text));
    expect(lines.filter((line) => line.includes('NOT_SET_HERE'))).to.deep.equal([
      '  … Docker Compose: The "NOT_SET_HERE" variable is not set. Defaulting to a blank string.\n',
    ]);
  });
});
