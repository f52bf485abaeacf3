import type { TapEvent } from '../../../support/observe/tap';
import type { EvidenceFault } from '../fault';
import { cutAt, drifting, frozen, LATE_150_MS, louder, audioFilter } from './recordings';
import {
  answerMissing,
  BREAKER,
  BUCKET_OF_120_MS,
  DELTA,
  FALLBACKS,
  fragmentLater,
  FRAGMENTS,
  INFLIGHT,
  inLog,
  laterBy,
  oneMore,
  PRESSURE,
  PROCESSED,
  RECONNECTIONS,
  SEGMENTS,
  SENT,
  withFields,
} from './words';

/** All metrics are compared with what was seen from outside in this scenario, and what is heard with what is counted. */
const ALL = '018-SC';
const PLAIN = '018-US1-1';

/** What can be wrong with a minute of tones that comes back as it went in. */
const MINUTE_OF_TONES: EvidenceFault[] = [
  {
    name: 'The worker reads the tones 6 s late',
    broadcast: PLAIN,
    alter: (evidence) => evidence.mark('ingested', 6000),
    red: { '018-US1-1': /took up the broadcast too late[\s\S]*6\.\d+ s/ },
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
    name: 'A fragment is not sent, and nobody says so',
    broadcast: PLAIN,
    alter: (evidence) => evidence.payloads(SENT, [4], () => undefined),
    red: {
      '018-US1-2': /another number of fragments was sent[\s\S]*seen: +9: /,
      [ALL]: /status="sent"\}: 10, seen from outside 9/,
    },
    follows: ['018-US1-3', '018-US1-6 Ten'],
  },
  {
    name: 'An echo takes five seconds',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.later(
        ({ event, payload }) =>
          event === PROCESSED && (payload as { sequence_number?: unknown }).sequence_number === 5,
        5000,
      ),
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
      '018-US1-4': /tones are not heard at their video[\s\S]*second 1: 1\d\d/,
      '018-US1-6 A broadcast': /tones are not heard at their video[\s\S]*second 1: 1\d\d/,
    },
  },
  {
    name: 'media-service measured the tones more than 120 ms from their video, once',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.samples(`${DELTA}_bucket`, {}, (one) =>
        BUCKET_OF_120_MS(one) ? { ...one, value: one.value - 1 } : one,
      ),
    red: { '018-US1-4': /larger A\/V deltas[\s\S]*10 measured, 9 of them/ },
  },
  {
    name: 'The tones can be watched 1.5 s after the first answer',
    broadcast: PLAIN,
    alter: (evidence) => evidence.mark('outputReady', 1500),
    red: { '018-US1-5': /the output was not available in time/ },
  },
  {
    name: 'The count of processed segments stands still',
    broadcast: PLAIN,
    alter: (evidence) => evidence.samples(SEGMENTS, {}, (one) => ({ ...one, value: 1 })),
    red: { '018-US1-6 Ten': /count another number of audio segments/ },
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
    name: 'The frame of the tones stands still for a second',
    broadcast: PLAIN,
    alter: (evidence) => evidence.media('output.mp4', frozen(100, 15)),
    red: { '018-US1-6 Ten': /every frame of the broadcast is shown once/ },
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
    name: 'The broadcast without faults was on the air alone',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.run((run) => ({
        ...run,
        times: {
          ...run.times,
          published: (run.times.published ?? 0) + 600_000,
          publisherEnded: (run.times.publisherEnded ?? 0) + 600_000,
        },
      })),
    red: {
      '018-US1-6 A broadcast': /too few broadcasts with faults were on the air[\s\S]*seen: +0/,
    },
  },
  {
    name: 'A counter is exported as a gauge',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.metrics((looks) =>
        looks.map((look) =>
          look.types ? { ...look, types: { ...look.types, [FALLBACKS]: 'gauge' } } : look,
        ),
      ),
    red: { [ALL]: /worker_fallback_total: gauge, expected counter/ },
  },
  {
    name: 'A family of metrics is missing',
    broadcast: PLAIN,
    alter: (evidence) =>
      evidence.metrics((looks) =>
        looks.map((look) => {
          const { [INFLIGHT]: left, ...types } = look.types ?? {};
          return left === undefined ? look : { ...look, types };
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
    red: {
      '018-US1-6 A broadcast': /fallbacks was not observed/,
      [ALL]: /worker_audio_fragments_total\{status="sent"\}: missing, seen from outside 10/,
    },
    follows: ['018-US1-6 Ten'],
  },
];

const VARYING = '018-US2-2';
const SLOW = '018-US2-4';

const SYNCHRONISATION: EvidenceFault[] = [
  {
    name: 'Audio and video drift 40 ms apart while the STS takes now more, now less time',
    broadcast: VARYING,
    alter: (evidence) => evidence.media('output.mp4', drifting(60, 40)),
    red: { [VARYING]: /audio and video drift apart/ },
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
    red: { [VARYING]: /tones are not heard at their video[\s\S]*second 4\d: 1\d\d/ },
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
    red: { [SLOW]: /the audio jumps against the frame/ },
  },
  {
    name: 'No correction of the slow audio clock is logged',
    broadcast: SLOW,
    alter: (evidence) => inLog(evidence, 'corrected by slew', () => undefined),
    red: { [SLOW]: /did not log that[\s\S]*corrected by slew/ },
  },
];

/** The breaker opens, tries, and closes. */
const OPENS = '018-US3-2';
const opened = '"state": "open"';
const halfOpen = /half.open/.source;

/** An event like another, at another time. */
function copied(events: TapEvent[], nth: number, at: number, suffix: string): TapEvent[] {
  const like = events.filter(({ event }) => event === SENT)[nth];
  if (!like) return events;
  const payload = like.payload as Record<string, unknown>;
  const id = `${String(payload['fragment_id'])}_${suffix}`;
  return [...events, { ...like, at, payload: { ...payload, fragment_id: id } }];
}

const sentAt = (events: TapEvent[], nth: number): number =>
  events.filter(({ event }) => event === SENT)[nth]?.at ?? NaN;

const BREAKER_FAULTS: EvidenceFault[] = [
  {
    name: 'The breaker says that it opened after four errors',
    broadcast: OPENS,
    alter: (evidence) => inLog(evidence, opened, withFields({ failure_count: 4 })),
    red: { '018-US3-1 It opens': /opened after other errors[\s\S]*the log says 4/ },
  },
  {
    name: 'The original audio is heard where the echo should be',
    broadcast: OPENS,
    alter: (evidence) => evidence.media('output.mp4', louder(2, 62)),
    red: { '018-US3-1 It opens': /other segments have the original audio[\s\S]*1[12]: original/ },
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
  },
  {
    name: 'Fallbacks of an open breaker are counted as errors',
    broadcast: OPENS,
    alter: (evidence) =>
      evidence.samples(FALLBACKS, {}, (one) => {
        const { reason } = one.labels;
        return { ...one, value: reason === 'error' ? 10 : 0 };
      }),
    red: { '018-US3-2': /another number of fallbacks for that reason[\s\S]*seen: +1?0/ },
  },
  {
    name: 'The breaker tries after 33 s',
    broadcast: OPENS,
    alter: (evidence) =>
      evidence.log('media-service', (line) =>
        new RegExp(`circuit breaker.*${halfOpen}`).test(line) && line.includes('"state"')
          ? JSON.stringify(laterBy(3000)(JSON.parse(line) as Record<string, unknown>))
          : line,
      ),
    red: { '018-US3-3': /the breaker was open for another time[\s\S]*33\d{3} ms/ },
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
    alter: (evidence) => inLog(evidence, '"state": "closed"', () => undefined),
    red: { '018-US3-4': /did not close with the answer to its probe/ },
    follows: ['018-US3-3'],
  },
  {
    name: 'The metric of the breaker stands still',
    broadcast: OPENS,
    alter: (evidence) => evidence.samples(BREAKER, {}, (one) => ({ ...one, value: 0 })),
    red: { '018-US3-4': /the metric of the breaker says something else[\s\S]*closed, not open/ },
  },
  {
    name: 'A breaker opens after errors that no retry can mend',
    broadcast: '018-US3-5',
    alter: (evidence) => evidence.samples(BREAKER, {}, (one) => ({ ...one, value: 1 })),
    red: { '018-US3-5': /did not stay closed[\s\S]*open, not closed/ },
  },
];

const PRESSED = '018-US4-1';
const FULL = '018-US5-1';

const PACING: EvidenceFault[] = [
  {
    name: 'A fragment is sent during the pause',
    broadcast: PRESSED,
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 1, sentAt(events, 1) - 3000, 'again')),
    red: { '018-US4-1': /sent during the pause[\s\S]*, 1 sent in it/ },
    follows: [ALL],
  },
  {
    name: 'After the pause, only one fragment is sent at once',
    broadcast: PRESSED,
    alter: fragmentLater(2, 1500),
    red: { '018-US4-2': /another number of fragments was sent when[\s\S]*seen: +1/ },
  },
  {
    name: 'Fragments come closer together than the STS has asked for',
    broadcast: PRESSED,
    alter: fragmentLater(5, -200),
    red: { '018-US4-3': /closer together than asked for/ },
  },
  {
    name: 'A request to slow down is not counted',
    broadcast: PRESSED,
    alter: (evidence) =>
      evidence.samples(PRESSURE, { action: 'slow_down' }, (one) => ({ ...one, value: 0 })),
    red: {
      '018-US4-4': /count other backpressure events[\s\S]*2, 0, 2/,
      [ALL]: /action="slow_down"\}: 0, seen from outside 1/,
    },
  },
  {
    name: 'Four fragments wait at once',
    broadcast: FULL,
    alter: (evidence) =>
      evidence.tap((events) => copied(events, 3, sentAt(events, 3) - 500, 'again')),
    red: { '018-US5-1': /another number of fragments waited at once[\s\S]*seen: +4 of/ },
    follows: [ALL, '018-US5-3'],
  },
  {
    name: 'A free place is not used for two seconds',
    broadcast: FULL,
    alter: (evidence) => evidence.later(({ event }) => event === PROCESSED, -1500),
    red: { '018-US5-2': /no fragment was sent as soon as a place was free/ },
    follows: ['018-US5-3', ALL],
  },
  {
    name: 'The metric of fragments in flight stands still',
    broadcast: FULL,
    alter: (evidence) => evidence.samples(INFLIGHT, {}, (one) => ({ ...one, value: 0 })),
    red: { '018-US5-3': /does not say how many fragments are in flight/ },
  },
  {
    name: 'Fragments without an answer are given up 2.5 s late',
    broadcast: '018-US5-4',
    alter: (evidence) => inLog(evidence, 'fallback to original', laterBy(2500)),
    red: { '018-US5-4': /fragments were given up at another time[\s\S]*10\d{3} ms/ },
  },
];

const CUT = '018-US6-1';
const REFUSED = '018-US6-2';

const RECONNECTION: EvidenceFault[] = [
  {
    name: 'The fragment in flight is given up 1.5 s after the loss',
    broadcast: CUT,
    alter: (evidence) => inLog(evidence, 'fallback to original', laterBy(1500)),
    red: { '018-US6-1': /was not given up at once[\s\S]*1[45]\d{2} ms/ },
  },
  {
    name: 'The stream is not initialised again',
    broadcast: CUT,
    alter: (evidence) => evidence.payloads('stream:init', [1], () => undefined),
    red: { '018-US6-3': /not initialised again[\s\S]*1 stream:init/ },
  },
  {
    name: 'It connects again after four seconds',
    broadcast: CUT,
    alter: (evidence) =>
      evidence.tap((events) => {
        const [, again] = events.filter(({ kind }) => kind === 'open');
        return events.map((one) =>
          one.connection === again?.connection ? { ...one, at: one.at + 2000 } : one,
        );
      }),
    red: { '018-US6-3': /not connected again at its first try[\s\S]*[34]\d{3} ms, accepted/ },
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
    name: 'It tries to connect again after eleven seconds in place of eight',
    broadcast: REFUSED,
    alter: (evidence) =>
      evidence.tap((events) => {
        const third = events.filter(({ kind }) => kind === 'refused')[2];
        return events.map((one) => (one === third ? { ...one, at: one.at + 3000 } : one));
      }),
    red: { '018-US6-2': /it tried at other times[\s\S]*1[01]\.\d+ s \(8\)/ },
  },
  {
    name: 'It gives up after four tries',
    broadcast: REFUSED,
    alter: (evidence) =>
      evidence.tap((events) => {
        const last = events.findLast(({ kind }) => kind === 'refused');
        return events.filter((one) => one !== last);
      }),
    red: { '018-US6-2': /another number of times/ },
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
    alter: (evidence) => inLog(evidence, 'giving up on the STS', () => undefined),
    red: { '018-US6-4': /did not log that[\s\S]*giving up on the STS/ },
  },
];

const EDGE_CASES: EvidenceFault[] = [
  {
    name: 'Dubs of a wrong length are played all the same',
    broadcast: '018-E2',
    alter: (evidence) => evidence.media('output.mp4', louder(0.5)),
    red: { '018-E2': /other segments have the original audio[\s\S]*2: (nothing|echo)/ },
    follows: [ALL],
  },
  {
    name: 'The fitted dubs end after 30 s',
    broadcast: '018-E2',
    alter: (evidence) => evidence.media('output.mp4', cutAt(30)),
    red: { '018-E2': /other segments have the original audio[\s\S]*5: nothing/ },
    follows: [ALL],
  },
  {
    name: 'The refused output is published for a moment',
    broadcast: '018-E3',
    alter: (evidence) =>
      evidence.mediamtx((looks) =>
        looks.map((look, i) => ({
          ...look,
          paths: look.paths.map((path) =>
            i > 10 && path.name.endsWith('/out') ? { ...path, ready: true } : path,
          ),
        })),
      ),
    red: { '018-E3': /something was published/ },
  },
  {
    name: 'Nothing is logged about the refused output',
    broadcast: '018-E3',
    alter: (evidence) => inLog(evidence, 'RTMP publishing', () => undefined),
    red: { '018-E3': /did not log an error that says so[\s\S]*RTMP publishing/ },
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
    alter: (evidence) => inLog(evidence, 'audio track required', withFields({ level: 'INFO' })),
    red: { '018-E4': /did not log an error that says so[\s\S]*audio track required/ },
  },
  {
    name: 'Dubs that take six seconds are not waited for',
    broadcast: '018-E6',
    alter: (evidence) => evidence.media('output.mp4', louder(2)),
    red: { '018-E6': /other segments have the original audio[\s\S]*0: original/ },
    follows: [ALL],
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
    name: 'After a loss during a pause, fragments are counted on',
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
    red: { '018-E8': /fragments are counted on/ },
  },
  {
    name: 'The error of the Echo STS is not counted',
    broadcast: '018-US3-1 The Echo',
    alter: (evidence) =>
      evidence.samples(FALLBACKS, { reason: 'error' }, (one) => ({ ...one, value: 0 })),
    red: { '018-US3-1 The Echo': /another number of fallbacks for that reason[\s\S]*seen: +0/ },
  },
  {
    name: 'An answer of the Echo STS gets lost on the way',
    broadcast: '018-US3-5',
    alter: answerMissing(6),
    red: { [ALL]: /worker_sts_processing_time_ms_count: 7, seen from outside 6/ },
  },
];

/** What can be wrong with broadcasts through the Echo STS. */
export const TONES: EvidenceFault[] = [
  ...MINUTE_OF_TONES,
  ...SYNCHRONISATION,
  ...BREAKER_FAULTS,
  ...PACING,
  ...RECONNECTION,
  ...EDGE_CASES,
];
