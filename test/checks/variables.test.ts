import { describe, it } from 'node:test';

import { expect } from 'chai';

import { judge } from '../../support/checks/criterion';
import {
  cannotServe,
  dubsHello,
  dubsOrSaysWhyNot,
  inTimeOrTimeout,
  listensElsewhere,
  logBeginsAt,
  oneMoreIsHeldBack,
  segmentsWritten,
  takesAtOnce,
  type Trial,
  voicesDiffer,
} from '../../support/checks/variables';
import { CannotBeShown } from '../../support/base/errors';
import { pcmToS16le } from '../../support/analyze/audio';
import type { StsAnswer, StsConversation } from '../../support/observe/sts-client';
import { stateOf } from './a-broadcast';

const health = (status: number | undefined, body = ''): Trial['health'] => ({
  ...{ url: 'http://127.0.0.1:3000/health', status, body, tookMs: 1 },
});
const RATE_HZ = 8000;
/** Half a second of a tone that is heard. */
const TONE = {
  ...{ format: 'pcm_s16le', sample_rate_hz: RATE_HZ, channels: 1, duration_ms: 500 },
  data_base64: pcmToS16le(
    Float32Array.from({ length: RATE_HZ / 2 }, (_, i) => 0.3 * Math.sin(i / 2)),
  ).toString('base64'),
};
const answer = (more: Partial<StsAnswer> = {}): StsAnswer => ({
  ...{ fragment_id: 'a', index: 0, transcript: 'Hello, world!', dubbed_audio: TONE, ...more },
});
const conversation = (more: Partial<StsConversation> = {}): StsConversation => ({
  ...{ url: 'http://127.0.0.1:3000', stream: 'test', answers: [answer()], errors: [] },
  ...{
    listenedOnMs: 0,
    warnings: [],
    maxInflight: 3,
    sent: 1,
    backpressure: [],
    answeredAfterMs: [900],
    ...more,
  },
});
const trial = (more: Partial<Trial> = {}): Trial => ({
  ...{ where: 'e2e/sts', variables: { ASR_MODEL: 'small' }, named: ['small'], hasEnded: false },
  ...{ health: health(200, 'ok'), conversation: conversation(), log: '', files: [], tookMs: 1 },
  ...more,
});
const unhealthy = (body: string): Trial =>
  trial({ health: health(503, body), conversation: undefined });

describe('criteria of variables', () => {
  it('take a dub, or a reason that names the value, for a value that is used or missed', async () => {
    const stateFor = (one: Trial): Promise<string> => stateOf(dubsOrSaysWhyNot, one, null);
    expect(await stateFor(trial())).to.equal('passed');
    expect(await stateFor(unhealthy('ASR_MODEL Small: not at hand'))).to.equal('passed');
    expect(await stateFor(unhealthy('cannot serve'))).to.equal('failed');
    const failed = answer({ status: 'failed', dubbed_audio: null });
    const withoutDub = trial({ conversation: conversation({ answers: [failed] }) });
    expect(await stateFor(withoutDub)).to.equal('failed');
    expect(await stateFor(trial({ conversation: undefined }))).to.equal('failed');
    expect(await stateFor(trial({ health: health(undefined), hasEnded: true }))).to.equal('failed');
    expect(await stateOf(dubsHello, unhealthy('small'), null)).to.equal('failed');
    expect(await stateOf(dubsHello, trial(), null)).to.equal('passed');
  });

  it('take the words that are sent, and a dub that is heard, for a dub', async () => {
    const silence = { ...TONE, data_base64: Buffer.alloc(RATE_HZ).toString('base64') };
    for (const more of [
      { transcript: 'Thank you for watching' },
      { transcript: 'hello' },
      { dubbed_audio: silence },
      { dubbed_audio: { ...silence, data_base64: '' } },
      { dubbed_audio: { ...TONE, format: 'mp3' } },
      { error: { code: 'MODEL_ERROR', message: '' } },
    ]) {
      const one = trial({ conversation: conversation({ answers: [answer(more)] }) });
      expect(await stateOf(dubsHello, one, null), JSON.stringify(more)).to.equal('failed');
      expect(await stateOf(dubsOrSaysWhyNot, one, null)).to.equal('failed');
    }
    const partly = answer({ transcript: 'Hello, hello world.' });
    const said = trial({ conversation: conversation({ answers: [partly], warnings: ['slow'] }) });
    const { state, seen } = await judge(dubsHello, said, null);
    expect([state, seen]).to.deep.equal([
      'passed',
      'success, "Hello, hello world.", a dub, 0.50 s of it audible; slow',
    ]);
  });

  it('know a value by the whole word, and a reason from the settings of one that is loading', async () => {
    const state = (body: string, ...named: string[]): Promise<string> =>
      stateOf(cannotServe, { ...unhealthy(body), named }, null);
    expect(await state('no model tiny.', 'tiny')).to.equal('passed');
    expect(await state('no model tiny.en', 'tiny')).to.equal('failed');
    expect(await state('the smallest model is missing', 'small')).to.equal('failed');
    expect(await state('/no-such-folder/model is missing', '/no-such-folder/model')).to.equal(
      'passed',
    );
    const config = { config: { ASR_MODEL: 'small' } };
    for (const status of ['loading', 'starting', 'initializing', 'not ready']) {
      expect(await state(JSON.stringify({ status, ...config }), 'small'), status).to.equal(
        'failed',
      );
    }
    const failed = { status: 'unhealthy', reason: 'loading small failed: no such model' };
    expect(await state(JSON.stringify(failed), 'small')).to.equal('passed');
  });

  it('take no healthy STS for one that cannot have what it is told to use', async () => {
    expect(await stateOf(cannotServe, trial(), null)).to.equal('failed');
    expect(await stateOf(cannotServe, unhealthy('no model small'), null)).to.equal('passed');
    expect(await stateOf(cannotServe, unhealthy('loading'), null)).to.equal('failed');
    const ended = trial({ health: health(undefined), hasEnded: true, log: 'no model small' });
    const { state, seen } = await judge(cannotServe, ended, null);
    expect(state).to.equal('failed');
    expect(seen).to.include('it has ended').and.include('no model small');
  });

  it('take only an STS that runs for one that listens elsewhere', async () => {
    const silent = trial({ health: health(undefined, 'connection refused') });
    expect(await stateOf(listensElsewhere, silent, null)).to.equal('passed');
    expect(await stateOf(listensElsewhere, { ...silent, hasEnded: true }, null)).to.equal('failed');
    expect(await stateOf(listensElsewhere, unhealthy('loading'), null)).to.equal('failed');
  });

  it('know the limit of fragments in flight by what the STS says and does', async () => {
    expect(await stateOf(takesAtOnce, trial(), { count: 3 })).to.equal('passed');
    expect(await stateOf(takesAtOnce, trial(), { count: 1 })).to.equal('failed');
    expect(await stateOf(takesAtOnce, unhealthy('loading'), { count: 3 })).to.equal('not shown');
    const dubbed = answer();
    const full = { code: 'QUEUE_FULL', message: 'full', retryable: true };
    const failed = (error: StsAnswer['error']): StsAnswer =>
      answer({ index: 1, status: 'failed', dubbed_audio: null, error });
    const saying = (more: Partial<StsConversation>): Promise<string> =>
      stateOf(oneMoreIsHeldBack, trial({ conversation: conversation({ sent: 2, ...more }) }), null);
    expect(await saying({ answers: [dubbed], errors: ['{"code":"QUEUE_FULL"}'] })).to.equal(
      'passed',
    );
    expect(await saying({ answers: [dubbed, failed(full)] })).to.equal('passed');
    const own = { code: 'TOO_MANY_INFLIGHT', message: '' };
    expect(await saying({ answers: [dubbed, failed(own)] })).to.equal('passed');
    expect(await saying({ answers: [dubbed, failed({ ...own, retryable: false })] })).to.equal(
      'failed',
    );
    const sequence = { code: 'INVALID_SEQUENCE', message: '' };
    expect(await saying({ answers: [dubbed, failed(sequence)] })).to.equal('failed');
    const both = [dubbed, answer({ index: 1 })];
    expect(await saying({ answers: both, backpressure: ['none', 'slow_down'] })).to.equal('passed');
    expect(await saying({ answers: both, backpressure: ['none'] })).to.equal('failed');
    // What refuses all, or answers one only, takes not even what it says.
    const first = { ...failed(full), index: 0 };
    expect(await saying({ answers: [first, failed(full)] })).to.equal('failed');
    expect(await saying({ answers: [dubbed], backpressure: ['pause'] })).to.equal('failed');
  });

  it('judge an STS that does not say its limit by what becomes of one fragment more', async () => {
    const untold = (count: number, more: Partial<StsConversation>): Promise<string> => {
      const said = conversation({ maxInflight: undefined, ...more });
      return stateOf(takesAtOnce, trial({ conversation: said }), { count });
    };
    const refused = { code: 'QUEUE_FULL', message: 'full', retryable: true };
    const full = answer({ index: 1, status: 'failed', dubbed_audio: null, error: refused });
    const two = [answer(), answer({ index: 1 })];
    expect(await untold(1, { sent: 2, answers: two, backpressure: ['slow_down'] })).to.equal(
      'passed',
    );
    expect(await untold(1, { sent: 2, answers: [answer(), full] })).to.equal('passed');
    expect(await untold(1, { sent: 2, answers: two })).to.equal('failed');
    expect(await untold(1, { sent: 2, answers: [full, full] })).to.equal('failed');
    expect(await untold(2, { sent: 3, answers: [answer(), full, full] })).to.equal('failed');
    // Three, as the contract says where nothing is said.
    expect(await untold(3, { sent: 1 })).to.equal('passed');
    const error = await untold(2, { sent: 2 }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(CannotBeShown);
    expect((error as CannotBeShown).problem).to.include({
      what: 'the STS does not say how many fragments it takes at once',
      seen: 'no max_inflight in stream:ready, and only 2 sent at once',
    });
  });

  it('take a dub in time or a retryable TIMEOUT when it is up, and nothing else', async () => {
    const timeout = { code: 'TIMEOUT', message: 'too long', retryable: true };
    const failed = answer({ status: 'failed', dubbed_audio: null, error: timeout });
    const limit = { withinMs: 1000 };
    const state = (more: Partial<StsConversation>): Promise<string> =>
      stateOf(inTimeOrTimeout, trial({ conversation: conversation(more) }), limit);
    const after = (ms: number, one: StsAnswer): Promise<string> =>
      state({ answers: [one], answeredAfterMs: [ms] });
    expect(await after(900, answer())).to.equal('passed');
    expect(await after(1100, failed)).to.equal('passed');
    expect(await after(900, failed)).to.equal('passed');
    expect(await after(899, failed)).to.equal('failed');
    expect(await after(1, failed)).to.equal('failed');
    expect(await after(1100, answer())).to.equal('failed');
    expect(await after(2001, failed)).to.equal('failed');
    const final = answer({ status: 'failed', error: { ...timeout, retryable: false } });
    expect(await after(1100, final)).to.equal('failed');
    expect(await state({ answers: [], answeredAfterMs: [] })).to.equal('failed');
    const closed = 'the STS closed the connection (transport close), 1 of 1 answers missing';
    const said = conversation({ answers: [], answeredAfterMs: [], errors: [closed] });
    const { seen } = await judge(inTimeOrTimeout, trial({ conversation: said }), limit);
    expect(seen).to.include(closed);
    const large = { code: 'FRAGMENT_TOO_LARGE', message: '' };
    for (const more of [
      { answers: [answer({ status: 'failed', error: large })] },
      { answers: [], errors: [JSON.stringify(large)] },
    ]) {
      const error = await state(more).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(CannotBeShown);
    }
  });

  it('tell voices by their samples', async () => {
    const voice = (TTS_PROVIDER: string, data: string): Trial =>
      trial({
        variables: { TTS_PROVIDER },
        conversation: conversation({ answers: [answer({ dubbed_audio: data })] }),
      });
    const missed = { ...unhealthy('coqui'), variables: { TTS_PROVIDER: 'coqui' } };
    const both = [voice('espeak', 'AAAA'), voice('kokoro', 'BBBB'), missed];
    expect(await stateOf(voicesDiffer, both, null)).to.equal('passed');
    const { seen } = await judge(voicesDiffer, [...both, voice('piper', 'AAAA')], null);
    expect(seen).to.equal('espeak and piper: the same samples');
    expect(await stateOf(voicesDiffer, [missed], null)).to.equal('failed');
  });

  it('look for segments in the folder itself', async () => {
    const files = ['/tmp/segments/test/0_audio.wav', '/tmp/segments/test/0_video.mp4'];
    const state = (folder: string): Promise<string> =>
      stateOf(segmentsWritten, trial({ files }), { folder });
    expect(await state('/tmp/segments')).to.equal('passed');
    expect(await state('/tmp/seg')).to.equal('failed');
    const none = trial({ files: [] });
    expect(await stateOf(segmentsWritten, none, { folder: '/tmp/segments' })).to.equal('failed');
  });

  it('want lines of a level up to INFO, and none below any', async () => {
    const begins = (log: string, level: 'DEBUG' | 'INFO' | 'ERROR'): Promise<string> =>
      stateOf(logBeginsAt, trial({ log }), { level });
    const [debug, info, error] = ['DEBUG', 'INFO', 'ERROR'].map((l) => `{"level":"${l}"}\n`);
    expect(await begins(`${info}${debug}`, 'DEBUG')).to.equal('passed');
    expect(await begins(`${info}${error}`, 'DEBUG')).to.equal('failed');
    expect(await begins(`${info}${error}`, 'INFO')).to.equal('passed');
    expect(await begins(`${info}${debug}`, 'INFO')).to.equal('failed');
    expect(await begins('no level at all', 'INFO')).to.equal('failed');
    expect(await begins(`${error}`, 'ERROR')).to.equal('passed');
    expect(await begins('', 'ERROR')).to.equal('passed');
    expect(await begins(`${info}${error}`, 'ERROR')).to.equal('failed');
    expect(await stateOf(logBeginsAt, unhealthy('loading'), { level: 'ERROR' as const })).to.equal(
      'not shown',
    );
  });
});
