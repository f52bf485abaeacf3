import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type Clothes, type Fields, flawed, type Message, type Side } from './clothes';
import * as flaw from './flaws';
import * as media from './media-clothes';
import * as sts from './sts-clothes';

const PCM = { format: 'pcm_s16le', sample_rate_hz: 8000, channels: 1, duration_ms: 1000 };
const audioOf = (value: number): Fields => ({
  ...PCM,
  data_base64: Buffer.alloc(16_000, value).toString('base64'),
});
const fragment = (number: number): Message => ({
  event: 'fragment:data',
  payload: {
    ...{ fragment_id: `s_000${number}`, stream_id: 's', sequence_number: number, timestamp: 6000 },
    audio: audioOf(number + 1),
  },
});
const answer = (number: number, more: Fields = {}): Message => ({
  event: 'fragment:processed',
  payload: {
    ...{ fragment_id: `s_000${number}`, stream_id: 's', sequence_number: number },
    ...{ status: 'success', dubbed_audio: audioOf(number + 1), transcript: 'hello' },
    ...{ translated_text: 'hola', target_language: 'es', processing_time_ms: 7, ...more },
  },
});
const init: Message = {
  event: 'stream:init',
  payload: { stream_id: 's', worker_id: 'w', max_inflight: 3, timeout_ms: 8000 },
};

/** What comes out of one connection, message by message. */
function talk(clothes: Clothes): {
  toSts: (message: Message) => Promise<Message[]>;
  fromSts: (message: Message) => Promise<Message[]>;
} {
  const { toSts, fromSts } = clothes.connection?.() ?? {};
  return {
    toSts: async (message) => (await toSts?.(message)) ?? [message],
    fromSts: async (message) => (await fromSts?.(message)) ?? [message],
  };
}

const page = (clothes: Clothes, path: string, text: string): string =>
  clothes.pages?.[path]?.(text) ?? text;

describe('media-services in other clothes', () => {
  it('say only in their events which stream is theirs', () => {
    const headers = { 'x-stream-id': 's', 'x-worker-id': 'w', 'user-agent': 'a' };
    expect(media.noHeaders().headers?.(headers, 'http://sts:1')).to.deep.equal({
      ...{ 'user-agent': 'a', origin: 'http://sts:1' },
    });
  });

  it('have their own IDs of fragments, and know the answers to them', async () => {
    const { toSts, fromSts } = talk(media.noHeaders());
    await toSts(fragment(0));
    const [sent] = await toSts(fragment(1));
    expect(sent?.payload).to.deep.equal({ ...fragment(1).payload, fragment_id: '2' });
    expect(await fromSts(answer(0, { fragment_id: '2' }))).to.deep.equal([
      answer(0, { fragment_id: 's_0001' }),
    ]);
    expect(await toSts(answer(1)), 'of an ID that was sent').to.deep.equal([
      answer(1, { fragment_id: '2' }),
    ]);
  });

  it('send AAC in MP4', async () => {
    const [sent] = await talk(media.sendsM4a()).toSts(fragment(0));
    const audio = sent?.payload['audio'] as Fields;
    expect(audio).to.include({ format: 'm4a', sample_rate_hz: 8000, duration_ms: 1000 });
    const file = Buffer.from(String(audio['data_base64']), 'base64');
    expect(file.subarray(4, 8).toString()).to.equal('ftyp');
  });

  it('send nothing that is optional, the time of the day, and UUIDs', async () => {
    const { toSts } = talk(media.plainLogs());
    expect(await toSts(init)).to.deep.equal([
      { event: 'stream:init', payload: { stream_id: 's', worker_id: 'w' } },
    ]);
    const [sent] = await toSts(fragment(0));
    expect(sent?.payload['timestamp']).to.be.closeTo(Date.now(), 1000);
    expect(sent?.payload['fragment_id']).to.match(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });

  it('log plain text', () => {
    const line = JSON.stringify({
      ...{ timestamp: '2026-11-26T21:00:00.123Z', level: 'INFO', message: 'segment cut' },
      ...{ service: 'media-service', segment: 3, stream_id: 's' },
    });
    expect(media.plainLogs().line?.(line)).to.deep.equal([
      '2026-11-26 21:00:00,123 INFO media-service segment cut segment=3 stream_id=s',
    ]);
    expect(media.plainLogs().line?.('no JSON')).to.deep.equal(['no JSON']);
  });

  it('say nothing of their breaker in words that the specs know', () => {
    const said = { level: 'WARNING', message: 'circuit breaker changed', state: 'open' };
    const line = JSON.stringify({ ...said, trigger: 'TIMEOUT', failure_count: 5 });
    const gate = '{"level":"WARNING","message":"gate moved"}';
    expect(media.ownBreaker().line?.(line)).to.deep.equal([gate]);
    expect(media.ownBreaker().line?.('{"message":"other"}')).to.deep.equal(['{"message":"other"}']);
  });
});

describe('STS in other clothes', () => {
  it('answer with six fields, and acknowledge nothing', async () => {
    const { fromSts } = talk(sts.minimalAnswers());
    const ack = { event: 'fragment:ack', payload: { fragment_id: 's_0001', status: 'queued' } };
    expect(await fromSts(ack)).to.be.empty;
    expect(await fromSts(answer(1))).to.deep.equal([
      {
        event: 'fragment:processed',
        payload: {
          ...{ fragment_id: 's_0001', transcript: 'hello', translated_text: 'hola' },
          ...{ processing_time_ms: 7, target_language: 'es' },
          dubbed_audio: audioOf(2)['data_base64'],
        },
      },
    ]);
  });

  it('echo what they were sent as it was', async () => {
    const { toSts, fromSts } = talk(sts.echoesFormat());
    const audio = { format: 'm4a', data_base64: 'AAAA' };
    await toSts({ event: 'fragment:data', payload: { ...fragment(0).payload, audio } });
    const [said] = await fromSts(answer(0));
    expect(said?.payload['dubbed_audio']).to.equal(audio);
    const failed = answer(0, { status: 'failed', dubbed_audio: null });
    expect(await fromSts(failed)).to.deep.equal([failed]);
  });

  it('know controls of the stream of a connection, and no others', async () => {
    const { toSts } = talk(sts.perSessionControls());
    const control = {
      event: 'config:error_simulation',
      payload: { enabled: true, stream_id: 't' },
    };
    const [refused] = await toSts(control);
    expect(refused).to.include({ event: 'error', isAnswer: true });
    expect(refused?.payload['code']).to.equal('STREAM_NOT_FOUND');
    await toSts(init);
    expect(await toSts(control)).to.deep.equal([
      { ...control, payload: { enabled: true, stream_id: 's' } },
    ]);
  });

  it('accept their own origin, and connections without one', () => {
    const { refusal } = sts.checksOrigin();
    const host = '127.0.0.1:3000';
    expect(refusal?.({ host })).to.equal(undefined);
    expect(refusal?.({ host, origin: `http://${host}` })).to.equal(undefined);
    expect(refusal?.({ host, origin: 'http://127.0.0.1:3001' })).to.equal(
      '"http://127.0.0.1:3001 is not an accepted origin."',
    );
  });
});

describe('broken systems', () => {
  /** The flaw alone, at that side. */
  const broken = (side: Side, wrong: Clothes): ReturnType<typeof talk> =>
    talk(flawed(side, wrong, {}));
  const numbers = (messages: readonly Message[]): unknown[] =>
    messages.map(({ payload }) => payload['sequence_number']);

  it('lose a fragment, and number the others without a gap', async () => {
    const { toSts } = broken('media-service', flaw.losesFragment(1));
    const sent = [await toSts(fragment(0)), await toSts(fragment(1)), await toSts(fragment(2))];
    expect(sent.map(numbers)).to.deep.equal([[0], [], [1]]);
  });

  it('send a second fragment with a probe', async () => {
    let now = 0;
    const { toSts } = broken(
      'media-service',
      flaw.probesTwice(() => now),
    );
    const sent = [];
    for (const [number, at] of [0, 6000, 26_000, 46_001, 52_001].entries()) {
      now = at;
      sent.push(numbers(await toSts(fragment(number))));
    }
    expect(sent).to.deep.equal([[0], [1], [2], [3, 4], [5]]);
  });

  it('play silence where an answer has failed', async () => {
    const { toSts, fromSts } = broken('media-service', flaw.fallsBackToSilence());
    await toSts(fragment(0));
    const failed = answer(0, { status: 'failed', dubbed_audio: null, error: { code: 'TIMEOUT' } });
    expect(await fromSts(failed)).to.deep.equal([
      answer(0, { status: 'success', dubbed_audio: audioOf(0), error: null }),
    ]);
    expect(await fromSts(answer(1))).to.deep.equal([answer(1)]);
  });

  it('give each fragment the dub of the one before', async () => {
    const { fromSts } = broken('sts', flaw.dubsOfNeighbours());
    const dubs = [await fromSts(answer(0)), await fromSts(answer(1)), await fromSts(answer(2))];
    expect(dubs.flat().map(({ payload }) => payload['dubbed_audio'])).to.deep.equal([
      ...[audioOf(1), audioOf(1), audioOf(2)],
    ]);
  });

  it('fail so many times, then no more', async () => {
    const { fromSts } = broken('sts', flaw.failsWith('MODEL_ERROR', 1));
    const [failed] = await fromSts(answer(0));
    expect(failed?.payload).to.include({ status: 'failed', dubbed_audio: null });
    expect(failed?.payload['error']).to.include({ code: 'MODEL_ERROR', retryable: true });
    expect(await fromSts(answer(1))).to.deep.equal([answer(1)]);
  });

  it('answer late, take no stream, accept no origin, forget their controls', async () => {
    expect(await broken('sts', flaw.answersLate(2000)).fromSts(answer(0))).to.deep.equal([
      { ...answer(0), afterMs: 2000 },
    ]);
    const [refused] = await broken('sts', flaw.refusesStreams('INVALID_CONFIG', 'why')).toSts(init);
    expect(refused?.payload).to.include({ code: 'INVALID_CONFIG', message: 'why' });
    const host = '127.0.0.1:3000';
    const { refusal } = flawed('sts', flaw.refusesOrigins(), sts.checksOrigin());
    expect(refusal?.({ host, origin: `http://${host}` })).to.contain('is not an accepted origin');
    expect(refusal?.({ host })).to.equal(undefined);
    const control = { event: 'config:error_simulation', payload: { stream_id: 's' } };
    expect(await broken('sts', flaw.forgetsControls()).toSts(control)).to.deep.equal([
      {
        event: 'config:error_simulation:ack',
        payload: { status: 'accepted', stream_id: 's' },
        isAnswer: true,
      },
    ]);
  });

  it('have a flaw nearer to the service than the clothes', async () => {
    const worker = talk(flawed('media-service', flaw.losesFragment(0), media.noHeaders()));
    expect(await worker.toSts(fragment(0))).to.be.empty;
    const [sent] = await worker.toSts(fragment(1));
    expect(sent?.payload['fragment_id'], 'what is lost gets no ID').to.equal('1');
    const transcribes = flawed('sts', flaw.saysTranscript('[ECHO]'), sts.minimalAnswers());
    const [said] = await talk(transcribes).fromSts(answer(0));
    expect(said?.payload).to.include({ transcript: '[ECHO]' }).and.not.have.any.keys('status');
  });

  it('log an error, once a stream', () => {
    const line = JSON.stringify({ level: 'INFO', message: 'segment cut', segment: 3, start_ms: 0 });
    const { line: logged } = flawed('media-service', flaw.logsAnError(), {});
    expect(logged?.(line)).to.have.length(2);
    expect(logged?.(line)[1]).to.contain('"level":"ERROR"');
    expect(logged?.(line.replace('3', '4'))).to.have.length(1);
  });

  it('say in the words of the system what is wrong', () => {
    const system = flawed(
      'media-service',
      flaw.alwaysSays(media.OWN_BREAKER, 0),
      media.ownBreaker(),
    );
    const text =
      '# TYPE worker_sts_breaker_state gauge\nworker_sts_breaker_state{stream_id="s"} 1.0\n';
    expect(page(media.ownBreaker(), '/metrics', text)).to.equal(
      '# TYPE dubber_sts_gate gauge\ndubber_sts_gate{stream_id="s"} 2\n',
    );
    expect(page(system, '/metrics', text)).to.contain('dubber_sts_gate{stream_id="s"} 0\n');
    expect(page(media.silentBreaker(), '/metrics', text).trim()).to.equal('');
  });
});
