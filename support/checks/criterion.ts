import { AssertionFailure, messageOf, NotAsExpected, problemOf } from '../base/errors';

/** One thing that is not as it should be; of one fragment where `fragment` (its index) is given. */
export interface Deviation {
  text: string;
  fragment?: number;
}

/** What a criterion says of a measurement. It holds when there are no deviations. */
export interface Assessment {
  deviations: readonly Deviation[];
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
  /** Criteria whose failure explains that this one fails; judged by their default limits, in this order. */
  readonly explainedBy?: readonly Explanation<Subject, Measured, Limit>[];
}

/** Another criterion that may be the cause, where it fails and `fits`. */
export interface Explanation<Subject, Measured, Limit> {
  criterion: AnyCriterion<Subject>;
  /** Whether it explains this measurement; always where not given. */
  fits?: (measured: Measured, limit: Limit) => boolean;
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
  because?: { criterion: string; title: string; seen: string };
  deviations: readonly Deviation[];
}

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
    return {
      ...{ ...base, state: 'not shown', deviations: [] },
      ...{ where: one.where(subject), ...problem },
    };
  }
  const { deviations, seen, expected } = assessment;
  const isFine = deviations.length === 0;
  const cause = isFine ? undefined : await causeOf(one, subject, measured, limit);
  const shown = { ...base, where: one.where(subject), expected, deviations };
  if (isFine) return { ...shown, state: 'passed', what: '', seen };
  const said = assessment.next ?? next;
  return {
    ...shown,
    state: cause ? 'follows' : 'failed',
    what: assessment.failure ?? one.failure,
    seen: deviations.map(({ text }) => text).join('; '),
    ...(said === undefined ? {} : { next: said }),
    ...(cause ? { because: cause } : {}),
  };
}

async function causeOf<Subject, Measured, Limit>(
  { explainedBy = [] }: Criterion<Subject, Measured, Limit>,
  subject: Subject,
  measured: Measured,
  limit: Limit,
): Promise<Verdict['because']> {
  for (const { criterion: other, fits } of explainedBy) {
    if (fits && !fits(measured, limit)) continue;
    const { state, criterion: id, title, seen } = await judge(other, subject, other.defaultLimit);
    if (state === 'failed' || state === 'follows') return { criterion: id, title, seen };
  }
  return undefined;
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
