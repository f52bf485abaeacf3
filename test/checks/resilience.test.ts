import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  nothingSentInPause,
  sentAfterPause,
  slowDownSpaces,
  backpressureCounts,
} from '../../support/checks/backpressure';
import { judge } from '../../support/checks/criterion';
import {
  answerFreesSlot,
  inFlightAtDisconnect,
  inFlightMetric,
  mostInFlight,
  noAnswerWithin,
  timesOut,
} from '../../support/checks/in-flight';
import {
  backsOff,
  fallsBackAtLoss,
  initialisedAgain,
  numberingAtBoundary,
  reconnectsAfterSilence,
  reconnectsAtFirstAttempt,
  workerFails,
} from '../../support/checks/reconnection';
import { CannotBeShown } from '../../support/base/errors';
import { readFault } from '../../support/broadcast/fault-words';
import type { BroadcastRecord } from '../../support/broadcast/record';
import { answered, connection, event, init, sent } from '../broadcast/an-exchange';
import { aBroadcast, type Logged, type Poll, stateOf } from './a-broadcast';

/** What it is rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const whole = (at: number, id: string, sequence: number, on = 1) =>
  sent(at, id, { sequence, timestamp: 6000 * sequence, isWhole: true, connection: on });

describe('criteria of backpressure', () => {
  const pause = event(2, 'backpressure', { severity: 'low', action: 'pause' });
  const none = (at: number) => event(at, 'backpressure', { severity: 'low', action: 'none' });
  const slow = event(14.5, 'backpressure', {
    severity: 'low',
    action: 'slow_down',
    recommended_delay_ms: 500,
  });
  const first = [init(8000), whole(1, 'a', 0), answered(2, 'a'), pause];

  it('a pause is one in which nothing is sent, and after which something was waiting', async () => {
    const one = { count: 1 };
    const good = aBroadcast({ events: [...first, none(14.5), whole(14.6, 'b', 1)] });
    expect(await stateOf(nothingSentInPause, good, one)).to.equal('passed');
    expect(await stateOf(nothingSentInPause, good, { count: 2 })).to.equal('failed');
    const sends = aBroadcast({
      events: [...first, whole(8, 'b', 1), none(14.5), whole(14.6, 'c', 2)],
    });
    expect(await stateOf(nothingSentInPause, sends, one)).to.equal('failed');
    const idle = aBroadcast({ events: [...first, none(14.5), whole(15.6, 'b', 1)] });
    expect(await stateOf(nothingSentInPause, idle, one)).to.equal('failed');
    const never = await judge(nothingSentInPause, aBroadcast({ events: [init(8000)] }), one);
    expect(never).to.include({ state: 'failed', what: 'the STS did not request so many pauses' });
  });

  it('each pause of the plan is one of them, not the first only', async () => {
    const again = (...inSecond: ReturnType<typeof whole>[]) =>
      aBroadcast({
        events: [
          ...[...first, none(14.5), whole(14.6, 'b', 1), answered(15, 'b')],
          ...[event(15, 'backpressure', { severity: 'low', action: 'pause' }), ...inSecond],
        ],
      });
    const judged = async (...inSecond: ReturnType<typeof whole>[]) =>
      judge(nothingSentInPause, again(...inSecond), { count: 2 });
    const good = await judged(none(23), whole(23.1, 'c', 2));
    expect(good).to.include({ state: 'passed' });
    const sends = await judged(whole(20, 'c', 2), none(23), whole(23.1, 'd', 3));
    expect(sends.deviations.map(({ text }) => text)).to.deep.equal([
      'pause 2 of 8 s, 1 sent in it, 1 as soon as it ended',
    ]);
    expect((await judged(none(23))).seen).to.include('pause 2 of 8 s, 0 sent in it, 0 as soon');
    expect((await judged()).seen).to.equal('pause 2 never ended');
  });

  it('its end resumes sending in time', async () => {
    const events = [
      ...first,
      none(14.5),
      whole(14.6, 'b', 1),
      whole(15.5, 'c', 2),
      whole(15.501, 'd', 3),
    ];
    const two = { count: 2, withinMs: 1000 };
    expect(await stateOf(sentAfterPause, aBroadcast({ events }), two)).to.equal('passed');
    expect(
      await stateOf(sentAfterPause, aBroadcast({ events }), { ...two, withinMs: 999 }),
    ).to.equal('failed');
    expect(
      await stateOf(sentAfterPause, aBroadcast({ events }), { ...two, withinMs: 1001 }),
    ).to.equal('failed');
  });

  it('a slow-down spaces fragments that are waiting', async () => {
    const spaced = (gap: number) =>
      aBroadcast({ events: [...first, slow, whole(14.6, 'b', 1), whole(14.6 + gap, 'c', 2)] });
    const limit = { least: 2, apartMs: 500 };
    expect(await stateOf(slowDownSpaces, spaced(0.5), limit)).to.equal('passed');
    expect(await stateOf(slowDownSpaces, spaced(0.499), limit)).to.equal('failed');
    expect(await stateOf(slowDownSpaces, spaced(3), limit)).to.equal('failed');
    expect(await stateOf(slowDownSpaces, spaced(0.5), { ...limit, least: 3 })).to.equal('failed');
    expect(await stateOf(slowDownSpaces, spaced(0.6), { ...limit, apartMs: 400 })).to.equal(
      'failed',
    );
  });

  it('every request is counted', async () => {
    const [zero, counts] = [0, 1].map((n) => ({
      'backpressure_total{action="pause"}': 2 * n,
      'backpressure_total{action="slow_down"}': n,
      'backpressure_total{action="none"}': 2 * n,
    }));
    const broadcast = aBroadcast({
      polls: [
        [0, zero ?? {}],
        [9, counts ?? {}],
      ],
    });
    const limit = { pause: 2, slow_down: 1, none: 2 };
    expect(await stateOf(backpressureCounts, broadcast, limit)).to.equal('passed');
    expect(await stateOf(backpressureCounts, broadcast, { ...limit, none: 1 })).to.equal('failed');
    expect(await stateOf(backpressureCounts, aBroadcast(), limit)).to.equal('not shown');
  });
});

describe('criteria of fragments in flight', () => {
  const three = [init(8000), whole(0, 'a', 0), whole(2, 'b', 1), whole(4, 'c', 2)];
  const freed = [...three, answered(6.5, 'a'), whole(7, 'd', 3), answered(8, 'b')];

  it('the limit is not exceeded, and reached', async () => {
    const broadcast = aBroadcast({ events: freed });
    expect(await stateOf(mostInFlight, broadcast, { most: 3, reached: 3 })).to.equal('passed');
    expect(await stateOf(mostInFlight, broadcast, { most: 2, reached: 2 })).to.equal('failed');
    expect(await stateOf(mostInFlight, broadcast, { most: 4, reached: 4 })).to.equal('failed');
  });

  it('a slot that is free is taken in time', async () => {
    const broadcast = aBroadcast({ events: freed });
    expect(await stateOf(answerFreesSlot, broadcast, { withinMs: 501 })).to.equal('passed');
    expect(await stateOf(answerFreesSlot, broadcast, { withinMs: 499 })).to.equal('failed');
  });

  it('the metric is what was in flight half a second before or after, and moves', async () => {
    const good: Poll[] = [
      [1, { inflight: 1 }],
      [3, { inflight: 2 }],
      [4.4, { inflight: 2 }],
    ];
    const moving: Poll = [5, { inflight: 3 }];
    const all = aBroadcast({ events: freed, polls: [...good, moving] });
    expect(await stateOf(inFlightMetric, all, null)).to.equal('passed');
    expect(
      await stateOf(inFlightMetric, aBroadcast({ events: freed, polls: good }), null),
    ).to.equal('failed');
    const late: Poll = [4.6, { inflight: 2 }];
    const behind = aBroadcast({ events: freed, polls: [...good, moving, late] });
    expect(await stateOf(inFlightMetric, behind, null)).to.equal('failed');
    const ahead = (at: number): Poll[] => [...good, moving, [at, { inflight: 3 }]];
    const polled = (polls: Poll[]) => aBroadcast({ events: freed, polls });
    expect(await stateOf(inFlightMetric, polled(ahead(3.6)), null)).to.equal('passed');
    expect(await stateOf(inFlightMetric, polled(ahead(3.4)), null)).to.equal('failed');
  });

  it('a number that was in flight for a moment only may be seen', async () => {
    const two = [...three, answered(6.51, 'a'), answered(6.53, 'b'), answered(6.56, 'c')];
    const polls: Poll[] = [0, 1, 2, 3].map((inflight) => [6.8 + inflight / 100, { inflight }]);
    expect(await stateOf(inFlightMetric, aBroadcast({ events: two, polls }), null)).to.equal(
      'passed',
    );
    const four: Poll[] = [...polls, [6.9, { inflight: 4 }]];
    expect(await stateOf(inFlightMetric, aBroadcast({ events: two, polls: four }), null)).to.equal(
      'failed',
    );
  });

  const timeouts = (...counts: [at: number, count: number][]): Poll[] =>
    counts.map(([at, count]) => [at, { 'fallbacks_total{reason="timeout"}': count }]);

  it('what is not answered times out, by the wire and by the metric', async () => {
    const events = [...[init(8000), whole(0, 'a', 0)], connection(20, 'close')];
    const limit = { afterMs: 8000, toleranceMs: 1000 };
    const counted = (after: number, by: number) =>
      aBroadcast({ events, polls: timeouts([0, 0], [after, 0], [by, 1]) });
    // That a timeout of 8 s is announced does not tell that it is kept to.
    expect(await stateOf(timesOut, aBroadcast({ events }), limit)).to.equal('not shown');
    const absent = aBroadcast({ events, metrics: { fallbacks: 'absent' } });
    expect(await errorOf(stateOf(timesOut, absent, limit))).to.be.instanceOf(CannotBeShown);
    expect(await stateOf(timesOut, counted(9, 10), limit)).to.equal('passed');
    expect(await stateOf(timesOut, counted(9.001, 10), limit)).to.equal('failed');
    expect(await stateOf(timesOut, counted(6, 6.999), limit)).to.equal('failed');
    expect(await stateOf(timesOut, counted(6, 7), limit)).to.equal('passed');
    const never = aBroadcast({ events, polls: timeouts([0, 0], [9, 0]) });
    expect(await stateOf(timesOut, never, limit)).to.equal('failed');
    const polls = timeouts([0, 0], [7, 0], [8, 1]);
    const seen = (...some: typeof events) =>
      stateOf(timesOut, aBroadcast({ events: some, polls }), limit);
    expect(await seen(...events)).to.equal('passed');
    expect(await seen(init(9001), ...events.slice(1))).to.equal('failed');
    expect(await seen(...events.slice(0, 2), answered(1, 'a'), connection(20, 'close'))).to.equal(
      'failed',
    );
    expect(await seen(init(8000))).to.equal('failed');
  });

  it('one is in flight when the publisher disconnects', async () => {
    const events = [init(8000), whole(6, 'a', 0), answered(10, 'a')];
    const ended = (exitCode: number | null, publisherEnded: number) =>
      aBroadcast({
        events,
        record: { publisher: { exitCode, stderr: '' }, times: { published: 0, publisherEnded } },
      });
    expect(await stateOf(inFlightAtDisconnect, ended(null, 9000), null)).to.equal('passed');
    expect(await stateOf(inFlightAtDisconnect, ended(null, 10_000), null)).to.equal('failed');
    expect(await stateOf(inFlightAtDisconnect, ended(0, 9000), null)).to.equal('failed');
  });

  it('no answer comes too early, of all segments', async () => {
    const all = Array.from({ length: 15 }, (_, i) => whole(i, `f${i}`, i));
    const at = (seconds: number) =>
      stateOf(noAnswerWithin, aBroadcast({ events: [...all, answered(seconds, 'f0')] }), {
        withinMs: 30_000,
      });
    expect([await at(30), await at(30.001)]).to.deep.equal(['failed', 'passed']);
    const some = aBroadcast({ events: all.slice(1) });
    expect(await stateOf(noAnswerWithin, some, { withinMs: 1 })).to.equal('failed');
  });
});

describe('criteria of reconnection', () => {
  const lost = [connection(0, 'open'), init(8000, 0.1), whole(1, 'a', 0), connection(10, 'close')];
  const again = [connection(12, 'open', 2), event(12.1, 'stream:init', { timeout_ms: 8000 }, 2)];

  it('the backoff is within its tolerance, and no attempt too many', async () => {
    const at = (...seconds: number[]) =>
      aBroadcast({ events: [...lost, ...seconds.map((one) => connection(one, 'refused', 2))] });
    const limit = { seconds: [2, 4], percent: 20 };
    expect(await stateOf(backsOff, at(12, 16), limit)).to.equal('passed');
    expect(await stateOf(backsOff, at(12.4, 15.7), limit)).to.equal('passed');
    expect(await stateOf(backsOff, at(12.41, 16), limit)).to.equal('failed');
    expect(await stateOf(backsOff, at(12), limit)).to.equal('failed');
    expect(await stateOf(backsOff, at(12, 16, 24), limit)).to.equal('failed');
  });

  it('the first attempt is accepted, and the only one', async () => {
    const limit = { afterMs: 2000, percent: 20 };
    const first = aBroadcast({ events: [...lost, ...again] });
    expect(await stateOf(reconnectsAtFirstAttempt, first, limit)).to.equal('passed');
    expect(await stateOf(reconnectsAtFirstAttempt, first, { ...limit, afterMs: 1600 })).to.equal(
      'failed',
    );
    const refused = aBroadcast({ events: [...lost, connection(12, 'refused', 2)] });
    expect(await stateOf(reconnectsAtFirstAttempt, refused, limit)).to.equal('failed');
  });

  it('numbering restarts, at a boundary', async () => {
    const next = (sequence: number, timestamp: number) =>
      aBroadcast({
        events: [
          ...lost,
          ...again,
          sent(13, 'b', { sequence, timestamp, isWhole: true, connection: 2 }),
        ],
      });
    expect(await stateOf(initialisedAgain, next(0, 12_000), null)).to.equal('passed');
    expect(await stateOf(initialisedAgain, next(1, 12_000), null)).to.equal('failed');
    expect(await stateOf(initialisedAgain, aBroadcast({ events: lost }), null)).to.equal('failed');
    expect(await stateOf(numberingAtBoundary, next(0, 12_000), null)).to.equal('passed');
    for (const late of [101, -101, 3000]) {
      const verdict = await judge(numberingAtBoundary, next(0, 12_000 + late), null);
      expect(verdict.deviations.map(({ text }) => text)).to.have.length(1);
    }
    for (const late of [0.4, 100, -100, 6000]) {
      expect(await stateOf(numberingAtBoundary, next(0, 12_000 + late), null)).to.equal('passed');
    }
    expect(await stateOf(numberingAtBoundary, aBroadcast(), null)).to.equal('failed');
    const untimed = aBroadcast({ events: [sent(13, 'b', { isWhole: true })] });
    expect(await errorOf(stateOf(numberingAtBoundary, untimed, null))).to.be.instanceOf(
      CannotBeShown,
    );
    // The time of the clock says nothing of where in the stream a fragment begins.
    const events = [...lost, sent(1e9, 'b', { sequence: 0, timestamp: 1e12, isWhole: true })];
    const failure = await errorOf(stateOf(numberingAtBoundary, aBroadcast({ events }), null));
    expect(failure).to.be.instanceOf(CannotBeShown);
  });

  it('numbering may begin at any time of the media, and no fragment is sent again', async () => {
    const at = (...times: [id: string, timestamp: number][]) =>
      stateOf(
        numberingAtBoundary,
        aBroadcast({
          events: times.map(([id, timestamp], i) => sent(i, id, { timestamp, isWhole: true })),
        }),
        null,
      );
    expect(await at(['a', 123_456], ['b', 129_456], ['c', 147_456])).to.equal('passed');
    expect(await at(['a', 6000], ['b', 0])).to.equal('failed');
    expect(await at(['a', 0], ['b', 6000], ['b', 6000], ['c', 12_000])).to.equal('failed');
  });

  it('sequence numbers are optional: where there are none, they cannot begin again', async () => {
    const unnumbered = [...lost, ...again, sent(13, 'b', { isWhole: true, connection: 2 })];
    const failure = await errorOf(
      stateOf(initialisedAgain, aBroadcast({ events: unnumbered }), null),
    );
    expect(failure).to.be.instanceOf(CannotBeShown);
  });

  it('the fragment in flight falls back at once, as far as two polls tell', async () => {
    const events = [...lost.slice(0, 2), whole(9, 'a', 0), connection(10, 'close')];
    const counted = (after: number, by: number) => {
      const polls = [0, after, by].map((at): Poll => [
        at,
        { 'fallbacks_total{reason="disconnected"}': at === by ? 1 : 0 },
      ]);
      return stateOf(fallsBackAtLoss, aBroadcast({ events, polls }), { withinMs: 500 });
    };
    expect(await counted(9.5, 10.5)).to.equal('passed');
    expect(await counted(10.5, 11.5)).to.equal('passed');
    expect(await counted(10.501, 11.5)).to.equal('failed');
    const limit = { withinMs: 500 };
    const absent = aBroadcast({ events, metrics: { fallbacks: 'absent' } });
    expect(await errorOf(stateOf(fallsBackAtLoss, absent, limit))).to.be.instanceOf(CannotBeShown);
    const unexported = stateOf(fallsBackAtLoss, aBroadcast({ events }), limit);
    expect(await unexported).to.equal('not shown');
    const none = aBroadcast({ events: lost.slice(0, 2) });
    expect(await stateOf(fallsBackAtLoss, none, { withinMs: 500 })).to.equal('failed');
  });

  it('a silent connection is replaced, told by what the tap has done', async () => {
    const fault = readFault('when fragment 0 is answered', 'nothing arrives from the STS any more');
    const muted = { ...connection(5, 'open'), kind: 'fault' as const, payload: { fault } };
    const broadcast = aBroadcast({
      events: [connection(0, 'open'), muted, connection(45, 'open', 2)],
    });
    expect(await stateOf(reconnectsAfterSilence, broadcast, { withinMs: 40_000 })).to.equal(
      'passed',
    );
    expect(await stateOf(reconnectsAfterSilence, broadcast, { withinMs: 39_999 })).to.equal(
      'failed',
    );
    const never = aBroadcast({ events: [connection(0, 'open'), muted] });
    expect(await stateOf(reconnectsAfterSilence, never, { withinMs: 40_000 })).to.equal('failed');
    const other = aBroadcast({ events: [connection(0, 'open'), connection(45, 'open', 2)] });
    expect(await stateOf(reconnectsAfterSilence, other, { withinMs: 40_000 })).to.equal('failed');
  });

  it('a worker that fails says so', async () => {
    const exit = (code: number) => aBroadcast({ log: [[1, 'worker exited', { exit_code: code }]] });
    expect(await stateOf(workerFails, exit(1), null)).to.equal('passed');
    expect(await stateOf(workerFails, exit(0), null)).to.equal('failed');
    const plain = aBroadcast({ logText: 'INFO worker of s ended' });
    expect(await errorOf(stateOf(workerFails, plain, null))).to.be.instanceOf(CannotBeShown);
  });

  it('a worker that is the service fails with the exit code of its process or container', async () => {
    const ended = (serviceExits: Record<string, number>, more: Partial<BroadcastRecord> = {}) =>
      stateOf(
        workerFails,
        aBroadcast({ logText: 'INFO s gave up', record: { serviceExits, ...more } }),
        null,
      );
    expect(await ended({ 'media-service': 1 })).to.equal('passed');
    expect(await ended({ 'media-service': 0 })).to.equal('failed');
    // That of the media server says nothing, and with a second stream nobody knows whose worker it was.
    for (const untold of [
      ended({ mediamtx: 1 }),
      ended({ 'media-service': 1 }, { alongside: ['t'] }),
    ]) {
      expect(await errorOf(untold)).to.be.instanceOf(CannotBeShown);
    }
    // What it logs of this worker counts more.
    const record = { serviceExits: { 'media-service': 1 } };
    const log: Logged[] = [[1, 'worker exited', { exit_code: 0 }]];
    expect(await stateOf(workerFails, aBroadcast({ log, record }), null)).to.equal('failed');
  });
});
