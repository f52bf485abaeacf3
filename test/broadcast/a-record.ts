import { type BroadcastRecord, EVIDENCE_VERSION } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';

/** The record of a broadcast that was dubbed to its end, but for what is given. */
export function aRecord(given: Partial<BroadcastRecord> = {}): BroadcastRecord {
  return {
    version: EVIDENCE_VERSION,
    ...{ stream: 's', request: requestOf(), faultSeed: 0, startedAt: '', finishedAt: 2 },
    ...{ outcome: { kind: 'output ended' }, runtime: 'host', monitor: 'tap' },
    ...{ fixtureScript: '', fixtureFile: '', durationSeconds: 60, segmentSeconds: 6 },
    ...{ times: {}, publisher: { exitCode: 0, stderr: '' }, problems: [] },
    ...given,
  };
}
