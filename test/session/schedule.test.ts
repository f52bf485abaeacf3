import { strict as assert } from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import { mock, suite, test, type TestContext } from 'node:test';

import type { SeenOfMachine } from '../../support/observe/machine';
import { Schedule, Starts } from '../../support/session/schedule';

/** Broadcasts that wait to be told what comes of them. */
interface Broadcast {
  isRead: () => void;
  end: () => void;
  fail: (error: Error) => void;
}

function scheduled(
  count: number,
  signal = new AbortController().signal,
  maxStreams = 10,
): { begun: Broadcast[]; results: Promise<unknown>[] } {
  const schedule = new Schedule(
    signal,
    maxStreams,
    new Starts(
      signal,
      watchWith(() => false),
    ),
  );
  const begun: Broadcast[] = [];
  const results = Array.from({ length: count }, () =>
    schedule.take(
      (isRead) =>
        new Promise<void>((end, fail) => {
          begun.push({ isRead, end, fail });
        }),
    ),
  );
  return { begun, results };
}

/** A machine that keeps the suite waiting, or does not, whatever the one is that these tests run on. */
function watchWith(isKeptWaiting: () => boolean): () => () => SeenOfMachine {
  return () => () => ({ waits: isKeptWaiting() ? [{ at: 0, ms: 400 }] : [], busyShare: undefined });
}

/** Three broadcasts, each to services of its own; tells how many have begun. */
function toThreeServices(watch: ReturnType<typeof watchWith>): () => number {
  const { signal } = new AbortController();
  const starts = new Starts(signal, watch);
  let begun = 0;
  for (const schedule of [0, 1, 2].map(() => new Schedule(signal, 10, starts))) {
    void schedule.take(() => new Promise(() => (begun += 1)));
  }
  return () => begun;
}

async function pass(milliseconds: number): Promise<void> {
  // What follows from a timer is made in steps of promises.
  await setImmediate();
  mock.timers.tick(milliseconds);
  await setImmediate();
}

void suite('the schedule of broadcasts', () => {
  const faked = (t: TestContext): void => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => {
      mock.timers.reset();
    });
  };

  void test('the next begins 2.6 s after the last, when that is being read', async (t) => {
    faked(t);
    const { begun } = scheduled(2);
    await pass(0);
    assert.equal(begun.length, 1);
    begun[0]?.isRead();
    await pass(2599);
    assert.equal(begun.length, 1);
    await pass(1);
    assert.equal(begun.length, 2);
  });

  void test('to other services the next begins no earlier, whatever is read', async (t) => {
    faked(t);
    const begun = toThreeServices(watchWith(() => false));
    await pass(0);
    assert.equal(begun(), 1);
    await pass(2599);
    assert.equal(begun(), 1);
    await pass(1);
    assert.equal(begun(), 2);
    await pass(2600);
    assert.equal(begun(), 3);
  });

  void test('the next begins 2.6 s later while the suite is kept waiting, but not more than five times', async (t) => {
    faked(t);
    let isKeptWaiting = true;
    const begun = toThreeServices(watchWith(() => isKeptWaiting));
    await pass(0);
    await pass(2600);
    assert.equal(begun(), 1);
    isKeptWaiting = false;
    await pass(2600);
    assert.equal(begun(), 2);
    isKeptWaiting = true;
    for (let later = 1; later <= 6; later += 1) {
      assert.equal(begun(), 2);
      await pass(2600);
    }
    assert.equal(begun(), 3);
  });

  void test('one that is not read holds the next back for 3 s', async (t) => {
    faked(t);
    const { begun } = scheduled(2);
    await pass(2999);
    assert.equal(begun.length, 1);
    await pass(1);
    assert.equal(begun.length, 2);
  });

  void test('nothing begins any more, and at once, when the session is closed', async (t) => {
    faked(t);
    const closed = new AbortController();
    const { begun, results } = scheduled(4, closed.signal);
    await pass(0);
    closed.abort(new Error('closed'));
    for (const result of results.slice(1)) await assert.rejects(result, /closed/);
    assert.equal(begun.length, 1);
  });

  void test('the eleventh waits until one of ten is over, however it ends', async (t) => {
    faked(t);
    const { begun, results } = scheduled(12);
    for (let second = 0; second < 60; second += 1) await pass(1000);
    assert.equal(begun.length, 10);
    begun[3]?.fail(new Error('nothing was heard'));
    await assert.rejects(results[3] ?? Promise.resolve(), /nothing was heard/);
    await pass(1000);
    assert.equal(begun.length, 11);
    for (let second = 0; second < 60; second += 1) await pass(1000);
    assert.equal(begun.length, 11);
    begun[10]?.end();
    await results[10];
    await pass(1000);
    assert.equal(begun.length, 12);
  });

  void test('with one stream each begins when the one before is over, in the order asked for', async (t) => {
    faked(t);
    const { begun, results } = scheduled(3, undefined, 1);
    for (let ended = 0; ended < 3; ended += 1) {
      for (let second = 0; second < 60; second += 1) await pass(1000);
      assert.equal(begun.length, ended + 1);
      begun[ended]?.end();
      await results[ended];
    }
  });

  void test('what allows more at a time than there are streams waits all the same', async (t) => {
    faked(t);
    const schedule = new Schedule(new AbortController().signal, 1);
    const begun: string[] = [];
    const never = (name: string) => (): Promise<void> => {
      begun.push(name);
      return new Promise(() => undefined);
    };
    void schedule.take(never('first'), 2);
    void schedule.take(never('second'), 2);
    for (let second = 0; second < 60; second += 1) await pass(1000);
    assert.deepEqual(begun, ['first']);
  });
});
