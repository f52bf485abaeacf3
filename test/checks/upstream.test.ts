import { describe, it } from 'node:test';

import { expect } from 'chai';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { TapEvent } from '../../support/broadcast/events';
import { readFault } from '../../support/broadcast/fault-words';
import { readFixture } from '../../support/broadcast/fixture';
import { requestOf } from '../../support/broadcast/request';
import { connection as connected, streamAccepted } from '../../support/checks/connection';
import { type AnyCriterion, judge, type Verdict } from '../../support/checks/criterion';
import {
  acknowledged,
  answered,
  answerTime,
  completeAnswers,
  fragmentLength,
  sequenceNumbers,
  targetLanguage,
} from '../../support/checks/exchange';
import { fallbackCount, processedSegments } from '../../support/checks/metrics';
import { transcripts, translated, translations } from '../../support/checks/texts';
import { answerCount, fragmentCount, success } from '../../support/checks/upstream';
import type { VerdictLine } from '../../support/checks/verdict-log';
import { projectRoot } from '../../support/config';
import { causesOf, withCircumstances } from '../../support/report/causes';
import { endOfRun } from '../../support/report/end-of-run';
import { USUAL_POLICY } from '../../support/report/not-shown';
import type { ScenarioResult } from '../../support/report/scenario-results';
import { connection, event, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES } from './a-broadcast';

const fixture = readFixture(`${projectRoot}/fixtures/1-min-nfl.yaml`);
const SEGMENTS = fixture.script.length;

/** What scenarios ask of a broadcast of ten segments, each by one criterion; its requirement, criterion and limit. */
const ASKED: [string, AnyCriterion<BroadcastFindings>, unknown][] = [
  ['021-US2-4', completeAnswers, null],
  ['021-US2-6', processedSegments, SEGMENTS],
  ['021-US3-2', connected, { withinMs: 5000 }],
  ['019-US2-1', streamAccepted, null],
  ['021-US3-3 count', fragmentCount, { count: SEGMENTS }],
  ['021-US2-3', answerCount, SEGMENTS],
  ['021-US2-3 order', sequenceNumbers, { first: 0, last: SEGMENTS - 1 }],
  ['019-US1-2', fragmentLength, { ms: 6000, toleranceMs: 100 }],
  ['019-US1-3', answerTime, { withinMs: 15_000 }],
  ['019-US6-3', targetLanguage, 'es'],
  ['021-US4-3', translated, null],
  ['021-US4-2', transcripts, transcripts.defaultLimit],
  ['021-US4-3 meaning', translations, translations.defaultLimit],
  ['021-US4-4', success, null],
  ['021-US4-4 fallbacks', fallbackCount, 0],
  ['021-US3-3', answered, null],
  ['021-US3-3 ack', acknowledged, null],
];

interface Given {
  lost?: number[];
  answer?: (segment: number) => object | undefined;
  dubbed?: number;
  events?: TapEvent[];
  request?: ReturnType<typeof requestOf>;
}

/** A broadcast as it would be recorded; times in seconds. */
function recorded(given: Given = {}): BroadcastFindings {
  const { lost = [], answer = () => ({}) } = given;
  const segments = fixture.script.map((_, i) => i).filter((i) => !lost.includes(i));
  const exchange = segments.flatMap((i) => {
    const changed = answer(i);
    const id = `s_${i}`;
    const dub = { file: 'd.wav', bytes: 1, format: 'pcm_s16le', sample_rate_hz: 1, channels: 1 };
    const answered = {
      ...{ fragment_id: id, stream_id: 's', sequence_number: i, status: 'success' },
      ...{ dubbed_audio: { ...dub, duration_ms: 6000 }, processing_time_ms: 1 },
      ...{ transcript: fixture.script[i], translated_text: fixture.translation?.[i] },
      ...{ target_language: 'es', ...changed },
    };
    return [
      sent(6 * i + 7, id, { sequence: i, timestamp: 6000 * i, isWhole: true }),
      event(6 * i + 7, 'fragment:ack', { fragment_id: id, status: 'queued' }),
      ...(changed ? [event(6 * i + 8, 'fragment:processed', answered)] : []),
    ];
  });
  const events = given.events ?? [connection(0.5, 'open'), event(1, 'stream:ready'), ...exchange];
  const dubbed = given.dubbed ?? segments.length;
  const { segmentsProcessed, audioFragments } = NAMES.metrics;
  const poll = (isEnd: boolean): Record<string, number> => ({
    [`${segmentsProcessed}{type="audio"}`]: isEnd ? dubbed : 0,
    [`${segmentsProcessed}{type="video"}`]: isEnd ? SEGMENTS : 0,
    [`${audioFragments}{status="fallback"}`]: isEnd ? SEGMENTS - dubbed : 0,
  });
  const { evidence } = aBroadcast({
    events,
    polls: [
      [0, poll(false)],
      [90, poll(true)],
    ],
    record: { times: { published: 0 }, ...(given.request ? { request: given.request } : {}) },
  });
  return new BroadcastFindings(evidence, fixture, NAMES);
}

/** Verdicts on a broadcast, a scenario each. */
async function verdictsOn(broadcast: BroadcastFindings): Promise<Map<string, Verdict>> {
  const verdicts = ASKED.map(async ([name, one, limit]): Promise<[string, Verdict]> => [
    name,
    await judge(one, broadcast, limit),
  ]);
  return new Map(await Promise.all(verdicts));
}

/** The states of all that did not pass. */
function redIn(verdicts: ReadonlyMap<string, Verdict>): Record<string, string> {
  const red = [...verdicts].filter(([, { state }]) => state !== 'passed');
  return Object.fromEntries(red.map(([name, { state }]) => [name, state]));
}

/** What the console says of a run with these verdicts. */
function consoleOf(verdicts: ReadonlyMap<string, Verdict>): { causes: number; text: string } {
  const lines = [...verdicts].map(([name, verdict]): VerdictLine => ({
    ...{ stream: 's', verdict },
    scenario: { name, place: name },
  }));
  const results = [...verdicts].map(([name, { state }]): ScenarioResult => ({
    ...{ name, tags: [`@${name.split(' ')[0]}`], place: name, feature: '', steps: [], message: '' },
    ...{ status: state === 'passed' ? 'PASSED' : 'FAILED', skipReason: undefined, judgedBy: [] },
    seconds: 1,
  }));
  const causes = causesOf(lines, results).map((one) => withCircumstances(one, undefined));
  const text = endOfRun(results, {
    ...{ seconds: 1, problems: [], causes, pageOf: () => undefined, snippetOf: () => undefined },
    ...{ policy: USUAL_POLICY, paint: (_format, shown) => shown, link: (path) => path },
  });
  return { causes: causes.length, text };
}

/** The cause that is on the first screen. */
function firstOf(text: string): string {
  return text.split('\n').slice(1, 5).join('\n');
}

describe('the cause of failures', () => {
  it('is none of a good broadcast', async () => {
    expect(redIn(await verdictsOn(recorded()))).to.deep.equal({});
  });

  it('a lost segment is one cause, and all else follows from it', async () => {
    const verdicts = await verdictsOn(recorded({ lost: [4] }));
    const { '021-US3-3 count': owner, ...others } = redIn(verdicts);
    expect(owner).to.equal('failed');
    expect(new Set(Object.values(others))).to.deep.equal(new Set(['follows']));
    expect(others).to.include.keys('021-US2-3', '021-US2-4', '021-US2-6', '021-US4-2');
    const { causes, text } = consoleOf(verdicts);
    expect(causes).to.equal(1);
    expect(firstOf(text)).to.match(/^✘ Cause of (\d+) of \1 failures: another number of fragments/);
    expect(firstOf(text)).to.include('segment 4: not sent');
  });

  it('what is wrong with the segments that are there comes before those that are not', async () => {
    const verdicts = await verdictsOn(
      recorded({ lost: [4], answer: (i) => (i === 2 ? { target_language: 'en' } : {}) }),
    );
    const { state, seen } = verdicts.get('019-US6-3') ?? {};
    expect({ state, seen }).to.deep.equal({
      ...{ state: 'failed', seen: 'fragment 2: en; segment 4: not sent' },
    });
  });

  it('a transcript that is always the same is quoted, once', async () => {
    const echo = { transcript: '[ECHO] Original audio', translated_text: '[ECHO] Original audio' };
    const { text } = consoleOf(await verdictsOn(recorded({ answer: () => echo })));
    expect(text).to.match(/segments 0 to 9: word error rate \d\.\d+: "\[ECHO\] Original audio"/);
    const verdicts = await verdictsOn(recorded({ answer: (i) => (i < 5 ? echo : {}) }));
    const { seen = '' } = verdicts.get('021-US4-2') ?? {};
    expect(seen)
      .to.match(/^segments 0 to 4: word error rate/)
      .and.not.match(/rate 0\.000/);
  });

  it('five failed answers are quoted, with code, message and fragments', async () => {
    const failure = {
      ...{ status: 'failed', dubbed_audio: null, transcript: '', translated_text: '' },
      error: { code: 'MODEL_ERROR', message: 'CUDA out of memory' },
    };
    const broadcast = recorded({ answer: (i) => (i < 5 ? failure : {}), dubbed: 5 });
    const verdicts = await verdictsOn(broadcast);
    expect(redIn(verdicts)).to.include({
      ...{ '021-US4-4': 'failed', '021-US2-4': 'follows', '021-US3-3': 'follows' },
      ...{ '021-US2-6': 'follows', '021-US4-4 fallbacks': 'follows' },
      ...{ '021-US4-2': 'follows', '021-US4-3': 'follows', '021-US4-3 meaning': 'follows' },
    });
    const { text } = consoleOf(verdicts);
    expect(firstOf(text)).to.include('5 of 10 answers failed');
    expect(firstOf(text)).to.include('fragments 0 to 4: failed (MODEL_ERROR: CUDA out of memory)');
  });

  it('a stream that is never accepted says why, and explains that nothing was sent', async () => {
    const message = 'chunk_duration_ms has to be 6000';
    const events = [1, 2, 3, 4, 5, 6, 7].flatMap((at) => [
      connection(at, 'open', at),
      event(at, 'error', { code: 'INVALID_CONFIG', message }, at),
    ]);
    const verdicts = await verdictsOn(recorded({ events, dubbed: 0 }));
    const { '021-US3-2': owner, ...others } = redIn(verdicts);
    expect(owner).to.equal('failed');
    expect(new Set(Object.values(others))).to.not.include('failed');
    const { text } = consoleOf(verdicts);
    expect(firstOf(text)).to.include(`7 error events: INVALID_CONFIG: ${message}`);
  });

  it('is none where a scenario has broken it itself', async () => {
    const faults = [readFault('fragment 4', 'the answer is dropped')];
    const broadcast = recorded({
      answer: (i) => (i === 4 ? undefined : {}),
      request: requestOf({ faults }),
    });
    expect(await judge(answered, broadcast, null)).to.include({
      ...{ state: 'failed', seen: 'fragment 4: no answer (timed out)' },
    });
  });
});
