import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { type BroadcastRequest, requestOf } from '../../support/broadcast/request';
import { NotObserved } from '../../support/base/errors';
import { type AnyCriterion, assessed } from '../../support/checks/criterion';
import { MeasuredAhead } from '../../support/session/measured-ahead';
import { type PlannedMeasurement, RequestDraft } from '../../support/session/plan';

const [first, second] = [requestOf(), requestOf({ fixture: 'one-minute-nfl' })];

/** Notes what is measured; each ends when it is told to. */
class Bench {
  readonly seen: string[] = [];
  readonly closing = new AbortController();
  #endings = new Map<string, () => void>();
  #beQuiet: () => void = () => undefined;
  readonly #quiet = new Promise<void>((quiet) => (this.#beQuiet = quiet));

  begin(planned: readonly PlannedMeasurement[], notDubbed?: BroadcastRequest): Promise<void> {
    const host = {
      ...{ quiet: () => this.#quiet, signal: this.closing.signal },
      dub: (request: BroadcastRequest): Promise<BroadcastFindings> =>
        request === notDubbed
          ? Promise.reject(new Error('not dubbed'))
          : Promise.resolve(this.#broadcastOf(request)),
    };
    const ahead = new MeasuredAhead(host, () => planned);
    void ahead.begin();
    return ahead.begin();
  }

  #broadcastOf({ fixture }: BroadcastRequest): BroadcastFindings {
    const stream = fixture ?? 'usual';
    const rest = (): Promise<void> => {
      this.seen.push(`${stream} rests`);
      return Promise.resolve();
    };
    return { stream, rest } as unknown as BroadcastFindings;
  }

  criterion(id: string): AnyCriterion<BroadcastFindings> {
    return criterionThat(id, ({ stream }) => {
      this.seen.push(`${id} of ${stream}`);
      return new Promise<void>((done) => this.#endings.set(id, done));
    });
  }

  /** More than are measured at a time. */
  get three(): PlannedMeasurement[] {
    return [
      { request: first, criterion: this.criterion('heard') },
      { request: first, criterion: this.criterion('spoken') },
      { request: second, criterion: this.criterion('understood') },
    ];
  }

  async beQuiet(): Promise<void> {
    this.#beQuiet();
    await turn();
  }

  async end(id: string): Promise<void> {
    this.#endings.get(id)?.();
    await turn();
  }
}

function criterionThat(
  id: string,
  measure: (broadcast: BroadcastFindings) => Promise<void>,
): AnyCriterion<BroadcastFindings> {
  const texts = { id, title: id, failure: id, where: () => id };
  return { ...texts, measure, assess: () => assessed(true, '', '') };
}

function unobservable(id: string): AnyCriterion<BroadcastFindings> {
  return criterionThat(id, () => {
    throw new NotObserved({ what: id, where: '', seen: '', expected: '' });
  });
}

describe('what takes long to measure', () => {
  it('is measured once nothing is on the air, two at a time, in the order of the scenarios', async () => {
    const bench = new Bench();
    const all = bench.begin(bench.three);
    await turn();
    expect(bench.seen).to.deep.equal([]);
    await bench.beQuiet();
    expect(bench.seen).to.deep.equal(['heard of usual', 'spoken of usual']);
    await bench.end('spoken');
    expect(bench.seen.slice(2)).to.deep.equal(['usual rests', 'understood of one-minute-nfl']);
    await bench.end('understood');
    await bench.end('heard');
    await all;
    expect(bench.seen.slice(4)).to.deep.equal(['one-minute-nfl rests', 'usual rests']);
  });

  it('is left to its scenario where it cannot be measured, or its broadcast was not dubbed', async () => {
    const bench = new Bench();
    const planned = [
      { request: first, criterion: unobservable('nobody speaks') },
      { request: second, criterion: bench.criterion('never') },
      { request: first, criterion: bench.criterion('heard') },
    ];
    const all = bench.begin(planned, second);
    await bench.beQuiet();
    expect(bench.seen).to.deep.equal(['usual rests', 'heard of usual']);
    await bench.end('heard');
    await all;
  });

  it('ends with the session', async () => {
    const bench = new Bench();
    const all = bench.begin(bench.three);
    await bench.beQuiet();
    bench.closing.abort();
    await bench.end('heard');
    await bench.end('spoken');
    await all;
    expect(bench.seen).to.deep.equal([
      ...['heard of usual', 'spoken of usual', 'usual rests', 'usual rests'],
    ]);
  });

  it('is measured of the first broadcast of its scenario, and of none where there is none', () => {
    const heard = new Bench().criterion('heard');
    const draft = new RequestDraft();
    draft.measures(heard);
    expect(draft.measured).to.deep.equal([]);
    const request = draft.complete({ fixture: 'one-minute-nfl' });
    draft.addOther({ fixture: 'hello-world' });
    expect(draft.measured).to.deep.equal([{ request, criterion: heard }]);
  });
});
