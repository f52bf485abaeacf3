import { existsSync, readFileSync } from 'node:fs';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';

/** What repeated runs have shown of one sentence of a requirement. */
export interface SoakVerdict {
  requirement: string;
  /** As requirements.yaml has it. */
  sentence: string;
  state: 'passed' | 'failed' | 'not shown';
  /** What is wrong, as half a sentence; empty when it holds. */
  what: string;
  seen: string;
  expected: string;
}

const recordSchema = z.object({
  judged: z.array(
    z.object({
      ...{ requirement: z.string(), sentence: z.string(), what: z.string() },
      ...{ state: z.enum(['passed', 'failed', 'not shown']), seen: z.string() },
      expected: z.string(),
    }),
  ),
});

/**
 * What `npm run soak` has judged: `soak.json` of its results folder.
 *
 * @throws SuiteError when the file is not there, or not what was written
 */
export function readSoakRecord(file: string): SoakVerdict[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const parsed = recordSchema.safeParse(text === undefined ? undefined : jsonOf(text));
  if (parsed.success) return parsed.data.judged;
  const [issue] = parsed.error.issues;
  throw new SuiteError({
    ...{ what: 'the record of repeated runs cannot be read', where: file },
    seen: text === undefined ? 'no such file' : `${issue?.path.join('.')}: ${issue?.message}`,
    ...{ expected: 'the file as npm run soak has written it', next: 'npm run soak -- --runs 10' },
  });
}
