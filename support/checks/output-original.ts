/** Whether an output, or a dub, is the original audio: by correlation, by fingerprint, by what a listener understands. */
import type { FragmentPlacement } from '../analyze/dub-placement';
import { allRight, observed } from './builders';
import { assessed, type Assessment } from './criterion';
import { audio } from './output-audio';
import { ofRecording, outputCriterion, recordingOf, type OutputSubject } from './output-subject';
import { NotObserved } from '../base/errors';
import { missingDubs } from './upstream';

/**
 * What became of each fragment.
 *
 * @throws NotObserved where no dub could be looked for
 */
export async function placementsOf(subject: OutputSubject): Promise<FragmentPlacement[]> {
  const placements = await subject.output.placements();
  if (placements.length > 0) return placements;
  throw new NotObserved({
    ...{ what: 'no dub could be looked for', where: recordingOf(subject) },
    seen: 'no dub of an audio that is in the source, or no frame by which to tell the time',
    expected: 'dubs, the source they are of, and video',
  });
}

/** Whether the original audio of a fragment is heard beside its dub. */
export function isOriginalHeard(
  { original: found }: FragmentPlacement,
  { correlationBelow }: { correlationBelow: number },
): boolean {
  return found.observed && found.score >= correlationBelow;
}

export const original = outputCriterion('original', {
  title: 'The original audio is not heard',
  failure: 'the original audio is heard',
  needs: 'dubs',
  // This suite's own: a good output shows at most 0.11, the original at -18 dB 0.7 and more.
  defaultLimit: { correlationBelow: 0.4 },
  measure: placementsOf,
  assess: (placements, limit: { correlationBelow: number }, subject): Assessment => {
    const found = placements.flatMap(({ sequence: fragment, original: one }) =>
      one.observed ? { fragment, ...one } : [],
    );
    const deviations = found
      .filter(({ score }) => score >= limit.correlationBelow)
      .map(({ fragment, levelDb, score }) => ({
        text: `fragment ${fragment}: the original at ${levelDb.toFixed(0)} dB, correlation ${score.toFixed(2)}`,
        fragment,
      }));
    const most = Math.max(...found.map(({ score }) => score));
    const seen =
      found.length > 0 ? `correlation at most ${most.toFixed(2)}` : 'the original is not known';
    return {
      deviations: [...deviations, ...missingDubs(subject)],
      ...{ seen, expected: `correlation below ${limit.correlationBelow}` },
      figure: {
        ...{ name: 'correlation with the original, the largest', value: most, unit: '' },
        ...{ limit: limit.correlationBelow, holds: 'below' },
      },
    };
  },
});

/**
 * Chromaprint's bit error rate: the same audio encoded again shows 0.02 to 0.06, another one 0.33 and more; between the
 * two limits nothing is proved.
 */
export const SAME_AUDIO = { below: 0.25 };
export const DIFFERENT_AUDIO = { above: 0.3 };

/** `above`: of the whole output; `segmentsFrom`: of each segment, where it is the same audio below. */
export interface FingerprintLimit {
  above: number;
  segmentsFrom: number;
}

export const fingerprint = outputCriterion('fingerprint', {
  title: 'The audio of the output is not the original',
  failure: 'the audio of the output is the original',
  needs: 'source with speech',
  defaultLimit: { above: DIFFERENT_AUDIO.above, segmentsFrom: SAME_AUDIO.below },
  measure: async (subject) => {
    const { output } = subject;
    const [whole, parts] = [await output.likeOriginal(), await output.likeOriginalBySegment()];
    const file = recordingOf(subject);
    return {
      rate: observed(file, 'a fingerprint', whole).bitErrorRate,
      windows: observed(file, 'a fingerprint of each segment', parts).windows,
    };
  },
  assess: ({ rate, windows }, { above, segmentsFrom }: FingerprintLimit) => {
    const same = windows.filter(({ bitErrorRate }) => bitErrorRate < segmentsFrom);
    const texts = same.map(
      (one) => `from ${one.fromSeconds.toFixed(0)} s: ${one.bitErrorRate.toFixed(2)}`,
    );
    const rates = windows.map(({ bitErrorRate }) => bitErrorRate.toFixed(2)).join(' ');
    return allRight(
      [...(rate > above ? [] : [`overall ${rate.toFixed(2)}`]), ...texts],
      `bit error rate: overall ${rate.toFixed(2)}, by segment ${rates}`,
      `bit error rate above ${above}, of each segment at least ${segmentsFrom}`,
    );
  },
  explainedBy: [{ criterion: audio }, { criterion: original }],
});

/** The opposite of {@link fingerprint}: what a viewer hears where nothing could be dubbed. */
export const outputIsOriginal = ofRecording('output-is-original', {
  title: 'The audio of the output is the original',
  failure: 'the audio of the output is not the original',
  measure: async (subject) =>
    observed(recordingOf(subject), 'a fingerprint', await subject.output.likeOriginal()),
  assess: ({ bitErrorRate: rate }, { below }: { below: number }) =>
    assessed(rate < below, `bit error rate ${rate.toFixed(2)}`, `bit error rate below ${below}`),
});
