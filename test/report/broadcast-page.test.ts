import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { h } from 'preact';
import type { VNode } from 'preact';
import type { Browser, Page } from 'playwright-core';

import { AudioChart } from '../../support/report/charts/audio-chart';
import { svgText } from '../../support/report/charts/chart';
import { MetricChart } from '../../support/report/charts/metric-chart';
import { OffsetChart } from '../../support/report/charts/offset-chart';
import { FragmentTimeline } from '../../support/report/charts/timeline-chart';
import type { BroadcastFacts, CauseFacts } from '../../support/report/facts';
import { broadcastPage } from '../../support/report/broadcast-page';
import { tempFolder } from '../analyze/make-media';
import { accessibilityFaults, openFile, overflowOf, startBrowser, unfold } from './browser';
import { PAPER } from './browser';
import { dubbedFacts, JUDGED, makeOutput, NASTY, NOTHING } from './broadcast-page-data';

const LINKS = { run: '../../index.html', evidence: '', beside: [] };

/** That is where the player is, or gets to within some seconds: what is sought before the video is there comes later. */
async function expectTime(page: Page, seconds: number, within: number): Promise<void> {
  const time = (): Promise<number> =>
    page.evaluate<number>('document.querySelector("video").currentTime');
  await page
    .waitForFunction(
      `Math.abs(document.querySelector("video").currentTime - ${seconds}) <= ${within}`,
      undefined,
      { timeout: 10_000 },
    )
    .catch(() => undefined);
  expect(await time()).to.be.closeTo(seconds, within);
}

const CAUSE: CauseFacts = {
  ...{ what: 'dubs are missing', where: 'output.mp4', seen: 'fragment 2', next: 'listen to it' },
  ...{
    segments: [2],
    scenarios: [JUDGED[1]?.place ?? ''],
    followers: [],
    isAllLost: false,
    lost: [],
    log: [],
  },
};

describe("a broadcast's page in Chromium", () => {
  const folder = tempFolder();
  const file = join(folder, 'index.html');
  const bareFile = join(folder, 'bare.html');
  let facts: BroadcastFacts;
  let browser: Browser;

  before(async () => {
    makeOutput(folder);
    facts = dubbedFacts(folder);
    writeFileSync(file, broadcastPage(facts, JUDGED, LINKS, [CAUSE]));
    writeFileSync(bareFile, broadcastPage(NOTHING, [], LINKS));
    browser = await startBrowser();
  });
  after(() => browser.close());

  it('opens from a file, asks the network for nothing, and runs nothing that a service said', async () => {
    const { page, complaints } = await openFile(browser, file);
    await page.locator('#log-count').filter({ hasText: 'lines' }).waitFor();
    expect(complaints).to.deep.equal([]);
    expect(await page.evaluate('window.hacked')).to.equal(undefined);
    expect(await page.getByText(NASTY).count()).to.be.greaterThan(3);
    await page.context().close();
  });

  it('says first what is wrong, with seen and expected', async () => {
    const { page } = await openFile(browser, file);
    const verdict = page.getByRole('region', { name: 'Verdict' });
    const text = await verdict.innerText();
    expect(text).to.match(/^.{0,3}1 of 2 scenarios that judged this broadcast failed; 1 passed/);
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.slice(1, 9)).to.deep.equal([
      'Segments that viewers hear dubbed: 2 of 5.',
      'Not dubbed as it should be: segment 4, from second 8 of the clip: not sent (the breaker was open).',
      'Not dubbed as it should be: segment 2, from second 4 of the clip: the answer timed out.',
      'After 5 failures in a row, the circuit breaker was open from second 10 since publishing began until the broadcast ended, as no fragment was sent to try the STS again.',
      'A connection to the STS was lost once, first at second 9 since publishing began.',
      'Fallbacks to the original audio as media-service counts them: timeout 2.',
      'Made to go wrong on purpose. What is found below may be its effect:',
      'fragment 2: the answer is dropped',
    ]);
    expect(text).to.contain('fragment 3, wrong: the dub is 800.0 ms late');
    expect(text).to.contain('021-US4-2, features/full-services/4-real-processing.feature:9');
    expect(text).to.contain('a dub is not heard\n  where: the output\n  seen: fragment 2');
    expect(text).to.contain('expected: all four are heard').and.not.contain('NotAsExpected');
    expect(await page.getByRole('link', { name: 'All scenarios' }).getAttribute('href')).to.equal(
      '../../index.html',
    );
    const checks = await page.getByRole('region', { name: 'All checks' }).innerText();
    expect(checks).to.match(
      /as long as the source\s+✔ passed\s+8.0 s\s+7.0 to 9.0 s\s+every dub is heard/,
    );
    expect(checks).to.match(/✘ failed\s+fragment 2 is not heard .*all are heard\s+default limit/);
    expect(checks).to.match(
      /together\s+↳ follows\s+800.0 ms\s+below 110 ms\s+every dub is heard\s+Each dub is heard at its video: not heard/,
    );
    expect(text).to.contain('Audio is late: the A/V offset is 800 ms in 1 of 4 fragments.');
    await page.context().close();
  });

  it('explains what is red where all scenarios passed: it was made to go wrong on purpose', async () => {
    const passed = JUDGED.filter(({ status }) => status === 'PASSED');
    const green = join(folder, 'green.html');
    writeFileSync(green, broadcastPage(facts, passed, LINKS));
    const { page } = await openFile(browser, green);
    const text = await page.getByRole('region', { name: 'Verdict' }).innerText();
    expect(text).to.contain(
      'Made to go wrong on purpose. What is red below is its effect, as the scenarios expect it:',
    );
    await page.context().close();
  });

  it('says what else was on the air, and how busy the machine was', async () => {
    const busy = { ...facts, busyShare: 0.926, waits: { count: 2, longestMs: 450 } };
    const besides = join(folder, 'besides.html');
    const beside = [{ name: 'Another minute', page: '../another/index.html' }];
    writeFileSync(besides, broadcastPage(busy, JUDGED, { ...LINKS, beside }));
    const { page } = await openFile(browser, besides);
    const verdict = page.getByRole('region', { name: 'Verdict' });
    expect(await verdict.innerText()).to.contain(
      'processors 93 % busy on average; the suite itself was kept waiting 2 times, 0.45 s at most',
    );
    await verdict.getByText('1 other broadcast', { exact: true }).click();
    const link = verdict.getByRole('link', { name: 'Another minute' });
    expect(await link.getAttribute('href')).to.equal('../another/index.html');
    await page.goto(pathToFileURL(file).href);
    expect(await verdict.innerText()).to.contain('no other broadcast of the run');
    expect(await verdict.innerText()).to.contain('the suite itself was never kept waiting');
    await page.context().close();
  });

  it('shows the segments that were not sent among the others, and plays them', async () => {
    const { page } = await openFile(browser, file);
    const row = page.locator('#segment-4');
    expect(await row.innerText()).to.match(/4\t–\t∅ not sent\s+the breaker was open/);
    const timeline = page.getByRole('region', { name: 'Chart: Timeline of fragments' });
    expect(await timeline.innerHTML()).to.contain('segment 4 is not sent: the breaker was open');
    await page.getByRole('button', { name: 'play from segment 4' }).click();
    await page.waitForFunction('document.querySelector("video").currentTime > 7.5');
    expect(await page.locator('tr[aria-current]').getAttribute('id')).to.equal('segment-4');
    expect(await page.locator('#now-fragment').innerText()).to.equal(
      'Segment 4: not sent: the breaker was open',
    );
    await page.context().close();
  });

  it('paints nothing as played that nobody heard', () => {
    const html = readFileSync(file, 'utf8');
    expect(html).to.contain('fragment 2, unheard: ').and.not.contain('fragment 2, played: ');
    expect(html).to.contain('fragment 3, played: ');
  });

  it('plays, and shows which fragment is played', async () => {
    const { page } = await openFile(browser, file);
    await page.getByRole('button', { name: 'play from fragment 1' }).click();
    await page.waitForFunction('document.querySelector("video").currentTime > 2.3');
    expect(await page.locator('tr[aria-current]').getAttribute('id')).to.equal('fragment-1');
    expect(await page.locator('#now-original').innerText()).to.equal('This is line 1.');
    expect(await page.locator('#now-dub').innerText()).to.equal(NASTY);
    await page.waitForFunction(
      'document.querySelector(".playhead").style.visibility === "visible"',
    );
    await page.context().close();
  });

  it('goes to the moment of a fragment: from its row of the timeline, the list, and by buttons', async () => {
    const { page } = await openFile(browser, file, { viewport: { width: 1280, height: 900 } });
    const timeline = page.getByRole('region', { name: 'Chart: Timeline of fragments' });
    await timeline.locator('[data-fragment="3"]').click();
    await expectTime(page, 6, 0.01);
    await page.getByRole('button', { name: 'previous fragment' }).click();
    await expectTime(page, 4, 0.01);
    await page.getByRole('button', { name: 'next fragment' }).click();
    await expectTime(page, 6, 0.01);
    await page.getByRole('link', { name: 'fragment 2', exact: true }).click();
    await expectTime(page, 4, 0.01);
    expect(page.url()).to.match(/#fragment-2$/);
    // Below the player, not under it.
    const row = await page.locator('#fragment-2').boundingBox();
    const player = await page.locator('.player').boundingBox();
    expect(player?.height).to.be.at.most(0.41 * 900);
    expect(row?.y).to.be.greaterThan((player?.y ?? 0) + (player?.height ?? 0) - 1);
    const audio = page.getByRole('region', { name: 'Chart: Audio of the original' });
    const box = await audio.locator('svg.chart').boundingBox();
    // 76 to 944 of 960 are 0 to 8 s.
    await audio
      .locator('svg.chart')
      .click({ position: { x: ((76 + 868 / 4) / 960) * (box?.width ?? 0), y: 90 } });
    await expectTime(page, 2, 0.05);
    await page.context().close();
  });

  it('begins at the fragment of its address', async () => {
    const { page } = await openFile(browser, file, { hash: '#fragment-2' });
    await expectTime(page, 4, 0.01);
    expect(await page.locator('tr[aria-current]').getAttribute('id')).to.equal('fragment-2');
    await page.context().close();
  });

  it('has the texts as tracks of the player', async () => {
    const { page } = await openFile(browser, file);
    const tracks =
      await page.evaluate(`[...document.querySelector('video').textTracks].map((track) => ({
      label: track.label, language: track.language,
      cues: [...track.cues].map((cue) => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]),
    }))`);
    expect(tracks).to.deep.equal([
      {
        ...{ label: 'Original', language: 'en' },
        cues: [
          ...[0, 1, 2].map((line) => [2 * line, 2 * line + 2 - 0.001, `This is line ${line}.`]),
          // To where the segment begins that was not sent.
          [6, 7.5 - 0.001, 'This is line 3.'],
          [7.5, 9.5 - 0.001, 'This is line 4.'],
        ],
      },
      {
        ...{ label: 'Dub', language: 'es' },
        cues: [0, 1, 2, 3].map((line) => [
          2 * line,
          (line === 3 ? 7.5 : 2 * line + 2) - 0.001,
          line === 1 ? NASTY : `esta es la línea ${line}`,
        ]),
      },
    ]);
    await page.context().close();
  });

  it('searches the log, says how much it found, and leads to the moment', async () => {
    const { page } = await openFile(browser, file);
    const log = page.getByRole('region', { name: 'Log' });
    const count = page.locator('#log-count');
    const shown = log.locator('tbody tr:visible');
    expect(await count.innerText()).to.equal('600 of 600 lines; the first 500 are shown');
    expect(await shown.count()).to.equal(500);
    await page.getByRole('button', { name: 'show all' }).click();
    expect(await shown.count()).to.equal(600);
    await page.getByLabel('Search').fill('NO answer');
    await count.filter({ hasText: '1 of 600 lines' }).waitFor();
    expect(await shown.innerText()).to.contain('ERROR');
    await shown.getByRole('button', { name: 'watch at second 7.01' }).click();
    await expectTime(page, 2, 0.02);
    await page.getByLabel('Search').fill('');
    await page.getByLabel('Service').selectOption('media-service');
    await count.filter({ hasText: '200 of 600 lines' }).waitFor();
    await page.getByLabel('Level').selectOption('ERROR');
    await count.filter({ hasText: '0 of 600 lines' }).waitFor();
    await page.context().close();
  });

  it('can be used by everybody: light, dark, on a telephone, and on paper', async () => {
    const { page } = await openFile(browser, file);
    // What is folded is checked as well.
    await unfold(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await accessibilityFaults(page), colorScheme).to.deep.equal([]);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await overflowOf(page)).to.equal(0);
    expect(await accessibilityFaults(page), 'narrow').to.deep.equal([]);
    await page.setViewportSize(PAPER);
    await page.emulateMedia({ media: 'print' });
    expect(await overflowOf(page), 'on paper').to.equal(0);
    await page.context().close();
  });

  it('can be read without its script', async () => {
    const { page } = await openFile(browser, file, { javaScriptEnabled: false });
    expect(await page.locator('.log tbody tr:visible').count()).to.equal(600);
    expect(await page.getByRole('button').count()).to.equal(0);
    expect(await page.locator('svg.chart:visible').count()).to.equal(5);
    await page.context().close();
  });

  it('shows a broadcast of which nothing was seen', async () => {
    const { page, complaints } = await openFile(browser, bareFile);
    const text = await page.locator('main').innerText();
    expect(text).to.contain('No scenario judged this broadcast');
    expect(text).to.contain('The output is not complete: there was no output');
    expect(text).to.contain('the output was not listed by the media server');
    expect(text).to.not.match(/NaN|undefined|Infinity|null/);
    expect(complaints).to.deep.equal([]);
    expect(await accessibilityFaults(page)).to.deep.equal([]);
    await page.context().close();
  });

  it('says of a recording that browsers do not play where it is', async () => {
    const other = { ...NOTHING, output: { file: 'viewer #1.mkv', seconds: 8 } };
    const otherFile = join(folder, 'other.html');
    writeFileSync(otherFile, broadcastPage(other, [], LINKS));
    const { page } = await openFile(browser, otherFile);
    expect(await page.locator('video').count()).to.equal(0);
    const link = page.getByRole('link', { name: 'viewer #1.mkv' });
    expect(await link.getAttribute('href')).to.equal('viewer%20%231.mkv');
    await page.context().close();
  });

  it('leads to evidence in another folder', async () => {
    const pages = join(folder, 'replay', 'broadcasts', 'test');
    mkdirSync(pages, { recursive: true });
    const links = { run: '../../index.html', evidence: '../../../', beside: [] };
    writeFileSync(join(pages, 'index.html'), broadcastPage(facts, JUDGED, links));
    const { page, complaints } = await openFile(browser, join(pages, 'index.html'));
    await page.waitForFunction('document.querySelector("video").readyState > 0');
    const link = page.getByRole('link', { name: 'fragment 1 before' });
    expect(await link.getAttribute('href')).to.equal('../../../audio/1-0001-original.wav');
    expect(complaints).to.deep.equal([]);
    await page.context().close();
  });

  it('says that the recording is not there when it is not', async () => {
    const { page } = await openFile(browser, file);
    expect(await page.locator('#player-trouble').isVisible()).to.equal(false);
    const away = join(folder, 'away.html');
    writeFileSync(
      away,
      broadcastPage({ ...facts, output: { file: 'away.mp4', seconds: 8 } }, [], LINKS),
    );
    const opened = await openFile(browser, away);
    await opened.page.locator('#player-trouble').waitFor({ state: 'visible' });
    await page.context().close();
    await opened.page.context().close();
  });

  it('has charts that are whole documents of their own', async () => {
    const { images, fragments, events } = facts;
    if (!images) throw new Error('no images');
    const nasty = { ...facts, fragments: fragments.map((one) => ({ ...one, remarks: [NASTY] })) };
    const charts = [
      h(FragmentTimeline, { facts: nasty }),
      h(OffsetChart, { facts: nasty }),
      h(AudioChart, { images, fragments }),
      ...facts.series.map((series) => h(MetricChart, { series, events, toSeconds: 16 })),
      h(FragmentTimeline, { facts: NOTHING }),
      h(OffsetChart, { facts: NOTHING }),
    ].map((chart) => svgText(chart as VNode));
    const { page } = await openFile(browser, bareFile);
    for (const chart of charts) {
      const parsed = await page.evaluate(
        `(() => { const { documentElement: root } = new DOMParser().parseFromString(${JSON.stringify(chart)}, 'image/svg+xml');
          return [root.nodeName, root.querySelectorAll('parsererror, script').length, root.querySelectorAll('style').length]; })()`,
      );
      expect(parsed).to.deep.equal(['svg', 0, 1]);
      expect(chart).to.not.match(/NaN|undefined|Infinity/);
    }
    await page.context().close();
  });
});
