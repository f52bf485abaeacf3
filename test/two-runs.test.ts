import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../support/config';
import { claim, release } from '../support/platform/claim';

describe('a second run of this checkout', () => {
  const reports = mkdtempSync(join(tmpdir(), 'two-runs-test-'));
  after(() => rmSync(reports, { recursive: true }));
  const run = (): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ['scripts/cucumber.mjs', '--dry-run', '--tags', '@021-US5-1'], {
      ...{ cwd: projectRoot, encoding: 'utf8' },
      env: { ...readConfig().variables, REPORTS_DIR: reports },
    });

  it('is refused while the first writes to the same folder, and touches nothing of it', async () => {
    const messages = join(reports, 'messages.ndjson');
    writeFileSync(messages, 'of the first run');
    expect(await claim(`reports ${reports}`)).to.be.true;
    const refused = run();
    expect(refused.stderr).to.match(
      /Another run of the suite is writing its results to .*two-runs/,
    );
    expect(refused.status).to.equal(2);
    expect(readFileSync(messages, 'utf8')).to.equal('of the first run');
    await release(`reports ${reports}`);
    expect(run().stderr).not.to.match(/Another run/);
    // A dry run writes no results.
    expect(readFileSync(messages, 'utf8')).to.equal('of the first run');
  });
});
