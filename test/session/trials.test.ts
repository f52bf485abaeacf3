import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';

import type { SecondServices } from '../../support/session/services';
import { RequestDraft } from '../../support/session/plan';
import { HELLO, keyOf, type TrialRequest, watched } from '../../support/session/trial-request';
import { type TrialHost, Trials } from '../../support/session/trials';

/** What stands for the services: their health address is a server of the test. */
interface Bench {
  host: TrialHost;
  started: TrialRequest['variables'][];
  /** Which of them yield to broadcasts. */
  yielding: (boolean | undefined)[];
  stopped: number;
  mostAtOnce: number;
  /** Its service ends. */
  end: () => void;
}

describe('trials', () => {
  let server: Server;
  let url = '';
  let asked = 0;
  /** What it answers to each question, the last of them for good. */
  let answers: string[] = [];
  before(async () => {
    server = createServer((_request, response) => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      response.writeHead(503).end(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  });
  after(() => server.close());

  /** How long a reason has to stay the same, in these tests. */
  const STAYS_MS = 300;
  const answering = (...all: string[]): void => {
    answers = all;
    asked = 0;
  };

  function bench(health: string, state: 'running' | 'exited' = 'running'): Bench {
    let running = 0;
    let now: string = state;
    const seen: Bench = {
      ...{ host: undefined as never, started: [], yielding: [], stopped: 0, mostAtOnce: 0 },
      end: () => (now = 'exited'),
    };
    const composition = { project: 'test', health: new Map([['sts', health]]) };
    const media = { ...composition };
    const manager = {
      ...{ sts: composition, media },
      start: (
        started: typeof composition,
        options: { untilHealthy?: boolean; isAside?: boolean },
      ) => {
        seen.yielding.push(options.isAside);
        expect(options.untilHealthy).to.equal(started === media);
        running += 1;
        seen.mostAtOnce = Math.max(seen.mostAtOnce, running);
        return Promise.resolve();
      },
      stopAll: () => {
        running -= 1;
        seen.stopped += 1;
        return Promise.resolve();
      },
      runtime: {
        ps: () => Promise.resolve([{ service: 'sts', state: now, startedAt: 0 }]),
        logs: () => Promise.resolve('its log'),
      },
    };
    const service = { name: 'sts', health, url: health };
    const settings = { services: { sts: service, mediaService: service } };
    seen.host = {
      ...{ quiet: () => Promise.resolve(), whenRoom: () => Promise.resolve() },
      isOnAir: () => false,
      withVariables: (_suffix, variables) => {
        seen.started.push(variables);
        return Promise.resolve({ manager, settings } as unknown as SecondServices);
      },
      fixture: () => expect.fail('nothing is sent'),
      ...{ login: undefined, track: () => () => undefined },
      signal: new AbortController().signal,
    };
    return seen;
  }

  const request = (value: string, asks = HELLO): TrialRequest => ({
    ...{ composition: 'sts', variables: { ASR_MODEL: value }, values: [value], asked: asks },
  });

  const withInflight = (MAX_INFLIGHT: string): TrialRequest => {
    const one = request('small');
    return { ...one, variables: { ...one.variables, MAX_INFLIGHT } };
  };

  it('wait for the reason that names the value, and stop what they have started', async () => {
    const seen = bench(url);
    answering('loading', 'loading', 'ASR_MODEL: no small at hand');
    const trial = await new Trials(seen.host, STAYS_MS).of(request('small'));
    expect(trial.health.body).to.equal('ASR_MODEL: no small at hand');
    expect(trial.tookMs).to.be.within(STAYS_MS, 10_000);
    expect(trial).to.include({ hasEnded: false, log: 'its log', where: 'test/sts' });
    expect(seen.stopped).to.equal(1);
  });

  it('are one at a time while broadcasts are on the air, and all when those are over', async () => {
    const seen = bench('http://127.0.0.1:9/health');
    let over = (): void => undefined;
    let isOnAir = true;
    const quiet = new Promise<void>((done) => (over = done)).then(() => void (isOnAir = false));
    const trials = new Trials({ ...seen.host, quiet: () => quiet, isOnAir: () => isOnAir });
    const names = ['a', 'b', 'c', 'd'];
    const [first, ...rest] = names.map((one) => trials.of(request(one, watched(200))));
    await first;
    expect(seen).to.include({ mostAtOnce: 1, stopped: 1 });
    over();
    await Promise.all(rest);
    expect(seen).to.include({ mostAtOnce: 2, stopped: 4 });
    expect(seen.started.map((variables) => variables['ASR_MODEL'])).to.deep.equal(names);
    // The second may have begun before they were over.
    expect(seen.yielding).to.have.length(4);
    expect(seen.yielding[0]).to.equal(true);
    expect(seen.yielding.slice(2)).to.deep.equal([false, false]);
    // Nothing is beside it any more.
    await trials.of(request('e', watched(200)));
    expect(seen.yielding[4]).to.equal(false);
  });

  it('do not begin beside broadcasts for which there is hardly room', async () => {
    const seen = bench('http://127.0.0.1:9/health');
    let over = (): void => undefined;
    const quiet = new Promise<void>((done) => (over = done));
    const trials = new Trials({ ...seen.host, quiet: () => quiet, whenRoom: () => quiet });
    const all = ['a', 'b'].map((one) => trials.of(request(one, watched(200))));
    await new Promise((done) => setTimeout(done, 50));
    expect(seen.started).to.be.empty;
    over();
    await Promise.all(all);
    expect(seen).to.include({ mostAtOnce: 2, stopped: 2 });
  });

  it('begin beside one that says what it cannot have, while broadcasts are on the air', async () => {
    const seen = bench(url);
    answering('ASR_MODEL: no small at hand');
    const trials = new Trials(
      { ...seen.host, quiet: () => new Promise(() => undefined) },
      STAYS_MS,
    );
    await Promise.all(['1', '2'].map((MAX_INFLIGHT) => trials.of(withInflight(MAX_INFLIGHT))));
    expect(seen).to.include({ mostAtOnce: 2, stopped: 2 });
  });

  it('wait on while a service that names its settings is loading, or says something else', async () => {
    const config = { config: { ASR_MODEL: 'small' } };
    const loading = JSON.stringify({ status: 'loading', ...config });
    const changing = [1, 2, 3, 4, 5, 6].map((n) => `small is not at hand yet: try ${n}`);
    answering(...Array.from({ length: 6 }, () => loading), ...changing, 'no small');
    const trial = await new Trials(bench(url).host, STAYS_MS).of(request('small'));
    expect(trial.health.body).to.equal('no small');
    expect(asked).to.be.greaterThan(13);
  });

  it('never give up early where nothing that may be missing is named', async () => {
    // With a setting in its answer, and not healthy for longer than a reason has to stay the same.
    const waiting = JSON.stringify({ status: 'unavailable', MAX_INFLIGHT: 3, DEVICE: 'cpu' });
    for (const variables of [{ MAX_INFLIGHT: '3' }, { DEVICE: 'cpu' }, { LOG_LEVEL: 'INFO' }]) {
      answering(waiting);
      const values = Object.values<string>(variables);
      const one: TrialRequest = { ...request(''), variables, values };
      const seen = bench(url);
      const running = new Trials(seen.host, STAYS_MS).of(one);
      await new Promise((done) => setTimeout(done, 3 * STAYS_MS));
      expect(seen.stopped, JSON.stringify(variables)).to.equal(0);
      // As if it had ended.
      seen.end();
      expect((await running).hasEnded).to.equal(true);
    }
  });

  it('are made once for equal requests, two at a time', async () => {
    const seen = bench('http://127.0.0.1:9/health');
    const trials = new Trials(seen.host);
    const requests = ['a', 'b', 'c', 'a'].map((value) => request(value, watched(200)));
    const [first, , , again] = await Promise.all(requests.map((one) => trials.of(one)));
    expect(first).to.deep.equal(again);
    expect(seen.started.map((variables) => variables['ASR_MODEL'])).to.deep.equal(['a', 'b', 'c']);
    expect(seen).to.include({ mostAtOnce: 2, stopped: 3 });
    expect(first?.health.status).to.equal(undefined);
  });

  it('begin beside those that say what they cannot have, four in all', async () => {
    const seen = bench(url);
    answering('ASR_MODEL: no small at hand');
    const trials = new Trials(seen.host, STAYS_MS);
    const requests = ['1', '2', '3', '4', '5', '6'].map(withInflight);
    const all = await Promise.all(requests.map((one) => trials.of(one)));
    expect(seen).to.include({ mostAtOnce: 4, stopped: 6 });
    for (const { tookMs } of all) expect(tookMs).to.be.within(STAYS_MS, 10_000);
  });

  it('notice at once that a service has ended', async () => {
    const trial = await new Trials(bench('http://127.0.0.1:9/health', 'exited').host).of(
      request('small'),
    );
    expect(trial.hasEnded).to.equal(true);
    expect(trial.tookMs).to.be.below(5000);
  });

  it('have the usual values of a scenario, and those that it names', () => {
    const draft = new RequestDraft();
    draft.usualVariables('sts', [
      ['LOG_LEVEL', 'INFO'],
      ['DEVICE', 'cpu'],
    ]);
    const [info, debug] = ['INFO', 'DEBUG'].map((level) =>
      draft.addTrial('sts', { LOG_LEVEL: level }),
    );
    expect(debug?.variables).to.deep.equal({ LOG_LEVEL: 'DEBUG', DEVICE: 'cpu' });
    expect(debug?.values).to.deep.equal(['DEBUG']);
    const device = draft.addTrial('sts', { DEVICE: 'cpu' });
    expect(info && keyOf(info)).to.equal(keyOf(device));
    const media = draft.addTrial('media', { LOG_LEVEL: 'INFO' });
    expect(media.variables).to.deep.equal({ LOG_LEVEL: 'INFO' });
    expect(draft.trials).to.have.length(4);
  });
});
