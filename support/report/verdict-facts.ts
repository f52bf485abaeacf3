import { z } from 'zod';

import type { VerdictLine } from '../checks/verdict-log';
import type { BroadcastFacts, VerdictFacts } from './facts';
import { counted, shownNumber } from './wording';

/** Of a criterion in ms. */
const limitSchema = z.union([
  z.number(),
  z.object({ limitMs: z.number() }).transform(({ limitMs }) => limitMs),
]);

/** The criteria whose recorded limit a page shows besides its table: the offset chart draws them. */
const OFFSET: readonly string[] = ['av-offset', 'tone-offset'];
const DRIFT: readonly string[] = ['av-drift', 'tone-drift'];

/**
 * The verdicts on one broadcast. Scenarios that judged it by the same criterion with the same limit share one; what was
 * judged by the default limit is left out where a scenario has judged by that criterion.
 *
 * @param lines all that the run has recorded, in their order
 */
export function verdictFactsOf(stream: string, lines: readonly VerdictLine[]): VerdictFacts[] {
  const ours = lines.filter((line) => line.stream === stream);
  const asked = new Set(
    ours.flatMap(({ scenario, verdict }) => (scenario ? verdict.criterion : [])),
  );
  const rows = new Map<string, VerdictFacts>();
  for (const { scenario, verdict } of ours) {
    if (!scenario && asked.has(verdict.criterion)) continue;
    const { criterion, limit, state, seen } = verdict;
    const key = JSON.stringify([criterion, limit, state, seen]);
    const row = rows.get(key) ?? { ...verdict, judgedBy: [] };
    rows.set(key, row);
    const isKnown = row.judgedBy.some(
      ({ name, place }) => name === scenario?.name && place === scenario.place,
    );
    if (scenario && !isKnown) row.judgedBy.push({ name: scenario.name, place: scenario.place });
  }
  return withCausesOf([...rows.values()]);
}

/** A cause that was found on the way to another verdict has a row as well, before the first that follows from it. */
function withCausesOf(rows: readonly VerdictFacts[]): VerdictFacts[] {
  const known = new Set(rows.map(({ criterion }) => criterion));
  return rows.flatMap((row) => {
    const { because, where } = row;
    if (!because || known.has(because.criterion)) return [row];
    known.add(because.criterion);
    const { criterion, title, what, seen, expected = '' } = because;
    const cause = { criterion, title, what, seen };
    const none = { limit: null, deviations: [], judgedBy: [] };
    return [{ ...cause, ...none, expected, where, state: 'failed' }, row];
  });
}

/** What verdicts found wrong with the fragment of a segment, each thing once. */
export function deviationsAt(segment: number, verdicts: readonly VerdictFacts[]): string[] {
  const texts = verdicts
    .filter(({ state }) => state !== 'passed')
    .flatMap(({ what, deviations }) =>
      deviations
        .filter(({ fragment }) => fragment === segment)
        // Its number stands beside it.
        .map(({ text }) => `${what}: ${text.replace(/^(?:fragment|segment) \d+: /, '')}`),
    );
  return [...new Set(texts)];
}

/** What the first verdict that deviates at a segment found wrong, as half a sentence. */
export function firstDeviationAt(segment: number, verdicts: readonly VerdictFacts[]): string {
  const first = verdicts.find(
    ({ state, deviations }) =>
      state !== 'passed' && deviations.some(({ fragment }) => fragment === segment),
  );
  return first?.what ?? '';
}

/** The strictest limits of A/V offset and of drift that the broadcast was judged by; undefined where it was not judged. */
export function offsetLimits({
  verdicts,
}: BroadcastFacts): Record<'offsetMs' | 'driftMs', number | undefined> {
  const limitOf = (criteria: readonly string[]): number | undefined =>
    verdicts
      .filter(({ criterion }) => criteria.includes(criterion))
      .flatMap(({ limit }) => limitSchema.safeParse(limit).data ?? [])
      .sort((a, b) => a - b)[0];
  return { offsetMs: limitOf(OFFSET), driftMs: limitOf(DRIFT) };
}

/**
 * Where a verdict on the A/V offset has failed: by how much and where, and whether it is a constant offset, drift, or a jump.
 *
 * @returns undefined where none has failed at a fragment
 */
export function offsetSentence({
  fragments,
  verdicts,
  figures,
}: BroadcastFacts): string | undefined {
  const segments = verdicts
    .filter(({ criterion }) => OFFSET.includes(criterion))
    .filter(({ state }) => state === 'failed' || state === 'follows')
    .flatMap(({ deviations }) => deviations.map(({ fragment }) => fragment));
  const measured = fragments.filter(({ offsetMs }) => offsetMs !== undefined);
  const deviating = measured.filter(({ segment }) => segments.includes(segment));
  if (deviating.length === 0) return undefined;
  const isEach = deviating.length === measured.length;
  const offsets = deviating.map(({ offsetMs = 0 }) => offsetMs);
  const [least, most] = [Math.min(...offsets), Math.max(...offsets)];
  const range =
    most - least < 1 ? shownNumber(most, 0) : `${shownNumber(least, 0)} to ${shownNumber(most, 0)}`;
  const side = least > 0 ? 'late' : most < 0 ? 'early' : 'late and early';
  const where = isEach ? ', from the first to the last' : '';
  const ofDrift = verdicts.filter(
    (one) => DRIFT.includes(one.criterion) && one.state !== 'not shown',
  );
  const drifts = ofDrift.some(({ state }) => state !== 'passed');
  const without = ofDrift.length > 0 && isEach ? ', without drift' : '';
  const { driftMs = 0, jumpMs = 0 } = figures;
  const change = drifts ? `, and drifts by ${shownNumber(driftMs, 0)} ms` : without;
  const isJump = Math.abs(jumpMs) > Math.abs(driftMs);
  const changes = isJump ? `, with a jump of ${shownNumber(jumpMs, 0)} ms` : change;
  return `Audio is ${side}: the A/V offset is ${range} ms in ${deviating.length} of ${counted(fragments.length, 'fragment')}${where}${changes}.`;
}
