/** Tones against their frames, in ms: audio minus video. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { milliseconds } from '../analyze/finding';
import type { Irregularity } from '../analyze/pilot';
import { ResilienceFindings } from '../analyze/resilience-findings';
import {
  MOST_UNHEARD,
  partAfterDub,
  segmentOfTone,
  type ToneHeard,
  tonesFigures,
  type TonesFigures,
  withoutEdges,
} from '../analyze/tones';
import { allRight, observed } from './builders';
import { type Assessment, criterion, type Deviation, type Figure } from './criterion';
import { demandTimes } from './lost-by-reader';
import {
  type ChangeLimit,
  changeExpected,
  driftsBeyond,
  driftText,
  jumpsBeyond,
  jumpsText,
  jumpText,
} from './offset-words';
import { recordingOf } from './output-subject';

/** The tones that are judged, and all of them taken together. */
interface Tones {
  tones: readonly ToneHeard[];
  figures: TonesFigures;
  /** Where in the source media-service has joined; undefined where no frame tells. */
  joinedSeconds?: number | undefined;
}

interface Limit {
  limitMs: number;
}

interface ToneCriterion<Of extends Limit> {
  title: string;
  failure: string;
  /** Its `seen` is what is wrong; of a passed verdict all figures are shown. */
  assess: (measured: Tones, limit: Of, broadcast: BroadcastFindings) => Assessment;
}

/** A criterion of all tones but those of the first and the last second. */
function ofTones<Of extends Limit>(id: string, { assess, ...named }: ToneCriterion<Of>) {
  return criterion({
    ...{ id, ...named },
    where: (broadcast: BroadcastFindings) => recordingOf(broadcast),
    measure: async (broadcast): Promise<Tones> => {
      demandTimes(broadcast);
      const { output, outputFile } = broadcast;
      const tones = withoutEdges(observed(outputFile, 'tones', await output.tones()).tones);
      const figures = observed(outputFile, 'tones', tonesFigures(tones));
      // It only tells which fragment a tone is of: without it the tones are judged all the same.
      const joinedSeconds = await joinedIn(broadcast).catch(() => undefined);
      return { tones, figures, joinedSeconds };
    },
    assess: (measured, limit: Of, broadcast) => ({
      ...{ ...assess(measured, limit, broadcast), seen: shown(measured) },
    }),
  });
}

async function joinedIn(broadcast: BroadcastFindings): Promise<number | undefined> {
  const clock = await broadcast.output.clock();
  return clock.observed ? new ResilienceFindings(broadcast).joinedSeconds(clock) : undefined;
}

function shown({ tones, figures }: Tones): string {
  const { measured, worstMs, largestStepMs: step, largestStepAt } = figures;
  const each = tones.map(({ avOffset }) =>
    avOffset.observed ? avOffset.offsetMs.toFixed(1) : '-',
  );
  const jumps = jumpsText(figures, 'second');
  return (
    `${measured} of ${tones.length} tones; audio minus video: worst ${milliseconds(worstMs)}, ` +
    `drift ${driftText(figures)}, largest step ${milliseconds(step)} before second ${largestStepAt}; ` +
    `${jumps === '' ? '' : `${jumps}; `}each, in ms: ${each.join(' ')}`
  );
}

export const toneOffset = ofTones('tone-offset', {
  title: 'The A/V offset of every tone is within the limit',
  failure: 'tones are not heard at their frames (audio minus video; positive: audio is late)',
  assess: ({ tones, figures, joinedSeconds = NaN }, { limitMs }: Limit, broadcast) => {
    const { fixture, fragments } = broadcast;
    const wanted = fixture.durationSeconds - 2;
    const wrong = tones.flatMap(({ second, avOffset }): Deviation[] => {
      const isFine = avOffset.observed
        ? Math.abs(avOffset.offsetMs) < limitMs
        : partAfterDub(second, fragments, joinedSeconds, fixture.segmentSeconds) > MOST_UNHEARD;
      const seen = avOffset.observed ? milliseconds(avOffset.offsetMs) : avOffset.reason;
      const fragment = segmentOfTone(second, joinedSeconds, fixture.segmentSeconds);
      const where = fragment === undefined ? {} : { fragment };
      const jump = figures.jumps.find(({ after }) => after === second);
      const why = jump ? `, after ${jumpText(jump, 'second')}` : '';
      return isFine ? [] : [{ text: `second ${second}: ${seen}${why}`, ...where }];
    });
    const missing = tones.length === wanted ? [] : [{ text: `${tones.length} tones` }];
    const expected = `${wanted} tones, each less than ${limitMs} ms`;
    return {
      ...{ deviations: [...missing, ...wrong], seen: '', expected },
      figure: {
        ...{ name: 'A/V offset of a tone, the largest', value: Math.abs(figures.worstMs) },
        ...{ unit: 'ms', limit: limitMs, holds: 'below' },
      },
    };
  },
});

/**
 * By the least-squares line through all tones' offsets, with the jumps taken out. A jump is none of a drift, and no correction
 * either (018-US2-4: gradually, by slew).
 */
export const toneDrift = ofTones('tone-drift', {
  title: 'The A/V offset of the tones does not drift',
  failure: 'the A/V offset drifts',
  assess: ({ figures, joinedSeconds = NaN }, limit: ChangeLimit, { fixture }) => {
    const expected = changeExpected('less than', limit);
    const figure: Figure = {
      ...{ name: 'A/V drift of the tones', value: Math.abs(figures.driftMs), unit: 'ms' },
      ...{ limit: limit.limitMs, holds: 'below' },
    };
    if (driftsBeyond(figures, limit, (ms, most) => ms < most)) {
      const text = `${driftText(figures)}, least squares over ${figures.measured} tones`;
      return { deviations: [{ text }], seen: '', expected, figure };
    }
    const deviations = jumpsBeyond(figures, limit.limitMs).map((jump): Deviation => {
      const fragment = segmentOfTone(jump.after, joinedSeconds, fixture.segmentSeconds);
      return {
        text: jumpText(jump, 'second'),
        ...(fragment === undefined ? {} : { fragment }),
      };
    });
    return { deviations, seen: '', expected, figure, failure: 'the A/V offset jumps' };
  },
});

/**
 * All over the output, within segments and where they meet: by the phase of the broadcast's pilot. People notice a gap from 2 to 3
 * ms on (Plomp, "Rate of decay of auditory sensation", 1964); a change of speed by 0.5 % shifts the audio by 0.06 ms in a window.
 */
export const audioGoesOn = criterion({
  id: 'audio-goes-on',
  title: 'The audio goes on without a jump or a gap',
  failure: 'the audio jumps, or has gaps: audio is left out, repeated or silent',
  where: (broadcast: BroadcastFindings) => recordingOf(broadcast),
  measure: async ({ output, outputFile }) =>
    observed(outputFile, 'how the audio advances', await output.advance()),
  assess: ({ irregularities, largestStepMs, measuredSeconds }, { limitMs }: Limit, broadcast) => {
    const wrong = irregularities.filter(
      ({ jumpMs, gapMs }) => !(Math.abs(jumpMs) <= limitMs && gapMs <= limitMs),
    );
    const { durationSeconds } = broadcast.fixture;
    // The first and the last second are left out; the rest has to be there.
    const isShort = measuredSeconds < durationSeconds - 3;
    const short = isShort ? [`only ${measuredSeconds.toFixed(1)} s could be followed`] : [];
    const seen = `${measuredSeconds.toFixed(1)} s followed, largest step elsewhere ${largestStepMs.toFixed(3)} ms`;
    const expected = `no jump and no gap of more than ${limitMs} ms in the ${durationSeconds} s`;
    return allRight([...wrong.map(irregularityText), ...short], seen, expected);
  },
});

function irregularityText({ atSeconds, jumpMs, gapMs }: Irregularity): string {
  const kind = jumpMs > 0 ? 'left out' : 'repeated';
  const parts = [
    ...(Math.abs(jumpMs) < 0.05 ? [] : [`${Math.abs(jumpMs).toFixed(1)} ms ${kind}`]),
    ...(gapMs > 0 ? [`a gap of ${gapMs.toFixed(0)} ms`] : []),
  ];
  return `at ${atSeconds.toFixed(2)} s: ${parts.join(', ')}`;
}
