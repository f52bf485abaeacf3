import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  breakerClosesWithProbe,
  breakerConfirmed,
  breakerHalfOpens,
  breakerNeverOpens,
  breakerOpenAtEnd,
  breakerOpensAfterErrors,
  breakerOpensAfterTimeouts,
  breakerProbes,
  dubbingResumes,
  nothingSentWhileOpen,
} from '../../support/checks/breaker';
import { judge } from '../../support/checks/criterion';
import { answered, connection, event, init, sent } from '../broadcast/an-exchange';
import { aBroadcast, type Logged, type Poll, stateOf } from './a-broadcast';

const whole = (at: number, id: string) => sent(at, id, { isWhole: true });
/** Sent at the boundary of each segment of 6 s from 7 s on, and answered 1.5 s later. */
const failing = (count: number, code = 'TIMEOUT') =>
  Array.from({ length: count }, (_, i) => [
    whole(7 + 6 * i, `f${i}`),
    answered(8.5 + 6 * i, `f${i}`, code),
  ]).flat();
/** It opens at 32.5 s, and is half-open from 62.5 s on: the next boundary is at 67 s. */
const probed = (at = 67, code?: string) => [whole(at, 'probe'), answered(at + 0.9, 'probe', code)];
const resumed = (at = 73) => [whole(at, 'next'), answered(at + 0.1, 'next')];
const events = [init(8000), ...failing(5), ...probed(), ...resumed()];
const record = (publisherEnded = 79) => ({
  times: { published: 0, publisherEnded: 1000 * publisherEnded },
});
const metrics = { breakerState: 'absent' as const };
const given = { events, record: record(), metrics };
const after = { afterMs: 30_000, toleranceMs: 1000 };
const five = { count: 5, code: 'TIMEOUT' };

describe('criteria of the circuit breaker, by the wire alone', () => {
  const broadcast = aBroadcast(given);

  it('hold of one that opens, probes and closes, of which nothing is logged or exported', async () => {
    expect(await stateOf(breakerOpensAfterErrors, broadcast, five)).to.equal('passed');
    expect(await stateOf(nothingSentWhileOpen, broadcast, { forMs: 29_000 })).to.equal('passed');
    expect(await stateOf(breakerHalfOpens, broadcast, after)).to.equal('passed');
    expect(await stateOf(breakerProbes, broadcast, { count: 1 })).to.equal('passed');
    expect(await stateOf(breakerClosesWithProbe, broadcast, null)).to.equal('passed');
    expect(await stateOf(dubbingResumes, broadcast, null)).to.equal('passed');
    expect(await stateOf(breakerConfirmed, broadcast, null)).to.equal('passed');
  });

  it('fail for another count or code', async () => {
    for (const [count, code] of [
      [4, 'TIMEOUT'],
      [6, 'TIMEOUT'],
      [5, 'MODEL_ERROR'],
    ] as const) {
      expect(await stateOf(breakerOpensAfterErrors, broadcast, { count, code })).to.equal('failed');
    }
    const four = aBroadcast({ ...given, events: [init(8000), ...failing(4), ...probed(61)] });
    expect(await stateOf(breakerOpensAfterErrors, four, five)).to.equal('failed');
    expect(await stateOf(breakerOpensAfterTimeouts, broadcast, { count: 5 })).to.equal('failed');
    expect(await stateOf(breakerProbes, broadcast, { count: 2 })).to.equal('failed');
    expect(await stateOf(breakerNeverOpens, broadcast, null)).to.equal('failed');
    expect(await stateOf(breakerOpenAtEnd, broadcast, null)).to.equal('failed');
  });

  it('a success in between begins the row anew', async () => {
    const twice = [...failing(2), whole(19, 'good'), answered(20, 'good')];
    const row = [25, 31].flatMap((at) => [
      whole(at, `g${at}`),
      answered(at + 1, `g${at}`, 'TIMEOUT'),
    ]);
    const mixed = aBroadcast({ ...given, events: [init(8000), ...twice, ...row, ...probed()] });
    expect(await stateOf(breakerOpensAfterErrors, mixed, { ...five, count: 2 })).to.equal('passed');
    expect(await stateOf(breakerOpensAfterErrors, mixed, { ...five, count: 4 })).to.equal('failed');
  });

  it('a fragment while it is open, to the border of the time', async () => {
    const stray = (at: number) =>
      aBroadcast({
        ...given,
        events: [...events.slice(0, 11), whole(at, 'stray'), ...events.slice(11)],
      });
    const state = (at: number, forMs = 29_000) =>
      stateOf(nothingSentWhileOpen, stray(at), { forMs });
    expect([await state(43), await state(61.499), await state(61.5)]).to.deep.equal([
      ...['failed', 'failed', 'passed'],
    ]);
  });

  it('the time that it was open is known to within a segment', async () => {
    const state = (at: number, afterMs = 30_000) => {
      const probe = [init(8000), ...failing(5), ...probed(at), ...resumed(at + 6)];
      return stateOf(breakerHalfOpens, aBroadcast({ ...given, events: probe }), {
        ...{ afterMs, toleranceMs: 1000 },
      });
    };
    // Opened at 32.5 s. A probe at 61 s: at most 28.5 s. One at 73 s: more than 34.5 s.
    expect([await state(61), await state(61.499), await state(61.5)]).to.deep.equal([
      ...['failed', 'failed', 'passed'],
    ]);
    expect([
      await state(67),
      await state(69.499),
      await state(69.5),
      await state(73),
    ]).to.deep.equal(['passed', 'passed', 'failed', 'failed']);
  });

  it('its probe is the first segment that is complete after that time, wherever segments end', async () => {
    /** By what is sent, where the fifth failure comes so long after its fragment, and the breaker is open so long. */
    const state = (answeredAfter: number, open: number) => {
      const openedAt = 31 + answeredAfter;
      const fails = [0, 1, 2, 3, 4].flatMap((i) => [
        ...[whole(7 + 6 * i, `f${i}`), answered(7 + 6 * i + answeredAfter, `f${i}`, 'TIMEOUT')],
      ]);
      const probe = 7 + 6 * Math.ceil((openedAt + open - 7) / 6);
      const seen = [init(8000), ...fails, ...probed(probe), ...resumed(probe + 6)];
      return stateOf(breakerHalfOpens, aBroadcast({ ...given, events: seen }), after);
    };
    const states = (open: number) =>
      Promise.all([0.5, 1.5, 2.5, 3.5, 4.5, 5.5].map((seconds) => state(seconds, open)));
    const all = (one: string): string[] => Array.from<string>({ length: 6 }).fill(one);
    for (const open of [29, 30, 30.9]) expect(await states(open)).to.deep.equal(all('passed'));
    // 30 s - 1 s - a segment, and 30 s + 1 s + a segment.
    expect(await states(22.9)).to.deep.equal(all('failed'));
    expect(await states(37)).to.deep.equal(all('failed'));
    // In between it depends on where segments end: 3.5 s and 4.5 s after the failure one does 31.5 s to 32.5 s later.
    expect(await states(33)).to.deep.equal([
      ...['passed', 'passed', 'passed', 'failed', 'failed', 'passed'],
    ]);
  });

  it('a second probe, one without success, and no fragment after it', async () => {
    const [first, ...rest] = probed();
    const two = [
      init(8000),
      ...failing(5),
      ...(first ? [first] : []),
      whole(67.5, 'again'),
      ...rest,
    ];
    const probes = aBroadcast({ ...given, events: two });
    expect(await stateOf(breakerProbes, probes, { count: 1 })).to.equal('failed');
    const closes = (...more: typeof events) =>
      stateOf(
        breakerClosesWithProbe,
        aBroadcast({ ...given, events: [init(8000), ...failing(5), ...more] }),
        null,
      );
    expect(await closes(...probed(67, 'TIMEOUT'), ...resumed())).to.equal('failed');
    expect(await closes(...probed())).to.equal('failed');
    expect(await closes(...probed(), ...resumed(75.9))).to.equal('passed');
    expect(await closes(...probed(), ...resumed(76))).to.equal('failed');
  });

  it('timeouts open it when the announced time is over', async () => {
    const silent = [0, 1, 2, 3, 4, 5].map((i) => whole(7 + 6 * i, `f${i}`));
    const opens = aBroadcast({
      metrics,
      events: [init(8000), ...silent, connection(63, 'close')],
      record: record(55),
    });
    // The fifth times out at 39 s; the sixth was sent at 37 s, and the next would have been at 43 s.
    expect(await stateOf(breakerOpensAfterTimeouts, opens, { count: 5 })).to.equal('passed');
    expect(await stateOf(breakerOpensAfterTimeouts, opens, { count: 4 })).to.equal('failed');
    expect(await stateOf(breakerOpensAfterTimeouts, opens, { count: 6 })).to.equal('failed');
    expect(await stateOf(breakerOpenAtEnd, opens, null)).to.equal('passed');
  });

  it('one that sends every segment stays closed, whatever has failed', async () => {
    const refused = [init(8000), ...failing(7, 'INVALID_CONFIG')];
    const closed = aBroadcast({ metrics, events: refused, record: record(49) });
    expect(await stateOf(breakerNeverOpens, closed, null)).to.equal('passed');
    const verdict = await judge(nothingSentWhileOpen, closed, { forMs: 29_000 });
    expect(verdict).to.include({ state: 'failed', what: 'the breaker was never open' });
    const opens = aBroadcast({ metrics, events: refused.slice(0, 11), record: record(49) });
    expect(await stateOf(breakerNeverOpens, opens, null)).to.equal('failed');
    expect(await stateOf(breakerNeverOpens, aBroadcast({ metrics }), null)).to.equal('failed');
  });

  it('what a lost connection or a pause holds back was not held back by it', async () => {
    const held = (...why: typeof events) => {
      const late = [init(8000), ...failing(5), ...why, whole(67, 'late')];
      return stateOf(
        breakerNeverOpens,
        aBroadcast({ metrics, events: late, record: record(70) }),
        null,
      );
    };
    expect(await held(connection(33, 'close'), connection(66, 'open', 2))).to.equal('passed');
    const asked = (at: number, action: string) =>
      event(at, 'backpressure', { severity: 'low', action });
    expect(await held(asked(33, 'pause'), asked(66, 'none'))).to.equal('passed');
    expect(await held(asked(33, 'pause'), asked(34, 'none'))).to.equal('failed');
  });
});

describe('what media-service says of its breaker', () => {
  const polls = (closed = 0, open = 1, halfOpen = 2): Poll[] => [
    [10, { breaker: closed }],
    [40, { breaker: open }],
    [61, { breaker: open }],
    [62, { breaker: open }],
    [63, { breaker: halfOpen }],
    [70, { breaker: closed }],
  ];
  const change = (at: number, state: string, fields = {}): Logged => [
    ...([at, 'own words', { state, trigger: 'Timeout', ...fields }] as const),
  ];
  const state = (more: Parameters<typeof aBroadcast>[0]) =>
    stateOf(breakerConfirmed, aBroadcast({ events, record: record(), ...more }), null);

  it('is asked for, unless it has no metric by acceptance.yaml', async () => {
    expect(await state({})).to.equal('not shown');
    expect(await state({ polls: [[40, { inflight: 1 }]] })).to.equal('not shown');
    expect(await state({ metrics })).to.equal('passed');
  });

  it('is closed throughout where it never opens', async () => {
    const closed = (value?: number) =>
      stateOf(
        breakerNeverOpens,
        aBroadcast({
          events: [init(8000), ...failing(7, 'INVALID_CONFIG')],
          record: record(49),
          polls: value === undefined ? [] : [[20, { breaker: value }]],
        }),
        null,
      );
    expect([await closed(0), await closed(1), await closed()]).to.deep.equal([
      ...['passed', 'failed', 'not shown'],
    ]);
  });

  it('is held against timeouts that are assumed', async () => {
    const silent = aBroadcast({
      metrics,
      events: [init(8000), whole(7, 'f'), connection(63, 'close')],
    });
    const { seen } = await judge(breakerOpenAtEnd, silent, null);
    expect(seen).to.include('timed out at 8.0 s (assumed, as announced)');
  });

  it('in the coding of the specs', async () => {
    expect(await state({ polls: polls() })).to.equal('passed');
    expect(await state({ polls: polls(0, 0, 0) })).to.equal('failed');
    expect(await state({ polls: polls(0, 2, 1) })).to.equal('failed');
  });

  it('in a coding of its own, without a label, or by the name of the state', async () => {
    const values = { closed: 0, open: 2, 'half-open': 1 };
    const own = { metrics: { breakerState: { name: 'breaker', values } }, polls: polls(0, 2, 1) };
    expect(await state(own)).to.equal('passed');
    expect(await state({ ...own, streamLabel: null })).to.equal('passed');
    expect(await state({ ...own, polls: polls() })).to.equal('failed');
    const named = polls().map(([at, values]): Poll => {
      const word = ['CLOSED', 'OPEN', 'HALF'][values['breaker'] ?? 0] ?? '';
      return [at, { [`circuit{is="${word}"}`]: 1 }];
    });
    const mapping = {
      ...{ name: 'circuit', labels: { state: 'is' } },
      values: { closed: 'CLOSED', open: 'OPEN', 'half-open': 'HALF' },
    };
    expect(await state({ metrics: { breakerState: mapping }, polls: named })).to.equal('passed');
    expect(
      await state({
        metrics: { breakerState: mapping },
        polls: named.slice(1).map(([at, v]) => [at - 30, v]),
      }),
    ).to.equal('failed');
  });

  it('in a log with the fields of spec 018, in any case', async () => {
    const log = [
      ...[change(32.5, 'OPEN', { failure_count: 5 }), change(62.5, 'half_open')],
      change(67.9, 'Closed'),
    ];
    const state = (more: Parameters<typeof aBroadcast>[0]) =>
      stateOf(breakerConfirmed, aBroadcast({ ...given, ...more }), null);
    expect(await state({ log })).to.equal('passed');
    expect(await state({ log: [change(32.5, 'open', { failure_count: 4 })] })).to.equal('failed');
    expect(await state({ log: [change(20, 'open')] })).to.equal('failed');
    expect(await state({ log: [change(50, 'closed')] })).to.equal('failed');
    expect(await state({ logText: 'INFO circuit of s is closed for good' })).to.equal('passed');
  });

  it('tells the time of opening to within two polls, where it is half-open before its probe', async () => {
    const halfOpensAt = (seconds: number) => {
      const all = polls().map(([at, values]): Poll => {
        const isLate = values['breaker'] === 2;
        return isLate ? [seconds, { breaker: 2 }] : [at, values];
      });
      const between: Poll = [seconds - 1, { breaker: 1 }];
      const sorted = [...all, between].sort(([a], [b]) => a - b);
      const seen = aBroadcast({ events, record: record(), polls: sorted });
      return stateOf(breakerHalfOpens, seen, after);
    };
    // Opened at 32.5 s: 31 s later is 63.5 s, and until then it must have been half-open.
    expect([await halfOpensAt(63), await halfOpensAt(64.4), await halfOpensAt(66)]).to.deep.equal([
      ...['passed', 'passed', 'failed'],
    ]);
  });
});
