import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket } from 'socket.io';

import { askSts, type StsAnswers } from '../../support/observe/sts-client';

const servers: Server[] = [];
after(() => Promise.all(servers.map((one) => one.close())));

/** An STS that deals with the fragments of a client as it is told. */
async function sts(deal: (client: Socket, number: number) => void): Promise<string> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  servers.push(server);
  server.on('connection', (client) => {
    client.on('stream:init', () => client.emit('stream:ready', {}));
    client.on('fragment:data', ({ sequence_number: number }: { sequence_number: number }) =>
      deal(client, number),
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const answer = (client: Socket, number: number): void => {
  client.emit('fragment:processed', {
    ...{ fragment_id: `f${number}`, sequence_number: number, status: 'success' },
    ...{ transcript: '', translated_text: '', processing_time_ms: 1 },
  });
};

/** Two fragments, and half a second for what comes after. */
async function ask(url: string, listenOnMs = 500): Promise<StsAnswers> {
  const fragments = [Buffer.alloc(2), Buffer.alloc(2)];
  return askSts({ url, stream: 's', fragments, rateHz: 8000, withinMs: 5000, listenOnMs });
}

const numbers = ({ answers }: StsAnswers): unknown[] =>
  answers.map(({ sequence_number: number }) => number);

describe('asking an STS directly', () => {
  it('ends after the last answer and the time that it listens on', async () => {
    const url = await sts(answer);
    const from = performance.now();
    const said = await ask(url);
    expect(numbers(said)).to.deep.equal([0, 1]);
    expect(said).to.include({ listenedOnMs: 500 });
    expect(performance.now() - from).to.be.within(490, 3000);
    expect(await ask(url, 0)).to.include({ listenedOnMs: 0 });
  });

  it('hears an answer that is repeated after the last one', async () => {
    const url = await sts((client, number) => {
      answer(client, number);
      if (number === 1) setTimeout(() => answer(client, 0), 300);
    });
    expect(numbers(await ask(url))).to.deep.equal([0, 1, 0]);
    expect(numbers(await ask(url, 100))).to.deep.equal([0, 1]);
  });

  it('hears an error after the last answer', async () => {
    const url = await sts((client, number) => {
      answer(client, number);
      if (number === 1) setTimeout(() => client.emit('error', { code: 'LATE' }), 200);
    });
    expect((await ask(url)).errors.join()).to.include('LATE');
  });

  it('says how long it could listen where the STS closes the connection', async () => {
    const url = await sts((client, number) => {
      answer(client, number);
      if (number === 1) setTimeout(() => client.disconnect(true), 200);
    });
    expect((await ask(url)).listenedOnMs).to.be.within(50, 450);
  });
});
