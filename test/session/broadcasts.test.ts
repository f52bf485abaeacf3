import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { requestOf } from '../../support/broadcast/request';
import { projectRoot, readConfig } from '../../support/config';
import { type BroadcastHost, Broadcasts } from '../../support/session/broadcasts';
import { Schedule } from '../../support/session/schedule';
import type { Services } from '../../support/session/services';

const FIRST = requestOf({ fixture: '1-min-nfl' });
const OTHER = requestOf({ fixture: '90-s-tones', composition: { echoSegmentSeconds: 6 } });

describe('the first broadcast of a run', () => {
  it('has its services to itself until it is read, or over', async () => {
    const ended = new AbortController();
    const asked: unknown[] = [];
    let fail: (why: Error) => void = () => undefined;
    const config = readConfig({ FIXTURE_SCRIPT: `${projectRoot}/fixtures/1-min-nfl.yaml` });
    const room = { config, maxStreams: 10, processors: 2, startEveryMs: 0 };
    const host: BroadcastHost = {
      config,
      servicesFor: ({ composition }) => {
        asked.push(composition);
        return new Promise<Services>((_done, failed) => (fail = failed));
      },
      settings: () => Promise.resolve(config.settings('127.0.0.1')),
      room: () => Promise.resolve(room),
      track: () => () => undefined,
      signal: ended.signal,
      schedule: new Schedule(ended.signal),
      begins: () => undefined,
      withFolder: () => Promise.reject(new Error('nothing is composed')),
    };
    const broadcasts = new Broadcasts(host);
    broadcasts.begin([
      { request: OTHER, group: 'echo', together: 1 },
      { request: FIRST, group: 'shared', together: 1 },
    ]);
    await nextTurn();
    expect(asked).to.deep.equal([FIRST.composition]);
    fail(new Error('they do not start'));
    const why = await broadcasts.dub(FIRST).catch((error: unknown) => String(error));
    expect(why).to.equal('Error: they do not start');
    await nextTurn();
    expect(asked).to.deep.equal([FIRST.composition, OTHER.composition]);
    ended.abort();
  });
});
