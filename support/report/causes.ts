/** What failures have in common: the criterion that has found the cause, and the scenarios that fail by it. */
import { bySegments, ranges } from '../analyze/finding';
import { lookUp, segmentsOf, type Verdict } from '../checks/criterion';
import type { VerdictLine } from '../checks/verdict-log';
import { beginsInSource, lostTexts } from './coverage';
import { meaningOf } from './docs-tables';
import type { BroadcastFacts, Cause, CauseFacts, Coverage } from './facts';
import { idsOf, outcomeOf, type ScenarioResult } from './scenario-results';

/** So far before and after a moment logs are quoted, in seconds, and so many lines of them. */
const LOG_WITHIN_SECONDS = 3;
const MOST_LOG_LINES = 5;
/** What segments are called that are late, wrong, not heard or not sent, as those of `Coverage.lost`. */
export const NOT_AS_IT_SHOULD_BE = 'not dubbed as it should be';
/** All others say that something is in order; a service's own words for worse ones vary. */
const HARMLESS_LEVELS: readonly string[] = ['', 'trace', 'debug', 'info', 'notice'];

/**
 * The causes of the failures of a run, the one that explains most of them first; scenarios that failed by an error alone have
 * none. Broadcasts that fail by the same criterion have the same cause.
 *
 * @param lines all verdicts of the run, in their order
 */
export function causesOf(
  lines: readonly VerdictLine[],
  results: readonly Pick<ScenarioResult, 'place' | 'status'>[],
): Cause[] {
  const failed = new Set(
    results.filter((one) => outcomeOf(one) === 'failed').map(({ place }) => place),
  );
  const last = new Map<string, VerdictLine>();
  for (const line of lines) {
    const place = line.scenario?.place;
    if (place === undefined || !failed.has(place) || line.verdict.state === 'passed') continue;
    last.set(place, line);
  }
  const causes = new Map<string, Cause>();
  for (const [place, line] of last) {
    const { verdict } = line;
    const key = keyOf(verdict);
    const isOwn = verdict.because === undefined;
    const root = isOwn ? line : rootOf(key, lines);
    const cause = causes.get(key) ?? causeOf(root, verdict, line.stream);
    causes.set(key, cause);
    (isOwn ? cause.scenarios : cause.followers).push(place);
  }
  const countOf = ({ scenarios, followers }: Cause): number => scenarios.length + followers.length;
  return [...causes.values()].sort((a, b) => countOf(b) - countOf(a));
}

/** What was not there to be measured has the same cause wherever it is missed. */
function keyOf({ state, criterion, because, what, seen }: Verdict): string {
  if (because) return because.criterion;
  return state === 'not shown' ? JSON.stringify([what, seen]) : criterion;
}

/** The verdict of the criterion itself, where it was judged; one that has failed. */
function rootOf(criterion: string, lines: readonly VerdictLine[]): VerdictLine | undefined {
  return lines.find(({ verdict }) => verdict.criterion === criterion && verdict.state === 'failed');
}

function causeOf(
  root: VerdictLine | undefined,
  { because }: Verdict,
  stream: string | undefined,
): Cause {
  const none = { scenarios: [], followers: [] };
  if (!root) {
    const { what = '', seen = '', segments = [], expected, next } = because ?? {};
    return { what, where: stream ?? '', seen, expected, next, stream, segments, ...none };
  }
  const { what, where, seen, expected, next, deviations } = root.verdict;
  const segments = segmentsOf(deviations);
  return { what, where, seen, expected, next, stream: root.stream, segments, ...none };
}

/**
 * Causes of one broadcast with the same lost segments, and of no others, are one: the dub of a segment whose answer timed out
 * is missed by more than one criterion.
 */
export function withoutRepeats(causes: readonly CauseFacts[]): CauseFacts[] {
  const known = new Map<string, CauseFacts>();
  for (const [index, one] of causes.entries()) {
    const key = one.isAllLost ? JSON.stringify([one.stream, one.lost]) : String(index);
    const first = known.get(key);
    const scenarios = [...(first?.followers ?? []), ...one.scenarios, ...one.followers];
    known.set(key, first ? { ...first, followers: scenarios } : one);
  }
  return [...known.values()];
}

/**
 * A cause with its frames, and with what services have logged at that time.
 *
 * @param all causes of the run: what is lost by another one of the same broadcast is not this one's
 */
export function withCircumstances(
  cause: Cause,
  facts: BroadcastFacts | undefined,
  all: readonly Cause[] = [],
): CauseFacts {
  if (!facts) return { ...explained(cause), isAllLost: false, lost: [], log: [] };
  const others = all.filter((one) => one !== cause && one.stream === cause.stream);
  const elsewhere = new Set(others.flatMap(({ segments }) => segments));
  const lost = lostWith(cause.segments, facts).filter(
    (one) => cause.segments.length > 0 || !one.segments.every((at) => elsewhere.has(at)),
  );
  const isAnywhere = Math.min(cause.segments.length, facts.fragments.length) === 0;
  const segments = [...new Set([...cause.segments, ...lost.flatMap((one) => one.segments)])];
  const log = facts.log
    .filter(({ level }) => !HARMLESS_LEVELS.includes(level))
    // Where nothing was sent, no moment is known.
    .filter(({ atSeconds }) => isAnywhere || isAtOneOf(segments, facts, atSeconds))
    .slice(0, MOST_LOG_LINES)
    .map(({ service, text }) => ({ service, text }));
  const isAllLost =
    cause.segments.length > 0 &&
    cause.segments.every((at) => lost.some((one) => one.segments.includes(at)));
  // The first of the reasons is then the title.
  const placed = isAllLost ? (lost[0]?.segments ?? []) : cause.segments;
  const place = placed.length > 0 ? placeOf(placed, facts) : undefined;
  return {
    ...explained(cause),
    ...(place === undefined ? {} : { place }),
    lost: lostTexts({ lost }),
    isAllLost,
    log,
  };
}

/** With what is written down about it, in place of being told to look it up. */
function explained({ next, ...cause }: Cause): Cause & Pick<CauseFacts, 'meaning'> {
  const meaning = meaningOf(cause.what);
  const isSaid = next === undefined || (meaning !== undefined && next === lookUp(cause.what));
  return {
    ...cause,
    ...(meaning === undefined ? {} : { meaning }),
    ...(isSaid ? {} : { next }),
  };
}

/**
 * Of the reasons for which segments of the broadcast are lost, those of these segments, and all where none is named. Where
 * one was not sent, those of earlier ones as well: a breaker is opened by what failed before.
 */
function lostWith(
  segments: readonly number[],
  { coverage, unsent }: BroadcastFacts,
): Coverage['lost'] {
  const lastUnsent = unsent.findLast(({ segment }) => segments.includes(segment));
  return coverage.lost.filter(
    (one) =>
      segments.length === 0 ||
      one.segments.some((at) => segments.includes(at)) ||
      (lastUnsent !== undefined && (one.segments[0] ?? 0) < lastUnsent.segment),
  );
}

function isAtOneOf(
  segments: readonly number[],
  facts: BroadcastFacts,
  atSeconds: number | undefined,
): boolean {
  if (atSeconds === undefined) return false;
  return segments.some((segment) => {
    const begins = sentAt(segment, facts);
    const [from, to] = [begins - LOG_WITHIN_SECONDS, begins + LOG_WITHIN_SECONDS];
    return atSeconds >= from && atSeconds <= to;
  });
}

/** When a segment was sent, or would have been, in seconds since publishing: by the others, at the speed of the broadcast. */
function sentAt(segment: number, { fragments, segmentSeconds }: BroadcastFacts): number {
  const sent = fragments.flatMap(({ segment: of, stages }) => {
    const queued = stages.find(({ stage }) => stage !== 'waiting');
    return queued ? [{ segment: of, at: queued.fromSeconds }] : [];
  });
  return bySegments(sent, segment, segmentSeconds) ?? (segment + 1) * segmentSeconds;
}

function placeOf(segments: readonly number[], facts: BroadcastFacts): string {
  const { framesPerSecond, segmentSeconds, durationSeconds } = facts;
  const shown = `segment${segments.length === 1 ? '' : 's'} ${ranges(segments)}`;
  const [first = 0, last = first] = [segments[0], segments.at(-1)];
  if (framesPerSecond === undefined || last - first !== segments.length - 1) return shown;
  const beginsAt = (segment: number): number =>
    beginsInSource(segment, facts.fragments, segmentSeconds);
  const end = Math.min(beginsAt(last + 1), durationSeconds);
  const frames = [beginsAt(first), end].map((at) => Math.round(at * framesPerSecond));
  return `${shown}, frames ${frames[0]} to ${(frames[1] ?? 0) - 1}`;
}

/** Each scenario by its IDs, or its name where it has none: `021-US2-5, 021-US2-6`. */
export function namesOf(
  places: readonly string[],
  results: readonly Pick<ScenarioResult, 'place' | 'tags' | 'name'>[],
): string {
  const names = places.map((place) => {
    const one = results.find((result) => result.place === place);
    return one ? idsOf(one).join(', ') || one.name : place;
  });
  return [...new Set(names)].join(', ');
}

/**
 * The title of a cause: how many failures it explains, and what happened. That is which segments were lost, and why, where it is
 * all about lost segments; `judged` is then what its criterion says, and `lost` what else was lost.
 */
export function causeInWords(
  cause: CauseFacts,
  failed: number,
): { title: string; judged?: string; lost: readonly string[] } {
  const { what, lost, isAllLost } = cause;
  const [first, ...others] = lost;
  const explained = explainedText(cause, failed);
  if (!isAllLost || first === undefined) return { title: `${explained}: ${what}`, lost };
  return { title: `${explained}: ${first}`, judged: what, lost: others };
}

function explainedText({ scenarios, followers }: Cause, failed: number): string {
  const explained = scenarios.length + followers.length;
  return `Cause of ${explained} of ${failed} ${failed === 1 ? 'failure' : 'failures'}`;
}
