/**
 * Milliseconds since the epoch, by a clock that never goes back: times of one run are compared with each other, even when
 * the machine's clock is set meanwhile.
 */
export function now(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** By how much the machine's clock is ahead of {@link now}, in ms; it changes when the machine's clock is set. */
export function clockOffsetMs(): number {
  return Date.now() - now();
}
