import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { OpenBreaker } from '../../support/analyze/breaker';
import {
  mostInflightOf,
  type SeenOfSending,
  unsentSegments,
  whyWithoutDub,
} from '../../support/analyze/without-dub';
import type { TapEvent } from '../../support/broadcast/events';
import type { Fragment } from '../../support/broadcast/fragment';

/** Segment n is sent at 6(n + 1) s, and answered after a second. */
function fragment(segment: number, fields: Partial<Fragment> = {}): Fragment {
  const sentAt = 6000 * (segment + 1);
  return {
    ...{ index: segment, fragmentId: `f${segment}`, segment, sequence: segment, connection: 1 },
    ...{ sentAt, timestampMs: 6000 * segment, audio: undefined, isAcknowledged: true },
    ...{ answer: undefined, errorCode: undefined, end: 'answered', endedAt: sentAt + 1000 },
    roundTripMs: 1000,
    ...fields,
  };
}

const event = (at: number, fields: Partial<TapEvent>): TapEvent => ({
  at,
  connection: 1,
  stream: 's',
  direction: 'from-sts',
  kind: 'event',
  ...fields,
});

const OPEN = event(100, { kind: 'open' });

/** Ten segments of 6 s, of which some are sent. */
function unsent(sent: readonly number[], seen: Partial<SeenOfSending> = {}): string[] {
  const found = unsentSegments({
    ...{ segments: 10, periodMs: 6000, fragments: sent.map((one) => fragment(one)) },
    ...{ events: [OPEN], breakers: [], ingestedAt: 0, publisherEndedAt: 60_000, mostInflight: 3 },
    ...seen,
  });
  return found.map(({ segment, why }) => `${segment}: ${why}`);
}

describe('segments that were never sent', () => {
  it('are those of the broadcast without a fragment, while the breaker was open', () => {
    const opened = { dueAt: 36_000, probe: fragment(8) } as OpenBreaker;
    expect(unsent([0, 1, 2, 3, 4, 8, 9], { breakers: [opened] })).to.deep.equal([
      '5: the breaker was open',
      '6: the breaker was open',
      '7: the breaker was open',
    ]);
  });

  it('had no connection, or were paused, or the broadcast had ended', () => {
    const lost = event(20_000, { kind: 'close' });
    expect(unsent([0, 1, 2], { events: [OPEN, lost] })[0]).to.equal('3: no connection to the STS');
    const pause = event(20_000, { event: 'backpressure', payload: { action: 'pause' } });
    expect(unsent([0, 1, 2], { events: [OPEN, pause] })[0]).to.equal(
      '3: the STS had asked for a pause',
    );
    expect(unsent([0, 1, 2], { publisherEndedAt: 17_000 })[0]).to.equal(
      '3: the broadcast was cut off',
    );
    expect(unsent([], { events: [] })).to.have.length(10);
    expect(unsent([], { events: [] })[9]).to.equal('9: no connection to the STS');
  });

  it('were more than allowed, were before the first, or nothing tells why', () => {
    const waiting = [0, 1, 2].map((one) => fragment(one, { end: 'open', endedAt: undefined }));
    expect(unsent([], { fragments: waiting })[0]).to.equal('3: as many as allowed were in flight');
    expect(unsent([2, 3, 4, 6, 7, 8, 9])).to.deep.equal([
      '0: media-service had not begun to read',
      '1: media-service had not begun to read',
      '5: nothing that was seen tells why',
    ]);
  });

  it('are limited as the STS says, or media-service, or the spec', () => {
    const init = event(0, { event: 'stream:init', payload: { max_inflight: 2 } });
    const ready = event(1, { event: 'stream:ready', payload: { max_inflight: 5 } });
    expect([[init, ready], [init], []].map(mostInflightOf)).to.deep.equal([5, 2, 3]);
  });
});

describe('a fragment without a dub', () => {
  it('has a reason in words that are the same for all such fragments', () => {
    const answer = { audio: undefined } as Fragment['answer'];
    const dubbed = { audio: {} } as Fragment['answer'];
    const failedIn = (stage: string): Fragment['answer'] =>
      ({
        audio: undefined,
        error: { code: 'TIMEOUT', message: 'late', stage },
      }) as Fragment['answer'];
    expect(
      [
        fragment(0, { answer: dubbed }),
        fragment(0, { answer, errorCode: 'TIMEOUT' }),
        fragment(0, { answer: failedIn('tts'), errorCode: 'TIMEOUT' }),
        // What comes too late, be it an error as well.
        fragment(0, { answer, errorCode: 'TIMEOUT', end: 'timed out' }),
        fragment(0, { answer: dubbed, end: 'timed out' }),
        fragment(0, { end: 'disconnected' }),
        fragment(0, { answer }),
        fragment(0, { end: 'open' }),
      ].map(whyWithoutDub),
    ).to.deep.equal([
      undefined,
      'the STS answered with the error TIMEOUT',
      'the STS answered with the error TIMEOUT in tts',
      'the answer timed out (limit announced: 1.0 s)',
      'the answer timed out (limit announced: 1.0 s)',
      'the connection was lost before the answer',
      'the answer has no dub',
      'the STS did not answer',
    ]);
  });
});
