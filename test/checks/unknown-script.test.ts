import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { SegmentHeard } from '../../support/analyze/segments-heard';
import { CannotBeShown, SuiteError } from '../../support/base/errors';
import { type Fixture, isScriptKnown, readFixture } from '../../support/broadcast/fixture';
import { completeAnswers } from '../../support/checks/exchange';
import { judge } from '../../support/checks/criterion';
import {
  type AnyOutputCriterion,
  notAskedBecause,
  recordingSubject,
} from '../../support/checks/output-subject';
import { language, originalUnderstood } from '../../support/checks/speech';
import { transcripts, translated, translations } from '../../support/checks/texts';
import { fragmentCount } from '../../support/checks/upstream';
import { OutputFindings } from '../../support/analyze/output-findings';
import { fragmentFacts } from '../../support/report/fragment-facts';
import { rejection, tempFolder } from '../analyze/make-media';
import { connection, event, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES } from './a-broadcast';

const folder = tempFolder();

/** Of two segments, of which nobody has written down what is said. */
function unknown(more = ''): Fixture {
  const yaml = join(folder, 'clip.yaml');
  const fields = [
    'id: clip\ntitle: A clip\nfile: clip.mp4\ndurationSeconds: 12\nsegmentSeconds: 6',
    'language: en\ntargetLanguage: es\nscript: unknown',
    'video: {width: 320, height: 180, framesPerSecond: 30}',
    'audio: {sampleRateHz: 48000, channels: 2}',
  ];
  writeFileSync(yaml, [...fields, more].join('\n'));
  return readFixture(yaml);
}

const ANSWERS = [
  { transcript: 'Good evening.', translated_text: 'Buenas noches.' },
  { transcript: '', translated_text: '' },
];

function dubbed(answers: object[] = ANSWERS): BroadcastFindings {
  const exchange = answers.flatMap((answer, i) => [
    sent(6 * i + 7, `s_${i}`, { sequence: i, timestamp: 6000 * i, isWhole: true }),
    event(6 * i + 8, 'fragment:processed', {
      ...{ fragment_id: `s_${i}`, stream_id: 's', sequence_number: i, status: 'success' },
      ...{ processing_time_ms: 1, target_language: 'es', ...answer },
    }),
  ]);
  const { evidence } = aBroadcast({
    events: [connection(0.5, 'open'), event(1, 'stream:ready'), ...exchange],
  });
  return new BroadcastFindings(evidence, unknown(), NAMES);
}

describe('a broadcast whose script is unknown', () => {
  it('has as many segments as it is long, and somebody may speak in each', () => {
    const fixture = unknown();
    expect(isScriptKnown(fixture)).to.equal(false);
    expect(fixture.script).to.have.length(2);
    expect(fixture.script).to.not.include('');
  });

  it('has neither translation nor keywords', () => {
    expect(() => unknown('translation: [Hola., Adiós.]')).to.throw(SuiteError, /not known/);
    expect(() => unknown('keywords: [[], []]')).to.throw(SuiteError, /not known/);
    expect(() => unknown('commentary: 1')).to.throw(SuiteError);
  });

  it('is not judged by what was said', async () => {
    const broadcast = dubbed();
    const needScript: AnyOutputCriterion[] = [transcripts, translations];
    for (const one of needScript) {
      const error = await rejection(judge(one, broadcast, one.defaultLimit as unknown));
      expect(error).to.be.instanceOf(CannotBeShown);
      expect(String(error)).to.contain('script: unknown').and.contain('clip.yaml');
      expect(notAskedBecause(one.needs, broadcast)).to.contain('written down');
    }
    const recording = recordingSubject(new OutputFindings('x.mp4', unknown(), []));
    const error = await rejection(judge(originalUnderstood, recording, { shareBelow: 0.5 }));
    expect(error).to.be.instanceOf(CannotBeShown);
    expect(notAskedBecause('script', recording)).to.contain('written down');
    expect(notAskedBecause('source with speech', recording)).to.equal(undefined);
  });

  it('is judged by what was sent and answered', async () => {
    expect((await judge(fragmentCount, dubbed(), { count: 2 })).state).to.equal('passed');
    // Where the STS has heard nobody, there need be no text, unless it has heard nobody at all.
    const [, silent = {}] = ANSWERS;
    const complete = await judge(completeAnswers, dubbed(), null);
    expect(complete.seen).to.equal('fragments 0 to 1: no dubbed_audio');
    expect((await judge(translated, dubbed(), null)).state).to.equal('passed');
    const mute = dubbed([silent, silent]);
    expect((await judge(completeAnswers, mute, null)).seen).to.contain('no transcript');
    expect((await judge(translated, mute, null)).state).to.equal('failed');
  });

  it('shows no word error rate', () => {
    const broadcast = dubbed();
    const { fragments, fixture } = broadcast;
    const facts = fragmentFacts(fragments, {
      ...{ fixture, verdicts: [], faults: [], isTranslated: true, clockOfStages: STAGES },
      ...{ texts: [], spoken: [], clock: undefined, placements: undefined, tones: undefined },
      sourceStarts: undefined,
    });
    const [first] = facts;
    expect(first).to.include({ transcript: 'Good evening.', script: undefined });
    expect(first?.wordErrorRate).to.equal(undefined);
  });

  describe('is judged by the language of its dub', () => {
    const heard = (probability: number, text = 'hola'): SegmentHeard['heard'] => ({
      ...{ observed: true, text, isSpoken: true, fromSeconds: 0, toSeconds: 6 },
      language: { probability, mostProbable: probability > 0.5 ? 'es' : 'en' },
    });
    const nothing: SegmentHeard['heard'] = {
      ...{ observed: true, text: '', isSpoken: false, fromSeconds: 0, toSeconds: 6 },
    };
    const assess = (found: SegmentHeard['heard'][], isKnown = false) =>
      language.assess(
        {
          segments: found.map((one, sequence) => ({ sequence, heard: one })),
          ...{ script: ['unknown', 'unknown'], source: 'en', target: 'es' },
          isScriptKnown: isKnown,
        },
        { probability: 0.5 },
        recordingSubject(new OutputFindings('x.mp4', unknown(), [])),
      );

    it('where one is heard', () => {
      expect(assess([heard(0.9), nothing]).deviations).to.be.empty;
      expect(assess([heard(0.1), nothing]).deviations).to.have.length(1);
      // Of a known script, in which somebody speaks there, that is a fault.
      expect(assess([heard(0.9), nothing], true).deviations).to.have.length(1);
    });

    it('and not where none is', () => {
      expect(() => assess([nothing, nothing])).to.throw(CannotBeShown, /nobody is heard/);
    });
  });
});

const STAGES = {
  ...{ secondsAt: (ms: number) => ms / 1000, ptsZeroAtSeconds: undefined },
  ...{ ingestedAt: undefined, segmentSeconds: 6 },
};
