/** How near to their limits figures are: both as they were recorded. */
import { z } from 'zod';

import { avDrift, avOffset } from '../checks/av-sync';
import { dubs } from '../checks/dub';
import { answerTime } from '../checks/exchange';
import { original } from '../checks/output-original';
import { spoken } from '../checks/speech';
import { transcripts, translations } from '../checks/texts';
import { budget } from '../checks/timing';
import { toneDrift, toneOffset } from '../checks/tones';
import type { VerdictLine } from '../checks/verdict-log';
import type { BroadcastFigures, BroadcastSummary } from '../report/facts';

/** A criterion whose limit stands beside a figure of the broadcast. */
interface Limited {
  criterion: { id: string; title: string };
  figure: keyof BroadcastFigures;
  /** The limit's name in what the criterion is given, and how many of its units are one of the figure's. */
  limit: string;
  perUnit?: number;
  /** The figure must be at least the limit; at most, where this is not given. */
  isLeast?: true;
}

export const LIMITED: readonly Limited[] = [
  { criterion: avOffset, figure: 'offsetWorstMs', limit: 'limitMs' },
  { criterion: avDrift, figure: 'driftMs', limit: 'limitMs' },
  { criterion: toneOffset, figure: 'offsetWorstMs', limit: 'limitMs' },
  { criterion: toneDrift, figure: 'driftMs', limit: 'limitMs' },
  { criterion: answerTime, figure: 'answerMaxMs', limit: 'withinMs' },
  { criterion: budget, figure: 'tookSeconds', limit: 'withinMs', perUnit: 1000 },
  { criterion: transcripts, figure: 'wordErrorRate', limit: 'meanAtMost' },
  { criterion: translations, figure: 'chrf', limit: 'chrfFrom', isLeast: true },
  { criterion: spoken, figure: 'spokenErrorRate', limit: 'meanAtMost' },
  { criterion: dubs, figure: 'leastHeardShare', limit: 'heardShare', isLeast: true },
  { criterion: original, figure: 'mostOriginal', limit: 'correlationBelow' },
];

const limitSchema = z.record(z.string(), z.unknown());

/** A figure, its limit, and the number of its broadcast. */
type Nearest = [value: number, limit: number, broadcast: number];

/** By criterion: of all broadcasts that were judged by it, the figure that is nearest to its limit, or farthest beyond. */
export function nearestToLimits(
  broadcasts: readonly Pick<BroadcastSummary, 'stream' | 'figures'>[],
  verdicts: readonly VerdictLine[],
): Record<string, Nearest> {
  const at = new Map(broadcasts.map(({ stream }, index) => [stream, index]));
  const nearest: Record<string, Nearest> = {};
  for (const { stream = '', verdict } of verdicts) {
    const limited = LIMITED.find(({ criterion }) => criterion.id === verdict.criterion);
    if (!limited) continue;
    const index = at.get(stream) ?? -1;
    const value = broadcasts[index]?.figures[limited.figure];
    const limit = limitSchema.safeParse(verdict.limit).data?.[limited.limit];
    if (value === undefined || typeof limit !== 'number') continue;
    const own: Nearest = [value, limit / (limited.perUnit ?? 1), index];
    const before = nearest[verdict.criterion];
    const isNearer = !before || marginOf(limited, own) < marginOf(limited, before);
    if (isNearer) nearest[verdict.criterion] = own;
  }
  return nearest;
}

/** How far a figure is from its limit, as a part of it; negative beyond it. */
export function marginOf(
  { isLeast }: Pick<Limited, 'isLeast'>,
  [value, limit]: readonly [number, number, ...unknown[]],
): number {
  return (isLeast ? value - limit : limit - Math.abs(value)) / limit;
}
