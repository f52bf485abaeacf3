import { ranges } from '../analyze/finding';
import {
  AssertionFailure,
  CannotBeShown,
  messageOf,
  NotAsExpected,
  problemOf,
} from '../base/errors';

/** One thing that is not as it should be; of one fragment where `fragment` (its index) is given. */
export interface Deviation {
  text: string;
  fragment?: number;
  /** `text` in its two parts, so that what is the same of several fragments is said once: {@link deviationAt}. */
  said?: { of: string; why: string };
}

/** What is wrong with a fragment, or with what else is told by its number. */
export function deviationAt(fragment: number, why: string, of = 'fragment'): Deviation {
  return { text: `${of} ${fragment}: ${why}`, fragment, said: { of, why } };
}

/** All deviations in one text; what is the same of several fragments once: `fragments 0 to 4: no answer`. */
export function shownDeviations(deviations: readonly Deviation[]): string {
  const numbers = new Map<string, number[]>();
  for (const { text, fragment, said } of deviations) {
    const key = said ? JSON.stringify(said) : text;
    numbers.set(key, [...(numbers.get(key) ?? []), ...(fragment === undefined ? [] : [fragment])]);
  }
  const isFirst = ({ said, fragment }: Deviation): boolean =>
    !said || numbers.get(JSON.stringify(said))?.[0] === fragment;
  return deviations
    .filter(isFirst)
    .map(({ text, said }) => {
      const all = said ? (numbers.get(JSON.stringify(said)) ?? []) : [];
      return said && all.length > 1 ? `${said.of}s ${ranges(all)}: ${said.why}` : text;
    })
    .join('; ');
}

/** A measured figure beside the limit that it is compared with: how much room there is. */
export interface Figure {
  /** What it is, in words: "A/V offset". */
  name: string;
  value: number;
  limit: number;
  /** ms, s or %; empty for rates of 0 to 1. */
  unit: string;
  /** Where the value has to be. */
  holds: 'below' | 'at most' | 'at least';
}

/** How far a figure is from its limit, in its own unit; below 0 beyond it. */
export function roomOf({ value, limit, holds }: Figure): number {
  return holds === 'at least' ? value - limit : limit - value;
}

/** Whether a figure is where it has to be; not whether all was measured of which it is the worst. */
export function isWithin(figure: Figure): boolean {
  const room = roomOf(figure);
  return figure.holds === 'below' ? room > 0 : room >= 0;
}

/** What a criterion says of a measurement. It holds when there are no deviations. */
export interface Assessment {
  deviations: readonly Deviation[];
  /** Where it is a figure that is compared with the limit. */
  figure?: Figure | undefined;
  /** The figures, whether it holds or not. */
  seen: string;
  expected: string;
  /** In place of the criterion's own, where several things can be wrong. */
  failure?: string;
  next?: string;
}

/**
 * One thing that must hold. It is measured (support/analyze) and compared with a limit here, and nowhere else: a step
 * passes the limit that its sentence names, `npm run analyze` and the pages of broadcasts that no scenario judges pass the
 * documented default.
 */
export interface Criterion<Subject, Measured, Limit> {
  /** Kebab case, unique: `av-offset`. */
  readonly id: string;
  /** What must hold, in words: "The A/V offset of every segment is within the limit". */
  readonly title: string;
  /** What is wrong when it does not hold, as half a sentence: "audio and video are apart". */
  readonly failure: string;
  /** Where that was seen: a stream, a file, an address. */
  readonly where: (subject: Subject) => string;
  /**
   * What is compared with the limit.
   *
   * @throws NotObserved where there is nothing to measure: the criterion has then not been shown
   */
  readonly measure: (subject: Subject) => Measured | Promise<Measured>;
  readonly assess: (measured: Measured, limit: Limit, subject: Subject) => Assessment;
  /** Of `analyze` and of the page of a broadcast; documented in docs/reading-a-report.md. */
  readonly defaultLimit?: Limit;
  /** What to do when it does not hold. */
  readonly next?: (subject: Subject) => string;
  /** What has to be there for this to be there at all; causes first. */
  readonly upstream?: readonly Upstream[];
  /** Criteria whose failure explains that this one fails; judged by their default limits, in this order. */
  readonly explainedBy?: readonly Explanation<Subject, Measured, Limit>[];
}

/** What comes before what a criterion judges: where that is missing, what it judges cannot be there either. */
export interface Upstream {
  /**
   * What follows from its failure: `everything`, also that there was nothing to measure; or what deviates at `its fragments`,
   * and at those of the others of this kind. What deviates elsewhere has a cause of its own, which then comes first.
   */
  explains: 'everything' | 'its fragments';
  /** Undefined where it cannot be asked of this subject. */
  verdictOn: (subject: unknown) => Promise<Verdict | undefined>;
}

/** Another criterion that may be the cause, where it fails and `fits`. */
export interface Explanation<Subject, Measured, Limit> {
  criterion: AnyCriterion<Subject>;
  /** By which it is judged; its default limit where not given. */
  limit?: unknown;
  /** Whether it explains this measurement; always where not given. */
  fits?: (measured: Measured, limit: Limit, subject: Subject) => boolean | Promise<boolean>;
}

/** Any criterion of a kind of subject. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- measurement and limit belong together inside of it only
export type AnyCriterion<Subject> = Criterion<Subject, any, any>;

/**
 * What was judged, with its limit: the record that pages, summary, console and `npm run prove` show. `follows`: it does
 * not hold, and another criterion, `because`, has found what explains it. `not shown`: there was nothing to measure.
 */
export interface Verdict {
  criterion: string;
  title: string;
  state: 'passed' | 'failed' | 'follows' | 'not shown';
  /** As it was passed, of whatever shape the criterion takes. */
  limit: unknown;
  where: string;
  /** What is wrong, as half a sentence; empty when it holds. */
  what: string;
  seen: string;
  expected: string;
  next?: string;
  /** The ID and the title of the criterion that explains it. */
  because?: {
    criterion: string;
    title: string;
    what: string;
    seen: string;
    expected?: string;
    next?: string;
    /** Those at which it deviates, each once, in order. */
    segments?: number[];
  };
  /** What was measured as a figure, and its limit; not there where nothing was. */
  figure?: Figure;
  deviations: readonly Deviation[];
}

type Cause = NonNullable<Verdict['because']>;

/** Defines a criterion; its types are derived from what it measures and takes. */
export function criterion<Subject, Measured, Limit>(
  definition: Criterion<Subject, Measured, Limit>,
): Criterion<Subject, Measured, Limit> {
  return definition;
}

/** Judges a subject by one criterion. Never throws for what was or was not seen: the verdict says it. */
export async function judge<Subject, Measured, Limit>(
  one: Criterion<Subject, Measured, Limit>,
  subject: Subject,
  limit: Limit,
): Promise<Verdict> {
  const { id, title } = one;
  const next = one.next?.(subject);
  const base = { criterion: id, title, limit };
  let measured: Measured;
  let assessment: Assessment;
  try {
    measured = await one.measure(subject);
    assessment = one.assess(measured, limit, subject);
  } catch (error) {
    // Anything but a missing observation is a bug of the suite, which its step has to show.
    if (!(error instanceof AssertionFailure)) throw error;
    const problem = problemOf(error) ?? { what: messageOf(error), seen: '', expected: '' };
    const because = await upstreamCauseOf(one, subject);
    return {
      ...{ ...base, state: 'not shown', deviations: [] },
      ...{ where: one.where(subject), next: next ?? lookUp(problem.what), ...problem },
      ...(because ? { because } : {}),
    };
  }
  const { deviations, seen, expected, figure } = assessment;
  const shown = {
    ...{ ...base, where: one.where(subject), expected, deviations },
    // Of nothing there is no mean, and no largest one.
    ...(figure && Number.isFinite(figure.value) ? { figure } : {}),
  };
  if (deviations.length === 0) return { ...shown, state: 'passed', what: '', seen };
  const because =
    (await upstreamCauseOf(one, subject, deviations)) ??
    (await causeOf(one, subject, measured, limit));
  const what = assessment.failure ?? one.failure;
  return {
    ...{ ...shown, what, state: because ? 'follows' : 'failed' },
    seen: shownDeviations(deviations),
    next: assessment.next ?? next ?? lookUp(what),
    ...(because ? { because } : {}),
  };
}

/** The segments at which something deviates, each once, in order. */
export function segmentsOf(deviations: readonly Deviation[]): number[] {
  const segments = new Set(deviations.flatMap(({ fragment }) => fragment ?? []));
  return [...segments].sort((a, b) => a - b);
}

/** What to do about a failure that says no more than what is wrong. */
export function lookUp(what: string): string {
  return `read in docs/troubleshooting.md what it means: "${what}"`;
}

async function causeOf<Subject, Measured, Limit>(
  { explainedBy = [] }: Criterion<Subject, Measured, Limit>,
  subject: Subject,
  measured: Measured,
  limit: Limit,
): Promise<Cause | undefined> {
  for (const {
    criterion: other,
    limit: its = other.defaultLimit as unknown,
    fits,
  } of explainedBy) {
    if (fits && !(await fits(measured, limit, subject))) continue;
    const verdict = await judge(other, subject, its).catch(unlessItCannotBeShown);
    const cause = verdict && causeIn(verdict);
    if (cause) return cause;
  }
  return undefined;
}

/** What cannot be shown explains nothing, and what it might explain fails all the same. */
function unlessItCannotBeShown(error: unknown): undefined {
  if (!(error instanceof CannotBeShown)) throw error;
}

/** @param deviations where anything was measured */
async function upstreamCauseOf<Subject, Measured, Limit>(
  { upstream = [] }: Criterion<Subject, Measured, Limit>,
  subject: Subject,
  deviations: readonly Deviation[] = [],
): Promise<Cause | undefined> {
  const explained = new Set<number>();
  const causes: Cause[] = [];
  for (const { explains, verdictOn } of upstream) {
    const verdict = await verdictOn(subject);
    const cause = verdict && causeIn(verdict);
    if (!cause) continue;
    if (explains === 'everything') return cause;
    const its = new Set(verdict.deviations.flatMap(({ fragment }) => fragment ?? []));
    if (deviations.some(({ fragment = -1 }) => its.has(fragment))) causes.push(cause);
    for (const fragment of its) explained.add(fragment);
  }
  return deviations.every(({ fragment = -1 }) => explained.has(fragment)) ? causes[0] : undefined;
}

/** The first cause of a failure; undefined where there is none. */
function causeIn({ state, because, deviations, ...of }: Verdict): Cause | undefined {
  if (state !== 'failed' && state !== 'follows') return undefined;
  if (because) return because;
  const { criterion: id, title, what, seen, expected, next } = of;
  const segments = segmentsOf(deviations);
  const cause = { criterion: id, title, what, seen, expected, segments };
  return next === undefined ? cause : { ...cause, next };
}

/**
 * The failure of a verdict, for the step that asked for it.
 *
 * @throws NotAsExpected (an AssertionError) unless it holds
 */
export function expectPassed({ state, because, ...verdict }: Verdict): void {
  if (state === 'passed') return;
  const { what, where, seen, expected, next } = verdict;
  const cause = because ? `; follows from: ${because.title}: ${because.seen}` : '';
  throw new NotAsExpected({
    ...{ what, where, seen: `${seen}${cause}`, expected },
    ...(next === undefined ? {} : { next }),
  });
}

/** An assessment of one figure: `seen` is what is wrong where it does not hold. */
export function assessed(holds: boolean, seen: string, expected: string): Assessment {
  return { deviations: holds ? [] : [{ text: seen }], seen, expected };
}
