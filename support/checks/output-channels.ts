/** What is heard of each channel by itself: most listen to two. */
import { type ChannelWindow, type LateChannel, pairsOf } from '../analyze/channels';
import { CannotBeShown } from '../base/errors';
import { allRight } from './builders';
import { audio } from './output-audio';
import { outputCriterion, type OutputSubject, recordingOf } from './output-subject';

/** `softerDb`: than the other one of a pair; `correlationAbove`: of two; `seconds`: for so long altogether. */
export interface ChannelsLimit {
  softerDb: number;
  correlationAbove: number;
  seconds: number;
}

/** Softer than this nothing is said in it. */
const SPOKEN_DBFS = -50;

export const channels = outputCriterion('channels', {
  title: 'The audio is heard in every channel',
  failure: 'a channel is silent or late, or channels cancel each other out',
  needs: 'speech',
  // This suite's own, as the specs are silent: a dub is the same in left and right (0 dB, correlation 1.0), and of opposite
  // polarity it is -1.0. Programmes whose channels differ were not measured.
  defaultLimit: { softerDb: 12, correlationAbove: -0.5, seconds: 2 },
  measure: async (subject) => {
    const { channels: windows, channelNames: names } = await subject.output.audio();
    if (names) return { windows, names, late: await subject.output.lateChannel() };
    throw new CannotBeShown({
      ...{ what: 'what each channel is for is not known', where: recordingOf(subject) },
      ...{ seen: `${windows[0]?.levelsDbfs.length ?? 0} channels of no known layout` },
      expected: 'one or two channels, or a layout such as 5.1',
    });
  },
  assess: ({ windows, names, late }, limit: ChannelsLimit) => {
    const loud = windows.filter(({ levelsDbfs }) => Math.max(...levelsDbfs) > SPOKEN_DBFS);
    const seen = names.length === 1 ? 'one channel' : levelsText(loud, names);
    return allRight(
      [
        ...pairsOf(names).flatMap((pair) => softer(loud, names, pair, limit)),
        ...cancelled(loud, limit),
        ...(late.observed ? [lateText(late)] : []),
      ],
      seen,
      `no channel ${limit.softerDb} dB softer than the one on the other side, correlation above ${limit.correlationAbove}, none late`,
    );
  },
  explainedBy: [{ criterion: audio }],
});

/** Whether one of two channels is late: of their mix, what is heard at a time is then two things. */
export async function isChannelLate({ output }: OutputSubject): Promise<boolean> {
  return (await output.lateChannel()).observed;
}

function lateText({ channel, ms, fromSeconds, seconds }: LateChannel): string {
  return (
    `the channel "${channel}" is ${ms.toFixed(1)} ms late for ${seconds.toFixed(1)} s, from ${at(fromSeconds)} ` +
    'on: where they are mixed, as by a phone, it is an echo'
  );
}

/** Decoders of some versions give the first window a time before the beginning, by what the encoder has put before it. */
function at(seconds: number): string {
  return `${Math.max(0, seconds).toFixed(1)} s`;
}

function levelsText(windows: readonly ChannelWindow[], names: readonly string[]): string {
  const levels = names.map((name, i) => `${name} ${meanDbfs(windows, i).toFixed(1)} dBFS`);
  return `${names.length} channels: ${levels.join(', ')}`;
}

function meanDbfs(windows: readonly ChannelWindow[], channel: number): number {
  const powers = windows.map(({ levelsDbfs }) => 10 ** ((levelsDbfs[channel] ?? -Infinity) / 10));
  return 10 * Math.log10(powers.reduce((a, b) => a + b, 0) / Math.max(1, powers.length));
}

/** One that is softer than the one on the other side; what is in the middle, or for low frequencies only, may be silent. */
function softer(
  windows: readonly ChannelWindow[],
  names: readonly string[],
  pair: readonly [number, number],
  { softerDb, seconds: most }: ChannelsLimit,
): string[] {
  const levelIn = ({ levelsDbfs }: ChannelWindow, channel: number): number =>
    levelsDbfs[channel] ?? -Infinity;
  const loud = windows.filter(
    (window) => Math.max(...pair.map((one) => levelIn(window, one))) > SPOKEN_DBFS,
  );
  const [left, right] = pair;
  return [pair, [right, left] as const].flatMap(([channel, other]) => {
    const soft = loud.filter(
      (window) => levelIn(window, other) - levelIn(window, channel) >= softerDb,
    );
    const [first] = soft;
    const seconds = lengthOf(soft);
    if (!first || seconds < most) return [];
    const own = meanDbfs(soft, channel);
    const how = own < SPOKEN_DBFS ? 'is silent' : `is at ${own.toFixed(1)} dBFS only`;
    return [
      `the channel "${names[channel]}" ${how} for ${seconds.toFixed(1)} s, from ${at(first.fromSeconds)} on`,
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
      `from ${at(first.fromSeconds)} on: where they are mixed, as by a phone, nothing is left`,
  ];
}

function lengthOf(windows: readonly ChannelWindow[]): number {
  return windows.reduce((sum, { seconds }) => sum + seconds, 0);
}
