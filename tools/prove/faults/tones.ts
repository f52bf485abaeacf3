import type { Sample } from '../../../support/base/prometheus';
import { readEvidence } from '../../../support/broadcast/evidence';
import type { TapEvent } from '../../../support/broadcast/events';
import { type AlteredEvidence, shifted } from '../altered-evidence';
import type { EvidenceFault } from '../fault';
import {
  audioFilter,
  cutAt,
  drifting,
  frozen,
  LATE_150_MS,
  louder,
  RIGHT_SILENT,
} from './recordings';
import {
  answerMissing,
  BREAKER,
  BUCKET_OF_120_MS,
  countedLater,
  DELTA,
  FALLBACKS,
  fragmentLater,
  fragmentSentAfter,
  FRAGMENTS,
  fragmentsUnsent,
  INFLIGHT,
  inLog,
  oneMore,
  outputAfterAnswer,
  PRESSURE,
  PROCESSED,
  publishedAfterAll,
  RECONNECTIONS,
  SEGMENTS,
  SENT,
  withFields,
  withoutErrors,
} from './words';

/**
 * In this scenario the metrics of nine broadcasts are compared with what was seen from outside and with what is heard: of
 * a minute of tones, and of the eight with faults that are dubbed at the same time (features/stream-handler/7-edge-cases.feature).
 */
const ALL = '018-SC';
const PLAIN = '018-US1-1';

/** Faults of a minute of tones that comes back as it went in. */
const MINUTE_OF_TONES: EvidenceFault[] = [
  {
    name: 'The worker starts ingesting the tones 6 s late',
    broadcast: PLAIN,
    alter: (evidence) => evidence.timeAfter('ingested', 'published', 6000),
    red: { '018-US1-1': /started ingesting too late[\s\S]*6000 ms/ },
  },
  {
    name: 'A segment is not on disk',
    broadcast: PLAIN,
    alter: (evidence) => {
      const [file = ''] = evidence.files('segments').sort();
      evidence.remove(file);
    },
    red: { '018-US1-2': /the segments on disk are others/ },
  },
  {
    name: 'A fragment is not sent, and the metrics do not show it',
    broadcast: PLAIN,
    alter: (evidence) => evidence.payloads(SENT, [4], () => undefined),
    red: {
      '018-US1-2': /another number of fragments was sent[\s\S]*seen: +9: /,
      [ALL]: /status="sent"\}: 10, seen from outside 9/,
    },
    follows: ['018-US1-3'],
  },
  {
    name: 'An echo takes five seconds',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.tap((events) => {
        const at = sentAt(events, 5) + 5000;
        const isAnswer = ({ event, payload }: TapEvent): boolean =>
          event === PROCESSED && (payload as { sequence_number?: unknown }).sequence_number === 5;
        return events.map((one) => (isAnswer(one) ? shifted(one, at - one.at) : one));
      }),
    red: {
      '018-US1-3': /an answer took too long[\s\S]*fragment 5: 50\d\d ms/,
      [ALL]: /worker_sts_processing_time_ms_sum: [\d.]+, seen from outside/,
    },
  },
  {
    name: 'An echo is the audio of another fragment',
    broadcast: PLAIN,
    alter: (evidence) => {
      const [first = '', second = ''] = evidence
        .files('audio')
        .filter((name) => name.endsWith('-dubbed.wav'))
        .sort();
      evidence.replace(second, first);
    },
    red: { '018-US1-3': /an answer is no echo[\s\S]*_0001/ },
  },
  {
    name: 'The tones are heard 150 ms late',
    broadcast: PLAIN,
    alter: (evidence) => evidence.media('output.mp4', LATE_150_MS),
    red: {
      '018-US1-4': /tones are not heard at their frames[\s\S]*second 1: 1\d\d/,
      '018-US1-6 A broadcast': /tones are not heard at their frames[\s\S]*second 1: 1\d\d/,
    },
  },
  {
    name: 'media-service measured an A/V delta above 120 ms for the tones, once',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.samples(`${DELTA}_bucket`, {}, (one) =>
        BUCKET_OF_120_MS(one) ? { ...one, value: one.value - 1 } : one,
      ),
    red: { '018-US1-4': /larger A\/V deltas[\s\S]*10 measured, 9 of them/ },
  },
  {
    name: 'The output of the tones is available 1.5 s after the first answer',
    broadcast: PLAIN,
    alter: outputAfterAnswer(1500),
    red: { '018-US1-5': /the output was not available in time[\s\S]*seen: +1500 ms/ },
  },
  {
    name: 'The output of the tones is there before its first answer',
    broadcast: PLAIN,
    alter: (evidence) => evidence.time('outputReady', -2000),
    red: { '018-US1-5': /the output was not available in time[\s\S]*1\d{3} ms too early/ },
  },
  {
    name: 'The count of processed segments stands still',
    broadcast: PLAIN,
    alter: (evidence) => evidence.samples(SEGMENTS, {}, (one) => ({ ...one, value: 1 })),
    red: { '018-US1-6 Ten': /counts another number of processed audio segments/ },
  },
  {
    name: 'media-service logs an error',
    broadcast: PLAIN,
    alter: (evidence) => inLog(evidence, '"output started"', withFields({ level: 'ERROR' })),
    red: { '018-US1-6 Ten': /media-service logged errors[\s\S]*output started/ },
  },
  {
    name: 'The tones end after 55 s',
    broadcast: PLAIN,
    alter: (evidence) => evidence.media('output.mp4', cutAt(55)),
    red: { '018-US1-6 Ten': /another length[\s\S]*5[45]\.\d+ s/ },
    follows: ['018-US1-4', '018-US1-6 A broadcast'],
  },
  {
    name: 'The video of the tones freezes for half a second',
    broadcast: PLAIN,
    alter: (evidence) => evidence.media('output.mp4', frozen(100, 15)),
    red: { '018-US1-6 Ten': /frames are lost, frozen[\s\S]*(one frame|frozen) for 0\.\d+ s/ },
  },
  {
    name: 'The right channel of the tones is silent',
    broadcast: PLAIN,
    alter: (evidence) => evidence.media('output.mp4', RIGHT_SILENT),
    red: { '018-US1-6 Ten': /a channel is silent[\s\S]*"right" is silent for \d\d\.\d s/ },
  },
  {
    name: 'The count of reconnections rises although nothing was lost',
    broadcast: PLAIN,
    alter: (evidence) => oneMore(evidence, RECONNECTIONS),
    red: {
      '018-US1-6 A broadcast': /another number of reconnections[\s\S]*seen: +1/,
      [ALL]: /worker_reconnection_total: 1, seen from outside 0/,
    },
  },
  {
    name: 'The broadcast without faults is dubbed alone',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.record((record) => ({
        ...record,
        times: {
          ...record.times,
          published: (record.times.published ?? 0) + 600_000,
          publisherEnded: (record.times.publisherEnded ?? 0) + 600_000,
        },
      })),
    red: {
      '018-US1-6 A broadcast':
        /too few broadcasts with faults were dubbed at the same time[\s\S]*seen: +0/,
    },
    follows: ['018-US1-1', '018-US1-6 Ten'],
  },
  {
    name: 'A counter is exported as a gauge',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll) =>
          poll.types ? { ...poll, types: { ...poll.types, [FALLBACKS]: 'gauge' } } : poll,
        ),
      ),
    red: { [ALL]: /worker_fallback_total: gauge, expected counter/ },
  },
  {
    name: 'A family of metrics is missing',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll) => {
          const { [INFLIGHT]: left, ...types } = poll.types ?? {};
          return left === undefined ? poll : { ...poll, types };
        }),
      ),
    red: { [ALL]: /worker_inflight_fragments: not there, expected gauge/ },
  },
  {
    name: 'The metrics carry the name of another stream',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.samples(FRAGMENTS, {}, (one) => ({
        ...one,
        labels: { ...one.labels, stream_id: 'test_another' },
      })),
    // Of this stream it has then counted nothing.
    red: { [ALL]: /worker_audio_fragments_total\{status="sent"\}: 0, seen from outside 10/ },
  },
];

const VARYING = '018-US2-2';
const SLOW = '018-US2-4 A slow audio clock';

/** As a worker does that puts each segment's audio where it belongs, and never changes its speed. */
function sampleBySample(): string[] {
  const [played, segment] = [5.988, 6];
  const pieces = ['a', 'b', 'c', 'd', 'e'].map((name, i, all) => {
    const isLast = i === all.length - 1;
    const [from, to] = [played * i, isLast ? 99 : played * (i + 1)];
    const filled = isLast ? '' : `,apad=whole_dur=${segment}`;
    return `[${name}]atrim=${from}:${to},asetpts=PTS-STARTPTS${filled}[${name}0];`;
  });
  // The audio of the output, as it was before it was slowed down.
  const fast = '[0:a]aresample=48000,asetrate=48096,aresample=48000,asplit=5[a][b][c][d][e];';
  return audioFilter(`${fast}${pieces.join('')}[a0][b0][c0][d0][e0]concat=n=5:v=0:a=1`);
}

const SYNCHRONISATION: EvidenceFault[] = [
  {
    name: 'Audio and video drift 40 ms apart while the latency of the STS varies',
    broadcast: VARYING,
    alter: (evidence) => evidence.media('output.mp4', drifting(60, 40)),
    red: { [VARYING]: /the A\/V offset drifts/ },
  },
  {
    name: 'From the 30th second on, the audio is 150 ms late',
    broadcast: VARYING,
    alter: (evidence) =>
      evidence.media(
        'output.mp4',
        audioFilter(
          '[0:a]asplit[a][b];[a]atrim=0:30[c];[b]atrim=30,asetpts=PTS-STARTPTS,adelay=150:all=1[d];[c][d]concat=n=2:v=0:a=1',
        ),
      ),
    red: { [VARYING]: /tones are not heard at their frames[\s\S]*second 4\d: 1\d\d/ },
  },
  {
    name: 'A slow audio clock is corrected by a jump of 40 ms',
    broadcast: SLOW,
    alter: (evidence) =>
      evidence.media(
        'output.mp4',
        audioFilter(
          '[0:a]asplit=3[a][b][e];[a]atrim=0:15.6[c];[b]atrim=15.6:16.4,asetpts=PTS-STARTPTS,adelay=40:all=1,atrim=0:0.8[d];[e]atrim=16.4,asetpts=PTS-STARTPTS[f];[c][d][f]concat=n=3:v=0:a=1',
        ),
      ),
    red: { [SLOW]: /the audio jumps, or has gaps[\s\S]*at 1\d\.\d\d s: 40\.0 ms repeated/ },
  },
  {
    name: 'At every splice of the slow audio clock, 12 ms are silent',
    broadcast: SLOW,
    alter: (evidence) =>
      evidence.media(
        'output.mp4',
        audioFilter(`[0:a]asetnsamples=n=48,volume=0:enable='between(mod(t,6),2.2,2.212)'`),
      ),
    red: { [SLOW]: /the audio jumps, or has gaps[\s\S]*a gap of 1\d ms/ },
  },
  {
    name: 'Each segment of the slow audio clock plays sample by sample, and 12 ms are missing where it ends',
    broadcast: SLOW,
    alter: (evidence) => evidence.media('output.mp4', sampleBySample()),
    red: {
      [SLOW]: /the A\/V offset drifts[\s\S]*ppm\), taken back by jumps again and again/,
    },
  },
  {
    name: 'No correction of the slow audio clock is logged',
    broadcast: SLOW,
    alter: (evidence) => inLog(evidence, 'corrected by slew', () => undefined),
    red: { '018-US2-4 The correction': /did not report that[\s\S]*"slew"/ },
  },
];

/** The breaker opens, is half-open, and closes. */
const OPENS = '018-US3-2';
const opened = '"state": "open"';

/** An event like another, at another time. */
function copied(events: TapEvent[], nth: number, at: number, suffix: string): TapEvent[] {
  const like = events.filter(({ event }) => event === SENT)[nth];
  if (!like) return events;
  const payload = like.payload as Record<string, unknown>;
  const id = `${String(payload['fragment_id'])}_${suffix}`;
  const copy = shifted(like, at - like.at);
  return [...events, { ...copy, payload: { ...payload, fragment_id: id } }];
}

const timeOf =
  (kind: string) =>
  (events: TapEvent[], nth: number): number =>
    events.filter(({ event }) => event === kind)[nth]?.at ?? NaN;
const sentAt = timeOf(SENT);
const answeredAt = timeOf(PROCESSED);

/** As if the breaker were half-open only half a second before its probe, which is sent 34 s after it has opened. */
function halfOpenLate(evidence: AlteredEvidence): void {
  const probe = readEvidence(evidence.folder).fragments.fragments[5];
  const halfOpenAt = (probe?.sentAt ?? NaN) - 500;
  evidence.metrics((polls) => {
    const isHalfOpen = ({ name, value }: Sample): boolean => name === BREAKER && value === 2;
    const halfOpen = polls.find(({ samples }) => samples.some(isHalfOpen));
    if (!halfOpen) return polls;
    const said = [...polls, ...[halfOpenAt - 300, halfOpenAt].map((at) => ({ ...halfOpen, at }))];
    return said
      .sort((a, b) => a.at - b.at)
      .map((poll) => {
        const samples = poll.samples.map((one) => (isHalfOpen(one) ? { ...one, value: 1 } : one));
        return poll.at < halfOpenAt ? { ...poll, samples } : poll;
      });
  });
}

const BREAKER_FAULTS: EvidenceFault[] = [
  {
    name: 'The log says that the breaker opened after four errors',
    broadcast: OPENS,
    alter: (evidence) => inLog(evidence, opened, withFields({ failure_count: 4 })),
    red: { '018-US3-4': /contradicts what went over the wire[\s\S]*log: open after 4, not 5/ },
  },
  {
    name: 'The original audio is heard where the dub should be',
    broadcast: OPENS,
    alter: (evidence) => evidence.media('output.mp4', louder(2, 62)),
    red: {
      '018-US3-1 It opens': /other segments play the original audio[\s\S]*segment 1[12]: original/,
    },
    follows: [ALL],
  },
  {
    name: 'A fragment is sent while the breaker is open',
    broadcast: OPENS,
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 4, sentAt(events, 4) + 10_000, 'again')),
    red: {
      '018-US3-2': /fragments were sent while the breaker was open[\s\S]*seen: +1: /,
      [ALL]: /status="sent"\}: 8, seen from outside 9/,
    },
    follows: ['018-US3-3', '018-US3-4'],
  },
  {
    name: 'Fallbacks of an open breaker are counted as errors',
    broadcast: OPENS,
    alter: (evidence) =>
      evidence.samples(FALLBACKS, {}, (one) => {
        const { reason } = one.labels;
        return { ...one, value: reason === 'error' ? 10 : 0 };
      }),
    red: { '018-US3-2': /another number of fallbacks for that reason[\s\S]*reason="error"\}: 1?0/ },
  },
  {
    name: 'The breaker is half-open after 33 s',
    broadcast: OPENS,
    alter: halfOpenLate,
    red: { '018-US3-3': /the breaker was open for another time[\s\S]*more than 3[234]\d{3} ms/ },
  },
  {
    name: 'The probe is sent a segment too late',
    broadcast: OPENS,
    alter: fragmentLater(5, 6000),
    red: { '018-US3-3': /the breaker was open for another time[\s\S]*more than 3[345]\d{3} ms/ },
    follows: ['018-US3-4'],
  },
  {
    name: 'The half-open breaker lets two fragments through',
    broadcast: OPENS,
    alter: (evidence) => {
      evidence.tap((events) => copied(events, 5, sentAt(events, 5) + 5, 'again'));
    },
    red: { '018-US3-3': /another number of probes was sent[\s\S]*seen: +2: / },
    follows: [ALL],
  },
  {
    name: 'The breaker does not close again',
    broadcast: OPENS,
    alter: (evidence) => fragmentsUnsent(evidence, 6),
    red: { '018-US3-4': /did not close with the answer to its probe[\s\S]*never sent/ },
    follows: [ALL],
  },
  {
    name: 'The metric of the breaker stands still',
    broadcast: OPENS,
    alter: (evidence) => evidence.samples(BREAKER, {}, (one) => ({ ...one, value: 0 })),
    red: { '018-US3-4': /contradicts what went over the wire[\s\S]*closed, not open/ },
  },
  {
    name: 'A breaker opens after non-retryable errors',
    broadcast: '018-US3-5',
    alter: (evidence) => fragmentsUnsent(evidence, 5),
    red: { '018-US3-5': /did not stay closed[\s\S]*sent at 2[34]\.\d s: INVALID_CONFIG/ },
    follows: [ALL],
  },
];

const FULL = '018-US5-1';

const PACING: EvidenceFault[] = [
  {
    name: 'A fragment is sent during the pause',
    broadcast: '018-US4-1',
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 1, sentAt(events, 1) - 3000, 'again')),
    red: {
      '018-US4-1':
        /fragments were sent during the pause[\s\S]*seen: +pause 1 of [^;]+, 1 sent in it/,
    },
  },
  {
    name: 'A fragment is sent during the second pause',
    broadcast: '018-US4-1',
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 3, sentAt(events, 3) - 2000, 'again')),
    red: {
      '018-US4-1':
        /fragments were sent during the pause[\s\S]*seen: +pause 2 of [^;]+, 1 sent in it/,
    },
  },
  {
    name: 'The second pause never comes',
    broadcast: '018-US4-1',
    alter: (evidence) =>
      evidence.tap((events) => {
        const pauses = events.filter(
          ({ event, payload }) =>
            event === 'backpressure' && (payload as { action?: unknown }).action === 'pause',
        );
        return events.filter((one) => one !== pauses[1]);
      }),
    red: { '018-US4-1': /the STS did not request so many pauses[\s\S]*seen: +1 pause: / },
  },
  {
    name: 'After the pause only one fragment is sent at once',
    broadcast: '018-US4-2',
    alter: fragmentLater(2, 1500),
    red: { '018-US4-2': /another number of fragments was sent when[\s\S]*seen: +1\b/ },
    follows: ['018-US4-1'],
  },
  {
    name: 'Fragments are sent closer together than requested',
    broadcast: '018-US4-3',
    alter: fragmentSentAfter(2, 400),
    red: { '018-US4-3': /fragments were sent closer together than requested[\s\S]*gaps: 400 ms/ },
  },
  {
    name: 'A request to slow down is not counted',
    broadcast: '018-US4-4',
    alter: (evidence) =>
      evidence.samples(PRESSURE, { action: 'slow_down' }, (one) => ({ ...one, value: 0 })),
    red: { '018-US4-4': /count other backpressure requests[\s\S]*2, 0, 2/ },
  },
  {
    name: 'Four fragments are in flight at once',
    broadcast: FULL,
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 3, answeredAt(events, 0) - 300, 'again')),
    red: { '018-US5-1': /another number of fragments was in flight at once[\s\S]*seen: +4 of/ },
    follows: ['018-US5-3'],
  },
  {
    name: 'A free slot is not used for two seconds',
    broadcast: FULL,
    alter: (evidence) => evidence.later(({ event }) => event === PROCESSED, -1500),
    red: { '018-US5-2': /no fragment was sent as soon as a slot was free/ },
    follows: ['018-US5-3'],
  },
  {
    name: 'The metric of fragments in flight stands still',
    broadcast: FULL,
    alter: (evidence) => evidence.samples(INFLIGHT, {}, (one) => ({ ...one, value: 0 })),
    red: { '018-US5-3': /does not show how many fragments are in flight/ },
  },
  {
    name: 'Fragments without an answer time out three seconds late',
    broadcast: '018-US5-4',
    alter: (evidence) => countedLater(evidence, FALLBACKS, 3),
    red: { '018-US5-4': /fragments timed out at another time[\s\S]*counted 1\d{4} to 1\d{4} ms/ },
  },
];

const CUT = '018-US6-1';
const REFUSED = '018-US6-2';

const RECONNECTION: EvidenceFault[] = [
  {
    name: 'The fragment in flight falls back two seconds after the loss',
    broadcast: CUT,
    alter: (evidence) => countedLater(evidence, FALLBACKS, 2),
    red: { '018-US6-1': /did not fall back at once[\s\S]*counted [1-3]\d{3} to/ },
  },
  {
    name: 'The stream is not initialised again',
    broadcast: CUT,
    alter: (evidence) => evidence.payloads('stream:init', [1], () => undefined),
    red: { '018-US6-3': /not initialised again[\s\S]*1 stream:init/ },
  },
  {
    name: 'It reconnects after four seconds',
    broadcast: CUT,
    alter: (evidence) =>
      evidence.tap((events) => {
        const [, again] = events.filter(({ kind }) => kind === 'open');
        return events.map((one) =>
          one.connection === again?.connection ? shifted(one, 2000) : one,
        );
      }),
    red: { '018-US6-3': /not reconnected at its first attempt[\s\S]*[34]\d{3} ms, accepted/ },
  },
  {
    name: 'A reconnection is not counted',
    broadcast: CUT,
    alter: (evidence) => evidence.samples(RECONNECTIONS, {}, (one) => ({ ...one, value: 0 })),
    red: {
      '018-US6-5': /another number of reconnections[\s\S]*seen: +0/,
      [ALL]: /worker_reconnection_total: 0, seen from outside 1/,
    },
  },
  {
    name: 'Its third attempt to reconnect comes after eleven seconds in place of eight',
    broadcast: REFUSED,
    alter: (evidence) =>
      evidence.tap((events) => {
        const third = events.filter(({ kind }) => kind === 'refused')[2];
        return events.map((one) => (one === third ? shifted(one, 3000) : one));
      }),
    red: { '018-US6-2': /it attempted to reconnect at other times[\s\S]*1[01]\.\d+ s \(8\)/ },
  },
  {
    name: 'It gives up after four attempts',
    broadcast: REFUSED,
    alter: (evidence) =>
      evidence.tap((events) => {
        const last = events.findLast(({ kind }) => kind === 'refused');
        return events.filter((one) => one !== last);
      }),
    // Four attempts, not five.
    red: {
      '018-US6-2': /or another number of times\n +seen: +(?:[^;\n]+; ){3}[^;\n]+\n/,
    },
  },
  {
    name: 'The worker that gives up ends with exit code 0',
    broadcast: REFUSED,
    alter: (evidence) => inLog(evidence, '"exit_code"', withFields({ exit_code: 0 })),
    red: { '018-US6-4': /ended as if all was well[\s\S]*exit code 0/ },
  },
  {
    name: 'The worker does not say that it gives up',
    broadcast: REFUSED,
    alter: withoutErrors,
    red: { '018-US6-4': /media-service did not log an error that says so/ },
  },
];

const EDGE_CASES: EvidenceFault[] = [
  {
    name: 'Dubs of a wrong length are played',
    broadcast: '018-E2',
    alter: (evidence) => evidence.media('output.mp4', louder(0.5)),
    red: { '018-E2': /other segments play the original audio[\s\S]*segment 2: (nothing|dub)/ },
    follows: [ALL],
  },
  {
    name: 'The fitted dubs end after 30 s',
    broadcast: '018-E2',
    alter: (evidence) => evidence.media('output.mp4', cutAt(30)),
    red: { '018-E2': /other segments play the original audio[\s\S]*segment 5: nothing/ },
    follows: [ALL],
  },
  {
    name: 'The refused output is published for a moment',
    broadcast: '018-E3',
    alter: publishedAfterAll,
    red: { '018-E3': /something was published/ },
  },
  {
    name: 'Nothing is logged about the refused output',
    broadcast: '018-E3',
    alter: withoutErrors,
    red: { '018-E3': /media-service did not log an error that says so/ },
  },
  {
    name: 'The worker without audio ends with exit code 0',
    broadcast: '018-E4',
    alter: (evidence) => inLog(evidence, '"exit_code"', withFields({ exit_code: 0 })),
    red: { '018-E4': /ended as if all was well[\s\S]*exit code 0/ },
  },
  {
    name: 'That there is no audio to dub is logged as no error',
    broadcast: '018-E4',
    alter: withoutErrors,
    red: { '018-E4': /media-service did not log an error that says so/ },
  },
  {
    name: 'Video does not wait for dubs that take six seconds',
    broadcast: '018-E6',
    alter: (evidence) => evidence.media('output.mp4', louder(2)),
    red: { '018-E6': /other segments play the original audio[\s\S]*segment 0: original/ },
  },
  {
    name: 'The connection that is silent towards media-service is replaced after a minute',
    broadcast: '018-E7 Nothing arrives from',
    alter: (evidence) => evidence.later(({ kind }) => kind === 'fault', -60_000),
    red: { '018-E7 Nothing arrives from': /not replaced in time/ },
  },
  {
    name: 'The connection that is silent towards the STS is replaced after a minute',
    broadcast: '018-E7 Nothing arrives at',
    alter: (evidence) => evidence.later(({ kind }) => kind === 'fault', -60_000),
    red: { '018-E7 Nothing arrives at': /not replaced in time/ },
  },
  {
    name: 'After a loss during a pause, sequence numbers go on',
    broadcast: '018-E8',
    alter: (evidence) =>
      evidence.tap((events) => {
        const [, again] = events.filter(({ event }) => event === 'stream:init');
        return events.map((one) =>
          one.event === SENT && one.connection === again?.connection
            ? {
                ...one,
                payload: {
                  ...(one.payload as object),
                  sequence_number:
                    Number((one.payload as { sequence_number?: unknown }).sequence_number) + 1,
                },
              }
            : one,
        );
      }),
    red: { '018-E8': /sequence numbers go on[\s\S]*after the second: 1/ },
  },
  {
    name: 'The error of the Echo STS is not counted',
    broadcast: '018-US3-1 The Echo',
    alter: (evidence) =>
      evidence.samples(FALLBACKS, { reason: 'error' }, (one) => ({ ...one, value: 0 })),
    red: {
      '018-US3-1 The Echo': /another number of fallbacks for that reason[\s\S]*reason="error"\}: 0/,
    },
  },
  {
    name: 'An answer of the Echo STS gets lost on the way',
    broadcast: '018-US3-5',
    alter: answerMissing(6),
    red: { [ALL]: /worker_sts_processing_time_ms_count: 7, seen from outside 6/ },
  },
];

/** Faults of broadcasts through the Echo STS. */
export const TONES: EvidenceFault[] = [
  ...MINUTE_OF_TONES,
  ...SYNCHRONISATION,
  ...BREAKER_FAULTS,
  ...PACING,
  ...RECONNECTION,
  ...EDGE_CASES,
];
