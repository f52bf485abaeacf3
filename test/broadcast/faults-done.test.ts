import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { CouldNotBeDone } from '../../support/base/errors';
import type { TapEvent } from '../../support/broadcast/events';
import { readEvidence } from '../../support/broadcast/evidence';
import { EvidenceWriter } from '../../support/broadcast/evidence-writer';
import { readFault } from '../../support/broadcast/fault-words';
import { requireFaultsDone } from '../../support/broadcast/faults-done';
import { requestOf } from '../../support/broadcast/request';
import { aRecord } from './a-record';

const STREAM = 'test_a';
const SOFT = ['every fragment', 'the dub is half as loud'] as const;
type Row = readonly [place: string, event: string];

const seen = (at: number, rest: Partial<TapEvent>): TapEvent => ({
  ...{ at, connection: 1, stream: STREAM, direction: 'from-sts', kind: 'event' },
  ...rest,
});
const opened = (at = 0, rest: Partial<TapEvent> = {}): TapEvent =>
  seen(at, { kind: 'open', ...rest });
const sent = (at: number, id: string | number): TapEvent =>
  seen(at, { direction: 'to-sts', event: 'fragment:data', payload: { fragment_id: id } });
const answered = (at: number, id: string | number): TapEvent =>
  seen(at, { event: 'fragment:processed', payload: { fragment_id: id } });
const done = (at: number, row: Row, fragment?: string, notDone?: string): TapEvent => {
  const further = { ...(fragment ? { fragment } : {}), ...(notDone ? { notDone } : {}) };
  return seen(at, { kind: 'fault', payload: { fault: readFault(...row), ...further } });
};

describe('planned faults', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faults-done-'));
  let count = 0;
  after(() => rmSync(folder, { recursive: true }));

  /** What is said of a broadcast with these faults; undefined where all were done. */
  function saidOf(rows: readonly Row[], events: readonly TapEvent[]): string | undefined {
    count += 1;
    const writer = new EvidenceWriter(join(folder, String(count)));
    events.forEach((event) => writer.addTapEvent(event));
    const request = requestOf({ faults: rows.map((row) => readFault(...row)) });
    writer.finish(aRecord({ stream: STREAM, request, finishedAt: 100_000, times: {} }));
    try {
      requireFaultsDone(readEvidence(writer.folder));
      return undefined;
    } catch (error) {
      expect(error).to.be.instanceOf(CouldNotBeDone);
      return (error as Error).message;
    }
  }

  it('of answers are done with each answer that arrived, whatever kind of ID it has', () => {
    const exchange = [opened(), sent(1, 7), answered(2, 7)];
    expect(saidOf([SOFT], [...exchange, done(2, SOFT, '7')])).to.equal(undefined);
    expect(saidOf([SOFT], exchange)).to.match(
      /could not be done: every fragment: the dub is half as loud \(fragment 0 was answered without it\)/,
    );
    expect(saidOf([SOFT], exchange)).to.match(/1 connections of this stream.*1 fragments sent/);
  });

  it('of answers that never came are not missed', () => {
    expect(saidOf([SOFT], [opened(), sent(1, 'a')])).to.equal(undefined);
    expect(
      saidOf([['fragment 1', 'the answer is dropped']], [sent(1, 'a'), answered(2, 'a')]),
    ).to.equal(undefined);
  });

  it('that the tap could not do say why', () => {
    const events = [sent(1, 'a'), answered(2, 'a'), done(2, SOFT, 'a', 'neither PCM nor WAV')];
    expect(saidOf([SOFT], events)).to.match(/not done: neither PCM nor WAV/);
  });

  it('of a moment are missed once it has come, or has been passed', () => {
    const cut: Row = ['when fragment 1 is answered', 'the connection is lost'];
    const before = [opened(), sent(1, 'a'), answered(2, 'a'), sent(3, 'b'), sent(4, 'c')];
    expect(saidOf([cut], before)).to.equal(undefined);
    expect(saidOf([cut], [...before, answered(5, 'c')])).to.match(/fragment 2 was answered/);
    expect(saidOf([cut], [...before, answered(5, 'b')])).to.match(/fragment 1 was answered/);
    expect(saidOf([cut], [...before, answered(5, 'b'), done(5, cut)])).to.equal(undefined);
  });

  it('some time after a moment are missed where the broadcast has lasted that long', () => {
    const [inTime, tooLate]: Row[] = [99.9, 100].map(
      (seconds) =>
        [
          ...[`${seconds} seconds after fragment 0 is sent`, 'the STS requests a pause'],
        ] as unknown as Row,
    );
    expect(saidOf([inTime ?? SOFT], [sent(100, 'a')])).to.match(/fragment 0 was sent/);
    expect(saidOf([tooLate ?? SOFT], [sent(100, 'a')])).to.equal(undefined);
  });

  it('at the acceptance are missed where the stream went on without it', () => {
    const lost: Row = ['when the STS has accepted the stream', 'the connection is lost'];
    expect(saidOf([lost], [opened()])).to.equal(undefined);
    expect(saidOf([lost], [opened(), sent(1, 'a')])).to.match(/the stream went on/);
  });

  it('from the start are missed where a connection came', () => {
    const refused: Row = ['from the start', 'the connection is lost and refused from then on'];
    expect(saidOf([refused], [])).to.equal(undefined);
    expect(saidOf([refused], [opened()])).to.match(/a connection came/);
  });

  it('name the connections of no known stream, and why the STS refused them', () => {
    const reason = 'HTTP 400 Bad Request: "Not an accepted origin."';
    const refusal = { kind: 'refused' as const, payload: { sts: 'http://sts', by: 'STS', reason } };
    const stranger = { stream: undefined };
    const said = saidOf([SOFT], [opened(1, stranger), seen(2, { ...stranger, ...refusal })]);
    expect(said).to.match(/no connection is known to be of this stream/);
    expect(said).to.match(/1 connection was refused by the STS: HTTP 400 Bad Request: "Not an acc/);
  });
});
