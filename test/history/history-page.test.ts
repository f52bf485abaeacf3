import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import type { Browser } from 'playwright-core';

import { writeHistory } from '../../support/history/remember';
import type { RunRecord } from '../../support/history/run-record';
import { NASTY } from '../report/broadcast-page-data';
import { tempFolder } from '../analyze/make-media';
import { openFile, startBrowser, testAccessibility } from '../report/browser';
import { overflowOf, PAPER, unfold } from '../report/browser';
import { recordOn } from './a-record';

function longHistory(count: number): RunRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const startedAt = new Date(Date.UTC(2024, 0, 1, index)).toISOString();
    return recordOn(1, { run: String(index), startedAt, seconds: 600 + (index % 60) });
  });
}

describe('the page of a history in Chromium', () => {
  const folder = tempFolder();
  const file = join(folder, 'history.html');
  let browser: Browser;

  before(async () => {
    const failed = { ends: 'FP', outcome: 'failed', verdict: `Failed: ${NASTY}` } as const;
    const runs = Array.from({ length: 12 }, (_, index) => recordOn(index + 1));
    runs[10] = recordOn(11, failed);
    runs.push(
      recordOn(13, { runtime: 'docker' }),
      recordOn(14, { figures: [[10, 9000, 9500, -1, 0.03]] }),
    );
    const images = { 'sts-service': 'sha256:0123456789abcdef' };
    runs.push(recordOn(15, { images, figures: [[10, 9000, 9500, -1, 0.03]] }));
    await writeHistory(folder, { runs, leftOut: [`a line: ${NASTY}`] }, { isBesideRun: false });
    browser = await startBrowser();
  });
  after(() => browser.close());

  it('says how many runs passed, what moved, and what is flaky, and runs nothing of what it shows', async () => {
    const { page, complaints } = await openFile(browser, file);
    expect(complaints).to.deep.equal([]);
    expect(await page.evaluate('window.hacked')).to.equal(undefined);
    expect(await page.locator('.verdict').innerText()).to.match(
      /^13 of 14 runs passed \(93 %\)\. The last one: Passed/,
    );
    const text = async (id: string): Promise<string> => page.locator(id).innerText();
    expect(await text('#repeated')).to.match(/019-SC\s+95 percent of 10 runs pass\s+.*9 of 10/);
    expect(await text('#repeated')).to.match(/018-SC\s+95 percent of 20 runs pass\s+.*too few/);
    expect(await text('#changes')).to.match(/worse\s+latency per fragment, p50\s+\d+ ms\s+9000 ms/);
    expect(await text('#scenarios')).to.match(/13 of 14 \(93 %\)\s+1\s+019-A One/);
    expect(await text('#margins')).to.match(/83 %\s+83 %\s+83 %\s+.*A\/V offset/);
    expect(await text('#runs'))
      .to.contain('sts-service 0123456789ab')
      .and.contain('abc123');
    expect(await text('#left-out')).to.contain('npm run history -- --runtime docker');
    await page.context().close();
  });

  it('tells each chart in words as well', async () => {
    const { page } = await openFile(browser, file);
    const chart = page.getByRole('group', { name: /^Latency per fragment/ });
    expect(await chart.getAttribute('aria-label')).to.match(
      /p50: last 9\.00 s, median of the last 10 2\.01 s, median of all 14 2\.01 s/,
    );
    await page.context().close();
  });

  testAccessibility((colorScheme) => openFile(browser, file, { colorScheme }));

  it('fits a telephone and paper', async () => {
    const { page } = await openFile(browser, file, { viewport: { width: 360, height: 700 } });
    await unfold(page);
    expect(await overflowOf(page)).to.equal(0);
    await page.setViewportSize(PAPER);
    await page.emulateMedia({ media: 'print' });
    expect(await overflowOf(page), 'on paper').to.equal(0);
    await page.context().close();
  });

  it('stays small with ten thousand runs', async () => {
    await writeHistory(folder, { runs: longHistory(10_000), leftOut: [] }, { isBesideRun: false });
    expect(statSync(file).size).to.be.below(1e6);
    const { page } = await openFile(browser, file);
    expect(await page.title()).to.equal('History of 10000 runs');
    expect(await page.locator('#runs').innerText()).to.contain('9950 older runs');
    await page.context().close();
  });

  it('is there when no run is', async () => {
    await writeHistory(folder, { runs: [], leftOut: [] }, { isBesideRun: false });
    const { page } = await openFile(browser, file);
    expect(await page.locator('main').innerText()).to.contain('No run is in it yet.');
    await page.context().close();
  });
});
