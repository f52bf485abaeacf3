import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown } from '../../support/base/errors';
import {
  handshakeInTime,
  networksOfSameName,
  portsAreVariables,
  portsOpen,
  reachesSts,
  runTogether,
  type SharedNetworks,
  webRtcPage,
} from '../../support/checks/services';
import { judge, type Verdict } from '../../support/checks/criterion';
import { logsCollected } from '../../support/checks/logs';
import {
  publishingFails,
  publishingNamesServer,
  readingWorkerFails,
  readsAgain,
} from '../../support/checks/publishing';
import {
  answersWithMetrics,
  answersWithStatus,
  compositionsHealthy,
  everyServiceAnswers,
  nothingLeft,
  portsFree,
  servicesLeaveTraces,
  stsStartsFirst,
} from '../../support/checks/services';
import {
  answersHaveOwnWords,
  answersInOrder,
  transcriptIs,
  transcriptWords,
  translationIs,
  wordErrors,
} from '../../support/checks/sts-answers';
import {
  namingOf,
  type NestedRun,
  scenarioEnds,
  scenarioFails,
  scenariosSkipped,
  suiteFails,
} from '../../support/checks/suite-run';
import { verdictFails } from '../../support/checks/suite-run';
import type { StartRecord } from '../../support/environment/dual-compose-manager';
import type { StsAnswer, StsAnswers } from '../../support/observe/sts-client';
import { stateOf } from './a-broadcast';

describe('criteria of services', () => {
  const start = (
    composition: 'sts' | 'media',
    at: number,
    healthyAt: number,
    count: number,
  ): StartRecord => ({
    ...{ composition, startedAt: at, healthyAt },
    services: Array.from({ length: count }, (_, i) => ({
      ...({ service: `${composition}-${i}`, state: 'running', startedAt: at } as const),
    })),
  });

  it('the STS is healthy before anything of the media composition starts', async () => {
    const state = (sts: StartRecord, media: StartRecord) =>
      stateOf(stsStartsFirst, [sts, media], null);
    expect(await state(start('sts', 0, 50, 1), start('media', 50, 90, 2))).to.equal('passed');
    expect(await state(start('sts', 0, 51, 1), start('media', 50, 90, 2))).to.equal('failed');
    expect(await state(start('sts', 0, 50, 0), start('media', 50, 90, 2))).to.equal('failed');
    expect(await state(start('sts', 0, 50, 1), start('media', 50, 90, 1))).to.equal('failed');
    expect(await stateOf(stsStartsFirst, [], null)).to.equal('failed');
  });

  it('compositions are healthy in time', async () => {
    const both = [start('sts', 0, 60, 1), start('media', 60, 100, 2)];
    expect(await stateOf(compositionsHealthy, both, { withinMs: 60 })).to.equal('passed');
    expect(await stateOf(compositionsHealthy, both, { withinMs: 59 })).to.equal('failed');
    expect(await stateOf(compositionsHealthy, both.slice(1), { withinMs: 60 })).to.equal('failed');
  });

  it('services answer with a status, in time', async () => {
    const answer = { url: 'http://s', status: 200, body: 'up 1\n', tookMs: 5000 };
    const one = { service: 'STS', answer };
    expect(await stateOf(answersWithStatus, one, { status: 200 })).to.equal('passed');
    expect(await stateOf(answersWithStatus, one, { status: 404 })).to.equal('failed');
    expect(
      await stateOf(answersWithStatus, { ...one, answer: undefined }, { status: 200 }),
    ).to.equal('failed');
    expect(await stateOf(answersWithMetrics, one, null)).to.equal('passed');
    const empty = { ...one, answer: { ...answer, body: '' } };
    expect(await stateOf(answersWithMetrics, empty, null)).to.equal('failed');
    const answers = new Map(['a', 'b', 'c'].map((name) => [name, answer]));
    expect(await stateOf(everyServiceAnswers, answers, { status: 200, withinMs: 5000 })).to.equal(
      'passed',
    );
    expect(await stateOf(everyServiceAnswers, answers, { status: 200, withinMs: 4999 })).to.equal(
      'failed',
    );
    answers.delete('a');
    expect(await stateOf(everyServiceAnswers, answers, { status: 200, withinMs: 5000 })).to.equal(
      'failed',
    );
  });

  it('what was there is gone afterwards', async () => {
    const projects = ['p', 'q'];
    const there = {
      projects,
      found: [
        ['a', 'b'],
        ['c', 'd'],
      ],
    };
    expect(await stateOf(servicesLeaveTraces, there, null)).to.equal('passed');
    // A service without a volume; one of two that is not there.
    const traces = (...found: string[][]) =>
      stateOf(servicesLeaveTraces, { projects, found }, null);
    expect(await traces(['a', 'b'], ['c'])).to.equal('passed');
    expect(await traces(['a', 'b'], [])).to.equal('failed');
    expect(await traces()).to.equal('failed');
    expect(await stateOf(nothingLeft, there, null)).to.equal('failed');
    const gone = { projects, found: [[], []] };
    expect(await stateOf(servicesLeaveTraces, gone, null)).to.equal('failed');
    expect(await stateOf(nothingLeft, gone, null)).to.equal('passed');
    expect(await stateOf(portsFree, { projects, taken: [] }, null)).to.equal('passed');
    expect(await stateOf(portsFree, { projects, taken: ['port 1'] }, null)).to.equal('failed');
  });

  it('ports, variables, handshake and peers', async () => {
    const open = [{ address: 'http://a:1', isOpen: true }];
    expect(await stateOf(portsOpen, open, { open: true })).to.equal('passed');
    expect(await stateOf(portsOpen, open, { open: false })).to.equal('failed');
    expect(await stateOf(portsOpen, [], { open: false })).to.equal('failed');
    const published = { project: 'p', published: [1, 2], variables: { A: 1, B: 2, C: 3 } };
    expect(await stateOf(portsAreVariables, published, null)).to.equal('passed');
    expect(await stateOf(portsAreVariables, { ...published, variables: { A: 1 } }, null)).to.equal(
      'failed',
    );
    expect(await stateOf(portsAreVariables, { ...published, published: [] }, null)).to.equal(
      'failed',
    );
    expect(await stateOf(handshakeInTime, { tookMs: 5000 }, { withinMs: 5000 })).to.equal('passed');
    expect(await stateOf(handshakeInTime, { tookMs: 5001 }, { withinMs: 5000 })).to.equal('failed');
    const peers = { service: 's', seen: '127.0.0.1:1', port: 1, isReached: true };
    expect(await stateOf(reachesSts, peers, null)).to.equal('passed');
    expect(await stateOf(reachesSts, { ...peers, isReached: false }, null)).to.equal('failed');
  });
});

describe('criteria of what runs, and where', () => {
  it('the services that have to run together, and no other', async () => {
    const services = ['a', 'b', 'echo'];
    const state = (...running: string[]): Promise<string> =>
      stateOf(runTogether, { projects: ['p', 'q'], running }, { services });
    expect(await state('echo', 'a', 'b')).to.equal('passed');
    expect(await state('a', 'b')).to.equal('failed');
    expect(await state('a', 'b', 'echo', 'sts')).to.equal('failed');
    // The Echo STS is called like the STS, of another project.
    const alike = { services: ['media/a', 'echo/sts'] };
    const running = { projects: ['media', 'echo'], running: ['media/a', 'echo/sts'] };
    expect(await stateOf(runTogether, running, alike)).to.equal('passed');
    const other = { ...running, running: [...running.running, 'media/sts'] };
    const { seen, expected } = await judge(runTogether, other, alike);
    expect([seen, expected]).to.deep.equal([
      'media/a, echo/sts, media/sts',
      'media/a, echo/sts, and no other',
    ]);
  });

  it('a page that plays by WebRTC', async () => {
    const page = '<!DOCTYPE html><html><video id="v"></video><script>new RTCPeerConnection()';
    const state = (status: number | undefined, body: string): Promise<string> =>
      stateOf(webRtcPage, { url: 'http://a:1/x', status, body, tookMs: 1 }, null);
    expect(await state(200, page)).to.equal('passed');
    expect(await state(404, page)).to.equal('failed');
    expect(await state(200, '<html>Directory listing for /</html>')).to.equal('failed');
    expect(await state(undefined, 'connection refused')).to.equal('failed');
  });

  it('a network of the same name for each composition, which is not the same network', async () => {
    const on = (project: string, id: string, name = `${project}_net`): SharedNetworks =>
      ({
        network: 'net',
        compositions: [{ project, services: [{ service: 's', networks: [{ name, id }] }] }],
      }) as const;
    const state = (...two: SharedNetworks[]): Promise<string> => {
      const compositions = two.flatMap((one) => one.compositions);
      return stateOf(networksOfSameName, { network: 'net', compositions }, null);
    };
    expect(await state(on('p', '1'), on('q', '2'))).to.equal('passed');
    expect(await state(on('p', '1'), on('q', '1'))).to.equal('failed');
    expect(await state(on('p', '1'), on('q', '2', 'other'))).to.equal('failed');
    const empty = { network: 'net', compositions: [{ project: 'q', services: [] }] };
    expect(await state(on('p', '1'), empty)).to.equal('failed');
  });

  it('how a scenario of a nested run ends', async () => {
    const run = (status: string, exitCode: number, message = ''): NestedRun => ({
      ...{ exitCode, output: '', messagesFile: '', culprit: '/no-such-metrics', busyShare: 0.5 },
      scenarios: [{ name: 'a', tags: [], status, message, skipReason: undefined }],
    });
    const state = (one: NestedRun, ends: 'passes' | 'fails'): Promise<string> =>
      stateOf(scenarioEnds, one, { scenario: 'a', ends });
    expect(await state(run('PASSED', 0), 'passes')).to.equal('passed');
    expect(await state(run('PASSED', 1), 'passes')).to.equal('failed');
    expect(await state(run('FAILED', 1, 'at /no-such-metrics'), 'fails')).to.equal('passed');
    expect(await state(run('FAILED', 1, 'something else'), 'fails')).to.equal('failed');
    expect(await state(run('SKIPPED', 1), 'fails')).to.equal('failed');
    expect(await state({ ...run('PASSED', 0), scenarios: [] }, 'passes')).to.equal('failed');
  });
});

describe('criteria of collected logs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logs-'));
  after(() => rmSync(folder, { recursive: true }));

  it('every service has written one, or none has', async () => {
    mkdirSync(join(folder, 'p'));
    writeFileSync(join(folder, 'p', 'a.log'), 'started\n');
    const service = (name: string) => ({ project: 'p', service: name });
    const one = { folder, services: [service('a')] };
    expect(await stateOf(logsCollected, one, { collected: true })).to.equal('passed');
    expect(await stateOf(logsCollected, one, { collected: false })).to.equal('failed');
    const two = { folder, services: [service('a'), service('b')] };
    expect(await stateOf(logsCollected, two, { collected: true })).to.equal('failed');
    const other = { folder, services: [service('b')] };
    expect(await stateOf(logsCollected, other, { collected: false })).to.equal('passed');
  });
});

describe('criteria of publishing', () => {
  const failed = {
    exitCode: 1,
    stderr: 'tcp://127.0.0.1:8554: refused',
    seconds: 5,
    url: 'rtsp://127.0.0.1:8554/in',
  };

  it('it fails in time, naming the media server', async () => {
    expect(await stateOf(publishingFails, failed, { withinMs: 5000 })).to.equal('passed');
    expect(await stateOf(publishingFails, failed, { withinMs: 4999 })).to.equal('failed');
    expect(await stateOf(publishingFails, { ...failed, exitCode: 0 }, { withinMs: 5000 })).to.equal(
      'failed',
    );
    expect(await stateOf(publishingNamesServer, failed, null)).to.equal('passed');
    expect(await stateOf(publishingNamesServer, { ...failed, stderr: '127.0.0.1' }, null)).to.equal(
      'failed',
    );
  });

  it('an unreadable source is read again so often', async () => {
    const state = (...seconds: number[]) =>
      stateOf(readsAgain, { at: seconds.map((s) => 1000 * s) }, { seconds: [1, 2, 4] });
    expect(await state(0, 1, 3, 7)).to.equal('passed');
    // The second connection is of the first attempt.
    expect(await state(0, 0.4, 1, 3, 7)).to.equal('passed');
    expect(await state(0, 1.5, 3.5, 7.5)).to.equal('passed');
    expect(await state(0, 1.51, 3.5, 7.5)).to.equal('failed');
    expect(await state(0, 1, 3)).to.equal('failed');
    expect(await state(0, 1, 3, 7, 15)).to.equal('failed');
  });

  it('its worker fails, and says so', async () => {
    const ended = (exitCode: number | undefined) => ({ lines: [], exitCode });
    expect(await stateOf(readingWorkerFails, ended(1), null)).to.equal('passed');
    expect(await stateOf(readingWorkerFails, ended(0), null)).to.equal('failed');
    const untold = stateOf(readingWorkerFails, ended(undefined), null);
    expect(await untold.catch((error: unknown) => error)).to.be.instanceOf(CannotBeShown);
  });
});

describe('criteria of answers of the STS', () => {
  const answer = (
    transcript: string,
    index = 0,
    translation = '',
    more: Partial<StsAnswer> = {},
  ): StsAnswer => ({
    ...{ fragment_id: 'f', status: 'success', index, sequence_number: index, transcript },
    ...{ translated_text: translation, dubbed_audio: 'AAAA', ...more },
  });
  const said = (...answers: StsAnswer[]): StsAnswers => ({
    ...{ url: 'http://sts', stream: 's', errors: [], warnings: [], answers, listenedOnMs: 5000 },
  });

  it('words', async () => {
    const hello = said(answer('Hello, world.', 0, '¡Hola, mundo!'));
    expect(await stateOf(transcriptIs, hello, { text: 'hello world' })).to.equal('passed');
    expect(await stateOf(transcriptIs, hello, { text: 'hello' })).to.equal('failed');
    expect(await stateOf(translationIs, hello, { text: 'Hola mundo' })).to.equal('passed');
    expect(await stateOf(translationIs, hello, { text: 'Hola' })).to.equal('failed');
    for (const same of ['Hola al mundo.', 'Hola a todo el mundo']) {
      const equivalent = said(answer('Hello, world.', 0, same));
      expect(await stateOf(translationIs, equivalent, { text: 'Hola mundo' }), same).to.equal(
        'passed',
      );
    }
    const goodbye = said(answer('Hello, world.', 0, 'Adiós, mundo'));
    expect(await stateOf(translationIs, goodbye, { text: 'Hola mundo' })).to.equal('failed');
    expect(await stateOf(transcriptWords, hello, { most: 2 })).to.equal('passed');
    expect(await stateOf(transcriptWords, hello, { most: 1 })).to.equal('failed');
    const rate = said(answer('one two three five'));
    expect(await stateOf(wordErrors, rate, { said: 'one two three four', percent: 25 })).to.equal(
      'passed',
    );
    expect(await stateOf(wordErrors, rate, { said: 'one two three four', percent: 24 })).to.equal(
      'failed',
    );
    expect(await stateOf(transcriptIs, said(), { text: 'hello' })).to.equal('not shown');
  });

  it('order, and own words', async () => {
    const script = ['one two three four', 'five six seven eight'];
    const limit = { script, wordErrorRate: 0.25 };
    const right = said(answer('one two three', 0), answer('five six seven eight', 1));
    const state = (given: ReturnType<typeof said>, count: number) =>
      stateOf(answersInOrder, given, { count, listenMs: 5000 });
    expect(await state(right, 2)).to.equal('passed');
    expect(await state(right, 3)).to.equal('failed');
    expect(await state({ ...right, errors: ['x'] }, 2)).to.equal('failed');
    const [first] = right.answers;
    const repeated = { ...right, answers: [...right.answers, ...(first ? [first] : [])] };
    expect(await state(repeated, 2)).to.equal('failed');
    // A connection that was closed too soon says nothing of what would have come later.
    expect(await state({ ...right, listenedOnMs: 4999 }, 2)).to.equal('not shown');
    expect(await state({ ...repeated, listenedOnMs: 0 }, 2)).to.equal('failed');
    expect(await stateOf(answersHaveOwnWords, right, limit)).to.equal('passed');
    const swapped = said(answer(script[1] ?? '', 0), answer(script[0] ?? '', 1));
    expect(await stateOf(answersHaveOwnWords, swapped, limit)).to.equal('failed');
    expect(await stateOf(answersHaveOwnWords, said(), limit)).to.equal('failed');
  });

  it('order, by the fragments that they name, and what each says of itself', async () => {
    const script = ['one two three four', 'five six seven eight'];
    const judged = (...answers: StsAnswer[]) =>
      judge(answersInOrder, said(...answers), { count: 2, listenMs: 5000 });
    const numbered = (index: number, sequence: number) =>
      answer(script[sequence] ?? '', index, '', { sequence_number: sequence });
    // Numbers and words of all are in order, but of other fragments than they name.
    const rotated = [numbered(1, 0), numbered(0, 1)];
    expect((await judged(...rotated)).seen).to.match(
      /^answers to fragments 1, 0; .*answer to fragment 1: says sequence_number 0/,
    );
    const words = await judge(answersHaveOwnWords, said(...rotated), {
      ...{ script, wordErrorRate: 0.25 },
    });
    expect(words.seen).to.include('1: "one two three four"');
    const twice = await judged(numbered(0, 0), numbered(0, 1));
    expect(twice).to.include({
      state: 'failed',
      what: 'answers are lost, repeated or out of order',
    });
    const second = (more: Partial<StsAnswer>) => judged(answer('a', 0), answer('b', 1, '', more));
    const model = { code: 'MODEL_ERROR', message: 'x' };
    for (const [more, why] of [
      [{ sequence_number: 2 }, 'says sequence_number 2'],
      [{ dubbed_audio: null }, 'no dub'],
      [{ status: 'partial', dubbed_audio: null }, 'partial (no code), no dub'],
      [{ error: model }, 'success (MODEL_ERROR)'],
      [{ status: 'failed', dubbed_audio: null, error: model }, 'failed (MODEL_ERROR)'],
    ] as const) {
      const { state, seen, what } = await second(more);
      expect([state, seen]).to.deep.equal(['failed', `answer to fragment 1: ${why}`]);
      expect(what).to.equal('an answer has failed, or is numbered as another one');
    }
    expect((await second({})).state).to.equal('passed');
  });

  it('what the STS warns of fails nothing, and is shown', async () => {
    const warned = { ...said(answer('a'), answer('b', 1)), warnings: ['{"code":"RATE_LIMIT"}'] };
    const limit = { count: 2, listenMs: 5000 };
    const { state, seen } = await judge(answersInOrder, warned, limit);
    expect([state, seen.includes('warnings: {"code":"RATE_LIMIT"}')]).to.deep.equal([
      ...['passed', true],
    ]);
  });
});

describe('criteria of nested runs', () => {
  const scenario = (status: string, text: string, tags: string[] = []) => ({
    ...{ name: 'one', tags, status, message: text, skipReason: text },
  });
  const run = (culprit: string, ...scenarios: ReturnType<typeof scenario>[]) => ({
    ...{ culprit, scenarios, exitCode: 1, output: '', messagesFile: '', busyShare: 0.5 },
  });

  it('the scenario that judges it fails, naming the culprit', async () => {
    const state = (message: string, words: string, status = 'FAILED') =>
      stateOf(scenarioFails, run('a.yml', scenario(status, message)), {
        ...{ scenario: 'one', naming: namingOf(words) },
      });
    expect(await state('a.yml: missing', 'the file')).to.equal('passed');
    expect(await state('b.yml: missing', 'that file')).to.equal('failed');
    expect(await state('a.yml: missing', 'the file and line')).to.equal('failed');
    expect(await state('a.yml:3: key', 'the file and line')).to.equal('passed');
    expect(await state('a.yml:3: key', 'the port and its holder')).to.equal('failed');
    expect(await state('a.yml, node (pid 3)', 'the port and its holder')).to.equal('passed');
    expect(await state('a.yml: missing', 'the file', 'PASSED')).to.equal('failed');
    expect(() => namingOf('the weather')).to.throw('the weather');
  });

  it('all others are skipped for it, and the run fails', async () => {
    const judging = scenario('FAILED', 'port 1', ['@judges-services']);
    const state = (...scenarios: ReturnType<typeof scenario>[]) =>
      stateOf(scenariosSkipped, run('port 1', judging, ...scenarios), {
        naming: namingOf('the port'),
      });
    expect(await state(scenario('SKIPPED', 'port 1 is taken'))).to.equal('passed');
    expect(await state(scenario('SKIPPED', 'another reason'))).to.equal('failed');
    expect(await state(scenario('PASSED', 'port 1'))).to.equal('failed');
    expect(await state()).to.equal('failed');
    // What this configuration cannot show is not asked, and shows nothing.
    const notShown = { ...scenario('SKIPPED', ''), notShown: 'MAX_STREAMS' };
    expect(await state(notShown)).to.equal('failed');
    expect(await state(scenario('SKIPPED', 'port 1 is taken'), notShown)).to.equal('passed');
    expect(await stateOf(suiteFails, run('x'), null)).to.equal('passed');
    expect(await stateOf(suiteFails, { ...run('x'), exitCode: 0 }, null)).to.equal('failed');
    expect(await stateOf(suiteFails, { ...run('x'), exitCode: undefined }, null)).to.equal(
      'failed',
    );
  });

  it('a verdict fails with a text', async () => {
    const verdict = (state: Verdict['state']): Verdict => ({
      ...{ criterion: 'c', title: '', state, limit: null, where: '', deviations: [] },
      ...{ what: 'not every fragment was answered', seen: '2 sent', expected: '' },
    });
    const judged = (state: Verdict['state'], text: string) =>
      stateOf(verdictFails, { stream: 's', verdict: verdict(state) }, { text });
    expect(await judged('failed', 'not every fragment')).to.equal('passed');
    expect(await judged('not shown', '2 sent')).to.equal('passed');
    expect(await judged('failed', 'something else')).to.equal('failed');
    expect(await judged('passed', 'not every fragment')).to.equal('failed');
  });
});
