import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le, readAudio } from '../../support/analyze/audio';
import { NotMeasured, FindingCache, cachedOnly } from '../../support/analyze/cache';
import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { SuiteError } from '../../support/base/errors';
import type { Fixture } from '../../support/broadcast/fixture';
import { EvidenceWriter } from '../../support/broadcast/evidence-writer';
import { type MetricsRecord, readEvidence } from '../../support/broadcast/evidence';
import type { TapEvent } from '../../support/broadcast/events';
import type { Fault } from '../../support/broadcast/fault';
import { type BroadcastRecord, EVIDENCE_VERSION } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';
import { avOffset } from '../../support/checks/av-sync';
import { judge } from '../../support/checks/criterion';
import type { VerdictLine } from '../../support/checks/verdict-log';
import { serviceNames, readConfig } from '../../support/config';
import { attachEvidence } from '../../support/report/attachments';
import { broadcastFactsOf } from '../../support/report/broadcast-facts';
import type { BroadcastFacts } from '../../support/report/facts';
import { readBroadcastFacts, writeBroadcastFacts } from '../../support/report/facts-file';
import { type DubbedMovie, dubbedMovie, faulty, FAULTS, RATE } from '../analyze/dubbed-movie';
import { rejection, tempFolder } from '../analyze/make-media';

const STREAM = 'test_source_1795330000000_1';
const OTHER = 'test_source_1795330000000_12';
const PUBLISHED = Date.parse('2026-11-22T06:50:00.000Z');
const NAMES = serviceNames(readConfig({}).settings('127.0.0.1'));
const NOT_MEASURED = 'no scenario has measured it';

const RECORD: BroadcastRecord = {
  ...{ version: EVIDENCE_VERSION, stream: STREAM, runtime: 'host', monitor: 'tap' },
  ...{ startedAt: new Date(PUBLISHED - 20).toISOString(), finishedAt: PUBLISHED + 40_000 },
  ...{ request: requestOf(), faultSeed: 1, outcome: { kind: 'output ended' }, problems: [] },
  ...{ fixtureScript: '', fixtureFile: '', durationSeconds: 24, segmentSeconds: 6 },
  publisher: { exitCode: 0, stderr: '' },
  times: {
    ...{ published: PUBLISHED, inputReady: PUBLISHED + 200, ingested: PUBLISHED + 300 },
    ...{ outputReady: PUBLISHED + 8000, publisherEnded: PUBLISHED + 24_000 },
    outputEnded: PUBLISHED + 33_000,
  },
};

describe('the facts of a broadcast', () => {
  const folder = tempFolder();
  let movie: DubbedMovie;
  let originals: Float32Array[];

  before(async () => {
    movie = dubbedMovie(join(folder, 'movie'));
    originals = await Promise.all(movie.dubs.map((dub) => readAudio(dub.original ?? '', RATE)));
  });

  const withFault = (name: string): string => {
    const file = join(folder, `${name.replaceAll(' ', '-')}.mp4`);
    return faulty(movie, FAULTS[name]?.fault ?? [], file);
  };

  /** Seconds after publishing at which a fragment is sent. */
  const sentAt = (sequence: number): number => 6.5 + 6 * sequence;

  const event = (seconds: number, fields: Partial<TapEvent>): TapEvent => ({
    ...{ at: PUBLISHED + 1000 * seconds, connection: 1, stream: STREAM },
    ...{ direction: 'to-sts', kind: 'event', ...fields },
  });

  const pcm = (samples: Float32Array | undefined): object => ({
    ...{ format: 'pcm_s16le', sample_rate_hz: RATE, channels: 1, duration_ms: 6000 },
    data_base64: pcmToS16le(samples ?? new Float32Array()).toString('base64'),
  });

  /** What is said of each fragment: it is answered a second after it was sent. */
  function conversation(): TapEvent[] {
    return [
      event(0.3, { kind: 'open' }),
      event(0.4, { event: 'stream:init', payload: { timeout_ms: 8000 } }),
      ...movie.dubbed.flatMap((dub, sequence) => {
        const ids = { fragment_id: `${STREAM}_000${sequence}`, stream_id: STREAM };
        const sent = {
          ...{ ...ids, sequence_number: sequence, timestamp: 6000 * sequence },
          audio: pcm(originals[sequence]),
        };
        const answer = {
          ...{ ...ids, sequence_number: sequence, status: 'success', dubbed_audio: pcm(dub) },
          transcript: movie.fixture.script[sequence],
          translated_text: 'Hola',
          stage_timings: { asr_ms: 600, translation_ms: 200, tts_ms: 100 },
        };
        return [
          event(sentAt(sequence), { event: 'fragment:data', payload: sent }),
          event(sentAt(sequence) + 1, {
            ...{ direction: 'from-sts', event: 'fragment:processed', payload: answer },
          }),
        ];
      }),
      event(32, { kind: 'close', payload: { code: 1000 } }),
      event(32, { kind: 'close', direction: 'from-sts', payload: { code: 1000 } }),
    ];
  }

  /** An evidence folder. */
  function evidence(
    name: string,
    seen: {
      output?: string;
      events?: TapEvent[];
      metrics?: MetricsRecord[];
      logs?: Record<string, string>;
      record?: Partial<BroadcastRecord>;
    },
    fixture: Fixture = movie.fixture,
  ): BroadcastFindings {
    const writer = new EvidenceWriter(join(folder, name));
    seen.events?.forEach((one) => writer.addTapEvent(one));
    seen.metrics?.forEach((one) => writer.addMetrics(one));
    for (const [service, text] of Object.entries(seen.logs ?? {})) writer.addLog(service, text);
    if (seen.output) cpSync(seen.output, writer.path('output.mp4'));
    writer.finish({ ...RECORD, ...seen.record });
    return new BroadcastFindings(readEvidence(writer.folder), fixture, NAMES);
  }

  /** Facts as they are written and read again: nothing may be lost on the way. */
  async function factsOf(
    run: BroadcastFindings,
    lines: readonly VerdictLine[] = [],
  ): Promise<BroadcastFacts> {
    const facts = await broadcastFactsOf(run, lines);
    expect(JSON.parse(JSON.stringify(facts))).to.deep.equal(facts);
    return facts;
  }

  describe('of a broadcast whose dub is 150 ms late', () => {
    let run: BroadcastFindings;
    let unmeasured: BroadcastFacts;
    let facts: BroadcastFacts;
    let lines: VerdictLine[];

    before(async () => {
      run = evidence('late', {
        output: withFault('the dub is 150 ms late'),
        events: conversation(),
      });
      unmeasured = await cachedOnly(() => factsOf(run));
      const scenario = { name: 'the dub is in sync', place: 'features/a.feature:1' };
      const verdict = await judge(avOffset, run, { limitMs: 120 });
      lines = [{ stream: STREAM, scenario, verdict }];
      facts = await factsOf(run, lines);
    });

    it('name each fragment wrong, and by how much', () => {
      expect(facts.fragments.map(({ state }) => state)).to.deep.equal(Array(4).fill('wrong'));
      for (const { offsetMs = 0, remarks, sourceSeconds, sequence } of facts.fragments) {
        expect(offsetMs).to.be.within(145, 155);
        expect(remarks.join()).to.match(/^audio and video are apart .*: 1(4|5)\d\.\d ms$/);
        expect(sourceSeconds).to.be.closeTo(6 * sequence, 0.01);
      }
      expect(facts.figures.offsetWorstMs).to.be.within(145, 155);
      expect(facts.sourceAtZero).to.be.closeTo(0, 0.05);
      expect(facts.missing).to.have.all.keys('log of media-service');
    });

    it('lay the stages of a fragment one after the other', () => {
      const [first] = facts.fragments;
      expect(first?.stages.map(({ stage }) => stage)).to.deep.equal([
        ...['waiting', 'queued', 'asr', 'translation', 'tts', 'returned', 'played'],
      ]);
      const at = (stage: string): number[] => {
        const found = first?.stages.find((one) => one.stage === stage);
        return [found?.fromSeconds ?? NaN, found?.toSeconds ?? NaN];
      };
      // Read from 0.3 s on, and 6 s long.
      expect(at('waiting')).to.deep.equal([6.3, 6.5]);
      expect(at('queued')).to.deep.equal([6.5, 6.6]);
      expect(at('asr')).to.deep.equal([6.6, 7.2]);
      expect(at('tts')).to.deep.equal([7.4, 7.5]);
      expect(at('returned')[0]).to.equal(7.5);
      expect(at('played')[0]).to.be.closeTo(8, 0.1);
      expect(at('played')[1]).to.be.closeTo(14, 0.1);
    });

    it('have the figures, the events, and the images of original and output', () => {
      const { figures, events, images, output, files } = facts;
      expect(figures).to.include({ fragmentsSent: 4, fragmentsAnswered: 4, answerMaxMs: 1000 });
      expect(figures).to.include({ tookSeconds: 33, outputReadySeconds: 8, wordErrorRate: 0 });
      expect(events.map(({ text }) => text)).to.deep.equal([
        'the publisher is started',
        'the broadcast is ready',
        'media-service reads the broadcast',
        'the output is ready',
        'the publisher has ended',
        'the connection to the STS was closed',
        'the output has ended',
      ]);
      for (const drawn of [images?.output, images?.original]) {
        expect(drawn?.levels).to.have.lengthOf(500);
        expect(Math.max(...(drawn?.levels ?? []))).to.be.within(0.05, 1);
        expect(drawn?.spectrogram).to.match(/^data:image\/png;base64,iVBORw0KGgo[\w+/]{500,}=*$/);
      }
      expect((images?.toPts ?? 0) - (images?.fromPts ?? 0)).to.be.closeTo(24, 0.2);
      expect(output?.seconds).to.be.closeTo(24, 0.2);
      expect(files.map(({ name }) => name)).to.include.members(['audio/', 'output.mp4']);
      expect(files.find(({ name }) => name === 'audio/')?.bytes).to.be.above(8 * 6 * 2 * RATE);
    });

    it('decode nothing for pages, and can be measured afterwards', async () => {
      for (const what of ['clock', 'offsets', 'texts', 'loudness', 'end to end', 'images']) {
        expect(unmeasured.missing, what).to.have.property(what, NOT_MEASURED);
      }
      expect(unmeasured.fragments.map(({ state }) => state)).to.deep.equal(
        Array(4).fill('not measured'),
      );
      expect(unmeasured.fragments[0]).to.include({ roundTripMs: 1000, translation: 'Hola' });
      expect(unmeasured).not.to.have.property('images');
      // Everything has been measured by now.
      const again = await cachedOnly(() => factsOf(run, lines));
      expect(again.figures).to.deep.equal(facts.figures);
      expect(again.images).to.deep.equal(facts.images);
    });

    it('are attached to a failure as charts, and leave nothing in the folder', async () => {
      const attached = new Map<string, string | Buffer>();
      await attachEvidence(run, [], (body, { fileName }) => void attached.set(fileName, body));
      for (const name of ['fragments.svg', 'offset.svg', 'audio.svg']) {
        // Cucumber's HTML report shows bytes only.
        expect(attached.get(name), name).to.be.an.instanceOf(Buffer);
        expect(String(attached.get(name))).to.match(/<svg[^>]* xmlns="/);
      }
      expect(attached.get('evidence-folder.txt')).to.equal(run.evidence.folder);
      const left = readdirSync(run.evidence.folder).filter((name) => name.startsWith('images'));
      expect(left).to.deep.equal([]);
    });

    it('are read as they were written', () => {
      const { folder: where } = run.evidence;
      expect(readBroadcastFacts(where)).to.equal(undefined);
      writeBroadcastFacts(where, facts);
      expect(readBroadcastFacts(where)).to.deep.equal(facts);
      writeFileSync(join(where, 'facts.json'), '{"stream": 1}');
      expect(() => readBroadcastFacts(where)).to.throw(SuiteError, /facts\.json.*stream/s);
    });
  });

  it('tell of a dub that is missing, of one that never came, and of a bad event', async () => {
    const events = conversation().map((one): TapEvent => {
      const payload = one.payload as Record<string, unknown> | undefined;
      if (one.event !== 'fragment:processed' || !payload) return one;
      // The first one does not fit the contract; the last one is an error.
      if (payload['sequence_number'] === 0) return { ...one, payload: { ...payload, status: 7 } };
      if (payload['sequence_number'] !== 3) return one;
      const error = { code: 'TIMEOUT', message: 'too slow' };
      return { ...one, payload: { ...payload, status: 'failed', dubbed_audio: null, error } };
    });
    const run = evidence('missing', {
      output: withFault('one dub is missing'),
      events: [...events, event(33, { event: 'fragment:data', payload: { nothing: 'of use' } })],
    });
    const { fragments, missing } = await factsOf(run);
    expect(missing['contract']).to.match(/does not fit the contract/);
    expect(fragments.map(({ state }) => state)).to.deep.equal([
      ...['heard', 'heard', 'unheard', 'unheard'],
    ]);
    expect(fragments[3]?.remarks).to.deep.equal(['the STS answered with the error TIMEOUT']);
    expect(fragments[3]?.shownAtPts).to.be.closeTo(18, 0.1);
  });

  it('are there without a tap, without an output, and with a malformed recording', async () => {
    const direct = await factsOf(evidence('direct', { record: { monitor: 'direct' } }));
    expect(direct.missing['events']).to.match(/was not heard.*nothing was between them/);
    expect(direct.missing['output']).to.match(/^no recording of the output/);
    expect(direct).to.include({ monitor: 'direct', audio: 'speech' });
    expect(direct.fragments).to.deep.equal([]);
    expect(direct.figures).to.include({ tookSeconds: 33 });

    const run = evidence('broken', { events: conversation() });
    writeFileSync(join(run.evidence.folder, 'output.mp4'), 'no movie');
    writeFileSync(join(run.evidence.folder, 'metrics.ndjson'), 'no metrics');
    const broken = await factsOf(run);
    expect(broken.missing['output']).to.match(/cannot be read/);
    expect(broken.missing['metrics']).to.match(/cannot be read/);
    expect(broken.fragments).to.have.length(4);
  });

  it('take the recording of the viewer where there is no other', async () => {
    const run = evidence('viewer', { record: { monitor: 'direct' } });
    cpSync(movie.output, join(run.evidence.folder, 'viewer.mkv'));
    const { output, sourceAtZero, images } = await factsOf(run);
    expect(output?.file).to.equal('viewer.mkv');
    expect(sourceAtZero).to.be.closeTo(0, 0.05);
    expect(images?.original).to.be.an('object');
  });

  it('have the log of this stream, in the order of time', async () => {
    const line = (seconds: number, stream: string, message: string): string =>
      JSON.stringify({
        timestamp: new Date(PUBLISHED + 1000 * seconds).toISOString(),
        ...{ level: 'WARNING', message, stream_id: stream, segment: 3, key: '\u001b[31m' },
      });
    const run = evidence('logs', {
      logs: {
        'media-service': [
          'a line before all others',
          line(2, STREAM, 'ours'),
          'Traceback of ours',
          line(3, OTHER, 'not ours'),
          'Traceback of another stream',
          `worker of ${STREAM}_0001 says {no JSON`,
          '{"message": 7, "stream_id": null}',
        ].join('\n'),
        mediamtx: [
          '2026-11-22T06:50:01.500Z 2026/11/22 06:50:01 WAR [RTSP] no stream',
          `2026-11-22T06:50:01.600Z 2026/11/22 06:50:01 INF live/${OTHER}/in`,
        ].join('\n'),
      },
    });
    const { log } = await factsOf(run);
    expect(log.map(({ atSeconds, level, text }) => [atSeconds, level, text])).to.deep.equal([
      [undefined, '', 'a line before all others'],
      [1.5, 'warning', '[RTSP] no stream'],
      [2, 'warning', 'ours segment=3 key=\\u001b[31m'],
      [undefined, '', 'Traceback of ours'],
      [undefined, '', `worker of ${STREAM}_0001 says {no JSON`],
      [undefined, '', '{"message": 7, "stream_id": null}'],
    ]);
    expect(log[1]?.service).to.equal('mediamtx');
  });

  it('keep the newest lines of a long log, and say so', async () => {
    const lines = Array.from({ length: 5010 }, (_, i) => `line ${i}`).join('\n');
    const { log, problems } = await factsOf(evidence('long', { logs: { sts: lines } }));
    expect(log).to.have.length(5000);
    expect(log.at(-1)?.text).to.equal('line 5009');
    expect(problems).to.deep.equal(['the 10 oldest lines of the log are not shown']);
  });

  it('have metrics over time without what is no number, and the mean of histograms', async () => {
    const types = { sent_total: 'counter', load: 'gauge', time_ms: 'histogram', up: 'gauge' };
    const labels = { stream_id: STREAM };
    const polls = [0, 0, 0, 4].map((sent, i): MetricsRecord => ({
      at: PUBLISHED + 1000 * i,
      ...(i === 0 ? { types } : {}),
      samples: [
        { name: 'sent_total', labels: { ...labels, status: 'sent' }, value: sent },
        { name: 'load', labels, value: i === 1 ? NaN : i },
        { name: 'up', labels: {}, value: Infinity },
        { name: 'sent_created', labels, value: 12 },
        { name: 'time_ms_sum', labels, value: 100 * sent },
        { name: 'time_ms_bucket', labels: { ...labels, le: '+Inf' }, value: sent },
        { name: 'time_ms_count', labels, value: sent },
      ],
    }));
    const { series, histograms } = await factsOf(evidence('metrics', { metrics: polls }));
    expect(series).to.deep.equal([
      {
        ...{ name: 'load', labels: '', type: 'gauge' },
        points: [0, 2, 3].map((i) => ({ atSeconds: i, value: i })),
      },
      {
        ...{ name: 'sent_total', labels: 'status=sent', type: 'counter' },
        points: [
          { atSeconds: 0, value: 0 },
          { atSeconds: 2, value: 0 },
          { atSeconds: 3, value: 4 },
        ],
      },
    ]);
    expect(histograms).to.deep.equal([{ name: 'time_ms', labels: '', count: 4, mean: 100 }]);
  });

  it('list faults, what the STS requested, and lost connections', async () => {
    const fault: Fault = {
      ...{ does: 'mute', direction: 'from-sts' },
      at: { when: 'sent', fragment: 0, afterSeconds: 0 },
    };
    const done = (seconds: number, payload: object): TapEvent =>
      event(seconds, { kind: 'fault', payload });
    const run = evidence('events', {
      events: [
        event(0.3, { kind: 'open' }),
        done(1, { fault }),
        done(2, { fault, detail: '42' }),
        event(3, { kind: 'close', payload: { code: 1006 } }),
        event(3, { kind: 'close', direction: 'from-sts', payload: { code: 1006 } }),
        event(4, { kind: 'refused', connection: 2 }),
        event(5, { kind: 'open', connection: 3 }),
        event(6, { event: 'backpressure', payload: { action: 'pause' } }),
      ],
      record: { times: { published: PUBLISHED }, outcome: { kind: 'suite ended' } },
    });
    const { events, isComplete } = await factsOf(run);
    expect(isComplete).to.equal(false);
    expect(events.map(({ atSeconds, kind, text }) => [atSeconds, kind, text])).to.deep.equal([
      [0, 'pipeline', 'the publisher is started'],
      [1, 'fault', 'when fragment 0 is sent: nothing arrives from the STS any more'],
      [3, 'connection', 'the connection to the STS was lost'],
      [4, 'connection', 'a connection to the STS was refused'],
      [5, 'connection', 'media-service is connected to the STS again'],
      [6, 'connection', 'the STS requested a pause'],
    ]);
  });

  it('have one verdict for scenarios that judged alike, and no default one beside it', async () => {
    const run = evidence('verdicts', {});
    const line = (limitMs: number, name?: string, criterion = 'av-offset'): VerdictLine => ({
      stream: STREAM,
      ...(name === undefined ? {} : { scenario: { name, place: `a.feature:${name}` } }),
      verdict: {
        ...{ criterion, title: criterion, limit: { limitMs }, state: 'passed', where: 'output' },
        ...{ what: '', seen: 'worst 3 ms', expected: `below ${limitMs} ms`, deviations: [] },
      },
    });
    const { verdicts } = await factsOf(run, [
      ...[line(120, 'one'), line(120, 'two'), line(120, 'two'), line(60, 'three'), line(120)],
      ...[line(60, undefined, 'av-drift'), { ...line(1, 'another'), stream: OTHER }],
    ]);
    const shown = verdicts.map(({ criterion, expected, judgedBy }) => [
      ...[criterion, expected, judgedBy.map(({ name }) => name).join()],
    ]);
    expect(shown).to.deep.equal([
      ['av-offset', 'below 120 ms', 'one,two'],
      ['av-offset', 'below 60 ms', 'three'],
      ['av-drift', 'below 60 ms', ''],
    ]);
  });

  it('are there of a folder that has a run.json only', async () => {
    const where = join(folder, 'bare');
    mkdirSync(where);
    writeFileSync(join(where, 'run.json'), JSON.stringify(RECORD));
    const facts = await factsOf(new BroadcastFindings(readEvidence(where), movie.fixture, NAMES));
    expect(facts.missing).to.include.keys('events', 'metrics', 'output', 'log of media-service');
    expect(facts.files.map(({ name }) => name)).to.deep.equal(['run.json']);
    expect(existsSync(join(where, 'facts.json'))).to.equal(false);
  });
});

describe('cached findings', () => {
  it('are those that were asked for before, also while they are measured', async () => {
    const cache = new FindingCache();
    const slow = cache.once('slow', () => new Promise((done) => setImmediate(done, 1)));
    expect(await cachedOnly(() => cache.once('slow', () => Promise.resolve(2)))).to.equal(1);
    expect(await slow).to.equal(1);
  });

  it('that were never asked for are rejected, also through others, and can be asked for later', async () => {
    const [outer, inner] = [new FindingCache(), new FindingCache()];
    const ask = (): Promise<number> =>
      outer.once('outer', () => inner.once('inner', () => Promise.resolve(3)));
    expect(await cachedOnly(() => rejection(ask()))).to.be.instanceOf(NotMeasured);
    expect(await cachedOnly(async () => rejection(Promise.resolve().then(ask)))).to.be.instanceOf(
      NotMeasured,
    );
    expect(await ask()).to.equal(3);
    expect(await cachedOnly(ask)).to.equal(3);
  });
});
