import { CannotBeShown } from '../base/errors';
import { type Verdict, judge } from './criterion';
import { avDrift } from './av-drift';
import { avOffset } from './av-sync';
import { dubs } from './dub';
import { dubDamage } from './dub-damage';
import { dubLoudness } from './dub-loudness';
import { dubSpeed } from './dub-speed';
import { audio, splices } from './output-audio';
import { channels } from './output-channels';
import { decoding, timestamps, tracks } from './output-file';
import { frames } from './output-frames';
import { duration } from './output-length';
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
  ...[tracks, decoding, videoFormat, timestamps, audio, channels, outputBegins, frames, duration],
  ...[outputEnds, programme],
  ...[original, dubs, dubDamage, dubLoudness, avDrift, dubSpeed, avOffset, fingerprint],
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

/** Those for which a speech recognizer has to listen. */
const LISTENED = new Set<AnyOutputCriterion>([
  ...[dubLanguage, language, originalUnderstood, dubSpoken, spoken],
]);

/**
 * Judges a recording by its content, by the default limits.
 *
 * @param given.listens false: what a speech recognizer has to listen for is not asked, which takes much longer than the rest
 */
export async function judgeOutput(
  subject: OutputSubject,
  { listens = true }: { listens?: boolean } = {},
): Promise<OutputVerdict[]> {
  await startMeasuring(subject, listens);
  const verdicts: OutputVerdict[] = [];
  for (const one of OUTPUT_CRITERIA) {
    const { id, title, needs } = one;
    const limit: unknown = one.defaultLimit;
    const base = { criterion: id, title, limit, deviations: [] };
    const isDeaf = !listens && LISTENED.has(one);
    const why = isDeaf ? 'nobody listens' : notAskedBecause(needs, subject);
    if (why !== undefined) {
      const at = { where: one.where(subject), what: '', seen: why, expected: '' };
      verdicts.push({ ...base, ...at, state: 'not asked' });
      continue;
    }
    const judged = judge(one, subject, limit);
    verdicts.push(await judged.catch((error: unknown) => ({ ...base, ...cannotBe(error) })));
  }
  return verdicts;
}

/** What cannot be shown of this recording is not shown, and never passes: the verdict says why. Any other error goes on. */
function cannotBe(
  error: unknown,
): Pick<Verdict, 'state' | 'where' | 'what' | 'seen' | 'expected' | 'next'> {
  if (error instanceof CannotBeShown) return { state: 'not shown', ...error.problem };
  throw error;
}

/** What takes longest begins first, all at the same time; each failure is judged by the criterion that needs it. */
async function startMeasuring(subject: OutputSubject, listens: boolean): Promise<void> {
  const isSpoken = listens && notAskedBecause('source with speech', subject) === undefined;
  const listen = [
    () => subject.output.segmentsHeard(),
    () => subject.output.dubsHeard(),
    () => subject.output.englishHeard(),
  ];
  const begin: (() => Promise<unknown>)[] = [
    ...(isSpoken ? listen : []),
    () => subject.output.video(),
    () => subject.output.audio(),
    () => subject.output.dubConditions(),
    () => subject.output.programme(),
    () => subject.output.likeOriginal(),
    () => subject.output.span(),
    () => subject.output.format(),
    () => subject.output.lateChannel(),
  ];
  await Promise.allSettled(begin.map(async (measure) => measure()));
}
