/** Whether the video shows what the source shows: by what is seen in its frames, not by the numbers that they carry. */
import type { Span } from '../analyze/ffmpeg';
import type { Programme, ProgrammeDeviation, ProgrammeKind, Tones } from '../analyze/programme';
import { evenText } from '../analyze/thumbnails';
import { allRight, observed } from './builders';
import type { Deviation } from './criterion';
import { decoding } from './output-file';
import { outputCriterion, recordingOf } from './output-subject';
import { videoFormat } from './video-format';

interface Compared {
  programme: Programme | undefined;
  /** Why the output is not that of the source. */
  unlike?: string;
}

/**
 * Each frame of the output is compared with its own of the source: structure, levels, colours and detail. What an encoder
 * does to them is less than the limits, which stand where it is measured (support/analyze/programme.ts), with what was seen
 * in re-encodes. `seconds`: what is over sooner is a frame or two that an encoder has spoiled, unless it shows nothing of its own;
 * frames that differ every now and then add up.
 */
export const programme = outputCriterion('programme', {
  title: 'The video shows the programme of the source',
  failure: 'the video shows something else than the source, or shows it otherwise',
  needs: 'source',
  defaultLimit: { seconds: 0.1 },
  measure: async (subject): Promise<Compared> => {
    const { output, fixture } = subject;
    const matched = fixture?.video.frameStrip ? undefined : await output.matched();
    if (matched?.observed === false) return { programme: undefined, unlike: matched.reason };
    const found = await output.programme();
    const { black } = await output.video();
    return {
      programme: withoutBlack(observed(recordingOf(subject), 'frames of the source', found), black),
    };
  },
  assess: ({ programme: found, unlike = '' }, { seconds }: { seconds: number }, { fixture }) => {
    if (!found) return allRight([unlike], unlike, EXPECTED);
    const { compared, correlation, lumaDifference, colourDifference, deviations } = found;
    return allRight(
      deviations
        .filter(
          ({ differSeconds, isForeign }) =>
            isForeign || differSeconds >= seconds - ROUNDING_SECONDS,
        )
        .map((one) => deviationOf(one, fixture?.segmentSeconds, fixture?.video.framesPerSecond)),
      `${compared} frames compared; 95 % of them: correlation ${correlation.toFixed(3)} or more, ` +
        `luma within ${lumaDifference.toFixed(1)}, colours within ${colourDifference.toFixed(1)} of 255`,
      EXPECTED,
    );
  },
  explainedBy: [{ criterion: decoding }, { criterion: videoFormat }],
});

const EXPECTED = 'what the source shows, as an encoder leaves it';
const ROUNDING_SECONDS = 1e-6;

/** Black frames are told by the criterion of frames. */
function withoutBlack(found: Programme, black: readonly Span[]): Programme {
  const isBlack = ({ fromSeconds: at, seconds: length }: ProgrammeDeviation): boolean =>
    black.some(
      ({ fromSeconds, seconds }) =>
        at + length / 2 >= fromSeconds && at + length / 2 <= fromSeconds + seconds,
    );
  return { ...found, deviations: found.deviations.filter((one) => !isBlack(one)) };
}

function deviationOf(
  one: ProgrammeDeviation,
  segmentSeconds = NaN,
  framesPerSecond = NaN,
): Deviation {
  const { kind, value, tones, fromSeconds, seconds, frames, ofFrames } = one;
  const [first, last] = [one.firstFrame, one.lastFrame].map((frame) =>
    Math.floor(frame / framesPerSecond / segmentSeconds),
  );
  const segments = first === last ? `segment ${first}` : `segments ${first} to ${last}`;
  const until = fromSeconds + seconds;
  const which = frames < ofFrames ? `, in ${frames} of ${ofFrames} frames` : '';
  const how = kind === 'level' ? levelText(value, tones) : WORDS[kind](value);
  const text = `${fromSeconds.toFixed(2)} s to ${until.toFixed(2)} s (${segments}${which}): ${how}`;
  return first === last && first !== undefined ? { text, fragment: first } : { text };
}

const WORDS: Record<Exclude<ProgrammeKind, 'level'>, (value: number) => string> = {
  earlier: (frames) => `an earlier frame of the source than its own is shown (${frames} before it)`,
  exchanged: () =>
    'frames of the source are exchanged: earlier and later ones than their own are shown',
  blended: (share) =>
    `two frames are shown in one, by lines in turns or one over the other (${percent(share)} of a neighbour)`,
  later: (frames) => `a later frame of the source than its own is shown (${frames} after it)`,
  turned: (degrees) => `what is seen is turned by ${degrees.toFixed(1)}°`,
  enlarged: (share) =>
    `what is seen is ${percent(Math.abs(share))} ${share > 0 ? 'larger' : 'smaller'} than in the source`,
  even: (luma) => `all of it is ${evenText(luma)}`,
  part: (share) => `${percent(share)} of the frame is something else`,
  still: (share) => `${percent(share)} of the frame stands still while the source moves`,
  other: (correlation) => `something else is shown (correlation ${correlation.toFixed(2)})`,
  colourless: (share) => `without colour (${percent(share)} of the saturation)`,
  swapped: (distance) => `U and V are exchanged (colours off by ${distance.toFixed(0)} of 255)`,
  colour: (distance) => `colours are others (off by ${distance.toFixed(0)} of 255)`,
  coarse: (left) => `coarse or in blocks, as of too few bits (${percent(left)} of the detail)`,
  blurred: (strength) => `blurred (edges have ${percent(strength)} of their strength)`,
  noise: (times) => `noise or blocks over it (${times.toFixed(1)} times the detail)`,
};

/** Luma that differs by no more from one tone to the next differs by the same; what is further from a line is a curve. */
const SAME_TONE = 5;
const LEAST_BEND = 1.5;

/** What of the levels is another: the same for all tones is brightness, along a line contrast, otherwise gamma. */
function levelText(contrast: number, tones: Tones | undefined): string {
  const { dark = NaN, middle = NaN, bright = NaN, bend = NaN } = tones ?? {};
  const isSame = Math.max(dark, middle, bright) - Math.min(dark, middle, bright) <= SAME_TONE;
  const what = isSame
    ? 'brightness'
    : bend > LEAST_BEND
      ? 'gamma, or another curve'
      : `contrast, ${contrast.toFixed(2)} times that of the source`;
  const by = [dark, middle, bright].map((one) => `${one < 0 ? '' : '+'}${one.toFixed(0)}`);
  return `levels are others (${what}: luma of dark, middle and bright tones ${by.join(', ')} of 255)`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
