/** Which segment of a broadcast a fragment is of, by the time of the media at which its audio begins. */

/** As far as it is known where a fragment begins. */
export interface Begin {
  fragmentId: string;
  /** In ms of the stream. */
  timestampMs: number | undefined;
}

/** So far beside a boundary a fragment may begin, in segments: frames and packets are cut whole. */
const BESIDE_BOUNDARY = 0.1;
/** A first fragment that begins later than so many segments is not that of a stream whose time begins with 0. */
const MOST_SEGMENTS_LOST = 3;

/**
 * The segment of each fragment: a worker that loses one may number on without a gap, but the time goes on. A stream whose time
 * does not begin with it is counted from its first fragment. A fragment that is sent again is the same one.
 *
 * @param sent in the order sent
 * @param segmentMs how long segments are
 * @returns by fragment; undefined where a fragment has no time, or they do not begin at boundaries, in order
 */
export function placesByTime(
  sent: readonly Begin[],
  segmentMs: number,
): ReadonlyMap<string, number> | undefined {
  const first = (sent[0]?.timestampMs ?? NaN) / segmentMs;
  const isFromStart = isWhole(first) && first < MOST_SEGMENTS_LOST && Math.round(first) >= 0;
  const begin = isFromStart ? 0 : first;
  const places = new Map<string, number>();
  let last = -1;
  for (const { fragmentId, timestampMs = NaN } of sent) {
    if (places.has(fragmentId)) continue;
    const at = timestampMs / segmentMs - begin;
    // Plus 0: no place is -0.
    const place = Math.round(at) + 0;
    if (!isWhole(at) || place <= last) return undefined;
    places.set(fragmentId, place);
    last = place;
  }
  return places;
}

function isWhole(segments: number): boolean {
  return Math.abs(segments - Math.round(segments)) <= BESIDE_BOUNDARY;
}

/** Clocks of two machines differ by less, and no broadcast has been running since 1970. */
const CLOCKS_DIFFER_MS = 24 * 3_600_000;
const NS_PER_MS = 1e6;

/**
 * When the audio of a fragment begins in the stream, in ms: by its `timestamp`, or where that is the time of the clock, by its
 * `metadata.pts_ns`.
 *
 * @param sentAt milliseconds since the epoch
 * @returns undefined where neither says it
 */
export function mediaTimeIn(
  timestamp: unknown,
  ptsNs: unknown,
  sentAt: number,
): number | undefined {
  const isTime = typeof timestamp === 'number';
  if (isTime && !isClock(timestamp, sentAt)) return timestamp;
  const pts = typeof ptsNs === 'number' ? ptsNs / NS_PER_MS : undefined;
  return pts === undefined || isClock(pts, sentAt) ? undefined : pts;
}

function isClock(ms: number, sentAt: number): boolean {
  return ms > CLOCKS_DIFFER_MS && Math.abs(ms - sentAt) < CLOCKS_DIFFER_MS;
}
