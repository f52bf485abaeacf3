import type { DubFiles, OutputFindings } from '../analyze/output-findings';
import type { JudgedText } from '../analyze/translation';
import { CannotBeShown, NotObserved, problemOf, SuiteError } from '../base/errors';
import { type Fixture, isScriptKnown } from '../broadcast/fixture';
import type { Criterion } from './criterion';
import { UPSTREAM } from './upstream';

/** What output criteria judge: the recording of a broadcast's output (BroadcastFindings), or any recording. */
export interface OutputSubject {
  /** Reading it throws NotObserved where a broadcast has no recording. */
  readonly output: OutputFindings;
  /** The source; undefined where it is not known. */
  readonly fixture: Fixture | undefined;
  /** The dubs; reading them throws NotObserved where what the STS said was not heard. */
  readonly dubFiles: readonly DubFiles[];
  /** Of the segments that were answered; not there where the texts of a recording are not known. */
  judgedTexts?(): Promise<JudgedText[]>;
  /** Of a recording that a reader has made: how much of its beginning it may lack by that, in seconds. */
  readonly mayLackSeconds?: number | undefined;
  /** False where such a reader was not told how the times of video and audio belong together. */
  readonly areTimesKnown?: boolean;
  /** Not there for a recording that is no broadcast of the suite. */
  readonly evidence?: { readonly folder: string };
}

/**
 * What has to be given for a criterion to be asked: nothing but the recording; a source, of which it is the output; a
 * source in which somebody speaks; one of which it is known what is said; dubs of such a source; texts; texts of a known
 * script. `speech`: not asked where a source is given in which nobody speaks.
 */
export type OutputNeed =
  | 'file'
  | 'speech'
  | 'source'
  | 'source with speech'
  | 'script'
  | 'dubs'
  | 'texts'
  | 'texts of a script';

/** A criterion of recordings: those of broadcasts, and others. */
export interface RecordingCriterion<Measured, Limit> extends Criterion<
  OutputSubject,
  Measured,
  Limit
> {
  readonly where: (subject: OutputSubject) => string;
}

/** One that is asked of every recording, with the limit by which `analyze` and pages judge. */
export interface OutputCriterion<Measured, Limit> extends RecordingCriterion<Measured, Limit> {
  readonly needs: OutputNeed;
  readonly defaultLimit: Limit;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- measurement and limit belong together inside of it only
export type AnyOutputCriterion = OutputCriterion<any, any>;

/** Defines a criterion that is asked of every recording (support/checks/output-criteria.ts). */
export function outputCriterion<Measured, Limit>(
  id: string,
  definition: Omit<OutputCriterion<Measured, Limit>, 'id' | 'where' | 'next'>,
): OutputCriterion<Measured, Limit> {
  const { needs, defaultLimit } = definition;
  return { ...ofRecording(id, definition), needs, defaultLimit };
}

/** Defines a criterion of recordings. One that cannot be read shows nothing, and is no bug of the suite. */
export function ofRecording<Measured, Limit>(
  id: string,
  definition: Omit<RecordingCriterion<Measured, Limit>, 'id' | 'where' | 'next'>,
): RecordingCriterion<Measured, Limit> {
  return {
    ...{ id, ...definition },
    where: recordingOf,
    upstream: definition.upstream ?? UPSTREAM,
    next: (subject) => `npm run analyze -- ${subject.evidence?.folder ?? recordingOf(subject)}`,
    measure: async (subject) => {
      try {
        return await definition.measure(subject);
      } catch (error) {
        if (error instanceof CannotBeShown) throw error;
        if (error instanceof SuiteError) throw new NotObserved(error.problem, { cause: error });
        throw error;
      }
    },
  };
}

/** The file that is judged; where there is none, the path at which the media server would have had it. */
export function recordingOf(subject: OutputSubject): string {
  try {
    return subject.output.file;
  } catch (error) {
    const problem = error instanceof NotObserved ? problemOf(error) : undefined;
    if (!problem) throw error;
    return problem.where;
  }
}

/** A recording that is no broadcast of the suite, with what is known of it. */
export function recordingSubject(output: OutputFindings, texts?: JudgedText[]): OutputSubject {
  const { fixture, dubs: dubFiles } = output;
  return {
    ...{ output, fixture, dubFiles },
    ...(texts ? { judgedTexts: () => Promise.resolve(texts) } : {}),
  };
}

const SCRIPT_UNKNOWN = 'nobody has written down what is said in the source';

/**
 * For what is compared with the script of the source.
 *
 * @throws CannotBeShown where that is unknown
 */
export function demandScript({ fixture }: OutputSubject): void {
  if (!fixture || isScriptKnown(fixture)) return;
  throw new CannotBeShown({
    ...{ what: 'what is said in this broadcast is not known', where: fixture.path },
    ...{ seen: `script: unknown, in ${fixture.yamlPath}`, expected: 'a line for each segment' },
    next: 'set FIXTURE_SCRIPT to a description with its script: docs/your-own-services.md, A clip of your own',
  });
}

/** Why a criterion cannot be asked of a recording; undefined where it can. */
export function notAskedBecause(need: OutputNeed, subject: OutputSubject): string | undefined {
  const { fixture } = subject;
  if (need === 'file') return undefined;
  if (need === 'source') return fixture ? undefined : 'no source given';
  const isSpoken = fixture?.script.some((line) => line !== '') ?? true;
  if (!isSpoken) return 'nobody speaks in the source';
  if (need === 'speech') return undefined;
  if (need.endsWith('script') && fixture && !isScriptKnown(fixture)) return SCRIPT_UNKNOWN;
  if (need.startsWith('texts')) return subject.judgedTexts ? undefined : 'no texts given';
  if (need === 'source with speech' || need === 'script') {
    return fixture ? undefined : 'no source given';
  }
  return fixture && hasDubs(subject) ? undefined : 'no dubs given';
}

/** Where what the STS said was not heard, the criterion is asked, and says that it could not be shown. */
function hasDubs(subject: OutputSubject): boolean {
  try {
    return subject.dubFiles.length > 0;
  } catch (error) {
    if (error instanceof NotObserved || error instanceof CannotBeShown) return true;
    throw error;
  }
}
