import type { Finding } from '../support/analyze/finding';
import { NotAsExpected, NotObserved } from '../support/base/errors';

/**
 * The measured value.
 *
 * @throws NotObserved when there is none: what was not observed is a failure
 */
export function observed<T>(
  where: string,
  what: string,
  finding: Finding<T>,
): { observed: true } & T {
  if (finding.observed) return finding;
  throw new NotObserved({
    what: `${what} was not observed`,
    where,
    seen: finding.reason,
    expected: what,
  });
}

/**
 * Fails with what was seen and what was expected.
 *
 * @throws NotAsExpected unless `holds`
 */
export function expectThat(
  holds: boolean,
  problem: { what: string; where: string; seen: string; expected: string; next?: string },
): void {
  if (!holds) throw new NotAsExpected(problem);
}
