import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type BroadcastRequest, requestOf } from '../../support/broadcast/request';
import { projectRoot, readConfig } from '../../support/config';
import { type BroadcastHost, Broadcasts } from '../../support/session/broadcasts';
import { Schedule } from '../../support/session/schedule';
import type { Services } from '../../support/session/services';

const FIRST = requestOf({ fixture: '1-min-nfl' });
const [USUAL, SHORT] = [6, 2].map((echoSegmentSeconds) =>
  requestOf({ fixture: '90-s-tones', composition: { echoSegmentSeconds } }),
) as [BroadcastRequest, BroadcastRequest];

interface Start {
  services: Promise<Services>;
  succeed: (services: Services) => void;
  fail: (why: Error) => void;
}

function start(): Start {
  const found: Partial<Start> = {};
  const services = new Promise<Services>((succeed, fail) =>
    Object.assign(found, { succeed, fail }),
  );
  return Object.assign(found, { services }) as Start;
}

describe('the first broadcast of a run', () => {
  it('has the machine to itself until it is read, or over; the others begin when all services run', async () => {
    const ended = new AbortController();
    /** By composition, in the order in which they were asked for. */
    const asked = new Map<unknown, Start>();
    let begun = 0;
    const config = readConfig({ FIXTURE_SCRIPT: `${projectRoot}/fixtures/1-min-nfl.yaml` });
    const room = { config, maxStreams: 10, processors: 2, startEveryMs: 0 };
    const host: BroadcastHost = {
      config,
      servicesFor: ({ composition }) => {
        const started = asked.get(composition) ?? start();
        asked.set(composition, started);
        return started.services;
      },
      settings: () => Promise.resolve(config.settings('127.0.0.1')),
      room: () => Promise.resolve(room),
      track: () => () => undefined,
      signal: ended.signal,
      schedule: new Schedule(ended.signal),
      begins: () => (begun += 1),
      withFolder: () => Promise.reject(new Error('nothing is composed')),
    };
    const broadcasts = new Broadcasts(host);
    broadcasts.begin([
      { request: USUAL, group: 'echo', together: 1 },
      { request: SHORT, group: 'echo', together: 1 },
      { request: FIRST, group: 'shared', together: 1 },
    ]);
    const over: string[] = [];
    void broadcasts.lastingOver().then(() => over.push('those that last'));
    void broadcasts.quiet().then(() => over.push('all'));
    await nextTurn();
    expect([...asked.keys()]).to.deep.equal([FIRST.composition]);
    expect(over).to.be.empty;

    asked.get(FIRST.composition)?.fail(new Error('they do not start'));
    const why = await broadcasts.dub(FIRST).catch((error: unknown) => String(error));
    expect(why).to.equal('Error: they do not start');
    await nextTurn();
    const all = [FIRST, USUAL, SHORT].map(({ composition }) => composition);
    expect([...asked.keys()]).to.deep.equal(all);
    expect(over).to.deep.equal(['those that last']);

    asked.get(USUAL.composition)?.succeed({} as Services);
    await broadcasts.describedFixture('90-s-tones');
    await nextTurn();
    expect(begun).to.equal(0);
    asked.get(SHORT.composition)?.fail(new Error('they do not start either'));
    await broadcasts.dub(USUAL).catch(() => undefined);
    expect(begun).to.equal(1);
    await broadcasts.quiet();
    expect(over).to.deep.equal(['those that last', 'all']);
    ended.abort();
  });
});
