import { describe, it } from 'node:test';

import { expect } from 'chai';

import { runFfmpeg } from '../../support/analyze/ffmpeg';
import { pcmToS16le } from '../../support/analyze/audio';
import { audioLevels } from '../../support/analyze/audio-levels';
import type { Finding } from '../../support/analyze/finding';
import type { SegmentAudio } from '../../support/analyze/resilience-findings';
import { type ToneHeard, tonesFigures } from '../../support/analyze/tones';
import { readFault } from '../../support/broadcast/fault-words';
import { requestOf } from '../../support/broadcast/request';
import type { Assessment } from '../../support/checks/criterion';
import {
  dubbedAtSameTime,
  fallbacksBecauseOf,
  metricsAgree,
  metricTypes,
  reconnectionCount,
  segmentCountsAgree,
} from '../../support/checks/metrics';
import { noOutput } from '../../support/checks/publishing';
import {
  answersAreEchoes,
  segmentAudio,
  segmentAudioOverLoss,
  segmentFiles,
} from '../../support/checks/segment-audio';
import { noWordsHeard, outputIsQuiet } from '../../support/checks/segment-audio';
import { dubAudible } from '../../support/checks/sts-answers';
import type { StsAnswers } from '../../support/observe/sts-client';
import { audioGoesOn, toneDrift, toneOffset } from '../../support/checks/tones';
import { fragmentCount } from '../../support/checks/upstream';
import type { TapEvent } from '../../support/broadcast/events';
import { answered, event, init, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES, stateOf } from './a-broadcast';

const holds = ({ deviations }: Assessment): boolean => deviations.length === 0;
const whole = (at: number, id: string, sequence: number, connection = 1) =>
  sent(at, id, { sequence, timestamp: 6000 * sequence, isWhole: true, connection });

describe('criteria of tones', () => {
  const broadcast = aBroadcast();
  const judged = broadcast.fixture.durationSeconds - 2;
  const tonesOf = (offsetsMs: (number | undefined)[]) => {
    const tones = offsetsMs.map((offsetMs, i): ToneHeard => {
      const avOffset: ToneHeard['avOffset'] =
        offsetMs === undefined
          ? { observed: false, reason: 'not heard' }
          : { observed: true, offsetMs, ptsSeconds: i };
      return { second: i + 1, level: 1, avOffset };
    });
    const figures = tonesFigures(tones);
    if (!figures.observed) throw new Error(figures.reason);
    return { tones, figures };
  };
  const still = Array.from({ length: judged }, (): number | undefined => 0);
  const limit = { limitMs: 120 };
  const inSync = (offsets: (number | undefined)[]): boolean =>
    holds(toneOffset.assess(tonesOf(offsets), limit, broadcast));

  it('each is in sync, and heard', () => {
    expect(inSync(still)).to.be.true;
    expect(inSync(still.with(3, 119.9))).to.be.true;
    expect(inSync(still.with(3, -120))).to.be.false;
    expect(inSync(still.with(3, undefined))).to.be.false;
    expect(inSync(still.slice(1))).to.be.false;
  });

  it('are not heard where the dub of their segment has ended before them', () => {
    const answer = (ms: number): TapEvent =>
      event(9, 'fragment:processed', {
        ...{ fragment_id: 'f1', status: 'success' },
        dubbed_audio: { file: 'dub.bin', bytes: 1, duration_ms: ms },
      });
    const measured = { ...tonesOf(still.with(11, undefined)), joinedSeconds: 0.53 };
    const wrong = (ms: number, one = measured): number => {
      const events = [init(8000), whole(2, 'f0', 0), whole(8, 'f1', 1), answer(ms)];
      return toneOffset.assess(one, limit, aBroadcast({ events })).deviations.length;
    };
    expect([5700, 5999, 6000].map((ms) => wrong(ms))).to.deep.equal([0, 1, 1]);
    // Of which half is there is heard.
    const half = [0.79, 0.81].map((joinedSeconds) => wrong(5700, { ...measured, joinedSeconds }));
    expect(half).to.deep.equal([0, 1]);
    expect(wrong(5700, { ...measured, joinedSeconds: NaN })).to.equal(1);
    // The tone before that is there, and whatever is heard is judged.
    expect(wrong(5700, { ...measured, ...tonesOf(still.with(10, undefined)) })).to.equal(1);
    expect(wrong(5700, { ...measured, ...tonesOf(still.with(11, 121)) })).to.equal(1);
  });

  it('name the fragment of a tone that is not', () => {
    const measured = { ...tonesOf(still.with(11, 150)), joinedSeconds: 0 };
    const { deviations } = toneOffset.assess(measured, limit, broadcast);
    expect(deviations).to.deep.equal([{ text: 'second 12: 150.0 ms', fragment: 2 }]);
  });

  it('they do not drift', () => {
    const slope = (ms: number) => tonesOf(still.map((_, i) => (ms * i) / (judged - 1)));
    expect(holds(toneDrift.assess(slope(19.9), { limitMs: 20, limitPpm: 1e6 }, broadcast))).to.be
      .true;
    expect(holds(toneDrift.assess(slope(-20.1), { limitMs: 20, limitPpm: 1e6 }, broadcast))).to.be
      .false;
    const clocks = (ppm: number): boolean =>
      holds(toneDrift.assess(slope((ppm * (judged - 1)) / 1000), { limitMs: 1000 }, broadcast));
    expect([200, -200, 500, -500].map(clocks)).to.deep.equal([true, true, false, false]);
  });

  it('a jump is called one', () => {
    const jumped = tonesOf(still.map((_, i) => (i < 29 ? 0 : 40)));
    const { deviations, failure } = toneDrift.assess(jumped, { limitMs: 20 }, broadcast);
    expect(failure).to.equal('the A/V offset jumps');
    expect(deviations.map(({ text }) => text)).to.deep.equal([
      'a jump of 40.0 ms between seconds 29 and 30 (from 28.96 s on; the video is 40.0 ms earlier)',
    ]);
    expect(holds(toneDrift.assess(jumped, { limitMs: 41 }, broadcast))).to.be.true;
  });

  it('a jump or a gap of more than the limit, and audio that could not be followed', () => {
    const seconds = broadcast.fixture.durationSeconds;
    const goesOn = (jumpMs: number, gapMs = 0, measuredSeconds = seconds - 2): string => {
      const irregularities = [{ atSeconds: 12, jumpMs, gapMs }];
      const measured = {
        observed: true as const,
        measuredSeconds,
        largestStepMs: 0,
        irregularities,
      };
      const { deviations } = audioGoesOn.assess(measured, { limitMs: 1 }, broadcast);
      return deviations.map(({ text }) => text).join();
    };
    expect([0, 1, -1].map((ms) => goesOn(ms))).to.deep.equal(['', '', '']);
    expect(goesOn(1.1)).to.equal('at 12.00 s: 1.1 ms left out');
    expect(goesOn(-12)).to.equal('at 12.00 s: 12.0 ms repeated');
    expect(goesOn(0, 12)).to.equal('at 12.00 s: a gap of 12 ms');
    expect(goesOn(12, 12)).to.equal('at 12.00 s: 12.0 ms left out, a gap of 12 ms');
    expect(goesOn(NaN)).to.include('at 12.00 s');
    expect(goesOn(0, 0, seconds - 3)).to.equal('');
    expect(goesOn(0, 0, seconds - 3.1)).to.match(/^only [\d.]+ s could be followed$/);
  });
});

describe('criteria of what is heard in each segment', () => {
  const broadcast = aBroadcast();
  const heard: SegmentAudio[] = ['dub', 'original', 'original', 'dub'];

  it('name the segments that play something else', () => {
    const fine = segmentAudio.assess(heard, { segments: [1, 2] }, broadcast);
    expect(holds(fine)).to.be.true;
    const { deviations } = segmentAudio.assess(heard, { segments: [1] }, broadcast);
    expect(deviations.map(({ fragment }) => fragment)).to.deep.equal([2]);
    expect(holds(segmentAudio.assess(heard, { segments: [] }, broadcast))).to.be.false;
    expect(holds(segmentAudio.assess(heard, { segments: 'all' }, broadcast))).to.be.false;
    expect(holds(segmentAudio.assess(['both'], { segments: [] }, broadcast))).to.be.false;
    expect(holds(segmentAudio.assess([], { segments: [] }, broadcast))).to.be.false;
  });

  it('the original is heard until the first fragment of the second connection', () => {
    const fragmentsWith = (again: number) =>
      aBroadcast({ events: [whole(1, 'a', 0), whole(20, 'b', again, 2)] }).fragments;
    const assess = (again: number): Assessment =>
      segmentAudioOverLoss.assess(
        { segments: heard, fragments: fragmentsWith(again) },
        { first: 1 },
        broadcast,
      );
    expect(holds(assess(3))).to.be.true;
    expect(holds(assess(2))).to.be.false;
    expect(assess(1).failure).to.equal('no fragment was sent after the reconnection');
  });

  it('segments on disk: so many, and all but one of them whole', () => {
    const limit = { count: 2, eachMs: 6000, toleranceMs: 200 };
    const files = (...seconds: number[]): boolean =>
      holds(
        segmentFiles.assess(
          ['video', 'audio'].flatMap((kind) =>
            seconds.map((s) => ({ file: 'f', kind, seconds: s })),
          ),
          limit,
          broadcast,
        ),
      );
    expect([files(6.2, 5), files(6.201, 5), files(6, 6, 6), files(6)]).to.deep.equal([
      ...[true, false, false, false],
    ]);
  });

  it('echoes, and the number of fragments', async () => {
    const echo = { segment: 0, fragmentId: 'a', isEcho: true };
    expect(holds(answersAreEchoes.assess([echo], null, broadcast))).to.be.true;
    expect(holds(answersAreEchoes.assess([{ ...echo, isEcho: false }], null, broadcast))).to.be
      .false;
    expect(holds(answersAreEchoes.assess([], null, broadcast))).to.be.false;
    const one = aBroadcast({ events: [whole(1, 'a', 0)] });
    expect(await stateOf(fragmentCount, one, { count: 1 })).to.equal('passed');
    expect(await stateOf(fragmentCount, one, { count: 2 })).to.equal('failed');
  });
});

describe('criteria of silence', () => {
  it('no words, of all segments', () => {
    const broadcast = aBroadcast();
    const { length } = broadcast.fixture.script;
    const transcripts = Array.from({ length }, () => '');
    const assess = (answers: number, texts: string[]): boolean =>
      holds(noWordsHeard.assess({ answers, transcripts: texts }, { most: 1 }, broadcast));
    expect(assess(length, transcripts.with(0, 'Thanks.'))).to.be.true;
    expect(assess(length, transcripts.with(0, 'Thank you.'))).to.be.false;
    expect(assess(length - 1, transcripts)).to.be.false;
  });

  it('no audible audio, and what is audible of a dub', async () => {
    const rateHz = 1000;
    const samples = new Float32Array(2 * rateHz).fill(0.1, 0, rateHz / 2);
    const levels = found(audioLevels(samples, rateHz));
    const quiet = (mostMs: number): boolean =>
      holds(outputIsQuiet.assess(levels, { mostMs }, aBroadcast()));
    expect([quiet(500), quiet(499)]).to.deep.equal([true, false]);
    const format = {
      ...{ format: 'pcm_s16le', sample_rate_hz: rateHz, channels: 1, duration_ms: 2000 },
    };
    const audio = { ...format, data_base64: pcmToS16le(samples).toString('base64') };
    const said = {
      ...{ url: 'http://sts', stream: 's', errors: [], warnings: [], listenedOnMs: 0 },
      answers: [{ fragment_id: 'f', index: 0, status: 'success' as const, dubbed_audio: audio }],
    };
    expect(await stateOf(dubAudible, said, { leastMs: 500 })).to.equal('passed');
    expect(await stateOf(dubAudible, said, { leastMs: 501 })).to.equal('failed');
    expect(await stateOf(dubAudible, said, { mostMs: 500 })).to.equal('passed');
    expect(await stateOf(dubAudible, said, { mostMs: 499 })).to.equal('failed');
    expect(await stateOf(dubAudible, { ...said, errors: ['x'] }, { leastMs: 0 })).to.equal(
      'not shown',
    );
    // Silence need not be dubbed: then nothing is heard.
    for (const none of [null, { ...audio, data_base64: '' }, '']) {
      const undubbed: StsAnswers = {
        ...said,
        answers: said.answers.map((one) => ({ ...one, dubbed_audio: none })),
      };
      expect(await stateOf(dubAudible, undubbed, { mostMs: 0 })).to.equal('passed');
      expect(await stateOf(dubAudible, undubbed, { leastMs: 0 })).to.equal('failed');
    }
    // What the bytes are counts, whatever they are called.
    const raw = ['-f', 's16le', '-ar', String(rateHz), '-ac', '1', '-i', 'pipe:0', '-ar', '16000'];
    const adts = await runFfmpeg([...raw, '-f', 'adts', 'pipe:1'], pcmToS16le(samples));
    const inAdts = (bytes: Buffer): typeof said => ({
      ...said,
      answers: said.answers.map((one) => ({
        ...one,
        dubbed_audio: { ...audio, format: 'm4a', data_base64: bytes.toString('base64') },
      })),
    });
    const dub = inAdts(Buffer.from(adts.stdout));
    expect(await stateOf(dubAudible, dub, { leastMs: 400, mostMs: 700 })).to.equal('passed');
    const broken = inAdts(Buffer.from('no audio'));
    expect(await stateOf(dubAudible, broken, { leastMs: 0 })).to.equal('not shown');
  });
});

function found<T>(finding: Finding<T>): T {
  if (!finding.observed) throw new Error(finding.reason);
  return finding;
}

describe('criteria of metrics', () => {
  const { fallbacks, reconnections } = NAMES.metrics;
  const counting = aBroadcast({
    polls: [
      [0, { [`${fallbacks}{reason="error"}`]: 1, [reconnections]: 0 }],
      [9, { [`${fallbacks}{reason="error"}`]: 6, [reconnections]: 1 }],
    ],
  });

  it('counters rise by what is expected', async () => {
    expect(await stateOf(fallbacksBecauseOf, counting, { reason: 'error', count: 5 })).to.equal(
      'passed',
    );
    expect(await stateOf(fallbacksBecauseOf, counting, { reason: 'error', count: 6 })).to.equal(
      'failed',
    );
    expect(await stateOf(fallbacksBecauseOf, counting, { reason: 'x', count: 0 })).to.equal(
      'passed',
    );
    expect(await stateOf(reconnectionCount, counting, { count: 1 })).to.equal('passed');
    expect(await stateOf(reconnectionCount, counting, { count: 0 })).to.equal('failed');
  });

  it('have their types, in both text formats', async () => {
    const { metrics } = NAMES;
    const types = {
      ...{ segments: 'counter', fragments: 'counter', fallbacks_total: 'counter' },
      ...{ backpressure: 'counter', reconnections: 'counter', inflight: 'gauge', breaker: 'gauge' },
      ...{ [metrics.avSyncDelta]: 'histogram', [metrics.stsProcessingTime]: 'histogram' },
    };
    const typed = (given: Record<string, string>) => [
      aBroadcast({ polls: [[1, {}]], types: given }),
    ];
    expect(await stateOf(metricTypes, typed(types), null)).to.equal('passed');
    expect(await stateOf(metricTypes, typed({ ...types, inflight: 'counter' }), null)).to.equal(
      'failed',
    );
    expect(await stateOf(metricTypes, [...typed(types), aBroadcast()], null)).to.equal('failed');
    expect(await stateOf(metricTypes, [], null)).to.equal('failed');
  });

  it('agree with the tap, of broadcasts of which anything was sent', async () => {
    const line = { stream: 's', metric: 'm', seen: 2, expected: 2, more: 0 };
    expect(holds(metricsAgree.assess([line], null, []))).to.be.true;
    expect(holds(metricsAgree.assess([line, { ...line, seen: 3 }], null, []))).to.be.false;
    expect(holds(metricsAgree.assess([{ ...line, seen: undefined }], null, []))).to.be.false;
    expect(await stateOf(metricsAgree, [aBroadcast()], null)).to.equal('failed');
  });

  it('count what is heard', () => {
    const count = { stream: 's', status: 'processed', counted: 5, heard: 5 };
    expect(holds(segmentCountsAgree.assess([count], null, []))).to.be.true;
    expect(holds(segmentCountsAgree.assess([{ ...count, heard: 4 }], null, []))).to.be.false;
    expect(holds(segmentCountsAgree.assess([], null, []))).to.be.false;
  });

  it('count nothing of a worker that gave up in the middle of a segment', async () => {
    const counted = async (outputEnded: number, ...more: Parameters<typeof readFault>[]) => {
      const given: Parameters<typeof readFault>[] = [['every fragment', 'the dub is half as loud']];
      const faults = [...given, ...more].map((words) => readFault(...words));
      const times = { published: 0, publisherEnded: 72_000, outputEnded };
      const broadcast = aBroadcast({ record: { times, request: requestOf({ faults }) } });
      return Promise.resolve(segmentCountsAgree.measure([broadcast])).then(
        (counts) => counts.length,
        (error: unknown) => String(error),
      );
    };
    const refused: [string, string] = [
      'when the STS has accepted the stream',
      'the connection is lost and refused from then on',
    ];
    expect(await counted(80_000)).to.contain('no recording of the output');
    expect(await counted(72_100)).to.equal(0);
    expect(await counted(80_000, refused)).to.equal(0);
  });

  it('are of broadcasts that are dubbed at the same time, with faults', async () => {
    const at = (published: number, publisherEnded: number, isFaulty = true) => {
      const faults = isFaulty ? [readFault('every fragment', 'the answer is dropped')] : [];
      const times = { published, publisherEnded };
      return aBroadcast({ record: { times, request: requestOf({ faults }) } });
    };
    const broadcast = at(100, 200, false);
    const state = (other: ReturnType<typeof at>) =>
      stateOf(dubbedAtSameTime, { broadcast, others: [other] }, { least: 1 });
    expect(await state(at(199, 300))).to.equal('passed');
    expect(await state(at(200, 300))).to.equal('failed');
    expect(await state(at(0, 101))).to.equal('passed');
    expect(await state(at(0, 100))).to.equal('failed');
    expect(await state(at(100, 200, false))).to.equal('failed');
  });
});

describe('criteria of the output', () => {
  it('nothing is published in any poll, of which there is one at least', async () => {
    const poll = (ready: boolean, bytesReceived: number) => ({
      at: 1,
      paths: [{ name: 'live/s/out', ready, tracks: [], bytesReceived, readers: [] }],
    });
    const state = (...mediamtx: ReturnType<typeof poll>[]) =>
      stateOf(noOutput, aBroadcast({ mediamtx }), null);
    expect(await state(poll(false, 0))).to.equal('passed');
    expect(await state(poll(false, 0), poll(false, 1))).to.equal('failed');
    expect(await state(poll(true, 0))).to.equal('failed');
    expect(await state()).to.equal('failed');
    // A media server that the suite may not configure lists only what is published.
    const named = (name: string) => {
      const [path] = poll(true, 9).paths;
      return { at: 1, paths: path ? [{ ...path, name }] : [] };
    };
    expect(await state(named('live/s/in'))).to.equal('passed');
    expect(await state(named('live/other/in'))).to.equal('failed');
    expect(await state(named('live/s/in'), named('live/s/out'))).to.equal('failed');
  });

  it('a broadcast that does not fit the contract shows nothing', async () => {
    const events = [init(8000), event(1, 'fragment:data', { fragment_id: 'a' }), answered(2, 'a')];
    expect(await stateOf(fragmentCount, aBroadcast({ events }), { count: 1 })).to.equal(
      'not shown',
    );
  });
});
