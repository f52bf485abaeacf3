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
import type { FragmentAnswer } from '../../support/contract/events';
import type { StsConversation } from '../../support/observe/sts-client';
import { stateOf } from './a-broadcast';

const health = (status: number | undefined, body = ''): Trial['health'] => ({
  ...{ url: 'http://127.0.0.1:3000/health', status, body, tookMs: 1 },
});
const answer = (more: Partial<FragmentAnswer> = {}): FragmentAnswer => ({
  ...{ fragment_id: 'a', transcript: 'Hello world', dubbed_audio: 'AAAA', ...more },
});
const conversation = (more: Partial<StsConversation> = {}): StsConversation => ({
  ...{ url: 'http://127.0.0.1:3000', stream: 'test', answers: [answer()], errors: [] },
  ...{
    listenedOnMs: 0,
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
    const saying = (more: Partial<StsConversation>): Promise<string> =>
      stateOf(oneMoreIsHeldBack, trial({ conversation: conversation(more) }), null);
    expect(await saying({ errors: ['{"code":"QUEUE_FULL"}'] })).to.equal('passed');
    const full = { code: 'QUEUE_FULL', message: 'full', retryable: true };
    expect(await saying({ answers: [answer({ error: full })] })).to.equal('passed');
    expect(await saying({ backpressure: ['none', 'slow_down'] })).to.equal('passed');
    expect(await saying({ backpressure: ['none'] })).to.equal('failed');
  });

  it('judge an STS that does not say its limit by what becomes of one fragment more', async () => {
    const untold = (count: number, more: Partial<StsConversation>): Promise<string> => {
      const said = conversation({ maxInflight: undefined, ...more });
      return stateOf(takesAtOnce, trial({ conversation: said }), { count });
    };
    const refused = { code: 'QUEUE_FULL', message: 'full', retryable: true };
    const full = answer({ error: refused });
    expect(await untold(1, { sent: 2, backpressure: ['slow_down'] })).to.equal('passed');
    expect(await untold(1, { sent: 2, answers: [answer(), full] })).to.equal('passed');
    expect(await untold(1, { sent: 2, answers: [answer(), answer()] })).to.equal('failed');
    expect(await untold(1, { sent: 2, answers: [full, full] })).to.equal('failed');
    expect(await untold(2, { sent: 3, answers: [answer(), full, full] })).to.equal('failed');
    const error = await untold(3, { sent: 3 }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(CannotBeShown);
    expect((error as CannotBeShown).problem).to.include({
      what: 'the STS does not say how many fragments it takes at once',
      seen: 'no max_inflight in stream:ready, and only 3 sent at once',
    });
  });

  it('take a dub in time or a retryable TIMEOUT, and nothing later', async () => {
    const timeout = { code: 'TIMEOUT', message: 'too long', retryable: true };
    const failed = answer({ status: 'failed', dubbed_audio: null, error: timeout });
    const after = (ms: number, one: FragmentAnswer): Promise<string> => {
      const said = conversation({ answers: [one], answeredAfterMs: [ms] });
      return stateOf(inTimeOrTimeout, trial({ conversation: said }), { withinMs: 1000 });
    };
    expect(await after(900, answer())).to.equal('passed');
    expect(await after(1100, failed)).to.equal('passed');
    expect(await after(1100, answer())).to.equal('failed');
    expect(await after(2100, failed)).to.equal('failed');
    const final = answer({ status: 'failed', error: { ...timeout, retryable: false } });
    expect(await after(1100, final)).to.equal('failed');
    const nothing = conversation({ answers: [], answeredAfterMs: [] });
    const limit = { withinMs: 1000 };
    expect(await stateOf(inTimeOrTimeout, trial({ conversation: nothing }), limit)).to.equal(
      'failed',
    );
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
