import { faultDoneAt, type TapEvent } from '../../../support/broadcast/events';
import { readEvidence } from '../../../support/broadcast/evidence';
import { concerns, isAnswerFault } from '../../../support/broadcast/fault';
import type { AlteredEvidence } from '../altered-evidence';
import type { EvidenceFault } from '../fault';
import { cutAt, audioFilter } from './recordings';
import {
  FRAGMENTS,
  idOf,
  inLog,
  oneMore,
  PROCESSED,
  publishedAfterAll,
  SENT,
  withFields,
  withoutErrors,
} from './words';

/** An answer to a fragment, where there was none. */
function answered(nth: number, afterMs: number): (evidence: AlteredEvidence) => void {
  return (evidence) => {
    const { faults } = readEvidence(evidence.folder).record.request;
    const planned = faults.filter((fault) => isAnswerFault(fault) && concerns(fault, nth));
    evidence.tap((events) => {
      const sent = events.filter(({ event }) => event === SENT)[nth];
      if (!sent) return events;
      const { fragment_id, stream_id, sequence_number } = sent.payload as Record<string, unknown>;
      const payload = { fragment_id, stream_id, sequence_number, status: 'success' };
      const { connection, stream } = sent;
      const like = { at: sent.at + afterMs, connection, stream, direction: 'from-sts' } as const;
      // What is planned for answers was done to this one as well, in place of what was done by then.
      const done = planned.map((fault): TapEvent => {
        return { ...like, kind: 'fault', payload: { fault, fragment: fragment_id } };
      });
      return [
        ...events.filter((one) => {
          const isAnswer = one.event === PROCESSED && idOf(one) === fragment_id;
          return !isAnswer && faultDoneAt(one)?.fragment !== fragment_id;
        }),
        ...done,
        { ...like, kind: 'event', event: PROCESSED, payload },
      ];
    });
  };
}

const refusedOnly =
  (count: number) =>
  (evidence: AlteredEvidence): void =>
    evidence.tap((events) => {
      const kept = events.filter(({ kind }) => kind === 'refused').slice(0, count);
      return events.filter((one) => one.kind !== 'refused' || kept.includes(one));
    });

const UNREACHABLE = '021-E1 The STS is unreachable';
const LOST = '021-E1 The STS is lost';
/** In compressed time: each second of the evidence stands for three. */
const TOO_SLOW = '021-E3 An STS that takes 30';
const FAST_ENOUGH = '021-E3 An STS that takes 12';

/** The output has ended, so long after the broadcast was published. */
function ended(evidence: AlteredEvidence, afterMs: number): void {
  evidence.record((record) => ({
    ...{ ...record, outcome: { kind: 'output ended' } },
    times: { ...record.times, outputEnded: (record.times.published ?? 0) + afterMs },
  }));
}

/** Faults of short broadcasts of edge cases, for which something is wrong by intent. */
export const EDGE_CASES: EvidenceFault[] = [
  {
    name: 'media-service attempts twice to connect to the STS, and no more',
    broadcast: UNREACHABLE,
    alter: refusedOnly(2),
    red: {
      [UNREACHABLE]: /did not keep attempting to connect[\s\S]*2 refused/,
      '019-E1': /did not keep attempting to connect[\s\S]*2 refused/,
    },
  },
  {
    name: 'media-service attempts to connect to the STS every second',
    broadcast: UNREACHABLE,
    alter: (evidence) =>
      evidence.tap((events) => {
        const first = events.find(({ kind }) => kind === 'refused')?.at ?? 0;
        let attempts = 0;
        return events.map((one) =>
          one.kind === 'refused' ? { ...one, at: first + 1000 * attempts++ } : one,
        );
      }),
    red: { '019-E1': /did not wait longer each time[\s\S]*1000 ms, 1000 ms/ },
  },
  {
    name: 'A fallback is not counted while the STS is unreachable',
    broadcast: UNREACHABLE,
    alter: (evidence) =>
      evidence.samples(FRAGMENTS, { status: 'fallback' }, (one) => ({
        ...one,
        value: Math.min(one.value, 1),
      })),
    red: {
      [UNREACHABLE]: /another number of fallbacks to the original audio[\s\S]*seen: +1/,
      '019-E1': /another number of fallbacks to the original audio[\s\S]*seen: +1/,
    },
  },
  {
    name: 'The STS accepts the stream all the same',
    broadcast: UNREACHABLE,
    alter: (evidence) =>
      evidence.tap((events) => {
        const first = events.find(({ kind }) => kind === 'refused');
        if (!first) return events;
        const { at } = first;
        return [
          ...events,
          { ...first, at: at + 1, kind: 'open' },
          { ...first, at: at + 2, kind: 'event', event: 'stream:ready' },
        ];
      }),
    red: {
      [UNREACHABLE]: /the verdict does not fail with that message[\s\S]*it holds/,
      '019-E1': /the verdict does not fail with that message[\s\S]*it holds/,
    },
  },
  {
    name: 'media-service does not attempt to reconnect',
    broadcast: LOST,
    alter: refusedOnly(0),
    red: { [LOST]: /did not keep attempting to connect[\s\S]*0 refused/ },
  },
  {
    name: 'The STS is lost, and the output is silent',
    broadcast: LOST,
    alter: (evidence) => evidence.media('output.mp4', audioFilter('[0:a]volume=0')),
    red: { [LOST]: /the audio of the output is not the original|was not observed/ },
  },
  {
    name: 'A broadcast that is dubbed too slowly is there just in time',
    broadcast: TOO_SLOW,
    alter: (evidence) => {
      answered(9, 10_000)(evidence);
      ended(evidence, 99_900);
    },
    red: { [TOO_SLOW]: /the verdict does not fail with that message[\s\S]*it holds/ },
  },
  {
    name: 'An answer that should take more than 15 seconds takes 14',
    broadcast: TOO_SLOW,
    alter: answered(0, 4700),
    red: { [TOO_SLOW]: /an answer arrived earlier[\s\S]*fragment 0: 14100 ms/ },
  },
  {
    name: 'A broadcast that is dubbed fast enough is there too late',
    broadcast: FAST_ENOUGH,
    alter: (evidence) => ended(evidence, 100_200),
    red: { [FAST_ENOUGH]: /not dubbed to its end in time[\s\S]*after 300\.6 s; 10 of 10/ },
  },
  {
    name: 'An answer that should take less than 15 seconds takes 17',
    broadcast: FAST_ENOUGH,
    alter: answered(4, 5700),
    red: { [FAST_ENOUGH]: /an answer took too long[\s\S]*fragment 4: 17100 ms/ },
  },
  {
    name: 'A fallback is counted although the STS is fast enough',
    broadcast: FAST_ENOUGH,
    alter: (evidence) => oneMore(evidence, FRAGMENTS, { status: 'fallback' }),
    red: { [FAST_ENOUGH]: /another number of fallbacks to the original audio[\s\S]*seen: +1/ },
  },
  {
    name: 'The publisher that should disconnect ends by itself',
    broadcast: '019-E4',
    alter: (evidence) =>
      evidence.record((record) => ({ ...record, publisher: { exitCode: 0, stderr: '' } })),
    red: { '019-E4': /or it did not disconnect[\s\S]*exit code 0/ },
  },
  {
    name: 'The last fragment before the disconnection is lost',
    broadcast: '019-E4',
    alter: (evidence) => evidence.media('output.mp4', cutAt(6)),
    red: { '019-E4': /another length[\s\S]*6\.\d+ s/ },
  },
  {
    name: 'The dub of audio that begins late plays 300 ms late',
    broadcast: '019-US1-4 The audio track',
    alter: (evidence) => evidence.media('output.mp4', audioFilter('[0:a]adelay=300:all=1')),
    red: { '019-US1-4 The audio track': /audio and video are apart/ },
  },
  {
    name: 'An output without audio to dub is published for a moment',
    broadcast: '019-E2',
    alter: publishedAfterAll,
    red: { '019-E2': /something was published/ },
  },
  {
    name: 'No log says that there is no audio to dub',
    broadcast: '019-E2',
    alter: (evidence) => inLog(evidence, 'audio track required', () => undefined),
    red: { '019-E2': /media-service did not log an error that says so[\s\S]*audio track required/ },
  },
  {
    name: 'An output that the media server refuses is published for a moment',
    broadcast: '019-E6',
    alter: publishedAfterAll,
    red: { '019-E6': /something was published/ },
  },
  {
    name: 'That the output is refused is logged as no error',
    broadcast: '019-E6',
    alter: withoutErrors,
    red: { '019-E6': /media-service did not log an error that says so/ },
  },
  {
    name: 'The STS hears words in silence',
    broadcast: '019-US3-3 Silence stays silence through',
    alter: (evidence) =>
      evidence.payloads(PROCESSED, [0], withFields({ transcript: 'Thank you for watching.' })),
    red: {
      '019-US3-3 Silence stays silence through':
        /words were heard that nobody said[\s\S]*Thank you/,
    },
  },
  {
    name: 'There is audio where nobody spoke',
    broadcast: '019-US3-3 Silence stays silence through',
    alter: (evidence) =>
      evidence.media(
        'output.mp4',
        audioFilter(
          'sine=frequency=440:duration=10:sample_rate=44100[t];[0:a][t]amix=inputs=2:normalize=0:duration=first',
        ),
      ),
    red: { '019-US3-3 Silence stays silence through': /there is audible audio where nobody spoke/ },
  },
  {
    name: 'An answer that should take more than 30 seconds takes 20',
    broadcast: '019-E3',
    alter: answered(0, 20_000),
    red: { '019-E3': /an answer arrived earlier[\s\S]*fragment 0: 20000 ms/ },
  },
  {
    name: 'One fallback more is counted than there were segments',
    broadcast: '019-E3',
    alter: (evidence) => oneMore(evidence, FRAGMENTS, { status: 'fallback' }),
    red: { '019-E3': /another number of fallbacks to the original audio[\s\S]*seen: +3/ },
  },
];
