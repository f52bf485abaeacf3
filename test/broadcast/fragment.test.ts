import { describe, it } from 'node:test';

import { expect } from 'chai';

import { inflightAt, mostInflight } from '../../support/analyze/exchange';
import { fragmentsOf } from '../../support/broadcast/fragment';
import { answered, answered019, connection, error, event, init, sent } from './an-exchange';

describe('the fragments of a broadcast', () => {
  it('wait until an answer, a timeout or the loss of the connection, whichever is first', () => {
    const { fragments } = fragmentsOf([
      ...[init(8000), sent(0, 'a'), sent(1, 'b'), answered(2, 'a'), answered(9.5, 'b')],
      ...[sent(10, 'c'), connection(12, 'close'), sent(14, 'd', { connection: 2 })],
      ...[error(15, 'd', 'X'), sent(16, 'e', { connection: 2 })],
    ]);
    expect(fragments.map(({ end, endedAt }) => [end, endedAt])).to.deep.equal([
      ['answered', 2000],
      ['timed out', 9000],
      ['disconnected', 12_000],
      ['answered', 15_000],
      ['open', undefined],
    ]);
    expect([0, 1500, 2000, 9000, 17_000].map((at) => inflightAt(fragments, at))).to.deep.equal([
      ...[1, 2, 1, 0, 1],
    ]);
    expect(mostInflight(fragments)).to.equal(2);
  });

  it('time out after 8 s where no timeout was announced, as spec 016 says', () => {
    const { fragments } = fragmentsOf([sent(0, 'a'), sent(1, 'b'), connection(8.999, 'close')]);
    expect(fragments.map(({ end, endedAt }) => [end, endedAt])).to.deep.equal([
      ['timed out', 8000],
      ['disconnected', 8999],
    ]);
  });

  it('end with an answer at the very moment of the timeout', () => {
    const { fragments } = fragmentsOf([init(8000), sent(0, 'a'), answered(8, 'a')]);
    expect(fragments[0]).to.include({ end: 'answered', endedAt: 8000, roundTripMs: 8000 });
    const compressed = fragmentsOf([init(8000), sent(0, 'a'), answered(8, 'a')], 5).fragments;
    expect(compressed[0]).to.include({ endedAt: 8000, roundTripMs: 40_000 });
  });

  it('have the code of what has failed, and none of a success', () => {
    const { fragments } = fragmentsOf([
      ...[sent(0, 'a'), answered(1, 'a'), sent(2, 'b'), answered(3, 'b', 'TIMEOUT')],
      ...[sent(4, 'c'), error(5, 'c', 'BUSY'), answered(6, 'c')],
      ...[sent(7, 'd'), answered(8, 'd'), error(9, 'd', 'LATE')],
    ]);
    const codes = fragments.map(({ errorCode }) => errorCode);
    expect(codes).to.deep.equal([undefined, 'TIMEOUT', 'BUSY', undefined]);
  });

  it('are counted by their sequence numbers, and as they come where those begin again', () => {
    const numbered = (numbers: number[]): number[] =>
      fragmentsOf(
        numbers.map((number, at) => sent(at, `f${at}`, { sequence: number })),
      ).fragments.map(({ segment }) => segment);
    expect(numbered([0, 1, 2])).to.deep.equal([0, 1, 2]);
    expect(numbered([1, 2, 3])).to.deep.equal([1, 2, 3]);
    expect(numbered([0, 1, 0, 1])).to.deep.equal([0, 1, 2, 3]);
    const { fragments } = fragmentsOf([sent(0, 'a'), sent(1, 'b')]);
    expect(fragments.map(({ segment }) => segment)).to.deep.equal([0, 1]);
  });

  it('may be named by numbers, and answered by what spec 019 asks for', () => {
    const { fragments, answers, violations } = fragmentsOf([
      ...[sent(0, 7, { isWhole: true }), sent(1, 8, { isWhole: true }), answered019(2, 7)],
      ...[answered019(3, 8), event(3, 'fragment:ack', { fragment_id: 8, status: 'queued' })],
    ]);
    expect(violations).to.be.empty;
    expect(answers.map(({ status }) => status)).to.deep.equal(['success', 'success']);
    expect(
      fragments.map(({ fragmentId, segment, end, errorCode, isAcknowledged }) => ({
        ...{ fragmentId, segment, end, errorCode, isAcknowledged },
      })),
    ).to.deep.equal([
      { fragmentId: '7', segment: 0, end: 'answered', errorCode: undefined, isAcknowledged: false },
      { fragmentId: '8', segment: 1, end: 'answered', errorCode: undefined, isAcknowledged: true },
    ]);
  });

  it('that have failed say so by their error alone', () => {
    const failure = { fragment_id: 'a', error: { code: 'TIMEOUT', message: '' } };
    const { fragments, answers } = fragmentsOf([
      ...[sent(0, 'a'), event(1, 'fragment:processed', failure)],
    ]);
    expect(answers[0]).to.include({ status: 'failed' });
    expect(fragments[0]).to.include({ errorCode: 'TIMEOUT' });
  });

  it('have the time of the media, not that of the clock', () => {
    const at = 1_800_000_000;
    const times = [0, 12_000, 1000 * at, 1000 * at - 23 * 3_600_000].map(
      (timestamp) => fragmentsOf([sent(at, 'a', { timestamp })]).fragments[0]?.timestampMs,
    );
    expect(times).to.deep.equal([0, 12_000, undefined, undefined]);
  });

  it('are acknowledged, or not', () => {
    const { fragments } = fragmentsOf([
      ...[sent(0, 'a'), event(0.1, 'fragment:ack', { fragment_id: 'a', status: 'queued' })],
      sent(1, 'b'),
    ]);
    expect(fragments.map(({ isAcknowledged }) => isAcknowledged)).to.deep.equal([true, false]);
  });

  it('that do not fit the contract are named, and those that do are not', () => {
    const good = sent(0, 'a', { sequence: 0, timestamp: 0, isWhole: true });
    expect(fragmentsOf([good, answered(1, 'a')]).violations).to.be.empty;
    expect(fragmentsOf([sent(0, 'a')]).violations).to.have.length(1);
    const { fragments, answers, violations } = fragmentsOf([
      ...[good, event(1, 'fragment:processed', { status: 'success' })],
      event(2, 'fragment:data', {}),
    ]);
    expect(violations.map((text) => text.split(':', 2).join(':'))).to.deep.equal([
      'fragment:processed',
      'fragment:data',
    ]);
    expect(fragments).to.have.length(1);
    expect(answers).to.have.length(1);
  });

  it('are not those of another stream: what the STS says of one is named', () => {
    const good = [sent(0, 'a', { sequence: 0, timestamp: 0, isWhole: true }), answered(1, 'a')];
    const said = (name: string, payload: object): string[] =>
      fragmentsOf([...good, event(2, name, payload)]).violations;
    const pressure = { severity: 'low', action: 'none' };
    const complete = {
      ...{ total_fragments: 1, total_duration_ms: 6000 },
      statistics: {
        ...{ success_count: 1, partial_count: 0, failed_count: 0 },
        ...{ avg_processing_time_ms: 1, p95_processing_time_ms: 1 },
      },
    };
    for (const [name, payload] of [
      ['stream:ready', {}],
      ['fragment:processed', { fragment_id: 'a' }],
      ['backpressure', pressure],
      ['error', { code: 'TIMEOUT' }],
      ['stream:complete', complete],
    ] as const) {
      expect(said(name, { ...payload, stream_id: 's' }), name).to.deep.equal([]);
      const [violation = ''] = said(name, { ...payload, stream_id: 'other' });
      expect(violation).to.include(`${name}: stream_id: "other" is another stream in {`);
    }
    // As the worker calls it, whatever the headers say.
    const own = event(0, 'stream:init', { stream_id: 'its own name' });
    const ready = event(1, 'stream:ready', { stream_id: 'its own name' });
    expect(fragmentsOf([own, ready, ...good]).violations).to.deep.equal([]);
    expect(fragmentsOf([ready, ...good]).violations).to.have.length(1);
  });

  it('are also judged by what else the STS says', () => {
    for (const [name, payload] of [
      ['stream:ready', { max_inflight: -4 }],
      ['backpressure', { action: 'explode' }],
      ['error', { nothing: true }],
      ['stream:complete', { total_fragments: 'many' }],
    ] as const) {
      expect(fragmentsOf([event(0, name, payload)]).violations.join()).to.match(
        new RegExp(`^${name}: `),
      );
    }
    const nothing = { ...event(0, 'stream:ready'), payload: undefined };
    expect(fragmentsOf([nothing]).violations).to.deep.equal([]);
  });

  it('take no time in a stage that is null', () => {
    const timings = (stages: object | null) =>
      fragmentsOf([event(1, 'fragment:processed', { fragment_id: 'a', stage_timings: stages })])
        .answers[0]?.timingsMs;
    const stages = { asr_ms: 3, translation_ms: null, tts_ms: 4 };
    expect(timings(stages)).to.deep.equal({ asr: 3, translation: 0, tts: 4 });
    expect([timings(null), timings({ asr_ms: 3 })]).to.deep.equal([undefined, undefined]);
  });
});
