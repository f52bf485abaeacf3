/** What is heard of each channel by itself: most listen to two. */
import type { ChannelWindow } from '../analyze/channels';
import { allRight } from './builders';
import { audio } from './output-audio';
import { outputCriterion } from './output-subject';

/** `softerDb`: than the loudest channel; `correlationAbove`: of two; `seconds`: for so long altogether. */
export interface ChannelsLimit {
  softerDb: number;
  correlationAbove: number;
  seconds: number;
}

/** Softer than this nothing is said in it. */
const SPOKEN_DBFS = -50;

export const channels = outputCriterion('channels', {
  title: 'The audio is heard in every channel',
  failure: 'a channel is silent, or channels cancel each other out',
  needs: 'speech',
  // This suite's own, as the specs are silent: a dub is the same in all channels (0 dB, correlation 1.0), and of opposite
  // polarity it is -1.0. Programmes whose channels differ were not measured.
  defaultLimit: { softerDb: 12, correlationAbove: -0.5, seconds: 2 },
  measure: async (subject) => (await subject.output.audio()).channels,
  assess: (windows, limit: ChannelsLimit) => {
    const loud = windows.filter(({ levelsDbfs }) => Math.max(...levelsDbfs) > SPOKEN_DBFS);
    const count = windows[0]?.levelsDbfs.length ?? 1;
    const seen = count === 1 ? 'one channel' : `${count} channels, ${levelsText(loud, count)}`;
    return allRight(
      [...softer(loud, count, limit), ...cancelled(loud, limit)],
      seen,
      `no channel ${limit.softerDb} dB softer than another, correlation above ${limit.correlationAbove}`,
    );
  },
  explainedBy: [{ criterion: audio }],
});

function levelsText(windows: readonly ChannelWindow[], count: number): string {
  return Array.from({ length: count }, (_, i) => `${meanDbfs(windows, i).toFixed(1)} dBFS`).join(
    ', ',
  );
}

function meanDbfs(windows: readonly ChannelWindow[], channel: number): number {
  const powers = windows.map(({ levelsDbfs }) => 10 ** ((levelsDbfs[channel] ?? -Infinity) / 10));
  return 10 * Math.log10(powers.reduce((a, b) => a + b, 0) / Math.max(1, powers.length));
}

function softer(
  windows: readonly ChannelWindow[],
  count: number,
  { softerDb, seconds: most }: ChannelsLimit,
): string[] {
  return Array.from({ length: count }, (_, channel) => channel).flatMap((channel) => {
    const soft = windows.filter(
      ({ levelsDbfs }) => Math.max(...levelsDbfs) - (levelsDbfs[channel] ?? 0) >= softerDb,
    );
    const [first] = soft;
    const seconds = lengthOf(soft);
    if (!first || seconds < most) return [];
    const own = meanDbfs(soft, channel);
    const name = count === 2 ? ['left', 'right'][channel] : String(channel + 1);
    const how = own < SPOKEN_DBFS ? 'is silent' : `is at ${own.toFixed(1)} dBFS only`;
    return [
      `the channel "${name}" ${how} for ${seconds.toFixed(1)} s, from ${first.fromSeconds.toFixed(1)} s on`,
    ];
  });
}

function cancelled(
  windows: readonly ChannelWindow[],
  { correlationAbove, seconds: most }: ChannelsLimit,
): string[] {
  const opposite = windows.filter(({ correlation = 0 }) => correlation <= correlationAbove);
  const [first] = opposite;
  const seconds = lengthOf(opposite);
  if (!first || seconds < most) return [];
  const lowest = Math.min(...opposite.map(({ correlation = 0 }) => correlation));
  return [
    `left and right are of opposite polarity (correlation ${lowest.toFixed(2)}) for ${seconds.toFixed(1)} s, ` +
      `from ${first.fromSeconds.toFixed(1)} s on: where they are mixed, as by a phone, nothing is left`,
  ];
}

function lengthOf(windows: readonly ChannelWindow[]): number {
  return windows.reduce((sum, { seconds }) => sum + seconds, 0);
}
