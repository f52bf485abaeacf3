/**
 * What everything else of a broadcast depends on: the connection, and each segment's way to the STS and back. Each of these
 * owns what is missing; what judges the segments that are there follows from it.
 */
import { BroadcastFindings } from '../analyze/broadcast-findings';
import { outcomeText } from '../broadcast/record';
import type { Fragment } from '../broadcast/fragment';
import { placesByTime } from '../broadcast/media-places';
import { isUndisturbed } from '../broadcast/request';
import { type Count, evidenceOf, mediaServiceLogOf, ofBroadcast } from './builders';
import { connection } from './connection';
import { type Assessment, type Criterion, type Deviation } from './criterion';
import { deviationAt, judge, type Upstream } from './criterion';
import { errorTextOf, quotedErrors } from './quoted-errors';

/** Which segments have no fragment. Numbers without a gap do not tell it: only the time of the media does. */
function unsent({ fragments, fixture }: BroadcastFindings): Deviation[] {
  const sent = new Set(fragments.map(({ segment }) => segment));
  const lost = fixture.script.length - sent.size;
  const isWithoutGap = fragments.every(({ segment }) => segment < sent.size);
  const isKnown = placesByTime(fragments, 1000 * fixture.segmentSeconds) !== undefined;
  if (sent.size > 0 && lost > 0 && isWithoutGap && !isKnown) {
    const text = `${lost} segment${lost > 1 ? 's' : ''} not sent; which is not known, as fragments do not say where in the stream they begin`;
    return [{ text }];
  }
  return fixture.script.flatMap((_, segment) =>
    sent.has(segment) ? [] : [deviationAt(segment, 'not sent', 'segment')],
  );
}

/** Which fragments have no answer, and how their wait for it ended. */
function unanswered({ fragments }: BroadcastFindings): Deviation[] {
  return fragments.flatMap((one) =>
    one.answer ? [] : [deviationAt(one.segment, whyNoAnswer(one))],
  );
}

/** Of a fragment without an answer. */
export function whyNoAnswer(fragment: Fragment): string {
  const { end } = fragment;
  const waited = end === 'timed out' || end === 'disconnected' ? end : undefined;
  const how = errorTextOf(fragment) ?? waited;
  return how === undefined ? 'no answer' : `no answer (${how})`;
}

/** Segments that were not sent or not answered: what is promised of every segment cannot be kept for them. */
export function missingAnswers(broadcast: BroadcastFindings): Deviation[] {
  return [...unsent(broadcast), ...unanswered(broadcast)];
}

/** Segments that were not sent: what is promised of every segment cannot be kept for them. */
export const missingFragments = unsent;

/** Segments that have no dub, or none that decodes; what was said is not known where the tap did not hear it. */
export function undubbed(broadcast: BroadcastFindings): Deviation[] {
  if (broadcast.record.monitor !== 'tap') return [];
  const without = broadcast.fragments.flatMap(({ segment, answer }) =>
    answer && !answer.audio?.isKnown
      ? [deviationAt(segment, `an answer without a dub${answer.audio ? ' that decodes' : ''}`)]
      : [],
  );
  return [...missingAnswers(broadcast), ...without];
}

/** The same of whatever is judged; none of a recording that is no broadcast of the suite. */
export function missingDubs(subject: unknown): Deviation[] {
  return subject instanceof BroadcastFindings ? undubbed(subject) : [];
}

/**
 * Deviations of a count of segments: at those that are known to be missing, if they are as many as the count is off. Where it is
 * not known which are, that is said.
 *
 * @param text what was counted
 * @param off by how many it deviates
 */
export function countDeviations(
  text: string,
  off: number,
  missing: readonly Deviation[],
): Deviation[] {
  const unknown = missing.filter((one) => one.fragment === undefined);
  if (unknown.length > 0) return [{ text }, ...unknown];
  const fragment = missing.length === off ? missing[0]?.fragment : undefined;
  return fragment === undefined ? [{ text }] : [{ text, fragment }, ...missing];
}

/** So far from a number of whole segments a length may be that lacks them, in seconds. */
const WHOLE_SEGMENTS_WITHIN_SECONDS = 1;

/**
 * Deviations of an output that is too short: at the segments that were not sent, if it is short by these.
 *
 * @param text how long it is
 * @param shortBySeconds less than it should be
 */
export function shorterBySegments(
  subject: unknown,
  text: string,
  shortBySeconds: number,
): Deviation[] {
  if (!(subject instanceof BroadcastFindings) || subject.record.monitor !== 'tap')
    return [{ text }];
  const { segmentSeconds } = subject.fixture;
  const segments = Math.round(shortBySeconds / segmentSeconds);
  const beside = Math.abs(shortBySeconds - segments * segmentSeconds);
  if (beside > WHOLE_SEGMENTS_WITHIN_SECONDS) return [{ text }];
  return countDeviations(text, segments, unsent(subject));
}

function assessCount(
  text: string,
  counts: { seen: number; wanted: number },
  missing: readonly Deviation[],
  broadcast: BroadcastFindings,
): Assessment {
  const { seen, wanted } = counts;
  const isRight = seen === wanted;
  const said = [text, ...quotedErrors(broadcast)].join('; ');
  return {
    deviations: isRight ? [] : countDeviations(said, wanted - seen, missing),
    ...{ seen: text, expected: String(wanted) },
  };
}

/** Asked where nothing goes wrong by a scenario's own table, and where what is said between the services was heard. */
function before<Limit>(
  explains: Upstream['explains'],
  one: Criterion<BroadcastFindings, BroadcastFindings, Limit>,
  limitOf: (broadcast: BroadcastFindings) => Limit,
  isAsked: (broadcast: BroadcastFindings) => boolean = () => true,
): Upstream {
  return {
    explains,
    verdictOn: async (subject) => {
      if (!(subject instanceof BroadcastFindings)) return undefined;
      const { monitor, request } = subject.record;
      if (monitor !== 'tap' || !isUndisturbed(request) || !isAsked(subject)) return undefined;
      return judge(one, subject, limitOf(subject));
    },
  };
}

/** A connection over which something was sent was there, whenever that was. */
const CONNECTED = before(
  'everything',
  connection,
  () => ({ withinMs: Infinity }),
  ({ evidence }) => evidence.fragments.fragments.length === 0,
);

/** Over all connections of media-service. */
export const fragmentCount = ofBroadcast<Count>('fragment-count', {
  title: 'media-service sends that many fragments',
  failure: 'another number of fragments was sent',
  next: mediaServiceLogOf,
  upstream: [CONNECTED],
  assess: (broadcast, { count: wanted }) => {
    const { length: seen } = broadcast.fragments;
    const text = `${seen}: ${outcomeText(broadcast.record.outcome)}`;
    return assessCount(text, { seen, wanted }, unsent(broadcast), broadcast);
  },
});

const SENT = before('its fragments', fragmentCount, ({ fixture }) => ({
  count: fixture.script.length,
}));

export const answerCount = ofBroadcast<number>('answer-count', {
  title: 'So many processed fragments are received',
  failure: 'another number of processed fragments is received',
  next: evidenceOf,
  upstream: [CONNECTED, SENT],
  assess: (broadcast, wanted) => {
    const { answers, fragments, record } = broadcast;
    const counted = `${answers.length} fragment:processed for ${fragments.length} fragment:data`;
    const text = `${counted} (${outcomeText(record.outcome)})`;
    const counts = { seen: answers.length, wanted };
    return assessCount(text, counts, missingAnswers(broadcast), broadcast);
  },
});

const ANSWERED = before('its fragments', answerCount, ({ fixture }) => fixture.script.length);

export const success = ofBroadcast('success', {
  title: 'Every processed fragment reports success and no error',
  failure: 'a fragment failed',
  next: evidenceOf,
  upstream: [CONNECTED, SENT, ANSWERED],
  assess: (broadcast) => {
    const answered = broadcast.fragments.filter(({ answer }) => answer);
    const failed = answered.flatMap((one) => {
      const { status, error } = one.answer ?? {};
      if (status === 'success' && !error) return [];
      const stage = error?.stage === undefined ? '' : ` in ${error.stage}`;
      const said = error ? `${error.code}${stage}: ${error.message}` : 'no error';
      return [deviationAt(one.segment, `${status} (${said})`)];
    });
    const count = `${failed.length} of ${answered.length} answers failed`;
    const first = failed[0]?.fragment;
    return {
      deviations: [
        ...(first === undefined ? [] : [{ text: count, fragment: first }]),
        ...[...failed, ...missingAnswers(broadcast)],
      ],
      ...{ seen: `${answered.length} answers`, expected: 'status success, no error' },
    };
  },
});

/** Of what is judged of every segment of a broadcast. */
export const UPSTREAM: readonly Upstream[] = [
  ...[CONNECTED, SENT, ANSWERED],
  before('its fragments', success, () => null),
];
