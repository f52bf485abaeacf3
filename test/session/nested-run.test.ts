import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type NestedHost, NestedRuns } from '../../support/session/nested-run';

const NO_BROADCAST = { wrong: 'no broadcast', of: '' } as const;
const PORT = { wrong: 'port taken', of: 'STS' } as const;
const RUN = { exitCode: 1, output: '', messagesFile: '', culprit: '', busyShare: 0.5 };

describe('nested runs', () => {
  const host = {} as NestedHost;
  const now = (): Promise<void> => Promise.resolve();

  it('are made once, one at a time', async () => {
    const { signal } = new AbortController();
    const made: string[] = [];
    const runs = new NestedRuns(host, now, signal, async (_host, { wrong }) => {
      made.push(`${wrong} begins`);
      await new Promise((done) => setTimeout(done, 10));
      made.push(`${wrong} ends`);
      return RUN;
    });
    await Promise.all([NO_BROADCAST, PORT, { ...NO_BROADCAST }].map((one) => runs.of(one)));
    expect(made).to.deep.equal([
      ...['no broadcast begins', 'no broadcast ends', 'port taken begins', 'port taken ends'],
    ]);
  });

  it('do not begin once the session ends', async () => {
    const ended = new AbortController();
    let count = 0;
    const runs = new NestedRuns(host, now, ended.signal, () => {
      count += 1;
      ended.abort(new Error('the session is being closed'));
      return Promise.resolve(RUN);
    });
    const [first, second] = await Promise.allSettled([runs.of(NO_BROADCAST), runs.of(PORT)]);
    expect([first.status, second.status, count]).to.deep.equal(['fulfilled', 'rejected', 1]);
  });

  it('do not begin before there is room for them', async () => {
    let give = (): void => undefined;
    const room = new Promise<void>((done) => (give = done));
    let count = 0;
    const { signal } = new AbortController();
    const runs = new NestedRuns(
      host,
      () => room,
      signal,
      () => {
        count += 1;
        return Promise.resolve(RUN);
      },
    );
    const run = runs.of(NO_BROADCAST);
    await new Promise((done) => setTimeout(done, 10));
    expect(count).to.equal(0);
    give();
    await run;
    expect(count).to.equal(1);
  });
});
