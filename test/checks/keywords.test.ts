import { describe, it } from 'node:test';

import { expect } from 'chai';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { OutputFindings } from '../../support/analyze/output-findings';
import { type Fixture, readFixture } from '../../support/broadcast/fixture';
import { composeFreshWords } from '../../support/broadcast/fresh-words';
import { judge, type Verdict } from '../../support/checks/criterion';
import {
  wordsDubbed,
  wordsHeard,
  wordsTranscribed,
  wordsTranslated,
} from '../../support/checks/keywords';
import { projectRoot } from '../../support/config';
import { event, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES, stateOf } from './a-broadcast';

const LIMIT = { least: 5, of: 6 };
const short = readFixture(`${projectRoot}/fixtures/12-s-nfl.yaml`);
const words = composeFreshWords(1);
const [last, fixture]: [typeof words, Fixture] = [
  composeFreshWords(2),
  { ...short, ...words, title: 'Words composed for this run (FRESH_WORDS_SEED=1)' },
];

interface Texts {
  transcripts?: readonly string[];
  translations?: readonly string[];
  /** What is heard in each segment; undefined where a segment is not there. */
  heard?: readonly (string | undefined)[];
}

/** Segments without a transcript are not answered. */
function said(texts: Texts): BroadcastFindings {
  const { transcripts = words.script, translations = words.translation } = texts;
  const { heard = words.translation } = texts;
  const events = transcripts.flatMap((transcript, i) => [
    sent(6 * i, `f${i}`, { sequence: i, timestamp: 6000 * i, isWhole: true }),
    event(6 * i + 1, 'fragment:processed', {
      ...{ fragment_id: `f${i}`, status: 'success', transcript },
      translated_text: translations[i] ?? '',
    }),
  ]);
  const segments = heard.map((text, sequence) => ({
    sequence,
    heard:
      text === undefined
        ? { observed: false as const, reason: 'its video is not shown' }
        : { observed: true as const, text, isSpoken: true, fromSeconds: 0, toSeconds: 6 },
  }));
  const found = Promise.resolve({ observed: true as const, segments });
  class Recorded extends BroadcastFindings {
    override get output(): OutputFindings {
      const listened: Pick<OutputFindings, 'segmentsHeard' | 'dubsHeard'> = {
        segmentsHeard: () => found,
        dubsHeard: () => found,
      };
      return listened as OutputFindings;
    }
  }
  return new Recorded(aBroadcast({ events }).evidence, fixture, NAMES);
}

const all = { wordsTranscribed, wordsTranslated, wordsDubbed, wordsHeard };

async function statesOf(texts: Texts): Promise<Record<string, string>> {
  const broadcast = said(texts);
  const states = Object.entries(all).map(async ([name, one]): Promise<[string, string]> => [
    name,
    await stateOf(one, broadcast, LIMIT),
  ]);
  return Object.fromEntries(await Promise.all(states));
}

const PASSED = Object.fromEntries(Object.keys(all).map((name) => [name, 'passed']));
const FAILED = Object.fromEntries(Object.keys(all).map((name) => [name, 'failed']));
/** What is missing is owned by what counts it. */
const FOLLOWS = Object.fromEntries(Object.keys(all).map((name) => [name, 'follows']));

describe('the words of a run', () => {
  const everywhere = ({ script, translation }: typeof words): Texts => ({
    ...{ transcripts: script, translations: translation, heard: translation },
  });

  it('are said, translated, dubbed and heard', async () => {
    expect(await statesOf({})).to.deep.equal(PASSED);
  });

  it('are not those of the last run', async () => {
    expect(await statesOf(everywhere(last))).to.deep.equal(FAILED);
  });

  it('are not the same sentence each time', async () => {
    const [script = '', translation = ''] = [words.script[0], words.translation[0]];
    const same = { ...words, script: [script, script], translation: [translation, translation] };
    expect(await statesOf(everywhere(same))).to.deep.equal(FAILED);
  });

  it('are each in their own segment', async () => {
    const swapped = {
      ...words,
      ...{ script: words.script.toReversed(), translation: words.translation.toReversed() },
    };
    expect(await statesOf(everywhere(swapped))).to.deep.equal(FAILED);
  });

  it('are not only English', async () => {
    const states = await statesOf({ translations: words.script, heard: words.script });
    expect(states).to.deep.equal({ ...FAILED, wordsTranscribed: 'passed' });
  });

  it('are missing where there is no answer, and no segment', async () => {
    const states = await statesOf({
      ...{ transcripts: words.script.slice(0, 1) },
      heard: [words.translation[0], undefined],
    });
    expect(states).to.deep.equal(FOLLOWS);
    expect(await statesOf({ transcripts: [], heard: [] })).to.deep.equal(FOLLOWS);
  });

  it('name the error of the STS where there are none for it', async () => {
    const events = words.script.flatMap((_, i) => [
      sent(6 * i, `f${i}`, { sequence: i, timestamp: 6000 * i, isWhole: true }),
      event(6 * i + 1, 'fragment:processed', {
        ...{ fragment_id: `f${i}`, status: 'failed' },
        error: { code: 'TIMEOUT', message: 'too slow' },
      }),
    ]);
    const broadcast = new BroadcastFindings(aBroadcast({ events }).evidence, fixture, NAMES);
    const verdict = await judge(wordsTranscribed, broadcast, LIMIT);
    expect(verdict.seen).to.contain('transcript of segment 0: TIMEOUT: too slow');
    expect(verdict.because?.seen).to.match(/^2 of 2 answers failed; fragments 0 to 1: failed/);
  });

  it('may lack one of six, and no more', async () => {
    const without = (count: number): Texts => {
      const some = words.keywords.map((keywords) =>
        keywords.slice(count).map(({ said: [form = ''] }) => form),
      );
      return { transcripts: some.map((forms) => forms.join(', ')) };
    };
    expect((await statesOf(without(1)))['wordsTranscribed']).to.equal('passed');
    expect((await statesOf(without(2)))['wordsTranscribed']).to.equal('failed');
  });

  it('have each number with what it counts', async () => {
    const swapped = words.translation.map((line) => {
      const [first = '', second = ''] = line.match(/\d+/g) ?? [];
      return line.replace(/\d+/g, (number) => (number === first ? second : first));
    });
    const states = await statesOf({ translations: swapped, heard: swapped });
    expect(states).to.deep.equal({ ...FAILED, wordsTranscribed: 'passed' });
  });

  it('are not denied, and nothing further is said', async () => {
    const translated = (change: (line: string) => string) =>
      judge(wordsTranslated, said({ translations: words.translation.map(change) }), LIMIT);
    const denied = await translated((line) => `Nunca ${line}`);
    expect([denied.state, denied.seen]).to.satisfy(
      ([state = '', seen = '']: string[]) =>
        state === 'failed' && /segment 0: 6 of 6, denied: nunca.*segment 1/.test(seen),
    );
    expect((await translated((line) => line.replace(' en ', ' no en '))).state).to.equal('failed');
    // Two words more may be an article and a pronoun.
    const [two, three] = ['se lo', 'y así fue'].map((more) =>
      translated((line) => line.replace('.', ` ${more}.`)),
    );
    expect([(await two)?.state, (await three)?.state]).to.deep.equal(['passed', 'failed']);
    expect((await three)?.seen).to.include('3 words more than its meaning has');
  });

  it('are as many as the sentence says', async () => {
    expect(await stateOf(wordsTranslated, said({}), { least: 5, of: 7 })).to.equal('failed');
  });

  it('cannot be shown of a broadcast without such words', async () => {
    for (const one of Object.values(all)) {
      expect(await stateOf(one, aBroadcast(), LIMIT)).to.equal('not shown');
    }
  });

  it('that are missing are named, with the segment, the text and the seed', async () => {
    const verdict: Verdict = await judge(
      wordsTranslated,
      said({ translations: [words.translation[0] ?? '', 'Hola.'] }),
      LIMIT,
    );
    expect(verdict.deviations).to.have.length(1);
    expect(verdict.deviations[0]?.fragment).to.equal(1);
    expect(verdict.seen).to.match(/translation of segment 1: 0 of 6, without \S+.*"Hola\."/);
    expect(verdict.next).to.contain('FRESH_WORDS_SEED=1');
  });
});
