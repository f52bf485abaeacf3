import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { NotObserved } from '../../support/errors';
import { EvidenceWriter, readEvidence } from '../../support/observe/evidence';
import type { TapEvent } from '../../support/observe/tap';

describe('evidence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  after(() => rmSync(folder, { recursive: true }));

  const event: TapEvent = {
    ...{ at: 1, connection: 0, stream: 'one', direction: 'from-sts' },
    ...{ kind: 'event', event: 'fragment:processed', payload: {} },
  };

  function written(name: string, monitor: string, events: TapEvent[]): string {
    const writer = new EvidenceWriter(join(folder, name));
    events.forEach((one) => writer.addTapEvent(one));
    writer.finish({
      ...{ stream: 'one', asked: {}, startedAt: '', finishedAt: 2, budgetSeconds: 1, outcome: '' },
      ...{ runtime: 'host', monitor, fixtureScript: '', fixtureFile: '', times: {} },
      ...{ durationSeconds: 60, segmentSeconds: 6, plan: { words: [], seed: 0 } },
      ...{ publisher: { exitCode: 0, stderr: '' }, problems: [] },
    });
    return writer.folder;
  }

  it('of the tap is what was heard, be it nothing', () => {
    expect(readEvidence(written('quiet', 'tap', [])).tap).to.deep.equal([]);
    expect(readEvidence(written('heard', 'tap', [event])).tap).to.have.length(1);
  });

  it('of direct mode is what the STS told everybody; without it, reading says so', () => {
    expect(readEvidence(written('told', 'direct', [event])).tap).to.have.length(1);
    const deaf = readEvidence(written('deaf', 'direct', []));
    expect(() => deaf.tap).to.throw(NotObserved, 'STS_MONITOR is direct');
  });
});
