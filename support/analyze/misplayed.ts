import type { AudioTimeline } from './audio-track';
import { warped } from './dub-alignment';
import { trimSilence } from './dub-placement';
import { makeLongLocator } from './long-search';
import { FOUND_SCORE } from './placement';
import { type Samples, samplesIn } from './samples';

/** A dub that is heard faster or slower than the STS returned it, and higher or lower, as samples at another rate are. */
export interface MisplayedDub {
  sequence: number;
  /** Where it begins, in the output's timeline. */
  ptsSeconds: number;
  /** How many times faster it is heard. */
  speed: number;
  /** What the samples are, and as what they were played: one pair of rates of that ratio. */
  rateHz: number;
  playedAsHz: number;
  score: number;
}

/** Sample rates of speech and broadcasting that differ by as much as the others of their ratios. */
const MIX_UPS: readonly (readonly [rateHz: number, playedAsHz: number])[] = [
  [44100, 48000],
  [48000, 44100],
  [24000, 48000],
  [48000, 24000],
  [16000, 24000],
  [24000, 16000],
  [16000, 48000],
  [48000, 16000],
];

/** Where none of so many is found, no other one is searched: it takes a tenth of a second each. */
const TRIED = 3;

/**
 * Searches dubs in an output at the speeds that mixed up sample rates give them.
 *
 * @param audio of the output, at the rate of the dubs
 * @param dubs with the time at which each would be heard if the output began with the source
 */
export function misplayedDubs(
  audio: AudioTimeline<Samples>,
  dubs: readonly { sequence: number; startSeconds: number; dubbed: Samples }[],
): MisplayedDub[] {
  const find = makeLongLocator(audio.samples, audio.rateHz);
  const found: MisplayedDub[] = [];
  for (const [i, { sequence, startSeconds, dubbed }] of dubs.entries()) {
    if (i === TRIED && found.length === 0) break;
    const needle = trimSilence(samplesIn(dubbed), audio.rateHz);
    if (!needle.observed) continue;
    // The mix-up of one dub is most likely that of the next.
    const known = found.at(-1);
    const isKnown = ([rateHz, as]: (typeof MIX_UPS)[number]): boolean =>
      rateHz === known?.rateHz && as === known.playedAsHz;
    const order = [...MIX_UPS].sort((a, b) => Number(isKnown(b)) - Number(isKnown(a)));
    for (const [rateHz, playedAsHz] of order) {
      const speed = playedAsHz / rateHz;
      const count = Math.floor(needle.samples.length / speed);
      const place = find(warped(needle.samples, count, 0, speed), startSeconds, true);
      if (!place.observed || place.score < FOUND_SCORE) continue;
      const ptsSeconds =
        audio.firstPtsSeconds + place.offsetSeconds - needle.trimmedStartSeconds / speed;
      found.push({ sequence, ptsSeconds, speed, rateHz, playedAsHz, score: place.score });
      break;
    }
  }
  return found;
}
