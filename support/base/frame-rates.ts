/* Frame rates as they are meant, and as timestamps have them. */

/** Rates that cameras and encoders have; what is measured is one of these, but for the precision of timestamps. */
const USUAL_RATES = [24_000 / 1001, 24, 25, 30_000 / 1001, 30, 50, 60_000 / 1001, 60];
/** 29.97 and 30 are 0.1 % apart; timestamps in ms make 0.02 % of a clip of 6 s. */
const SAME_RATE = 3e-4;

/** A rate as ffmpeg takes it without loss: `30000/1001`. */
export function rationalRate(framesPerSecond: number): string {
  const times1001 = Math.round(framesPerSecond * 1001);
  const isNtsc = times1001 % 1000 === 0 && framesPerSecond % 1 !== 0;
  return isNtsc ? `${times1001}/1001` : String(Number(framesPerSecond.toFixed(5)));
}

/** A measured rate as it is meant: 29.9702 is 30000/1001. */
export function meantRate(framesPerSecond: number): number {
  const usual = USUAL_RATES.find((rate) => isSameRate(rate, framesPerSecond));
  return usual ?? framesPerSecond;
}

/** The rate of cameras and encoders that differs least from one that varies, in proportion. */
export function nearestUsualRate(framesPerSecond: number): number {
  const apart = (rate: number): number => Math.abs(Math.log(rate / framesPerSecond));
  return USUAL_RATES.reduce((best, rate) => (apart(rate) < apart(best) ? rate : best), 30);
}

/** Whether two rates are the same but for the precision of timestamps. */
export function isSameRate(one: number, other: number): boolean {
  return Math.abs(one - other) <= SAME_RATE * other;
}
