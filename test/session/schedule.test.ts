import { strict as assert } from 'node:assert';
import { setImmediate } from 'node:timers/promises';
import { mock, suite, test, type TestContext } from 'node:test';

import type { SeenOfMachine } from '../../support/observe/machine';
import {
  forecast,
  type Load,
  nextOf,
  type OnAir,
  Schedule,
  Starts,
} from '../../support/session/schedule';

/** Broadcasts that wait to be told what comes of them. */
interface Broadcast {
  isRead: () => void;
  isPublished: () => void;
  end: () => void;
  fail: (error: Error) => void;
}

const load = (processors: number, share = 0, set = 'dual'): Load => ({
  ...{ processors, set, share, tail: { processors, share: 0 } },
});
const RUNNING = Promise.resolve('services');

function scheduled(
  loads: readonly Load[],
  signal = new AbortController().signal,
): { begun: Broadcast[]; results: Promise<unknown>[]; schedule: Schedule } {
  const starts = new Starts(
    signal,
    watchWith(() => false),
  );
  const schedule = new Schedule(signal, 2, starts);
  const begun: Broadcast[] = [];
  const results = loads.map((one) =>
    schedule.take(
      one,
      RUNNING,
      (_services, { onIngested: isRead, onPublished: isPublished }) =>
        new Promise<void>((end, fail) => {
          begun.push({ isRead, isPublished, end, fail });
        }),
    ),
  );
  return { begun, results, schedule };
}

/** A machine that keeps the suite waiting, or does not, whatever the one is that these tests run on. */
function watchWith(isKeptWaiting: () => boolean): () => () => SeenOfMachine {
  return () => () => ({ waits: isKeptWaiting() ? [{ at: 0, ms: 400 }] : [], busyShare: undefined });
}

/** Three broadcasts, each to services of its own; tells how many have begun. */
function toThreeServices(watch: ReturnType<typeof watchWith>): () => number {
  const { signal } = new AbortController();
  const schedule = new Schedule(signal, 2, new Starts(signal, watch));
  let begun = 0;
  for (const set of ['dual', 'echo', 'own']) {
    void schedule.take(load(0.2, 0, set), RUNNING, () => new Promise(() => (begun += 1)));
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
    const { begun } = scheduled([load(0.2), load(0.2)]);
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

  void test('those of a block begin one after the other and in time, whatever waits and whatever the suite waits for', async (t) => {
    faked(t);
    const { signal } = new AbortController();
    const starts = new Starts(
      signal,
      watchWith(() => true),
    );
    const schedule = new Schedule(signal, 2, starts);
    const begun: string[] = [];
    const take = (set: string, nextWithinMs?: number): void => {
      const one = { ...load(0.2, 0, set), ...(nextWithinMs === undefined ? {} : { nextWithinMs }) };
      void schedule.take(one, RUNNING, (_services, { onIngested }) => {
        begun.push(set);
        onIngested();
        return new Promise(() => undefined);
      });
    };
    take('block', 4000);
    take('block', 4000);
    take('block');
    await pass(0);
    take('other');
    assert.deepEqual(begun, ['block']);
    await pass(2600);
    await pass(1399);
    assert.deepEqual(begun, ['block']);
    await pass(1);
    assert.deepEqual(begun, ['block', 'block']);
    await pass(2600);
    await pass(1400);
    assert.deepEqual(begun, ['block', 'block', 'block']);
    for (let later = 1; later <= 6; later += 1) {
      assert.equal(begun.length, 3);
      await pass(2600);
    }
    assert.deepEqual(begun, ['block', 'block', 'block', 'other']);
  });

  void test('one that is not read holds the next back for 3 s', async (t) => {
    faked(t);
    const { begun } = scheduled([load(0.2), load(0.2)]);
    await pass(2999);
    assert.equal(begun.length, 1);
    await pass(1);
    assert.equal(begun.length, 2);
  });

  void test('nothing begins any more, and at once, when the session is closed', async (t) => {
    faked(t);
    const closed = new AbortController();
    const { begun, results } = scheduled(Array<Load>(4).fill(load(0.2)), closed.signal);
    await pass(0);
    closed.abort(new Error('closed'));
    for (const result of results.slice(1)) await assert.rejects(result, /closed/);
    assert.equal(begun.length, 1);
  });

  void test('what shall not begin any more is refused, whatever becomes of its services', async () => {
    const { schedule } = scheduled([], AbortSignal.abort(new Error('closed')));
    // Left alone, it would end this process.
    const failed = Promise.reject(new Error('the port is taken'));
    for (const ready of [RUNNING, failed]) {
      await assert.rejects(
        schedule.take(load(0.2), ready, () => assert.fail('it has begun')),
        /closed/,
      );
    }
  });

  void test('one that finds no room waits until another is over, however that ends', async (t) => {
    faked(t);
    const { begun, results } = scheduled(Array.from({ length: 12 }, () => load(0.2)));
    const wait = async (): Promise<void> => {
      for (let second = 0; second < 60; second += 1) await pass(1000);
    };
    await wait();
    assert.equal(begun.length, 10);
    begun[3]?.fail(new Error('nothing was heard'));
    await assert.rejects(results[3] ?? Promise.resolve(), /nothing was heard/);
    await wait();
    assert.equal(begun.length, 11);
    begun[10]?.end();
    await results[10];
    await wait();
    assert.equal(begun.length, 12);
  });

  void test('with one stream each begins when the one before is over, in the order asked for', async (t) => {
    faked(t);
    const { begun, results } = scheduled([1, 2, 3].map(() => load(0.2, 1)));
    for (let ended = 0; ended < 3; ended += 1) {
      for (let second = 0; second < 60; second += 1) await pass(1000);
      assert.equal(begun.length, ended + 1);
      begun[ended]?.end();
      await results[ended];
    }
  });

  void test('the next may begin when the one before is published, where services take more streams than one', async (t) => {
    faked(t);
    const one = load(0.8, 1);
    for (const { share, processors, count } of [
      { share: 0, processors: 0.2, count: 2 },
      { share: 1, processors: 0.2, count: 1 },
      { share: 0, processors: 1.3, count: 1 },
    ]) {
      const { begun } = scheduled([1, 2].map(() => ({ ...one, tail: { share, processors } })));
      await pass(10_000);
      assert.equal(begun.length, 1);
      begun[0]?.isPublished();
      await pass(2600);
      assert.equal(begun.length, count);
    }
  });

  void test('one that has failed takes nothing, although its publisher ends after it', async (t) => {
    faked(t);
    const { begun, results } = scheduled([load(2), load(2), load(2)]);
    await pass(0);
    begun[0]?.fail(new Error('it could not be observed'));
    await assert.rejects(results[0] ?? Promise.resolve(), /could not be observed/);
    begun[0]?.isPublished();
    for (let second = 0; second < 10; second += 1) await pass(1000);
    assert.equal(begun.length, 2);
    begun[1]?.end();
    await results[1];
    for (let second = 0; second < 10; second += 1) await pass(1000);
    assert.equal(begun.length, 3);
  });

  void test('have as much room, and begin as far apart, as it is told', async (t) => {
    faked(t);
    const { begun, schedule } = scheduled(
      ['first', 'second', 'third'].map((set) => load(0.6, 0, set)),
    );
    schedule.fit({ processors: 1.2, startEveryMs: 3400 });
    await pass(3399);
    assert.equal(begun.length, 1);
    await pass(1);
    assert.equal(begun.length, 2);
    await pass(34_000);
    assert.equal(begun.length, 2);
    begun[0]?.end();
    await pass(3400);
    assert.equal(begun.length, 3);
  });

  void test('whose services do not start takes no room from others', async (t) => {
    faked(t);
    const schedule = new Schedule(new AbortController().signal, 2);
    let start = (): void => undefined;
    let fail: (error: Error) => void = () => undefined;
    const ready = new Promise<string>((done, failed) => {
      start = () => done('services');
      fail = failed;
    });
    const begun: string[] = [];
    const taken: Promise<unknown>[] = ['first', 'second'].map((name, index) =>
      schedule.take(load(2), index === 0 ? ready : RUNNING, () => {
        begun.push(name);
        return Promise.resolve();
      }),
    );
    await pass(10_000);
    assert.deepEqual(begun, []);
    fail(new Error('the port is taken'));
    await assert.rejects(taken[0] ?? Promise.resolve(), /the port is taken/);
    start();
    await pass(0);
    assert.deepEqual(begun, ['second']);
  });

  void test('what a scenario waits for comes before what nobody waits for', async (t) => {
    faked(t);
    const { begun, schedule } = scheduled([load(2), load(2)]);
    await pass(0);
    const names: string[] = [];
    const urgent = schedule.take(
      load(2),
      RUNNING,
      () => {
        names.push(`after ${begun.length}`);
        return Promise.resolve();
      },
      true,
    );
    begun[0]?.end();
    for (let second = 0; second < 10; second += 1) await pass(1000);
    await urgent;
    assert.deepEqual(names, ['after 1']);
  });
});

void suite('what may begin', () => {
  const waiting = (one: Load, isReady = true): { load: Load; isReady: boolean } => ({
    load: one,
    isReady,
  });
  const indexOf = (
    all: ReturnType<typeof waiting>[],
    onAir: readonly (Omit<OnAir, 'isEnding'> & Partial<OnAir>)[],
  ): number => {
    const taken = onAir.map((one) => ({ isEnding: false, ...one }));
    const next = nextOf(all, taken, 2);
    return next ? all.indexOf(next) : -1;
  };

  void test('is the first one, where there is room', () => {
    assert.equal(indexOf([waiting(load(0.8)), waiting(load(0.2))], []), 0);
    assert.equal(indexOf([waiting(load(0.8))], [load(1.2)]), 0);
    assert.equal(indexOf([waiting(load(0.8))], [load(1.21)]), -1);
  });

  void test('is what wants more than there is, alone', () => {
    assert.equal(indexOf([waiting(load(3))], []), 0);
    assert.equal(indexOf([waiting(load(3))], [load(0.2)]), -1);
  });

  void test('is nothing that would keep one from its processors', () => {
    assert.equal(indexOf([waiting(load(1.8)), waiting(load(0.2))], [load(0.8)]), -1);
  });

  void test('may be one of a block, whose first has what all of them take', () => {
    const all = [waiting(load(0.8, 1)), waiting(load(0.2)), waiting(load(0, 0.1, 'echo'))];
    assert.equal(indexOf(all, [load(1.3, 0.9, 'echo')]), 2);
    assert.equal(indexOf(all, [load(1.3, 1, 'echo')]), -1);
    const block = [waiting(load(1.3, 0.1, 'echo')), waiting(load(0, 0.1, 'echo'))];
    assert.equal(indexOf(block, [load(0.8)]), -1);
    assert.equal(indexOf([waiting(load(0.8), false), ...all], [load(1.3, 0.9, 'echo')]), 3);
  });

  void test('passes those whose services are taken, but none of the same services', () => {
    const onAir = [load(0.8, 1)];
    const all = [waiting(load(0.8, 1)), waiting(load(0.4, 0.25)), waiting(load(0.2, 0, 'echo'))];
    assert.equal(indexOf(all, onAir), 2);
    assert.equal(indexOf(all.slice(1), [load(0.4, 0.25), load(0.4, 0.25)]), 0);
    assert.equal(indexOf(all.slice(1), Array<Load>(4).fill(load(0.2, 0.25))), 1);
  });

  void test('leaves those their processors whose services are being given back', () => {
    const tail = { processors: 0.2, share: 0.1, set: 'dual', isEnding: true };
    const small = waiting(load(0.2, 0, 'echo'));
    const block = waiting(load(1.3, 0, 'echo'));
    const all = [waiting(load(0.8, 1)), waiting(load(0.8, 1))];
    assert.equal(indexOf([...all, small], [tail]), 2);
    assert.equal(indexOf([...all, block], [tail]), -1);
    assert.equal(indexOf([...all, block], [{ ...tail, isEnding: false }]), 2);
    assert.equal(indexOf([...all, block], [{ ...tail, share: 0 }]), 0);
  });

  void test('leaves room for those whose services start', () => {
    const all = [waiting(load(0.8, 1), false), waiting(load(0.2, 0, 'echo'))];
    assert.equal(indexOf(all, [load(1)]), 1);
    assert.equal(indexOf(all, [load(1.2)]), -1);
  });
});

void suite('the forecast', () => {
  void test('says when each broadcast begins and ends', () => {
    const one = (
      seconds: number,
      ...of: Parameters<typeof load>
    ): Parameters<typeof forecast>[0][number] => ({
      ...{ seconds, tailSeconds: 0, load: load(...of) },
    });
    assert.deepEqual(
      forecast(
        [one(60, 0.8, 1), one(30, 0.8, 1), one(20, 0.2, 0, 'echo'), one(10, 1.8, 0, 'echo')],
        2,
      ),
      [
        { begins: 0, ends: 60 },
        { begins: 60, ends: 90 },
        { begins: 2.6, ends: 22.6 },
        { begins: 90, ends: 100 },
      ],
    );
    const later = forecast([one(60, 0.8, 1), one(20, 0.2, 0, 'echo')], 2, 3400);
    assert.deepEqual(later[1], { begins: 3.4, ends: 23.4 });
    assert.deepEqual(forecast([], 2), []);
  });

  void test('knows that less is taken after a broadcast is published', () => {
    const tail = { processors: 0.2, share: 0.1 };
    const lasting = { seconds: 73, tailSeconds: 13, load: { ...load(0.8, 1), tail } };
    const other = { seconds: 20, tailSeconds: 0, load: load(1.5, 0, 'echo') };
    assert.deepEqual(forecast([lasting, other], 2), [
      { begins: 0, ends: 73 },
      { begins: 60, ends: 80 },
    ]);
  });
});
