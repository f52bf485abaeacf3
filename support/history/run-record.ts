/** What the history keeps of a run, and the lines of its file. */
import { createHash } from 'node:crypto';

import { z } from 'zod';

import { type Figure, roomOf } from '../checks/criterion';
import { figureSchema } from '../checks/verdict-log';
import type { BroadcastFigures } from '../report/facts';
import type { Outcome } from '../report/scenario-results';
import { moment } from '../report/wording';

/** Of every line. Records of a newer version are kept in the file, and counted. */
export const HISTORY_VERSION = 1;

/**
 * How a scenario that was asked for has ended, a letter each: passed, passed at a retry, failed, skipped, not shown, required
 * and not shown; not run where the run ended before.
 */
export const ENDS = {
  P: 'passed',
  R: 'passed at a retry',
  F: 'failed',
  S: 'skipped',
  N: 'not shown',
  M: 'required and not shown',
  '-': 'not run',
} as const;

export type End = keyof typeof ENDS;

/** Of a run or scenario: each letter. */
export function endsIn(letters: string): End[] {
  return Array.from(letters) as End[];
}

/** What the report of the run says of a scenario that ended so. */
export const OUTCOMES: Record<Exclude<End, '-'>, Outcome> = {
  ...{ P: 'passed', R: 'passed', F: 'failed', S: 'skipped', N: 'not shown', M: 'not shown' },
};

/** Of those, what counts as a pass. */
export function isPassed(end: End): boolean {
  return end !== '-' && OUTCOMES[end] === 'passed';
}

const namesSchema = z.object({
  version: z.literal(HISTORY_VERSION),
  /** Its own hash, by which runs name it. */
  names: z.string(),
  /** With the IDs of their requirements: what stays when a feature is edited. */
  scenarios: z.array(z.object({ ids: z.array(z.string()), name: z.string() })),
  /** As `npm run compare` calls them; those with faults apart, as their times tell nothing. */
  broadcasts: z.array(z.object({ name: z.string(), isDisturbed: z.boolean() })),
  /** Keys of `BroadcastFigures`. */
  figures: z.array(z.string()),
  /** Figures of verdicts, which stand beside a limit, by the criterion. */
  limited: z.array(
    figureSchema.pick({ name: true, unit: true, holds: true }).extend({ criterion: z.string() }),
  ),
});

/** What the numbers and letters of runs are of: written once, and shared by all runs that are alike. */
export type Names = z.infer<typeof namesSchema>;

const runSchema = z.object({
  version: z.literal(HISTORY_VERSION),
  /** As Cucumber's messages have it; of shards, all of them. A later line of the same run takes the place of an earlier one. */
  run: z.string(),
  startedAt: z.iso.datetime(),
  /** Not there where it was interrupted, or still goes on. */
  seconds: z.number().exactOptional(),
  /** Of the suite, as git describes it. */
  revision: z.string(),
  /** host, docker, external; not there where no services were needed. */
  runtime: z.string().exactOptional(),
  /** By service: the digest of its image. None where services are processes. */
  images: z.record(z.string(), z.string()),
  /** The sentence of its report. */
  verdict: z.string(),
  outcome: z.enum(['passed', 'failed', 'interrupted']),
  /** What went wrong besides the scenarios, in short. */
  problems: z.array(z.string()),
  /** Specs all of whose scenarios were asked for: 019. */
  specs: z.array(z.string()),
  /** How many scenarios the features have that it has read. */
  known: z.number(),
  names: z.string(),
  /** A letter for each scenario. */
  ends: z.string().regex(/^[-PRFSNM]*$/),
  /** For each broadcast: its figures, null where there is none; null for one that has no facts. */
  figures: z.array(z.array(z.number().nullable()).nullable()),
  /** For each that is limited: of all broadcasts the figure nearest to its limit, the limit, and which broadcast. */
  nearest: z.array(z.tuple([z.number(), z.number(), z.number()])),
});

/** A run, with what its letters and numbers are of. */
export type RunRecord = Omit<z.infer<typeof runSchema>, 'names'> & { names: Omit<Names, 'names'> };

/** A line that can be read. */
export type HistoryLine = Names | z.infer<typeof runSchema>;

const lineSchema = z.union([runSchema, namesSchema]);
const versionSchema = z.object({ version: z.number() });

/** What a line holds; `newer` of one that another version of the suite has written; undefined where it is none. */
export function lineOf(value: unknown): HistoryLine | 'newer' | undefined {
  const { version = 0 } = versionSchema.safeParse(value).data ?? {};
  if (version > HISTORY_VERSION) return 'newer';
  return lineSchema.safeParse(value).data;
}

/** A run as lines of the file: its names, which may be there already, and itself. */
export function linesOf({ names, ...run }: RunRecord): [Names, z.infer<typeof runSchema>] {
  const hash = createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 12);
  return [
    { ...names, names: hash },
    { ...run, names: hash },
  ];
}

/** A scenario of a run, with how it has ended. */
export interface RanScenario {
  ids: readonly string[];
  name: string;
  end: End;
}

export function scenariosOf({ names, ends }: Pick<RunRecord, 'names' | 'ends'>): RanScenario[] {
  return names.scenarios.map((one, index) => ({ ...one, end: (ends[index] ?? '-') as End }));
}

/** A figure of one of its broadcasts. */
export function figureOf(
  { names, figures }: RunRecord,
  broadcast: string,
  figure: keyof BroadcastFigures,
): number | undefined {
  const at = names.broadcasts.findIndex(({ name }) => name === broadcast);
  return figures[at]?.[names.figures.indexOf(figure)] ?? undefined;
}

/** A figure that is nearest to its limit in a run. */
export interface Nearest extends Figure {
  criterion: string;
  /** The name of the broadcast whose it is. */
  broadcast: string;
}

export function nearestIn({ names, nearest }: Pick<RunRecord, 'names' | 'nearest'>): Nearest[] {
  return names.limited.flatMap((limited, index): Nearest[] => {
    const [value, limit, at = -1] = nearest[index] ?? [];
    if (value === undefined || limit === undefined) return [];
    return [{ ...limited, value, limit, broadcast: names.broadcasts[at]?.name ?? '' }];
  });
}

/**
 * How far a figure is from its limit, as a part of it; negative beyond it. Where 100 % is the most that can be, as a part of
 * what is between.
 */
export function marginOf(figure: Figure): number {
  const { unit, holds, limit } = figure;
  const most = holds === 'at least' && unit === '%' ? 100 - limit : limit;
  // A limit of 0, or of 100 %: any room is all of it, and what is beyond is as far as it can be.
  return most === 0 ? Math.sign(roomOf(figure)) || 1 : roomOf(figure) / most;
}

/** When it began, by minute, in UTC. */
export function momentOf({ startedAt }: Pick<RunRecord, 'startedAt'>): string {
  return moment(startedAt);
}
