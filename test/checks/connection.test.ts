import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { TapEvent } from '../../support/broadcast/events';
import type { BroadcastRecord, TcpConnection } from '../../support/broadcast/record';
import { ownConnection, throughPublishedPort } from '../../support/checks/connection';
import { judge } from '../../support/checks/criterion';
import { STREAM } from '../broadcast/an-exchange';
import { aBroadcast, stateOf } from './a-broadcast';

const ADDRESS = '10.0.0.1';
const tap = { port: 7000 };
const runtime = { testHost: { name: 'host' }, servicesHostForServices: 'services' };
const publishedPorts = new Map([
  [3000, 'sts'],
  [8080, 'media'],
]);

const from = (localPort: number, remotePort: number, remoteAddress = ADDRESS): TcpConnection => ({
  ...{ localPort, remoteAddress, remotePort },
});

const connections = (
  host: string,
  ...seen: TcpConnection[][]
): Pick<BroadcastRecord, 'stsConnections'> => ({
  stsConnections: {
    ...{ host, hostAddress: ADDRESS },
    seen: seen.map((open, i) => ({ at: 1000 * i, open })),
  },
});

describe('the connection of a stream, through the tap', () => {
  const opened = (payload: object = {}): TapEvent => ({
    ...{ at: 1000, connection: 1, stream: STREAM, direction: 'to-sts', kind: 'open' },
    payload: {
      host: 'host:7000',
      client: { address: '10.0.0.2', port: 41_000 },
      upstream: { address: '127.0.0.1', port: 3000 },
      ...payload,
    },
  });
  const through = (
    record: Partial<BroadcastRecord>,
    events: TapEvent[] = [opened()],
  ): Promise<string> => {
    const broadcast = aBroadcast({ events, record });
    return stateOf(throughPublishedPort, { broadcast, tap, runtime, publishedPorts }, 'sts');
  };
  const own = connections('host', [from(41_000, 7000)]);

  it('is the one that the tap was connected from', async () => {
    expect(await through(own)).to.equal('passed');
    const among = connections('host', [from(41_001, 7000)], [from(41_000, 7000), from(1, 7000)]);
    expect(await through(among)).to.equal('passed');
  });

  it('is not that of another stream, or to another port', async () => {
    expect(await through(connections('host', [from(41_001, 7000)]))).to.equal('failed');
    expect(await through(connections('host', [from(41_000, 7001)]))).to.equal('failed');
    expect(await through({})).to.equal('failed');
    expect(await through(own, [])).to.equal('failed');
  });

  it('leads to the address of the name that media-service was told', async () => {
    const elsewhere = connections('host', [from(41_000, 7000, '10.0.0.9')]);
    expect(await through(elsewhere)).to.equal('failed');
    expect(await through(connections('other', [from(41_000, 7000)]))).to.equal('failed');
    expect(await through(own, [opened({ host: 'other:7000' })])).to.equal('failed');
  });

  it('is relayed to the port that the STS publishes', async () => {
    const to = (port: number): TapEvent => opened({ upstream: { address: '127.0.0.1', port } });
    expect(await through(own, [to(8080)])).to.equal('failed');
    expect(await through(own, [to(3001)])).to.equal('failed');
    expect(await through(own, [opened({ upstream: undefined })])).to.equal('failed');
    expect(await through(own, [opened(), to(3001)])).to.equal('failed');
  });

  it('is shown with both of its ends', async () => {
    const broadcast = aBroadcast({ events: [opened()], record: own });
    const subject = { broadcast, tap, runtime, publishedPorts };
    const { seen } = await judge(throughPublishedPort, subject, 'sts');
    expect(seen).to.include('connected from port 41000 to 10.0.0.1:7000');
    expect(seen).to.include('relayed to 127.0.0.1:3000');
  });
});

describe('the connection of a stream, with nothing between', () => {
  const through = (record: Partial<BroadcastRecord>): Promise<string> => {
    const broadcast = aBroadcast({ record });
    const subject = { broadcast, tap: undefined, runtime, publishedPorts };
    return stateOf(throughPublishedPort, subject, 'sts');
  };

  it('is opened after publishing, to the port that the STS publishes', async () => {
    expect(await through(connections('services', [], [from(5, 3000)], []))).to.equal('passed');
    expect(await through(connections('services', [from(5, 3000)]))).to.equal('failed');
    expect(await through(connections('services', [], [from(5, 8080)]))).to.equal('failed');
    expect(await through(connections('services', [], [from(5, 3000, '1.1.1.1')]))).to.equal(
      'failed',
    );
    expect(await through(connections('host', [], [from(5, 3000)], []))).to.equal('failed');
    expect(await through({})).to.equal('failed');
  });
});

describe('the own connection of a broadcast', () => {
  const of = (record: Partial<BroadcastRecord>): BroadcastFindings =>
    aBroadcast({ record: { times: { published: 500, outputReady: 1500 }, ...record } });
  const state = (...seen: TcpConnection[][]): Promise<string> =>
    stateOf(ownConnection, of(connections('services', ...seen)), null);

  it('is one, opened after publishing and closed after the broadcast', async () => {
    expect(await state([], [from(5, 3000)], [])).to.equal('passed');
  });

  it('is not one that was there before, stays, or has another beside it', async () => {
    expect(await state([from(5, 3000)], [])).to.equal('failed');
    expect(await state([], [from(5, 3000)])).to.equal('failed');
    expect(await state([], [from(5, 3000), from(6, 3000)], [])).to.equal('failed');
    expect(await state([], [from(5, 3000)], [from(6, 3000)], [])).to.equal('failed');
    expect(await state([])).to.equal('failed');
    expect(await stateOf(ownConnection, of({}), null)).to.equal('failed');
  });

  it('is not shown by looking too late, or not to the end', async () => {
    const late = { times: { published: -1, outputReady: 1500 } };
    const record = connections('services', [], [from(5, 3000)], []);
    expect(await stateOf(ownConnection, of({ ...record, ...late }), null)).to.equal('failed');
    const early = { times: { published: 500, outputReady: 2500 } };
    expect(await stateOf(ownConnection, of({ ...record, ...early }), null)).to.equal('failed');
  });
});
