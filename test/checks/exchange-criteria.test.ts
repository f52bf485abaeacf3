import { describe, it } from 'node:test';

import { expect } from 'chai';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { TapEvent } from '../../support/broadcast/events';
import { fragmentsOf } from '../../support/broadcast/fragment';
import type { Fixture } from '../../support/broadcast/fixture';
import { type BroadcastRecord, EVIDENCE_VERSION } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';
import {
  connection,
  publishedBy,
  publishedPort,
  readBy,
  receivedBy,
  streamAccepted,
} from '../../support/checks/connection';
import { type Criterion, judge } from '../../support/checks/criterion';
import {
  acknowledged,
  answered,
  answerTime,
  completeAnswers,
  fragmentLength,
  ownAnswers,
  processingTime,
  sequenceNumbers,
  targetLanguage,
} from '../../support/checks/exchange';
import { fallbackCount, processedSegments } from '../../support/checks/metrics';
import { translated } from '../../support/checks/texts';
import { answerCount, success } from '../../support/checks/upstream';
import {
  budget,
  firstFragment,
  ingestStarts,
  metricsAppear,
  outputAvailable,
  publishedOnce,
} from '../../support/checks/timing';

const STREAM = 'test_x_1';
const PUBLISHED = 100_000;

const fixture: Fixture = {
  ...{ id: 'x', title: 'x', file: '', called: undefined, durationSeconds: 12, segmentSeconds: 6 },
  ...{ speechMarginSeconds: 0, language: 'en', targetLanguage: 'es' },
  ...{ script: ['one', 'two'], translation: ['uno', 'dos'], path: '/x.mp4', yamlPath: '' },
  video: { width: 64, height: 36, framesPerSecond: 25, frameStrip: true },
  audio: {
    ...{ sampleRateHz: 48_000, channels: 1, startsAtSeconds: 0, tones: false, pilot: false },
    clockSlowPercent: 0,
  },
};

const names = {
  ...{ mediaService: 'media-service', sts: 'sts-service' },
  paths: { input: 'live/{stream}/in', output: 'live/{stream}/out' },
  metrics: {
    ...{ segmentsProcessed: 'segments', audioFragments: 'fragments', avSyncDelta: 'delta' },
    ...{ stsProcessingTime: 'time', fallbacks: 'fallbacks', inflight: 'inflight' },
    ...{ breakerState: 'breaker', backpressureEvents: 'pressure', reconnections: 'again' },
  },
};

const event = (at: number, name: string, payload: unknown): TapEvent => ({
  ...{ at, connection: 1, stream: STREAM, kind: 'event', event: name, payload },
  direction: ['fragment:processed', 'fragment:ack', 'stream:ready'].includes(name)
    ? 'from-sts'
    : 'to-sts',
});
const opened = (at: number, host = 'host:1'): TapEvent => ({
  ...{ at, connection: 1, stream: STREAM, direction: 'to-sts', kind: 'open', payload: { host } },
});
const audioOf = (name: string, ms = 6000): Record<string, unknown> => ({
  ...{ file: `audio/${name}.wav`, bytes: 100, format: 'm4a', sample_rate_hz: 48_000, channels: 1 },
  ...{ duration_ms: ms, data_base64: '' },
});
const sent = (number: number, at: number, ms?: number): TapEvent =>
  event(at, 'fragment:data', {
    ...{ fragment_id: `${STREAM}_${number}`, stream_id: STREAM, sequence_number: number },
    ...{ timestamp: 6000 * number, audio: audioOf(`${number}-original`, ms) },
  });
const ack = (number: number, at: number): TapEvent =>
  event(at, 'fragment:ack', { fragment_id: `${STREAM}_${number}`, status: 'queued' });
const answer = (number: number, at: number, changed: Record<string, unknown> = {}): TapEvent =>
  event(at, 'fragment:processed', {
    ...{ fragment_id: `${STREAM}_${number}`, stream_id: STREAM, sequence_number: number },
    ...{ status: 'success', dubbed_audio: audioOf(`${number}-dubbed`), target_language: 'es' },
    ...{ transcript: 'one', translated_text: 'uno', processing_time_ms: 2000 },
    ...{ stage_timings: { asr_ms: 1, translation_ms: 1, tts_ms: 1 }, ...changed },
  });

const GOOD = [
  ...[opened(PUBLISHED + 500), event(PUBLISHED + 900, 'stream:ready', {})],
  ...[sent(0, PUBLISHED + 7000), ack(0, PUBLISHED + 7010), answer(0, PUBLISHED + 9000)],
  ...[sent(1, PUBLISHED + 13_000), ack(1, PUBLISHED + 13_010), answer(1, PUBLISHED + 16_000)],
];

function broadcastOf(
  tap: TapEvent[],
  changed: Partial<BroadcastRecord> = {},
  counts: Record<string, number> = {},
): BroadcastFindings {
  const record: BroadcastRecord = {
    ...{ version: EVIDENCE_VERSION, stream: STREAM, request: requestOf(), faultSeed: 0 },
    ...{ startedAt: '', finishedAt: PUBLISHED + 30_000, outcome: { kind: 'output ended' } },
    ...{ runtime: 'host', monitor: 'tap', fixtureScript: '', fixtureFile: '/x.mp4' },
    ...{ durationSeconds: 12, segmentSeconds: 6, problems: [] },
    times: {
      ...{ published: PUBLISHED, inputReady: PUBLISHED + 400, ingested: PUBLISHED + 1000 },
      ...{ outputReady: PUBLISHED + 9500, publisherEnded: PUBLISHED + 12_500 },
      outputEnded: PUBLISHED + 25_000,
    },
    publisher: { exitCode: 0, stderr: '' },
    ...changed,
  };
  const poll = (at: number, isEnd: boolean) => ({
    at,
    samples: [
      { name: 'segments', labels: { type: 'audio' }, value: isEnd ? (counts['segments'] ?? 2) : 0 },
      { name: 'segments', labels: { type: 'video' }, value: isEnd ? 2 : 0 },
      {
        name: 'fragments',
        labels: { status: 'fallback' },
        value: isEnd ? (counts['fallback'] ?? 0) : 0,
      },
    ],
  });
  const path = (end: string, source: string, readers: string[]) => ({
    ...{
      name: `live/${STREAM}/${end}`,
      ready: true,
      tracks: [],
      bytesReceived: 1,
      source,
      readers,
    },
  });
  const evidence = {
    ...{ folder: '/nowhere', record, tap, unmatched: [], fragments: fragmentsOf(tap) },
    metrics: [poll(PUBLISHED, false), poll(PUBLISHED + 30_000, true)],
    mediamtx: [
      { at: 0, paths: [path('in', 'rtspSession', ['rtspSession']), path('out', 'rtmpConn', [])] },
    ],
  };
  return new BroadcastFindings(evidence, fixture, names);
}

const good = broadcastOf(GOOD);
const changedAnswer = (changed: Record<string, unknown>): BroadcastFindings =>
  broadcastOf([...GOOD.slice(0, -1), answer(1, PUBLISHED + 16_000, changed)]);

async function stateOf<S, M, L>(one: Criterion<S, M, L>, subject: S, limit: L): Promise<string> {
  return (await judge(one, subject, limit)).state;
}

/** Which fragments deviate; what is wrong with the whole where it is not one of them. */
async function deviating<M, L>(
  one: Criterion<BroadcastFindings, M, L>,
  subject: BroadcastFindings,
  limit: L,
): Promise<(number | undefined)[]> {
  return (await judge(one, subject, limit)).deviations.map(({ fragment }) => fragment);
}

describe('criteria of the exchange', () => {
  it('hold for a good broadcast', async () => {
    const states = await Promise.all([
      stateOf(answerCount, good, 2),
      stateOf(sequenceNumbers, good, { first: 0, last: 1 }),
      ...[completeAnswers, processingTime, success, acknowledged, answered, translated].map((one) =>
        stateOf(one, good, null),
      ),
      stateOf(targetLanguage, good, 'es'),
      stateOf(fragmentLength, good, { ms: 6000, toleranceMs: 100 }),
      stateOf(connection, good, { withinMs: 0 }),
      stateOf(streamAccepted, good, null),
      stateOf(readBy, good, 'RTSP'),
      stateOf(publishedBy, good, 'RTMP'),
      stateOf(receivedBy, good, 'RTSP'),
      stateOf(ownAnswers, [good], null),
      stateOf(publishedOnce, good, { toleranceSeconds: 3 }),
      stateOf(processedSegments, good, 2),
      stateOf(fallbackCount, good, 0),
    ]);
    expect(new Set(states)).to.deep.equal(new Set(['passed']));
  });

  it('name the fragment whose answer is not as it should be', async () => {
    const one = [1];
    const cases: [
      Criterion<BroadcastFindings, BroadcastFindings, null>,
      Record<string, unknown>,
    ][] = [
      [completeAnswers, { translated_text: ' ' }],
      [completeAnswers, { dubbed_audio: null }],
      [
        processingTime,
        {
          processing_time_ms: 0,
          stage_timings: { asr_ms: 0, translation_ms: 0, tts_ms: 0 },
        },
      ],
      [success, { status: 'failed', error: { code: 'TIMEOUT', message: '' } }],
      [translated, { translated_text: 'One!' }],
    ];
    for (const [criterion, changed] of cases) {
      const found = [...new Set(await deviating(criterion, changedAnswer(changed), null))];
      expect(found, `${criterion.id} ${JSON.stringify(changed)}`).to.deep.equal(one);
    }
    const english = changedAnswer({ target_language: 'en' });
    expect(await deviating(targetLanguage, english, 'es')).to.deep.equal(one);
    const regional = changedAnswer({ target_language: 'es-ES' });
    expect(await deviating(targetLanguage, regional, 'es')).to.deep.equal([]);
    for (const nothing of [undefined, null]) {
      const untold = await judge(targetLanguage, changedAnswer({ target_language: nothing }), 'es');
      expect(untold.seen).to.equal('fragment 1: not said');
    }
  });

  it('judge the segments that are there; what is missing follows from the count', async () => {
    const half = await judge(success, broadcastOf(GOOD.slice(0, 5)), null);
    expect(half).to.include({ state: 'follows', seen: 'segment 1: not sent' });
    expect(half.because).to.include({ criterion: 'fragment-count' });
    const english = [...GOOD.slice(0, 4), answer(0, PUBLISHED + 9000, { target_language: 'en' })];
    const wrong = await judge(targetLanguage, broadcastOf(english), 'es');
    expect(wrong).to.include({ state: 'failed', what: 'an answer is in another language' });
    expect(wrong.seen).to.equal('fragment 0: en; segment 1: not sent');
  });

  it('take an answer that comes exactly in time, and the last fragment as it is', async () => {
    expect(await deviating(answerTime, good, { withinMs: 3000 })).to.deep.equal([]);
    expect(await deviating(answerTime, good, { withinMs: 2999 })).to.deep.equal([1]);
    const limit = { ms: 6000, toleranceMs: 100 };
    const lengths = (first: number): BroadcastFindings =>
      broadcastOf([sent(0, PUBLISHED, first), sent(1, PUBLISHED + 6000, 2000)]);
    expect(await deviating(fragmentLength, lengths(6100), limit)).to.deep.equal([]);
    expect(await deviating(fragmentLength, lengths(6101), limit)).to.deep.equal([0]);
  });

  it('know what was not answered, and not acknowledged', async () => {
    const lost = broadcastOf(GOOD.slice(0, -2));
    expect((await judge(answered, lost, null)).seen).to.equal('fragment 1: no answer');
    expect(await stateOf(acknowledged, lost, null)).to.equal('follows');
    const { seen, because } = await judge(answered, broadcastOf([]), null);
    expect(seen).to.equal('no fragment was sent');
    expect(because?.criterion).to.equal('connection');
    // What acknowledges nothing has received what it answers, also with an error.
    const silent = (events: TapEvent[]) =>
      broadcastOf(events.filter(({ event: name }) => name !== 'fragment:ack'));
    expect(await stateOf(acknowledged, silent(GOOD), null)).to.equal('passed');
    const failure = { fragment_id: `${STREAM}_1`, code: 'TIMEOUT' };
    const refused = {
      ...event(PUBLISHED + 14_000, 'error', failure),
      direction: 'from-sts' as const,
    };
    const one = await judge(acknowledged, silent([...GOOD.slice(0, -2), refused]), null);
    expect(one.deviations).to.deep.equal([]);
    const never = await judge(acknowledged, silent(GOOD.slice(0, -2)), null);
    expect(never.seen).to.equal(`fragment 1: ${STREAM}_1 neither acknowledged nor answered`);
    // What acknowledges at all does so for every fragment.
    const partly = GOOD.filter((_, index) => index !== GOOD.length - 2);
    const { state, what } = await judge(acknowledged, broadcastOf(partly), null);
    expect([state, what]).to.deep.equal(['failed', 'not every fragment was acknowledged']);
  });

  it('know by its ID which fragment an answer is of, whatever number it says', async () => {
    const judged = (...answers: TapEvent[]) =>
      judge(
        sequenceNumbers,
        broadcastOf([...GOOD.filter((one) => one.event !== 'fragment:processed'), ...answers]),
        {
          ...{ first: 0, last: 1 },
        },
      );
    const late = PUBLISHED + 16_000;
    const swapped = await judged(
      answer(1, late, { sequence_number: 0 }),
      answer(0, late + 1, { sequence_number: 1 }),
    );
    expect(swapped).to.include({
      state: 'failed',
      what: 'fragments are lost, repeated or out of order',
    });
    expect(swapped.seen).to.match(/^1, 0; fragment 1: its answer says sequence_number 0/);
    const off = await judged(
      answer(0, late, { sequence_number: 5 }),
      answer(1, late + 1, { sequence_number: null }),
    );
    expect(off).to.include({
      ...{ state: 'failed', what: 'an answer says the sequence number of another fragment' },
      seen: 'fragment 0: its answer says sequence_number 5',
    });
    const unnumbered = await judged(
      answer(0, late, { sequence_number: null }),
      answer(1, late + 1, { sequence_number: null }),
    );
    expect(unnumbered.state).to.equal('passed');
  });

  it('quote an error of the fragment that it names, also by a number', async () => {
    const numbered = GOOD.map((one) => {
      const { fragment_id: id, ...payload } = (one.payload ?? {}) as Record<string, unknown>;
      const number = Number(String(id).slice(-1));
      return id === undefined ? one : { ...one, payload: { ...payload, fragment_id: number } };
    });
    const failure = { fragment_id: 1, code: 'TIMEOUT', message: 'slow' };
    const refused = {
      ...event(PUBLISHED + 14_000, 'error', failure),
      direction: 'from-sts' as const,
    };
    const { seen } = await judge(answerCount, broadcastOf([...numbered.slice(0, -1), refused]), 2);
    expect(seen).to.include('1 error event: TIMEOUT: slow (fragment 1)');
  });

  it('take the sequence number of the fragment where the answer has none', async () => {
    const { length } = GOOD;
    const without = GOOD.map((one, i) =>
      i === length - 1 ? answer(1, one.at, { sequence_number: undefined }) : one,
    );
    expect(await stateOf(sequenceNumbers, broadcastOf(without), { first: 0, last: 1 })).to.equal(
      'passed',
    );
    expect(await stateOf(sequenceNumbers, good, { first: 0, last: 2 })).to.equal('failed');
  });
});

describe('criteria of connection and time', () => {
  it('a connection counts from the first sign of its worker', async () => {
    const refused: TapEvent = { ...opened(PUBLISHED + 100), kind: 'refused' };
    const late = broadcastOf([refused, ...GOOD]);
    expect(await stateOf(connection, late, { withinMs: 400 })).to.equal('passed');
    expect(await stateOf(connection, late, { withinMs: 399 })).to.equal('failed');
    // When the STS accepts the stream is its own business.
    const slow = GOOD.map((one) =>
      one.event === 'stream:ready' ? { ...one, at: PUBLISHED + 8000 } : one,
    );
    const accepted = await judge(connection, broadcastOf([refused, ...slow]), { withinMs: 400 });
    expect([accepted.state, accepted.seen]).to.deep.equal([
      'passed',
      '400 ms from its first attempt to the open connection; first attempt after 0 ms, stream:ready after 7900 ms',
    ]);
    // It reads the broadcast, or shows its metrics, long before it knocks at the STS.
    const readBefore = (ms: number, sign: 'ingested' | 'metricsSeen') =>
      broadcastOf(GOOD, {
        times: { ...good.record.times, [sign]: PUBLISHED + 500 - ms },
      });
    for (const sign of ['ingested', 'metricsSeen'] as const) {
      const idle = readBefore(5001, sign);
      expect(await stateOf(connection, idle, { withinMs: 5000 }), sign).to.equal('failed');
      expect(await stateOf(connection, idle, { withinMs: 5001 }), sign).to.equal('passed');
    }
    const { seen } = await judge(connection, readBefore(6000, 'ingested'), { withinMs: 5000 });
    expect(seen).to.match(
      /^6000 ms from the first poll in which the broadcast was read .* attempt after 6000 ms, stream:ready after 6400 ms$/,
    );
    const never = await judge(connection, broadcastOf([refused]), { withinMs: 5000 });
    expect(never.what).to.include('was not connected to the STS');
    expect(never.seen).to.include('none answered with stream:ready');
  });

  it('the STS is found at a port that it publishes', async () => {
    const address = { variable: 'STS_URL', configured: 'http://h:3000', relayedTo: undefined };
    const on = (port: number): Promise<string> =>
      stateOf(publishedPort, { ...address, publishedPorts: new Map([[port, 'sts']]) }, 'sts');
    expect(await Promise.all([on(3000), on(3001)])).to.deep.equal(['passed', 'failed']);
  });

  it('a broadcast is in its budget when its output has ended in time, whatever is missing', async () => {
    expect(await stateOf(budget, good, { withinMs: 25_000 })).to.equal('passed');
    expect(await stateOf(budget, good, { withinMs: 24_999 })).to.equal('failed');
    const { state, seen } = await judge(budget, broadcastOf([]), { withinMs: 25_000 });
    expect([state, seen.includes('0 of 2 fragments answered')]).to.deep.equal(['passed', true]);
    const stalled = broadcastOf(GOOD, { outcome: { kind: 'output stalled' } });
    expect(await stateOf(budget, stalled, { withinMs: 25_000 })).to.equal('failed');
  });

  it('in compressed time, a broadcast is judged by the time that it stands for', async () => {
    const compressed = broadcastOf(GOOD, {
      request: requestOf({ timeScale: 5 }),
      outcome: { kind: 'budget used up', afterSeconds: 60 },
    });
    expect(await stateOf(budget, compressed, { withinMs: 125_000 })).to.equal('failed');
    const { seen } = await judge(budget, compressed, { withinMs: 124_999 });
    expect(seen).to.include('the budget of 300 s was used up, after 125.0 s');
    const whole = broadcastOf(GOOD, { request: requestOf({ timeScale: 5 }) });
    expect(await stateOf(budget, whole, { withinMs: 125_000 })).to.equal('passed');
    expect(await stateOf(budget, whole, { withinMs: 124_999 })).to.equal('failed');
  });

  it('what never came is too late', async () => {
    expect(await stateOf(firstFragment, good, { withinMs: 6000 })).to.equal('passed');
    expect(await stateOf(firstFragment, good, { withinMs: 5999 })).to.equal('failed');
    expect(await stateOf(firstFragment, broadcastOf([]), { withinMs: 6000 })).to.equal('failed');
    // Content that began half a second after ingest.
    const later = broadcastOf(GOOD, { publishing: { protocol: 'rtsp', leadInSeconds: 1.5 } });
    expect(await stateOf(firstFragment, later, { withinMs: 5500 })).to.equal('passed');
    expect(await stateOf(firstFragment, later, { withinMs: 5499 })).to.equal('failed');
  });

  it('what was there before the moment that it follows from is not in time', async () => {
    const { times } = good.record;
    const within = { withinMs: 1000 };
    const output = (afterMs: number) => {
      const [first] = good.answers;
      const outputReady = (first?.at ?? NaN) + afterMs;
      return judge(
        outputAvailable,
        broadcastOf(GOOD, { times: { ...times, outputReady } }),
        within,
      );
    };
    const states = await Promise.all([0, 1000, 1001, -1].map(output));
    expect(states.map(({ state }) => state)).to.deep.equal([
      'passed',
      'passed',
      'failed',
      'failed',
    ]);
    expect(states[3]?.seen).to.match(/^1 ms too early: it was there before/);
    // From a poll, a moment may seem to lie after one that follows from it; from the start of the publisher, not.
    const at = (name: 'metricsSeen' | 'ingested', ms: number) =>
      broadcastOf(GOOD, { times: { ...times, [name]: ms } });
    const seen = (ms: number) =>
      stateOf(metricsAppear, at('metricsSeen', PUBLISHED + 400 + ms), within);
    expect(await Promise.all([-250, -251].map(seen))).to.deep.equal(['passed', 'failed']);
    const ingested = (ms: number) => stateOf(ingestStarts, at('ingested', PUBLISHED + ms), within);
    expect(await Promise.all([0, -1].map(ingested))).to.deep.equal(['passed', 'failed']);
    const ended = broadcastOf(GOOD, { times: { ...times, outputEnded: PUBLISHED - 1 } });
    expect(await stateOf(budget, ended, { withinMs: 25_000 })).to.equal('failed');
    const early = broadcastOf(
      GOOD.map((one) => (one.event === 'fragment:processed' ? { ...one, at: PUBLISHED } : one)),
    );
    expect(await stateOf(answerTime, early, within)).to.equal('follows');
  });

  it('fallbacks are counted for every segment, or for none', async () => {
    const all = broadcastOf(GOOD, {}, { fallback: 2 });
    expect(await stateOf(fallbackCount, all, 'every segment')).to.equal('passed');
    expect(await stateOf(fallbackCount, all, 0)).to.equal('failed');
    expect(await stateOf(fallbackCount, good, 'every segment')).to.equal('failed');
  });
});
