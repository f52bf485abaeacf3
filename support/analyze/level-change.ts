import { median } from '../base/median';
import type { DubConditionAt, LevelBlock } from './dub-damage';

/** From some moment on everything is louder than before, or softer. */
export interface LevelChange {
  /** The dub in which it is heard first. */
  sequence: number;
  /** Up to when the level before is heard, and from when the one after; output times. What is between them is silence. */
  untilSeconds: number;
  fromSeconds: number;
  db: number;
  /** Less how much the level changes anyway on both sides, and what evens out louder and softer dubs. */
  steadyDb: number;
}

/** Half seconds of speech on either side: what is over after fewer does not last; more say no more. */
const LEAST_BLOCKS = 3;
const MOST_BLOCKS = 40;
/** Next to a change its neighbours look like changes as well. */
const APART_BLOCKS = 5;

type Block = LevelBlock & { sequence: number };

/**
 * Where the level changes at once, within dubs or between them, and keeps to the new one: by the medians of half seconds of
 * speech before and after, up to 20 s of it. What one dub has louder than its neighbours on both sides is no such change.
 *
 * @param leastDb of what is found, exclusive
 */
export function levelChanges(
  conditions: readonly DubConditionAt[],
  leastDb: number,
): LevelChange[] {
  const blocks = conditions
    .flatMap(({ sequence, condition }): Block[] =>
      condition.observed ? condition.blocks.map((block) => ({ sequence, ...block })) : [],
    )
    .sort((a, b) => a.fromSeconds - b.fromSeconds);
  const steps = conditions.flatMap(({ condition }) =>
    condition.observed && condition.step && condition.step.steadyDb > leastDb
      ? condition.step.atSeconds
      : [],
  );
  const found = blocks.flatMap((_, i) => {
    const change = changeAt(blocks, i, steps);
    return change && change.steadyDb > leastDb ? [{ i, change }] : [];
  });
  found.sort((a, b) => b.change.steadyDb - a.change.steadyDb);
  const kept: typeof found = [];
  for (const one of found) {
    if (kept.every(({ i }) => Math.abs(i - one.i) > APART_BLOCKS)) kept.push(one);
  }
  return kept.sort((a, b) => a.i - b.i).map(({ change }) => change);
}

/**
 * The change in a block, or at one of its ends: it belongs to neither side.
 *
 * @param steps when the level changes at once within dubs
 */
function changeAt(
  blocks: readonly Block[],
  i: number,
  steps: readonly number[],
): LevelChange | undefined {
  const before = blocks.slice(Math.max(0, i - MOST_BLOCKS), i);
  const after = blocks.slice(i + 1, i + 1 + MOST_BLOCKS);
  const [last, own, next] = [before.at(-1), blocks[i], after[0]];
  if (!last || !own || !next || Math.min(before.length, after.length) < LEAST_BLOCKS) {
    return undefined;
  }
  const near = levelOf(after.slice(0, LEAST_BLOCKS)) - levelOf(before.slice(-LEAST_BLOCKS));
  const [from, to] = [levelOf(before), levelOf(after)];
  const db = to - from;
  const evened = -Math.sign(db) * (dubLevelOf(after) - dubLevelOf(before));
  const unsteady =
    Math.max(spreadOf(before), spreadOf(after)) +
    mean([...distancesTo(from, before), ...distancesTo(to, after)]);
  const isBefore = Math.abs(own.heardDb - from) < Math.abs(own.heardDb - to);
  const [left, right] = isBefore ? [own, next] : [last, own];
  const within = steps.find((at) => at >= last.fromSeconds && at <= endOf(next));
  return {
    sequence: right.sequence,
    ...{ untilSeconds: within ?? endOf(left), fromSeconds: within ?? right.fromSeconds, db },
    steadyDb: Math.min(near * Math.sign(db), Math.abs(db) - unsteady - Math.max(0, evened)),
  };
}

function endOf({ fromSeconds, seconds }: LevelBlock): number {
  return fromSeconds + seconds;
}

function levelOf(blocks: readonly LevelBlock[]): number {
  return median(blocks.map(({ heardDb }) => heardDb));
}

function dubLevelOf(blocks: readonly LevelBlock[]): number {
  return median(blocks.map(({ dubDb }) => dubDb));
}

/** Between the softest and the loudest tenth. */
function spreadOf(blocks: readonly LevelBlock[]): number {
  const sorted = blocks.map(({ heardDb }) => heardDb).sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return rank(0.9) - rank(0.1);
}

function distancesTo(level: number, blocks: readonly LevelBlock[]): number[] {
  return blocks.map(({ heardDb }) => Math.abs(heardDb - level));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
