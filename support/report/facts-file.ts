import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { messageOf, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { type BroadcastFacts, partSchema, reportFiles, type RunPart } from './facts';

/** @throws SuiteError when the file cannot be written */
export function writeBroadcastFacts(folder: string, facts: BroadcastFacts): void {
  const file = join(folder, reportFiles.broadcastFacts);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify(facts));
  } catch (error) {
    const problem = {
      ...{ what: 'the facts of a broadcast cannot be written', where: file },
      ...{
        seen: messageOf(error),
        expected: 'a folder that can be written to, with space on its disk',
      },
    };
    throw new SuiteError(problem, { cause: error });
  }
}

const objects = z.array(z.looseObject({}));
const audioImages = z.looseObject({ levels: z.array(z.number()), spectrogram: z.string() });

/** Lightly: whoever changes the file by hand may still break its page. */
const factsSchema = z.looseObject({
  ...{
    stream: z.string(),
    name: z.string(),
    title: z.string(),
    language: z.string(),
    clip: z.string(),
    startedAt: z.string(),
    outcome: z.string(),
  },
  ...{ durationSeconds: z.number(), segmentSeconds: z.number(), isComplete: z.boolean() },
  ...{ faults: z.array(z.string()), problems: z.array(z.string()) },
  ...{ figures: z.record(z.string(), z.number()), missing: z.record(z.string(), z.string()) },
  fragments: z.array(z.looseObject({ sequence: z.number(), stages: objects })),
  unsent: objects,
  coverage: z.looseObject({ segments: z.number(), lost: objects }),
  exchange: z.looseObject({
    breaker: objects,
    lostAtSeconds: z.array(z.number()),
    fallbacks: objects,
  }),
  verdicts: z.array(z.looseObject({ deviations: objects, judgedBy: objects })),
  ...{ events: objects, series: objects, histograms: objects, log: objects, files: objects },
  images: z
    .looseObject({ output: audioImages, original: audioImages.exactOptional() })
    .exactOptional(),
});

/**
 * The facts of a broadcast that lie in a folder.
 *
 * @returns undefined when there are none
 * @throws SuiteError when the file is not what was written
 */
export function readBroadcastFacts(folder: string): BroadcastFacts | undefined {
  const file = join(folder, reportFiles.broadcastFacts);
  const next = 'remove it, then npm run report';
  const facts = readWritten(file, factsSchema, 'the facts of a broadcast cannot be read', next);
  return facts as unknown as BroadcastFacts | undefined;
}

/**
 * What lies in a results folder besides Cucumber's messages.
 *
 * @returns undefined when the run was interrupted before it wrote it
 * @throws SuiteError when the file is not what was written
 */
export function readRunPart(folder: string): RunPart | undefined {
  const next = `remove ${reportFiles.part}: the page is then made without it`;
  const file = join(folder, reportFiles.part);
  return readWritten(file, partSchema, 'this is not what a run has written', next);
}

function readWritten<T>(
  file: string,
  schema: z.ZodType<T>,
  what: string,
  next: string,
): T | undefined {
  if (!existsSync(file)) return undefined;
  const parsed = schema.safeParse(jsonOf(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const seen = `${issue?.path.join('.') || 'not JSON'}: ${issue?.message}`;
  const expected = 'the file as the suite has written it';
  throw new SuiteError({ what, where: file, seen, expected, next });
}
