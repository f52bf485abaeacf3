import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Fixture } from '../../support/broadcast/fixture';
import { requestOf } from '../../support/broadcast/request';
import { projectRoot, readConfig } from '../../support/config';
import { type DirectHost, DirectRequests } from '../../support/session/direct-sts';
import { scheduled } from '../../support/session/loads';
import { Schedule, Starts } from '../../support/session/schedule';
import type { Services } from '../../support/session/services';

const HELLO = { fixture: 'hello-world' };
const COUNTING = { fixture: '30s-counting-english', count: 3, listenOnMs: 5000 };
const ANSWERS = { url: '', stream: 'test', answers: [], errors: [], warnings: [], listenedOnMs: 0 };

const config = {
  fixtureScript: `${projectRoot}/fixtures/1-min-nfl.yaml`,
  runtime: 'host',
} as const;

class AtOnce extends Starts {
  override turn(ready: Promise<unknown>): Promise<unknown> {
    return ready;
  }
}

/** @param services where they cannot be started */
function hostOf(services: Promise<Services> = started()): DirectHost & { schedule: Schedule } {
  const { signal } = new AbortController();
  return {
    ...{ config: { ...readConfig(), ...config }, services: () => services },
    fixture: (id) => ({ id }) as Fixture,
    schedule: new Schedule(signal, 2, new AtOnce(signal)),
  };
}

function started(): Promise<Services> {
  const sts = { url: 'http://127.0.0.1:3000' };
  return Promise.resolve({ settings: { services: { sts } } } as Services);
}

describe('what is sent to the STS directly', () => {
  it('is sent once, one after the other, and not while a broadcast is published that the same STS dubs', async () => {
    const host = hostOf();
    const room = { config, maxStreams: 10, processors: 2 };
    const [broadcast] = scheduled([{ request: requestOf(), together: 1, group: 'shared' }], room);
    if (!broadcast) throw new Error('no broadcast');
    let end = (): void => undefined;
    const published = host.schedule.take(
      broadcast.load,
      Promise.resolve(),
      (_services, { onIngested }) => {
        onIngested();
        return new Promise<void>((done) => (end = done));
      },
    );
    const seen: string[] = [];
    const direct = new DirectRequests(host, async (url, { id }, count, listenOnMs) => {
      seen.push([url, id, count, listenOnMs].join(' '));
      await turn();
      seen.push('answered');
      return ANSWERS;
    });
    const asked = Promise.all([COUNTING, HELLO, { ...COUNTING }].map((one) => direct.of(one)));
    void direct.answered().then(() => seen.push('all answered'));
    await turn();
    expect(seen).to.be.empty;
    end();
    await Promise.all([published, asked]);
    await turn();
    expect(seen).to.deep.equal([
      ...['http://127.0.0.1:3000 30s-counting-english 3 5000', 'answered'],
      ...['http://127.0.0.1:3000 hello-world  ', 'answered', 'all answered'],
    ]);
  });

  it('is not sent where the services cannot be started, which whoever asks is told', async () => {
    const direct = new DirectRequests(hostOf(Promise.reject(new Error('no Python'))), () => {
      throw new Error('nothing is sent');
    });
    const asked = await direct.of(HELLO).then(() => 'answered', String);
    expect(asked).to.equal('Error: no Python');
  });
});
