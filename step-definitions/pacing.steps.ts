import { Then } from '@cucumber/cucumber';

import { inflightAt, mostInflight, type Pressure, type Wait } from '../support/analyze/exchange';
import { matching } from '../support/analyze/prometheus';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { AT_ONCE_MS, findingsOf } from './resilience';

async function pressureOf(
  world: DubbingWorld,
  action: string,
  nth = 0,
): Promise<{ pressure: Pressure; where: string }> {
  const found = await findingsOf(world);
  const where = `stream ${found.run.stream}`;
  const all = found.pressures;
  const start = all[0]?.from ?? 0;
  const shown = all.map(({ action: one, from, sentAt }) => {
    const sends = sentAt.map((at) => `${((at - start) / 1000).toFixed(2)} s`).join(', ');
    return `${((from - start) / 1000).toFixed(2)} s: ${one}, then sent at ${sends || 'no time'}`;
  });
  world.log(shown.join('\n'));
  const pressure = all.filter((one) => one.action === action)[nth];
  expectThat(pressure !== undefined, {
    what: `the STS did not ask for ${action}`,
    where,
    seen: shown.join('; ') || 'it asked for nothing',
    expected: action,
  });
  return { pressure: pressure as Pressure, where };
}

Then('nothing was sent during the pause', async function (this: DubbingWorld) {
  const { pressure, where } = await pressureOf(this, 'pause');
  const { from, until, sentAt } = pressure;
  const { waits } = await findingsOf(this);
  // A pause in which nothing is due proves nothing: when it ends, something must have been waiting.
  const waiting = waits.filter(
    ({ sentAt: at }) => at >= (until ?? Infinity) && at <= (until ?? 0) + AT_ONCE_MS,
  );
  expectThat(sentAt.length === 0 && waiting.length > 0, {
    what: 'fragments were sent during the pause, or none was waiting',
    where,
    seen: `pause of ${((until ?? NaN) - from) / 1000} s, ${sentAt.length} sent in it, ${waiting.length} as soon as it ended`,
    expected: 'none sent in it, at least one as soon as it ended',
  });
});

Then(
  '{int} fragments were sent within {duration} of its end',
  async function (this: DubbingWorld, count: number, withinMs: number) {
    const { pressure, where } = await pressureOf(this, 'none');
    const soon = pressure.sentAt.filter((at) => at - pressure.from <= withinMs);
    expectThat(soon.length === count, {
      what: 'another number of fragments was sent when the STS asked to go on',
      where,
      seen: `${soon.length}`,
      expected: `${count} within ${withinMs} ms`,
    });
  },
);

Then(
  'while asked for {int} ms between them, {int} fragments or more were sent, at least that far apart',
  async function (this: DubbingWorld, delayMs: number, least: number) {
    const { pressure, where } = await pressureOf(this, 'slow_down');
    const gaps = pressure.sentAt.slice(1).map((at, i) => at - (pressure.sentAt[i] ?? NaN));
    this.log(`asked for ${pressure.delayMs} ms; seen: ${gaps.join(', ')} ms`);
    // Fragments that come when they are cut, a segment apart, say nothing about the delay.
    const waitingMs = 500 * (await findingsOf(this)).run.fixture.segmentSeconds;
    const isTested = gaps.some((gap) => gap < waitingMs);
    const isFine = pressure.delayMs === delayMs && gaps.every((gap) => gap >= delayMs);
    expectThat(pressure.sentAt.length >= least && isFine && isTested, {
      what: 'fragments were sent closer together than asked for, or too few',
      where,
      seen: `asked for ${pressure.delayMs} ms, ${pressure.sentAt.length} sent, gaps: ${gaps.map((gap) => `${gap} ms`).join(', ') || 'none'}`,
      expected: `${least} or more, every gap at least ${delayMs} ms, one of them less than ${waitingMs} ms, as fragments were waiting`,
    });
  },
);

Then(
  'the metrics count {int} pause(s), {int} slow-down(s) and {int} all-clear(s)',
  async function (this: DubbingWorld, pauses: number, slowDowns: number, clears: number) {
    const run = this.broadcast.value;
    const { backpressureEvents: name } = (await this.session.settings()).metrics;
    const counts = ['pause', 'slow_down', 'none'].map((action) => {
      const finding = run.counter(name, { action });
      return observed('metrics of media-service', `${name}{action="${action}"}`, finding).delta;
    });
    expectThat(counts.join() === [pauses, slowDowns, clears].join(), {
      what: 'the metrics count other backpressure events',
      where: `stream ${run.stream}, ${name} by action pause, slow_down, none`,
      seen: counts.join(', '),
      expected: [pauses, slowDowns, clears].join(', '),
    });
  },
);

Then(
  'never more than {int} fragments waited for an answer, and {int} did',
  async function (this: DubbingWorld, most: number, reached: number) {
    const { waits, run } = await findingsOf(this);
    const seen = mostInflight(waits);
    this.log(shownWaits(waits));
    expectThat(seen <= most && seen === reached, {
      what: 'another number of fragments waited at once',
      where: `stream ${run.stream}`,
      seen: `${seen} of ${waits.length}: ${shownWaits(waits)}`,
      expected: `at most ${most}, and ${reached} at least once`,
    });
  },
);

function shownWaits(waits: readonly Wait[]): string {
  const start = waits[0]?.sentAt ?? 0;
  const seconds = (at?: number): string =>
    at === undefined ? '-' : ((at - start) / 1000).toFixed(2);
  return waits
    .map(
      ({ sentAt, endedAt, how }) =>
        `${seconds(sentAt)} to ${seconds(endedAt)} s (${how}), ${inflightAt(waits, sentAt)} waiting`,
    )
    .join('; ');
}

Then(
  'a fragment that had to wait was sent within {duration} of an answer',
  async function (this: DubbingWorld, withinMs: number) {
    const { waits, run } = await findingsOf(this);
    const full = mostInflight(waits);
    // Sent when all places had been taken until then.
    const freed = waits.flatMap(({ sentAt }) => {
      const before = waits.filter(
        (one) => one.sentAt < sentAt && (one.endedAt ?? Infinity) > sentAt - withinMs,
      );
      const freedAt = Math.max(
        ...waits.map(({ endedAt = 0 }) => (endedAt <= sentAt ? endedAt : 0)),
      );
      return before.length >= full && sentAt - freedAt <= withinMs ? [sentAt - freedAt] : [];
    });
    this.log(`sent ${freed.join(', ')} ms after an answer`);
    expectThat(freed.length > 0, {
      what: 'no fragment was sent as soon as a place was free',
      where: `stream ${run.stream}`,
      seen: shownWaits(waits),
      expected: `one sent within ${withinMs} ms of the answer to another, when ${full} were waiting`,
    });
  },
);

Then(
  'the metric of fragments in flight said the same all the time',
  async function (this: DubbingWorld) {
    const found = await findingsOf(this);
    const { inflight: name } = (await this.session.settings()).metrics;
    const wrong: string[] = [];
    const values = new Set<number>();
    for (const { at, samples } of found.run.evidence.metrics) {
      const [seen] = matching(samples, name, { stream_id: found.run.stream });
      if (!seen) continue;
      // The metric is read up to this long after media-service has set it.
      const possible = [0, 100, 200, 300, 400, 500].map((ago) => inflightAt(found.waits, at - ago));
      values.add(seen.value);
      if (!possible.includes(seen.value)) wrong.push(`${seen.value}, not ${possible[0]}`);
    }
    this.log(`values seen: ${[...values].sort().join(', ')}`);
    expectThat(wrong.length === 0 && values.size > 2, {
      what: 'the metric does not say how many fragments are in flight, or was not seen to move',
      where: `stream ${found.run.stream}, ${name}`,
      seen: `values ${[...values].sort().join(', ') || 'none'}; wrong: ${wrong.join('; ') || 'none'}`,
      expected: 'what was waiting between the services at most 0.5 s before',
    });
  },
);

Then(
  'every fragment without an answer was given up {duration} after it was sent, give or take {duration}',
  async function (this: DubbingWorld, wantedMs: number, toleranceMs: number) {
    const found = await findingsOf(this);
    const silent = found.waits.filter(({ how }) => how === 'given up');
    const times = silent.map(({ fragmentId, sentAt }) => found.gaveUpAt(fragmentId) - sentAt);
    this.log(`${times.join(', ')} ms`);
    expectThat(times.length > 0 && times.every((ms) => Math.abs(ms - wantedMs) <= toleranceMs), {
      what: 'fragments were given up at another time',
      where: `stream ${found.run.stream}`,
      seen: times.map((ms) => `${ms} ms`).join(', ') || 'none was given up',
      expected: `${wantedMs} ms, give or take ${toleranceMs} ms`,
    });
  },
);
