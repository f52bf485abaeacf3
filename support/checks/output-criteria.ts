import { CannotBeShown } from '../base/errors';
import { type Verdict, judge } from './criterion';
import { avDrift, avOffset } from './av-sync';
import { dubs } from './dub';
import { dubDamage } from './dub-damage';
import { audio, splices } from './output-audio';
import { channels } from './output-channels';
import { decoding, duration, timestamps, tracks } from './output-file';
import { frames } from './output-frames';
import { fingerprint, original } from './output-original';
import { outputBegins, outputEnds } from './output-start';
import { type AnyOutputCriterion, notAskedBecause, type OutputSubject } from './output-subject';
import { programme } from './programme';
import { dubLanguage, dubSpoken, language, originalUnderstood, spoken } from './speech';
import { transcripts, translations } from './texts';
import { videoFormat } from './video-format';

/**
 * What is asked of every recording, ordered from causes to effects: a failure that one criterion explains is not counted
 * against the next ones, so that the criterion that fails is the one to begin with.
 */
export const OUTPUT_CRITERIA: readonly AnyOutputCriterion[] = [
  ...[tracks, decoding, videoFormat, timestamps, outputBegins, duration, frames],
  ...[outputEnds, programme],
  ...[audio, channels, original, dubs, dubDamage, avDrift, avOffset, fingerprint],
  ...[
    dubLanguage,
    language,
    originalUnderstood,
    splices,
    transcripts,
    translations,
    dubSpoken,
    spoken,
  ],
];

/** A verdict on a recording. `not asked`: `seen` says which of source, dubs and texts was not given. */
export type OutputVerdict = Verdict | (Omit<Verdict, 'state'> & { state: 'not asked' });

/** Judges a recording by its content, by the default limits. */
export async function judgeOutput(subject: OutputSubject): Promise<OutputVerdict[]> {
  await startMeasuring(subject);
  const verdicts: OutputVerdict[] = [];
  for (const one of OUTPUT_CRITERIA) {
    const { id, title, needs, where } = one;
    const limit: unknown = one.defaultLimit;
    const notAsked = (why: string): OutputVerdict => ({
      ...{ criterion: id, title, limit, state: 'not asked', where: where(subject) },
      ...{ what: '', seen: why, expected: '', deviations: [] },
    });
    const why = notAskedBecause(needs, subject);
    verdicts.push(
      why === undefined
        ? await judge(one, subject, limit).catch((error: unknown) => notAsked(cannotBe(error)))
        : notAsked(why),
    );
  }
  return verdicts;
}

/** Why something cannot be shown of this recording; any other error goes on. */
function cannotBe(error: unknown): string {
  if (error instanceof CannotBeShown) return `${error.problem.what}: ${error.problem.seen}`;
  throw error;
}

/** What takes longest begins first, all at the same time; each failure is judged by the criterion that needs it. */
async function startMeasuring(subject: OutputSubject): Promise<void> {
  const isSpoken = notAskedBecause('source with speech', subject) === undefined;
  const listen = [
    () => subject.output.segmentsHeard(),
    () => subject.output.dubsHeard(),
    () => subject.output.englishHeard(),
  ];
  const begin: (() => Promise<unknown>)[] = [
    ...(isSpoken ? listen : []),
    () => subject.output.video(),
    () => subject.output.programme(),
    () => subject.output.dubConditions(),
    () => subject.output.likeOriginal(),
    () => subject.output.span(),
  ];
  await Promise.allSettled(begin.map(async (measure) => measure()));
}
