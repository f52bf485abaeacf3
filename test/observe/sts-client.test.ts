import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket } from 'socket.io';

import { statusOf } from '../../support/contract/events';
import { askSts, type StsAnswers } from '../../support/observe/sts-client';

const servers: Server[] = [];
after(() => Promise.all(servers.map((one) => one.close())));

interface Sent {
  fragment_id: string;
  sequence_number: number;
}

/** An STS that deals with the fragments of a client as it is told. */
async function sts(deal: (client: Socket, sent: Sent) => void): Promise<string> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  servers.push(server);
  server.on('connection', (client) => {
    client.on('stream:init', () => client.emit('stream:ready', {}));
    client.on('fragment:data', (sent: Sent) => deal(client, sent));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const answer = (client: Socket, { fragment_id, sequence_number }: Sent): void => {
  client.emit('fragment:processed', {
    ...{ fragment_id, sequence_number, status: 'success' },
    ...{ transcript: '', translated_text: '', processing_time_ms: 1 },
  });
};

/** With the six fields of spec 019 alone. */
const answer019 = (client: Socket, { fragment_id }: Sent): void => {
  client.emit('fragment:processed', {
    ...{ fragment_id, transcript: 'one', translated_text: 'uno', dubbed_audio: 'AAAA' },
    ...{ processing_time_ms: 1, target_language: 'es' },
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
    let first: Sent | undefined;
    const url = await sts((client, sent) => {
      first ??= sent;
      answer(client, sent);
      if (sent.sequence_number === 1) setTimeout(() => first && answer(client, first), 300);
    });
    expect(numbers(await ask(url))).to.deep.equal([0, 1, 0]);
    expect(numbers(await ask(url, 100))).to.deep.equal([0, 1]);
  });

  it('hears an error after the last answer', async () => {
    const url = await sts((client, sent) => {
      answer(client, sent);
      if (sent.sequence_number === 1) setTimeout(() => client.emit('error', { code: 'LATE' }), 200);
    });
    expect((await ask(url)).errors.join()).to.include('LATE');
  });

  it('says how long it could listen where the STS closes the connection', async () => {
    const url = await sts((client, sent) => {
      answer(client, sent);
      if (sent.sequence_number === 1) setTimeout(() => client.disconnect(true), 200);
    });
    expect((await ask(url)).listenedOnMs).to.be.within(50, 450);
  });

  it('counts the answers of an STS that sends only what spec 019 asks for', async () => {
    const url = await sts((client, sent) => {
      setTimeout(() => answer019(client, sent), 100 - 100 * sent.sequence_number);
    });
    const said = await ask(url, 0);
    expect(numbers(said)).to.deep.equal([1, 0]);
    expect(said.errors).to.deep.equal([]);
    expect(said.answers.map(statusOf)).to.deep.equal(['success', 'success']);
  });

  it('takes an error that names a fragment for its answer, with what follows it', async () => {
    const failure = { code: 'QUEUE_FULL', message: 'full', retryable: true };
    const url = await sts((client, sent) => {
      if (sent.sequence_number === 0) answer(client, sent);
      else client.emit('error', { ...failure, fragment_id: sent.fragment_id, stream_id: 's' });
    });
    const said = await ask(url, 0);
    expect(numbers(said)).to.deep.equal([0, 1]);
    expect(said.answers[1]).to.deep.include({ status: 'failed', error: failure });
    expect(said.errors).to.deep.equal([]);
  });

  it('waits for every fragment, also when one has an error and then its answer', async () => {
    const url = await sts((client, sent) => {
      if (sent.sequence_number === 0) {
        client.emit('error', { code: 'TIMEOUT', fragment_id: sent.fragment_id });
        answer(client, sent);
      } else setTimeout(() => answer(client, sent), 200);
    });
    expect(numbers(await ask(url, 0))).to.deep.equal([0, 0, 1]);
  });

  it('names the answer that does not fit, by its field', async () => {
    const url = await sts((client, { fragment_id, sequence_number: number }) => {
      const id = number === 0 ? 'nobody sent this' : fragment_id;
      client.emit('fragment:processed', { fragment_id: id, ...(number ? { status: 'fine' } : {}) });
    });
    const { answers, errors } = await ask(url, 0);
    expect(answers).to.deep.equal([]);
    expect(errors[0]).to.include('fragment_id: nobody sent this was not sent');
    expect(errors[1]).to.match(/^fragment:processed: status: /);
  });
});
