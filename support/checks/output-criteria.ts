import { type Verdict, judge } from './criterion';
import { avDrift, avOffset } from './av-sync';
import { dubs } from './dub';
import { audio, splices } from './output-audio';
import { decoding, duration, timestamps, tracks } from './output-file';
import { frames } from './output-frames';
import { fingerprint, original } from './output-original';
import { outputBegins } from './output-start';
import { type AnyOutputCriterion, notAskedBecause, type OutputSubject } from './output-subject';
import { dubLanguage, dubSpoken, language, originalUnderstood, spoken } from './speech';
import { transcripts, translations } from './texts';

/**
 * What is asked of every recording, ordered from causes to effects: a failure that one criterion explains is not counted
 * against the next ones, so that the criterion that fails is the one to begin with.
 */
export const OUTPUT_CRITERIA: readonly AnyOutputCriterion[] = [
  ...[tracks, decoding, timestamps, outputBegins, duration, frames],
  ...[audio, original, dubs, avDrift, avOffset, fingerprint, dubLanguage, language],
  ...[originalUnderstood, splices, transcripts, translations, dubSpoken, spoken],
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
    const why = notAskedBecause(needs, subject);
    if (why === undefined) {
      verdicts.push(await judge(one, subject, limit));
    } else {
      verdicts.push({
        ...{ criterion: id, title, limit, state: 'not asked', where: where(subject) },
        ...{ what: '', seen: why, expected: '', deviations: [] },
      });
    }
  }
  return verdicts;
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
    () => subject.output.placements(),
    () => subject.output.likeOriginal(),
    () => subject.output.span(),
  ];
  await Promise.allSettled(begin.map(async (measure) => measure()));
}
