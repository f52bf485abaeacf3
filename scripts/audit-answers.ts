/** What `npm audit` and `pip-audit` have said; that a registry could not be asked is not that nothing is known. */
import { z } from 'zod';

import { jsonOf } from '../support/base/json';

/** What is known, one line each; or why nobody could be asked. */
export type Answer = { known: string[] } | { problem: string };

const npmSchema = z.object({
  auditReportVersion: z.number(),
  vulnerabilities: z.record(
    z.string(),
    z.object({ name: z.string(), severity: z.string(), range: z.string() }),
  ),
});
const refusalSchema = z.object({ message: z.string() });
const pipSchema = z.object({
  dependencies: z.array(
    z.union([
      z.object({ name: z.string(), skip_reason: z.string() }),
      z.object({
        ...{ name: z.string(), version: z.string() },
        vulns: z.array(z.object({ id: z.string(), fix_versions: z.array(z.string()) })),
      }),
    ]),
  ),
});

/** @param output of `npm audit --json` */
export function npmAnswer(output: Output): Answer {
  const answer = npmSchema.safeParse(jsonOf(output.stdout));
  if (!answer.success) {
    const refusal = refusalSchema.safeParse(jsonOf(output.stdout));
    return { problem: refusal.success ? refusal.data.message : lastLineOf(output) };
  }
  return {
    known: Object.values(answer.data.vulnerabilities).map(
      ({ name, severity, range }) => `${name} ${range}: ${severity}`,
    ),
  };
}

/** @param output of `pip-audit --format json` */
export function pipAnswer(output: Output): Answer {
  const answer = pipSchema.safeParse(jsonOf(output.stdout));
  if (!answer.success || answer.data.dependencies.length === 0) {
    return { problem: lastLineOf(output) };
  }
  const known: string[] = [];
  for (const one of answer.data.dependencies) {
    // What was not looked up is not free of vulnerabilities.
    if ('skip_reason' in one) return { problem: one.skip_reason };
    for (const { id, fix_versions: fixed } of one.vulns) {
      known.push(`${one.name} ${one.version}: ${id}, fixed in ${fixed.join(', ') || 'no version'}`);
    }
  }
  return { known };
}

interface Output {
  stdout: string;
  stderr: string;
}

function lastLineOf({ stderr }: Output): string {
  return stderr.trim().split('\n').at(-1) || 'no answer, and no reason';
}
