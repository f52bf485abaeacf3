import type { Fragment } from '../broadcast/fragment';

/**
 * What is wrong with the length of a dub: it is not that of its fragment, or else not the one that the answer says; in words,
 * after "a dub of". Undefined where nothing is.
 *
 * @param seconds as decoded
 */
export function lengthFlaw(
  seconds: number,
  { audio: sent, answer }: Fragment,
  tolerancePercent: number,
): string | undefined {
  const isWithin = (wanted: number): boolean =>
    Math.abs(seconds - wanted) <= (wanted * tolerancePercent) / 100;
  const wanted = (sent?.durationMs ?? NaN) / 1000;
  if (!isWithin(wanted)) return `${seconds.toFixed(2)} s for ${wanted.toFixed(2)} s`;
  const said = answer?.audio?.durationMs;
  if (said === undefined || isWithin(said / 1000)) return undefined;
  return `${seconds.toFixed(2)} s with duration_ms ${said}`;
}
