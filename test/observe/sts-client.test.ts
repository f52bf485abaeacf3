import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket } from 'socket.io';

import { statusOf } from '../../support/contract/events';
import { NotObserved, seenOf } from '../../support/base/errors';
import {
  askSts,
  type StsAnswers,
  type StsConversation,
  type StsQuestion,
} from '../../support/observe/sts-client';
import { handshake } from '../../support/observe/handshake';

const servers: Server[] = [];
after(() => Promise.all(servers.map((one) => one.close())));

interface Sent {
  fragment_id: string;
  sequence_number: number;
}

const accept = (client: Socket): void => void client.emit('stream:ready', {});

/** An STS that deals with the fragments of a client as it is told, and with its `stream:init`. */
async function sts(
  deal: (client: Socket, sent: Sent) => void,
  init: (client: Socket) => void = accept,
): Promise<string> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  servers.push(server);
  server.on('connection', (client) => {
    client.on('stream:init', () => init(client));
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
async function ask(
  url: string,
  listenOnMs = 500,
  more: Partial<StsQuestion> = {},
): Promise<StsConversation> {
  const fragments = [Buffer.alloc(2), Buffer.alloc(2)];
  const question = { url, stream: 's', fragments, rateHz: 8000, withinMs: 5000, listenOnMs };
  return askSts({ ...question, ...more });
}

/** Why a stream was not accepted. */
async function refused(url: string, withinMs = 5000): Promise<string> {
  const error = await ask(url, 0, { withinMs }).catch((thrown: unknown) => thrown);
  expect(error).to.be.instanceOf(NotObserved);
  return seenOf(error);
}

const indices = ({ answers }: StsAnswers): number[] => answers.map(({ index }) => index);
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

  it('knows by its ID of which fragment an answer is, whatever number it says', async () => {
    const all: Sent[] = [];
    const url = await sts((client, sent) => {
      all.push(sent);
      if (all.length < 2) return;
      const [first, second] = all;
      answer(client, { fragment_id: second?.fragment_id ?? '', sequence_number: 0 });
      answer(client, { fragment_id: first?.fragment_id ?? '', sequence_number: 1 });
    });
    const said = await ask(url, 0);
    expect(indices(said)).to.deep.equal([1, 0]);
    expect(numbers(said)).to.deep.equal([0, 1]);
  });

  it('takes null for what is not said', async () => {
    const url = await sts(
      (client, { fragment_id }) => {
        client.emit('fragment:processed', {
          ...{ fragment_id, stream_id: null, sequence_number: null, status: null, error: null },
          ...{ transcript: 'one', translated_text: 'uno', target_language: null },
          ...{ dubbed_audio: 'AAAA', processing_time_ms: null },
          stage_timings: { asr_ms: 1, translation_ms: null, tts_ms: 1 },
        });
      },
      (client) => {
        const nothing = { stream_id: null, session_id: null, capabilities: null };
        client.emit('stream:ready', { ...nothing, max_inflight: null });
      },
    );
    const said = await ask(url, 0);
    expect(numbers(said)).to.deep.equal([0, 1]);
    expect(said).to.deep.include({ errors: [], maxInflight: undefined });
  });

  it('never has more fragments in flight than the STS takes, unless it is told to', async () => {
    const limited = async (limit: number | undefined, count: number, ignoreLimit = false) => {
      let [inFlight, most] = [0, 0];
      const url = await sts(
        (client, sent) => {
          inFlight += 1;
          most = Math.max(most, inFlight);
          setTimeout(() => {
            inFlight -= 1;
            answer(client, sent);
          }, 50);
        },
        (client) => client.emit('stream:ready', { max_inflight: limit }),
      );
      const fragments = Array.from({ length: count }, () => Buffer.alloc(2));
      const said = await ask(url, 0, { fragments, ignoreLimit });
      expect(indices(said)).to.deep.equal([...fragments.keys()]);
      expect(said.sent).to.equal(count);
      return most;
    };
    expect(await limited(1, 3)).to.equal(1);
    expect(await limited(2, 3)).to.equal(2);
    expect(await limited(undefined, 5)).to.equal(3);
    expect(await limited(1, 3, true)).to.equal(3);
  });

  it('sends the next fragment also after one that an error without its ID may have refused', async () => {
    const url = await sts(
      (client) => client.emit('error', { code: 'MODEL_ERROR' }),
      (client) => client.emit('stream:ready', { max_inflight: 1 }),
    );
    const said = await ask(url, 0);
    expect(said.sent).to.equal(2);
    expect(said.errors).to.deep.equal(['{"code":"MODEL_ERROR"}', '{"code":"MODEL_ERROR"}']);
  });

  it('ends at once where the STS closes the connection, and says so', async () => {
    const from = performance.now();
    const said = await ask(await sts((client) => client.disconnect(true)));
    expect(said.answers).to.deep.equal([]);
    expect(said.errors.join()).to.match(
      /^the STS closed the connection \(.+\), 2 of 2 answers missing$/,
    );
    const closing = await sts(answer, (client) => client.disconnect(true));
    expect(await refused(closing)).to.match(/^it closed the connection \(.+\)$/);
    expect(performance.now() - from).to.be.below(3000);
    // What the suite closes itself was not closed by the STS.
    const silent = await ask(await sts(() => undefined), 0, { withinMs: 300 });
    expect(silent.errors).to.deep.equal([]);
  });

  it('takes a warning for no refusal, before the stream is accepted and while it works', async () => {
    const slow = { code: 'RATE_LIMIT', message: 'slow', severity: 'warning' };
    const url = await sts(
      (client, sent) => {
        client.emit('error', slow);
        setTimeout(() => answer(client, sent), 100);
      },
      (client) => {
        client.emit('error', { ...slow, message: 'voice unknown' });
        accept(client);
      },
    );
    const said = await ask(url, 0);
    expect(numbers(said)).to.deep.equal([0, 1]);
    expect(said.errors).to.deep.equal([]);
    expect(said.warnings.map((text) => (JSON.parse(text) as typeof slow).message)).to.deep.equal([
      ...['voice unknown', 'slow', 'slow'],
    ]);
    const never = await sts(answer, (client) => client.emit('error', slow));
    expect(await refused(never, 300)).to.match(/^no stream:ready; .*"slow"/);
    const error = await sts(answer, (client) => client.emit('error', { code: 'INVALID_CONFIG' }));
    expect(await refused(error)).to.equal('{"code":"INVALID_CONFIG"}');
  });

  it('takes no answer of another stream, and no stream:ready that does not fit', async () => {
    const foreign = await ask(
      await sts((client, { fragment_id }) => {
        client.emit('fragment:processed', { fragment_id, stream_id: 'other', status: 'success' });
      }),
      0,
    );
    expect(foreign.answers).to.deep.equal([]);
    expect(foreign.errors[0]).to.equal('fragment:processed: stream_id: "other" is another stream');
    const ready = (payload: object) =>
      sts(answer, (client) => client.emit('stream:ready', payload));
    expect(await refused(await ready({ stream_id: 'other' }))).to.equal(
      'stream:ready: stream_id: "other" is another stream',
    );
    expect(await refused(await ready({ max_inflight: -4 }))).to.match(
      /^stream:ready: max_inflight: /,
    );
    expect(numbers(await ask(await ready({ stream_id: 's' }), 0))).to.deep.equal([0, 1]);
  });

  it('names its stream and its worker in the headers, also where it only knocks', async () => {
    const http = createServer();
    const server = new Server(http, { transports: ['websocket'] });
    servers.push(server);
    const seen: unknown[] = [];
    server.use((client, next) => {
      const { 'x-stream-id': stream, 'x-worker-id': worker } = client.handshake.headers;
      seen.push(stream, worker);
      next(stream && worker ? undefined : new Error('X-Stream-ID required'));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    expect(await handshake(`http://127.0.0.1:${port}`)).to.be.below(5000);
    expect(seen).to.have.length(2).and.include('acceptance-suite');
  });
});
