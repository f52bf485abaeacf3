import { HISTORY_VERSION, type RunRecord } from '../../support/history/run-record';

/** A run of two scenarios and one broadcast, on that day of November 2026. */
export function recordOn(day: number, more: Partial<RunRecord> = {}): RunRecord {
  const date = `2026-11-${String(day).padStart(2, '0')}`;
  return {
    ...{ version: HISTORY_VERSION, run: `run ${day}`, startedAt: `${date}T08:00:00.000Z` },
    ...{ seconds: 600 + day, revision: 'abc123', runtime: 'host', images: {}, problems: [] },
    ...{ verdict: 'Passed: 2 scenarios passed.', outcome: 'passed', specs: ['019'], known: 2 },
    names: {
      version: HISTORY_VERSION,
      scenarios: [
        { ids: ['019-A'], name: 'One' },
        { ids: ['019-B'], name: 'Two' },
      ],
      broadcasts: [{ name: '1-min-nfl', isDisturbed: false }],
      figures: ['fragmentsSent', 'answerP50Ms', 'answerP95Ms', 'offsetWorstMs', 'wordErrorRate'],
      limited: [
        { criterion: 'av-offset', name: 'A/V offset, the largest', unit: 'ms', holds: 'below' },
      ],
    },
    ends: 'PP',
    figures: [[10, 2000 + day, 3000 + day, -1, 0.03]],
    nearest: [[20, 120, 0]],
    ...more,
  };
}
