/** What is heard in an output, whatever it is. */
import type { Splice } from '../analyze/splices';
import { allRight, observed } from './builders';
import { assessed } from './criterion';
import { outputCriterion, recordingOf } from './output-subject';

export const audio = outputCriterion('audio', {
  title: 'The output has audio',
  failure: 'the output is silent',
  needs: 'speech',
  // EBU R 128 integrated loudness; this suite's own limit: quieter, there is no dub.
  defaultLimit: { aboveLufs: -50 },
  measure: async (subject) => {
    const { loudness, clipping, silences } = await subject.output.audio();
    return { ...observed(recordingOf(subject), 'the loudness', loudness), clipping, silences };
  },
  assess: (
    { integratedLufs, rangeLu, samplePeakDbfs, clipping, silences },
    { aboveLufs }: { aboveLufs: number },
  ) => {
    const longest = Math.max(0, ...silences.map(({ seconds }) => seconds));
    const clipped = clipping.observed
      ? `clipped in ${clipping.places} places (${(1000 * clipping.seconds).toFixed(1)} ms), `
      : '';
    const seen =
      `${integratedLufs} LUFS, range ${rangeLu} LU, peak ${samplePeakDbfs} dBFS, ${clipped}` +
      `longest silence ${longest.toFixed(2)} s`;
    return assessed(integratedLufs > aboveLufs, seen, `louder than ${aboveLufs} LUFS`);
  },
});

/** `repeatedMs`: audio that is heard twice, exclusive. `loudnessJumpDb`: from one segment to the next, both ways. */
export interface SplicesLimit {
  repeatedMs: number;
  loudnessJumpDb: number;
}

export const splices = outputCriterion('splices', {
  title: 'No splice is heard where segments meet',
  failure: 'splices are heard where segments meet',
  needs: 'source',
  // This suite's own: wide of what a good output shows.
  defaultLimit: { repeatedMs: 30, loudnessJumpDb: 12 },
  measure: async (subject) =>
    observed(recordingOf(subject), 'the splices', await subject.output.splices()).splices,
  assess: (found, limit: SplicesLimit) =>
    allRight(
      found.flatMap((splice) => wrongAt(splice, limit)),
      `${found.length} splices`,
      'no click, repetition, or loudness jump',
    ),
});

function wrongAt(splice: Splice, limit: SplicesLimit): string[] {
  const { isClick, step, repeatedMs, loudnessJump } = splice;
  const at = `at ${splice.atSeconds.toFixed(2)} s`;
  return [
    ...(isClick ? [`${at} a click (a step of ${step.toFixed(2)})`] : []),
    ...(repeatedMs >= limit.repeatedMs ? [`${at} ${repeatedMs.toFixed(0)} ms are repeated`] : []),
    ...(loudnessJump.observed && Math.abs(loudnessJump.db) > limit.loudnessJumpDb
      ? [`${at} the loudness jumps by ${loudnessJump.db.toFixed(1)} dB`]
      : []),
  ];
}
