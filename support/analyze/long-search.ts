import { type Finding, unobserved } from './finding';
import { FOUND_SCORE, locate, makeLocator, type Placement } from './placement';
import { type Samples, samplesIn } from './samples';

/** In audio up to this long, every needle is searched everywhere. */
const EVERYWHERE_SECONDS = 600;
/** In longer audio, this far before and after the place where it is expected: as far as a broadcast may be late. */
const REACH_SECONDS = 60;
/** What is searched everywhere in long audio is searched in pieces, whose spectra fit in memory. */
const PIECE_SECONDS = 300;
/** Of those that are not where they are expected, so many are searched everywhere. */
const TRIES = 20;

/**
 * Finds a needle.
 *
 * @param expectedSeconds where it would begin in the haystack if that began with the source; undefined where nothing tells
 * @param mayBeElsewhere whether it is worth a search everywhere where it is not there
 */
export type LongLocator = (
  needle: Float32Array,
  expectedSeconds: number | undefined,
  mayBeElsewhere: boolean,
) => Finding<Placement>;

/**
 * Finds needles one after the other, in time and memory that grow with the haystack and not with its square: an hour has 600
 * fragments, each of which would be compared with the whole hour. In long audio each is searched around the place at which it is
 * expected by the one found before; the first that are not there, everywhere.
 */
export function makeLongLocator(haystack: Samples, rateHz: number): LongLocator {
  if (haystack.length <= EVERYWHERE_SECONDS * rateHz) {
    const find = makeLocator(samplesIn(haystack), rateHz);
    return (needle) => find(needle);
  }
  let [later, tries] = [0, 0];
  return (needle, expectedSeconds, mayBeElsewhere) => {
    if (expectedSeconds === undefined) return locateInPieces(needle, haystack, rateHz);
    let found = locateAround(needle, haystack, rateHz, expectedSeconds + later);
    const isThere = (): boolean => found.observed && found.score >= FOUND_SCORE;
    if (!isThere() && mayBeElsewhere && tries < TRIES) {
      tries += 1;
      found = locateInPieces(needle, haystack, rateHz);
    }
    if (found.observed && isThere()) later = found.offsetSeconds - expectedSeconds;
    return found;
  };
}

/** Finds a needle at most so far from where it is expected. */
export function locateAround(
  needle: Float32Array,
  haystack: Samples,
  rateHz: number,
  expectedSeconds: number,
  reachSeconds = REACH_SECONDS,
): Finding<Placement> {
  const reach = reachSeconds * rateHz;
  const wanted = Math.round(expectedSeconds * rateHz);
  const from = Math.max(0, wanted - reach);
  const stretch = samplesIn(haystack, from, wanted + needle.length + reach);
  const found = locate(needle, stretch, rateHz);
  return found.observed ? moved(found, from / rateHz) : found;
}

/** The best of all pieces, and the places of all of them. */
function locateInPieces(
  needle: Float32Array,
  haystack: Samples,
  rateHz: number,
): Finding<Placement> {
  let all: Finding<Placement> = unobserved('the audio to search in is empty or digitally silent');
  const size = PIECE_SECONDS * rateHz;
  for (let from = 0; from < haystack.length; from += size) {
    const piece = samplesIn(haystack, from, from + size + needle.length);
    const found = locate(needle, piece, rateHz);
    if (!found.observed) {
      if (!all.observed) all = found;
      continue;
    }
    const here = moved(found, from / rateHz);
    all = all.observed ? joined(all, here) : here;
  }
  return all;
}

type Found = { observed: true } & Placement;

function moved(found: Found, seconds: number): Found {
  const later = <T extends { offsetSeconds: number }>(one: T): T => ({
    ...one,
    offsetSeconds: one.offsetSeconds + seconds,
  });
  return { ...later(found), places: found.places.map(later) };
}

/** Where two pieces overlap, a place is found in both. */
function joined(one: Found, other: Found): Found {
  const [best, second] = one.score >= other.score ? [one, other] : [other, one];
  const isOther = Math.abs(best.offsetSeconds - second.offsetSeconds) > 0.25;
  const known = one.places.at(-1)?.offsetSeconds ?? -Infinity;
  const places = [...one.places, ...other.places.filter((at) => at.offsetSeconds > known + 0.25)];
  const runnerUpScore = Math.max(best.runnerUpScore, isOther ? second.score : 0);
  return { ...best, runnerUpScore, places };
}
