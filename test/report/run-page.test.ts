import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import type { Browser } from 'playwright-core';

import type { BroadcastSummary, CauseFacts, RunFacts, Showcase } from '../../support/report/facts';
import { showcaseOf } from '../../support/report/showcase';
import { readRequirements } from '../../support/report/requirements';
import { runPage } from '../../support/report/run-page';
import { runFactsOf } from '../../support/report/run-report';
import type { ScenarioCollector, ScenarioResult } from '../../support/report/scenario-results';
import { tempFolder } from '../analyze/make-media';
import { openFile, overflowOf, startBrowser, testAccessibility, unfold } from './browser';
import { PAPER } from './browser';
import { partOf, resultsIn, steps, type Told } from './run-messages';
import { dubbedFacts, makeOutput, NASTY } from './broadcast-page-data';

const REQUIREMENTS = readRequirements();
const COUNT = REQUIREMENTS.flatMap(({ requirements }) => requirements).length;

const TOLD: Told[] = [
  {
    ...{ name: 'The STS answers', tags: ['@021-US1-1', '@P1'], feature: 'Services' },
    judged: { 'composition-has': 'passed', 'sts-starts-first': 'passed' },
  },
  {
    ...{ name: 'The dub is heard', tags: ['@021-US1-2', '@018-E1'], feature: 'Services' },
    steps: [
      { text: 'this happens:', status: 'PASSED', table: [['fragment 0', 'the dub is late']] },
      {
        text: 'the dub is heard less than 120 ms from its video',
        status: 'FAILED',
        message:
          'NotAsExpected: output.mp4: a dub is late\n  seen:     184.2 ms\n  expected: less than 120 ms\n' +
          '    at step (/suite/step-definitions/output.steps.ts:1:2)',
      },
      ...steps('SKIPPED'),
    ],
    judged: { 'av-offset': 'failed' },
    judgedBy: ['stream_1', 'stream_2'],
  },
  ...['Skipped first', 'Skipped second'].map((name) => ({
    ...{ name, tags: ['@019-US1-1'], feature: 'Broadcasts', steps: steps('SKIPPED') },
    skipReason: 'clip.mp4: the file of the broadcast is missing',
  })),
  { name: NASTY, feature: 'Hostile', steps: [{ text: NASTY, status: 'UNDEFINED' }] },
  { name: 'A hook', feature: 'Services', steps: steps('SKIPPED'), hook: 'Error: no fixture' },
];

function summaryOf(stream: string, name: string): BroadcastSummary {
  return {
    ...{ stream, name, isComplete: true, faults: [NASTY], isTranslated: true },
    coverage: { segments: 10, heard: 9, dubbed: 9, lost: [] },
    page: `evidence/${stream}/index.html`,
    figures: {
      ...{ fragmentsSent: 10, fragmentsAnswered: 9, offsetWorstMs: -184.2 },
      ...{ endToEndSeconds: 8.41, answerP95Ms: 1679, wordErrorRate: 0.024, tookSeconds: 69 },
    },
  };
}

const ECHO: BroadcastSummary = { ...summaryOf('stream_3', 'Echo'), isTranslated: false };

const CAUSE: CauseFacts = {
  ...{ what: 'a dub is late', where: 'output.mp4', seen: '184.2 ms', next: 'listen to it' },
  ...{ stream: 'stream_1', segments: [3], scenarios: ['features/Services.feature:2'] },
  ...{ followers: [], isAllLost: false, lost: [], log: [] },
};

const LOSS: Partial<CauseFacts> = {
  what: 'another number was sent',
  lost: ['segment 4: not sent'],
};

/** By more than 3 s: it does not keep up. */
const LATER = { lateAtEndSeconds: 8.3 };

/** 8 s of which the last segment was not sent. */
function showcaseIn(folder: string): Showcase | undefined {
  const summary: BroadcastSummary = {
    ...summaryOf('stream_1', 'One minute'),
    coverage: {
      ...{ segments: 5, heard: 3, dubbed: 4 },
      lost: [{ why: 'not sent (the breaker was open)', segments: [4], fromSeconds: 8 }],
    },
    figures: {
      fragmentsSent: 4,
      fragmentsAnswered: 4,
      endToEndSeconds: 5.2,
      ...LATER,
      offsetWorstMs: 184.2,
    },
  };
  const facts = { ...dubbedFacts(folder), isDisturbed: false };
  const short = { ...facts, durationSeconds: 4 };
  return showcaseOf(
    [
      { facts: short, summary: ECHO, evidenceUrl: '' },
      { facts, summary, evidenceUrl: '' },
      {
        facts: { ...facts, isDisturbed: true, durationSeconds: 90 },
        summary: ECHO,
        evidenceUrl: '',
      },
    ],
    () => 'original.mp4',
  );
}

describe('the page of a run in Chromium', () => {
  const folder = tempFolder();
  const file = join(folder, 'index.html');
  let browser: Browser;

  before(async () => {
    const part = partOf({ problems: ['media-service could not be stopped'] }, [1, 2]);
    makeOutput(folder);
    copyFileSync(join(folder, 'output.mp4'), join(folder, 'original.mp4'));
    const facts: RunFacts = {
      ...runFactsOf([resultsIn(folder, TOLD, part)], {
        broadcasts: [summaryOf('stream_1', 'One minute'), ECHO],
        ...{ problems: [], seconds: 0 },
      }),
      // What the second one has made viewers lose is said before the causes are: it is not named there.
      ...{
        causes: [CAUSE, { ...CAUSE, ...LOSS, stream: 'stream_1' }],
        showcase: showcaseIn(folder),
      },
    };
    writeFileSync(file, runPage(facts, REQUIREMENTS));
    mkdirSync(join(folder, 'evidence/stream_1'), { recursive: true });
    writeFileSync(join(folder, 'evidence/stream_1/index.html'), '<title>its page</title>');
    browser = await startBrowser();
  });
  after(() => browser.close());

  it('opens from a file, asks the network for nothing, and runs nothing of what it shows', async () => {
    const { page, complaints } = await openFile(browser, file);
    await page.getByText(` of ${COUNT} shown`).waitFor();
    expect(complaints).to.deep.equal([]);
    expect(await page.evaluate('window.hacked')).to.equal(undefined);
    expect(await page.getByText(NASTY).count()).to.be.greaterThan(3);
    await page.context().close();
  });

  it('says the verdict, then what failed with seen and expected, then the rest', async () => {
    const { page } = await openFile(browser, file);
    expect(await page.locator('.verdict').innerText()).to.equal(
      '✘ Viewers get Spanish in 3 of 5 segments, 5.2 s late at first and 8.3 s at the end, video and audio together within 185 ms; ' +
        '3 of 6 scenarios failed: a dub is late.\n\n' +
        'segment 4, from second 8 of the clip: not sent (the breaker was open)\n\n' +
        'Failed after 1 min 40 s: 1 of 6 scenarios passed, 3 failed, 2 skipped; 2 problems are listed below.\n\n' +
        'What viewers get is seen in “One minute”.',
    );
    expect(await page.locator('h2').allInnerTexts()).to.deep.equal([
      ...['Causes', 'What viewers get', 'Failures', 'Problems', 'Broadcasts', 'Scenarios'],
      ...['Requirements', 'Time and environment'],
    ]);
    const cause = await page.locator('#causes').innerText();
    expect(cause).to.contain('Cause of 1 of 3 failures: a dub is late').and.contain('listen to it');
    const failures = await page.locator('#failures .failure').allInnerTexts();
    expect(failures).to.have.length(3);
    expect(failures[0]).to.contain('The dub is heard').and.contain('021-US1-2, 018-E1');
    expect(failures[0]).to.contain('fragment 0\tthe dub is late');
    expect(failures[0]).to.contain('seen:     184.2 ms\n  expected: less than 120 ms');
    expect(failures[0]).not.to.match(/NotAsExpected|output\.steps\.ts/);
    expect(failures[1]).to.contain('it has no step definition');
    expect(failures[2]).to.contain('Before or after the steps:').and.contain('no fixture');
    const signs = await page.locator('#failures .failure').first().getByRole('img').all();
    const names = await Promise.all(signs.map((sign) => sign.getAttribute('aria-label')));
    expect(names).to.deep.equal(['passed', 'failed', 'not run']);
    expect(await page.locator('#problems').innerText()).to.contain('part 2 of 2 is missing');
    const row = page.getByRole('row', { name: 'One minute' });
    const cells = (await row.innerText()).split(/\s*\t\s*/);
    expect(cells[0]).to.match(/^✘ failed\s+1 scenario$/);
    expect(cells.slice(2, 9)).to.deep.equal([
      ...['9 of 10', '-184 ms', '8.4 s', '–', '1679 ms', '2.4 %', '69.0 s'],
    ]);
    expect(cells[9]).to.contain(NASTY);
    const echo = await page.getByRole('row', { name: 'Echo' }).innerText();
    expect(echo).to.contain('– not judged').and.contain('not translated');
    expect(await page.locator('#environment').innerText()).to.contain('Part 1 of 2');
    expect(await page.locator('#environment').innerText())
      .to.contain('LOG_LEVEL=DEBUG')
      .and.contain('Linux 6, 1 processor of speed 0.75, 1.0 GiB of memory');
    await page.context().close();
  });

  it('plays the original beside the output, with the audio of one of them and both texts', async () => {
    const { page, complaints } = await openFile(browser, file);
    expect(await page.getByLabel('The recording of the output').count()).to.equal(1);
    expect(await page.getByLabel('The clip that was published').count()).to.equal(1);
    const muted = (): Promise<unknown> =>
      page.evaluate('[...document.querySelectorAll("video")].map((one) => one.muted)');
    expect(await muted()).to.deep.equal([false, true]);
    await page.getByLabel('original (English)').check();
    expect(await muted()).to.deep.equal([true, false]);
    await page.evaluate('document.getElementById("output").currentTime = 2.5');
    await page.waitForFunction(
      'Math.abs(document.getElementById("original").currentTime - 2.5) < 0.2',
    );
    expect(await page.locator('#now-original').innerText()).to.equal('This is line 1.');
    expect(await page.locator('#now-dub').innerText()).to.equal(NASTY);
    expect(await page.locator('#now-fragment').innerText()).to.equal('Fragment 1: heard');
    await page.getByRole('button', { name: 'next segment' }).click();
    await page.waitForFunction('document.getElementById("output").currentTime >= 4');
    await page.evaluate('document.getElementById("output").play()');
    await page.waitForFunction('document.getElementById("original").currentTime > 4.3');
    expect(await page.evaluate('document.getElementById("original").paused')).to.equal(false);
    const tracks = await page.evaluate(
      '[...document.getElementById("output").textTracks].map((one) => one.label)',
    );
    expect(tracks).to.deep.equal(['Original', 'Dub']);
    expect(complaints).to.deep.equal([]);
    await page.context().close();
  });

  it('shows the room to each limit, and leaves the sense of the translation to its reader', async () => {
    const { page } = await openFile(browser, file);
    const viewers = page.locator('#viewers');
    expect(await viewers.locator('.figures').innerText()).to.match(/length\s+8 s, at most 9 s/);
    expect(await viewers.locator('.bar').first().getAttribute('aria-hidden')).to.equal('true');
    const text = await viewers.innerText();
    expect(text).to.contain(
      'shown 5.2 s late, the end 8.3 s late: the specs set no limit to that.',
    );
    expect(text).to.contain('understandable?').and.contain('That is for a reader to say.');
    expect(text).to.match(/0\.52\tThis is line 0\.\testa es la línea 0\testa es la línea 0/);
    expect(await viewers.getByRole('table').getByText('✔').count()).to.equal(0);
    await page.context().close();
  });

  it('shows the state of each broadcast on a narrow screen, too', async () => {
    const { page } = await openFile(browser, file);
    await page.setViewportSize({ width: 360, height: 740 });
    const box = await page
      .getByRole('row', { name: 'One minute' })
      .locator('.badge')
      .first()
      .boundingBox();
    expect((box?.x ?? NaN) + (box?.width ?? NaN)).to.be.below(360);
    await page.context().close();
  });

  it('says what its words mean', async () => {
    const { page } = await openFile(browser, file);
    await page.getByText('Words, and what they mean').click();
    const words = await page.locator('footer').innerText();
    expect(words).to.contain('A/V offset').and.contain('Audio minus video, in ms');
    expect(words).not.to.match(/\]\(|`/);
    await page.context().close();
  });

  it('has what passed steps have measured, by scenario', async () => {
    const { page } = await openFile(browser, file);
    const scenario = page.locator('#scenarios details', {
      has: page.locator('summary', { hasText: 'The STS answers' }),
    });
    await scenario.first().locator('summary').first().click();
    await scenario.getByText('2 values measured').click();
    const values = await scenario.getByRole('table').innerText();
    expect(values).to.match(/composition-has\t✔ passed/);
    await page.context().close();
  });

  it('leads to the evidence, and says of what there is none', async () => {
    const { page } = await openFile(browser, file);
    const failure = page.locator('#failures .failure').first();
    expect(await failure.innerText()).to.contain('stream_2 (no page)');
    await failure.getByRole('link', { name: 'One minute' }).click();
    expect(await page.title()).to.equal('its page');
    await page.context().close();
  });

  it('filters requirements by words and by state, and leads to their scenarios', async () => {
    const { page } = await openFile(browser, file);
    const rows = page.locator('.states > tr:visible');
    // Of a part of the suite, what ran comes first.
    const ran = await page.locator('.states > tr:not([data-state="not run"])').count();
    expect(await rows.count())
      .to.equal(ran)
      .and.to.be.within(1, COUNT - 1);
    await page.getByLabel('State').selectOption('failed');
    expect(await rows.count()).to.equal(2);
    expect(await page.locator('.spec:visible').count()).to.equal(2);
    await page.getByLabel('ID, words').fill('018 BROADCAST');
    expect(await rows.allInnerTexts()).to.have.length(1);
    expect(await page.locator('.filters output').innerText()).to.equal(`1 of ${COUNT} shown`);
    await page.getByLabel('State').selectOption('');
    await page.getByLabel('ID, words').fill('021-us1-1');
    expect(await rows.count()).to.equal(1);
    const scenario = page.locator('details', {
      has: page.locator('summary', { hasText: 'The STS answers' }),
    });
    expect(await scenario.getAttribute('open')).to.equal(null);
    await page.getByRole('link', { name: 'The STS answers' }).click();
    await page.locator('details[open]:target').waitFor();
    expect(await scenario.locator('.steps').isVisible()).to.equal(true);
    await page.context().close();
  });

  it('says of a requirement that ran which of its sentences nothing has judged, the worst first', async () => {
    const { page } = await openFile(browser, file);
    const row = page.locator('.states > tr', { hasText: '021-US1-1' });
    expect(await row.getAttribute('data-state')).to.equal('not run');
    await page.getByLabel('State').selectOption('');
    expect(await row.locator('.missing').innerText()).to.equal(
      '– not run both report healthy (its scenario was not asked for)',
    );
    const states = await page
      .locator('.spec', { hasText: 'Full services' })
      .locator('.states > tr')
      .evaluateAll((rows) => rows.map((one) => one.getAttribute('data-state')));
    expect(states.slice(0, 2)).to.deep.equal(['failed', 'not run']);
    await page.context().close();
  });

  it('tells a reason for skipping once, with its scenarios', async () => {
    const { page } = await openFile(browser, file);
    const reason = page.getByText('clip.mp4: the file of the broadcast is missing');
    expect(await reason.count()).to.equal(1);
    await page.getByText('2 scenarios skipped for this reason').click();
    expect(await page.locator('#scenarios .names:visible').innerText()).to.match(
      /Skipped first\s+↷ skipped Skipped second/,
    );
    await page.context().close();
  });

  it('says at which attempt a scenario has passed, and what failed before, safe to show', () => {
    const part = resultsIn(folder, [{ name: 'Retried' }], undefined);
    const [scenario] = part.collector.results;
    if (!scenario) throw new Error('no scenario');
    const message = 'AssertionError: \u001b[31m7 is not 8';
    const before: ScenarioResult = { ...scenario, status: 'FAILED', message };
    const results = [{ ...scenario, attempts: [before] }];
    const made = { broadcasts: [], problems: [], seconds: 0 };
    const collector = { results, known: [], times: {} } as unknown as ScenarioCollector;
    const html = runPage(runFactsOf([{ ...part, collector }], made), []);
    expect(html).to.match(/passed at attempt 2<\/span>\s+Retried/);
    expect(html).to.contain('Attempt 1 failed:').and.contain('\\u001b[31m7 is not 8');
    expect(html).not.to.contain('\u001b');
  });

  it('is under a megabyte, of 118 scenarios and 40 broadcasts', () => {
    const words = (count: number): string => 'what was seen of it '.repeat(count);
    const told = Array.from({ length: 118 }, (_, index): Told => ({
      ...{ name: `${words(3)}${index}`, tags: ['@021-US1-1'], feature: `Feature ${index % 12}` },
      steps: Array.from({ length: 6 }, () => ({ text: words(4), status: 'PASSED' })),
      judged: { 'composition-has': 'passed', 'sts-starts-first': 'passed', 'av-offset': 'passed' },
      judgedBy: [`stream_${index % 40}`],
    }));
    const run = runFactsOf([resultsIn(join(folder, 'large'), told)], {
      broadcasts: Array.from({ length: 40 }, (_, at) => summaryOf(`stream_${at}`, words(5))),
      ...{ problems: [], seconds: 0 },
    });
    const judged = run.judged.map((one) => ({ ...one, seen: words(100), expected: words(5) }));
    const html = runPage({ ...run, judged, showcase: showcaseIn(folder) }, REQUIREMENTS);
    expect(Buffer.byteLength(html)).to.be.below(1e6);
  });

  it('can be read without its script', async () => {
    const { page } = await openFile(browser, file, { javaScriptEnabled: false });
    expect(await page.locator('.states > tr').count()).to.equal(COUNT);
    await page.locator('.spec summary').first().click();
    expect(await page.locator('.states > tr:visible').count()).to.be.greaterThan(0);
    expect(await page.locator('#viewers video').count()).to.equal(2);
    expect(await page.locator('.filters').isVisible()).to.equal(false);
    await page.context().close();
  });

  testAccessibility((colorScheme) => openFile(browser, file, { colorScheme }));

  it('is printed without what paper cannot do, folded parts with it, and fits its page', async () => {
    const { page } = await openFile(browser, file, { viewport: PAPER });
    const isShown = (selector: string): Promise<boolean> =>
      page.locator(selector).first().isVisible();
    const onScreen = ['nav[aria-label="On this page"]', '.filters', '.controls', '#viewers video'];
    for (const one of onScreen) expect(await isShown(one), `${one} on screen`).to.equal(true);
    const steps = page.locator('#scenarios details .steps').first();
    expect(await steps.isVisible()).to.equal(false);
    await page.emulateMedia({ media: 'print' });
    for (const one of onScreen) expect(await isShown(one), `${one} on paper`).to.equal(false);
    for (const one of ['.verdict', '#causes', '.figures', '#failures .quote', '#environment']) {
      expect(await isShown(one), `${one} on paper`).to.equal(true);
    }
    expect(await steps.isVisible()).to.equal(true);
    expect(await overflowOf(page)).to.equal(0);
    await page.context().close();
  });

  it('can be used by the keyboard alone, with a mark of where one is', async () => {
    const { page } = await openFile(browser, file);
    const focused = (expression: string): Promise<unknown> =>
      page.evaluate(`(() => { const one = document.activeElement; return ${expression}; })()`);
    /** On to the next element until one fits. */
    const tabTo = async (fits: string): Promise<void> => {
      for (let presses = 0; presses < 200; presses += 1) {
        await page.keyboard.press('Tab');
        // Within a player, its own controls are marked by the browser.
        const isMarked = await focused(
          'one.matches("video") || getComputedStyle(one).outlineStyle !== "none"',
        );
        expect(isMarked, String(await focused('one.outerHTML.slice(0, 200)'))).to.equal(true);
        if (await focused(`${fits} === true`)) return;
      }
      throw new Error(`nothing that is reached by Tab fits: ${fits}`);
    };
    await tabTo('one.matches(".skip")');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('location.hash')).to.equal('#content');
    await tabTo('one.matches("#output")');
    await tabTo('one.matches("input[name=audio]")');
    await page.keyboard.press('ArrowDown');
    expect(await focused('one.value')).to.equal('original');
    expect(await page.evaluate('document.getElementById("output").muted')).to.equal(true);
    await tabTo('one.textContent.includes("next segment")');
    await page.keyboard.press('Enter');
    await page.waitForFunction('document.getElementById("output").currentTime > 0');
    await tabTo('one.getAttribute("aria-label") === "Figures of each broadcast"');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction('document.activeElement.scrollLeft > 0');
    await tabTo('one.matches("#scenarios summary")');
    await page.keyboard.press('Space');
    expect(await focused('one.parentElement.open')).to.equal(true);
    await tabTo('one.matches(".filters input")');
    await page.keyboard.type('018-e1');
    expect(await page.locator('.filters output').innerText()).to.equal(`1 of ${COUNT} shown`);
    await page.context().close();
  });

  it('fits a telephone', async () => {
    const { page } = await openFile(browser, file, { viewport: { width: 360, height: 700 } });
    await unfold(page);
    expect(await overflowOf(page)).to.equal(0);
    await page.context().close();
  });
});
