import { Then } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { findingsOf } from './resilience';

Then(
  'it tried to connect again after {int}, {int}, {int}, {int} and {int} seconds, give or take {int} percent',
  async function (
    this: DubbingWorld,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    percent: number,
  ) {
    const { reconnections, run } = await findingsOf(this);
    const wanted = [a, b, c, d, e];
    const table = reconnections.map(
      ({ afterMs, isRefused }, i) =>
        `${(afterMs / 1000).toFixed(2)} s (${wanted[i] ?? 'none'}), ${isRefused ? 'refused' : 'accepted'}`,
    );
    this.log(table.join('\n'));
    const isFine = reconnections.every(({ afterMs }, i) => {
      const seconds = wanted[i] ?? NaN;
      return Math.abs(afterMs / 1000 - seconds) <= (seconds * percent) / 100;
    });
    expectThat(reconnections.length === wanted.length && isFine, {
      what: 'it tried at other times, or another number of times',
      where: `stream ${run.stream}, seen at the relay`,
      seen: table.join('; ') || 'no try',
      expected: `${wanted.join(', ')} s, give or take ${percent} percent, and no further try`,
    });
  },
);

Then(
  'it was connected again at its first try, {duration} later, give or take {int} percent',
  async function (this: DubbingWorld, wantedMs: number, percent: number) {
    const { reconnections, run } = await findingsOf(this);
    const [first] = reconnections;
    const table = reconnections.map(
      ({ afterMs, isRefused }) => `${afterMs} ms, ${isRefused ? 'refused' : 'accepted'}`,
    );
    this.log(table.join('; '));
    const isInTime = first && Math.abs(first.afterMs - wantedMs) <= (wantedMs * percent) / 100;
    expectThat(isInTime === true && !first.isRefused && reconnections.length === 1, {
      what: 'it was not connected again at its first try',
      where: `stream ${run.stream}, seen at the relay`,
      seen: table.join('; ') || 'no try',
      expected: `one try after ${wantedMs} ms, give or take ${percent} percent`,
    });
  },
);

Then(
  'the stream was initialised again, and its fragments counted from 0 again',
  async function (this: DubbingWorld) {
    const { run } = await findingsOf(this);
    const inits = run.events('event', 'stream:init');
    const sent = run.sent.filter(({ connection }) => connection === inits[1]?.connection);
    const numbers = sent.map(({ data }) => data.sequence_number);
    const isCounted = numbers.every((number, i) => number === i);
    this.log(`after the second stream:init: ${numbers.join(', ')}`);
    expectThat(inits.length === 2 && numbers.length > 0 && isCounted, {
      what: 'the stream was not initialised again, or fragments are counted on',
      where: `stream ${run.stream}`,
      seen: `${inits.length} stream:init; sequence numbers after the second: ${numbers.join(', ') || 'none'}`,
      expected: '2 stream:init, then 0, 1, 2 …',
    });
  },
);

Then(
  'each of them begins at a mark of {int} seconds',
  async function (this: DubbingWorld, seconds: number) {
    const { run } = await findingsOf(this);
    const times = run.sent.map(({ data }) => data.timestamp);
    expectThat(times.length > 0 && times.every((ms) => ms % (1000 * seconds) === 0), {
      what: 'a fragment does not begin where a segment does',
      where: `stream ${run.stream}`,
      seen: times.map((ms) => `${ms} ms`).join(', ') || 'none was sent',
      expected: `multiples of ${1000 * seconds} ms`,
    });
  },
);

Then(
  'the fragment in flight was given up within {duration} of the loss',
  async function (this: DubbingWorld, withinMs: number) {
    const found = await findingsOf(this);
    const lost = found.waits.filter(({ how }) => how === 'connection lost');
    const times = lost.map(({ fragmentId, endedAt = NaN }) => found.gaveUpAt(fragmentId) - endedAt);
    this.log(`${times.join(', ')} ms`);
    expectThat(times.length === 1 && times.every((ms) => Math.abs(ms) <= withinMs), {
      what: 'the fragment in flight was not given up at once',
      where: `stream ${found.run.stream}`,
      seen:
        times.map((ms) => `${ms} ms`).join(', ') ||
        'no fragment was in flight when the connection was lost',
      expected: `one, within ${withinMs} ms`,
    });
  },
);

Then('the metrics count {int} reconnection(s)', async function (this: DubbingWorld, count: number) {
  const run = this.broadcast.value;
  const { reconnections: name } = (await this.session.settings()).metrics;
  const { delta } = observed('metrics of media-service', name, run.counter(name));
  expectThat(delta === count, {
    what: 'the metrics count another number of reconnections',
    where: `stream ${run.stream}, ${name}`,
    seen: String(delta),
    expected: String(count),
  });
});

Then(
  'it was connected again {duration} or less after that',
  async function (this: DubbingWorld, withinMs: number) {
    const { events, run } = await findingsOf(this);
    const fault = events.find(({ kind, payload }) => kind === 'fault' && isSilence(payload));
    const again = events.find(({ kind, at }) => kind === 'open' && at > (fault?.at ?? Infinity));
    const tookMs = (again?.at ?? NaN) - (fault?.at ?? NaN);
    this.log(`${tookMs} ms`);
    expectThat(tookMs <= withinMs, {
      what: 'the silent connection was not replaced in time',
      where: `stream ${run.stream}`,
      seen: again ? `${tookMs} ms` : `no further connection: ${run.evidence.run.outcome}`,
      expected: `at most ${withinMs} ms`,
    });
  },
);

function isSilence(payload: unknown): boolean {
  return String((payload as { fault?: unknown }).fault).includes('nothing arrives');
}

Then(
  'its worker ended with an exit code other than 0, and the log says so',
  async function (this: DubbingWorld) {
    const found = await findingsOf(this);
    const { exitCode } = observed(`stream ${found.run.stream}`, 'an exit code', found.exitCode);
    this.log(`exit code ${exitCode}`);
    expectThat(exitCode !== 0, {
      what: 'the worker ended as if all was well',
      where: `media-service.log, stream ${found.run.stream}`,
      seen: `exit code ${exitCode}`,
      expected: 'another exit code than 0',
    });
  },
);
