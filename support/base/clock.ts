/**
 * Milliseconds since the epoch, by a clock that never goes back: what is observed during a run is compared with each
 * other, also where somebody sets the time of the machine meanwhile.
 */
export function now(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** By how much the machine's clock is ahead of {@link now}, in ms; it changes when somebody sets the time. */
export function clockOffsetMs(): number {
  return Date.now() - now();
}
