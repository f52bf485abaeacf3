import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { messageOf, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { hidingSecrets } from '../base/safe-text';
import type { Figure, Verdict } from './criterion';

/** The file in the results folder of a run that holds every verdict, a line each. */
export const VERDICTS_FILE = 'verdicts.ndjson';

/** One verdict, and who asked for it. */
export interface VerdictLine {
  /** The stream of the broadcast that was judged; not there where it was something else. */
  stream?: string;
  /** Not there where no scenario asked: then by the default limits, for the page of the broadcast. */
  scenario?: { name: string; place: string };
  verdict: Verdict;
}

export const figureSchema = z.object({
  ...{ name: z.string(), value: z.number(), limit: z.number(), unit: z.string() },
  holds: z.enum(['below', 'at most', 'at least']),
}) satisfies z.ZodType<Figure>;

const lineSchema = z.object({
  stream: z.string().exactOptional(),
  scenario: z.object({ name: z.string(), place: z.string() }).exactOptional(),
  verdict: z.object({
    criterion: z.string(),
    title: z.string(),
    state: z.enum(['passed', 'failed', 'follows', 'not shown']),
    limit: z.unknown().transform((limit): unknown => limit),
    ...{ where: z.string(), what: z.string(), seen: z.string(), expected: z.string() },
    next: z.string().exactOptional(),
    because: z
      .object({
        ...{ criterion: z.string(), title: z.string(), what: z.string(), seen: z.string() },
        ...{ expected: z.string().exactOptional(), next: z.string().exactOptional() },
        segments: z.array(z.number()).exactOptional(),
      })
      .exactOptional(),
    figure: figureSchema.exactOptional(),
    deviations: z.array(z.object({ text: z.string(), fragment: z.number().exactOptional() })),
  }),
});

/**
 * Adds a verdict to those of the run.
 *
 * @throws SuiteError when it cannot be written
 */
export function addVerdict(reportsFolder: string, line: VerdictLine): void {
  const file = join(reportsFolder, VERDICTS_FILE);
  try {
    mkdirSync(reportsFolder, { recursive: true });
    appendFileSync(file, `${JSON.stringify(line, hidingSecrets)}\n`);
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'a verdict cannot be written', where: file, seen: messageOf(error) },
        expected: 'a folder that can be written to, with space on its disk',
        next: 'free some space, or set REPORTS_DIR to another folder',
      },
      { cause: error },
    );
  }
}

/** Removes the verdicts of an earlier run. */
export function removeVerdicts(reportsFolder: string): void {
  rmSync(join(reportsFolder, VERDICTS_FILE), { force: true });
}

/**
 * The verdicts of a run, in the order in which they were given; none where nothing was judged. A last line that is not
 * whole is passed over: its run was killed while it was writing.
 *
 * @throws SuiteError when another line is not what was written
 */
export function readVerdicts(reportsFolder: string): VerdictLine[] {
  const file = join(reportsFolder, VERDICTS_FILE);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index): VerdictLine[] => {
    if (line === '') return [];
    const parsed = lineSchema.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    if (index === lines.length - 1) return [];
    const [issue] = parsed.error.issues;
    throw new SuiteError({
      ...{ what: 'a verdict cannot be read', where: `${file}:${index + 1}` },
      seen: `${issue?.path.join('.') || 'not JSON'}: ${issue?.message}`,
      expected: 'the line as the suite has written it',
      next: 'run the suite again',
    });
  });
}
