import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le, readAudio } from '../../support/analyze/audio';
import { NotMeasured, FindingCache, cachedOnly } from '../../support/analyze/cache';
import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { SuiteError } from '../../support/base/errors';
import type { Fixture } from '../../support/broadcast/fixture';
import {
  EvidenceWriter,
  type MetricsRecord,
  readEvidence,
  type BroadcastRecord,
} from '../../support/broadcast/evidence';
import type { TapEvent } from '../../support/observe/tap';
import { attachEvidence } from '../../support/report/attachments';
import type { BroadcastFacts } from '../../support/report/facts';
import {
  readBroadcastFacts,
  broadcastFactsOf,
  writeBroadcastFacts,
} from '../../support/report/broadcast-facts';
import { type DubbedMovie, dubbedMovie, faulty, FAULTS, RATE } from '../analyze/dubbed-movie';
import { rejection, tempFolder } from '../analyze/make-media';

const STREAM = 'test_source_1795330000000_1';
const OTHER = 'test_source_1795330000000_12';
const PUBLISHED = Date.parse('2026-11-22T06:50:00.000Z');
const NAMES = { mediaService: 'media-service' };
const NOBODY = 'no scenario looked at it';

const RUN: BroadcastRecord = {
  ...{ stream: STREAM, startedAt: new Date(PUBLISHED - 20).toISOString(), runtime: 'host' },
  // Asked for with a fault: the checks, which take an English listener, are for whole broadcasts only.
  ...{ asked: { faults: {} }, finishedAt: PUBLISHED + 40_000, budgetSeconds: 300, monitor: 'tap' },
  ...{ outcome: 'the output ended', fixtureScript: '', fixtureFile: '', problems: [] },
  ...{ durationSeconds: 24, segmentSeconds: 6, plan: { words: [], seed: 1 } },
  publisher: { exitCode: 0, stderr: '' },
  times: {
    ...{ published: PUBLISHED, inputReady: PUBLISHED + 200, ingested: PUBLISHED + 300 },
    ...{ outputReady: PUBLISHED + 8000, publisherEnded: PUBLISHED + 24_000 },
    outputEnded: PUBLISHED + 33_000,
  },
};

describe('the facts of a stream', () => {
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
      run?: Partial<BroadcastRecord>;
    },
    fixture: Fixture = movie.fixture,
  ): BroadcastFindings {
    const writer = new EvidenceWriter(join(folder, name));
    seen.events?.forEach((one) => writer.addTapEvent(one));
    seen.metrics?.forEach((one) => writer.addMetrics(one));
    for (const [service, text] of Object.entries(seen.logs ?? {})) writer.addLog(service, text);
    if (seen.output) cpSync(seen.output, writer.path('output.mp4'));
    writer.finish({ ...RUN, ...seen.run });
    return new BroadcastFindings(readEvidence(writer.folder), fixture);
  }

  /** Facts as they are written and read again: nothing may be lost on the way. */
  async function factsOf(run: BroadcastFindings): Promise<BroadcastFacts> {
    const facts = await broadcastFactsOf(run, NAMES);
    expect(JSON.parse(JSON.stringify(facts))).to.deep.equal(facts);
    return facts;
  }

  describe('of a broadcast whose dub is 150 ms late', () => {
    let run: BroadcastFindings;
    let unseen: BroadcastFacts;
    let facts: BroadcastFacts;

    before(async () => {
      run = evidence('late', {
        output: withFault('the dub is 150 ms late'),
        events: conversation(),
      });
      unseen = await cachedOnly(() => factsOf(run));
      facts = await factsOf(run);
    });

    it('name each fragment wrong, and by how much', () => {
      expect(facts.fragments.map(({ state }) => state)).to.deep.equal(Array(4).fill('wrong'));
      for (const { offsetMs = 0, faults, sourceSeconds, sequence } of facts.fragments) {
        expect(offsetMs).to.be.within(145, 155);
        expect(faults.join()).to.match(/^heard 1(4|5)\d\.\d ms after its video, limit 120 ms$/);
        expect(sourceSeconds).to.be.closeTo(6 * sequence, 0.01);
      }
      expect(facts.figures.offsetWorstMs).to.be.within(145, 155);
      expect(facts.sourceAtZero).to.be.closeTo(0, 0.05);
      expect(facts.missing).to.have.all.keys('checks', 'log of media-service');
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

    it('have the figures, the marks, and the video of both audio', () => {
      const { figures, marks, images, output, files } = facts;
      expect(figures).to.include({ fragmentsSent: 4, fragmentsAnswered: 4, answerMaxMs: 1000 });
      expect(figures).to.include({ tookSeconds: 33, outputReadySeconds: 8, wordErrorRate: 0 });
      expect(marks.map(({ text }) => text)).to.deep.equal([
        'the publisher is started',
        'the broadcast is ready',
        'media-service reads the broadcast',
        'the output is ready',
        'the publisher has ended',
        'the connection to the STS was closed',
        'the output has ended',
      ]);
      for (const frame of [
        ...[images?.output.waveform, images?.output.spectrogram],
        ...[images?.original?.waveform, images?.original?.spectrogram],
      ]) {
        expect(frame).to.match(/^data:image\/png;base64,iVBORw0KGgo[\w+/]{500,}=*$/);
      }
      expect((images?.toPts ?? 0) - (images?.fromPts ?? 0)).to.be.closeTo(24, 0.2);
      expect(output?.seconds).to.be.closeTo(24, 0.2);
      expect(files.map(({ name }) => name)).to.include.members(['audio/', 'output.mp4']);
      expect(files.find(({ name }) => name === 'audio/')?.bytes).to.be.above(8 * 6 * 2 * RATE);
    });

    it('decode nothing without work, and can be worked out afterwards', async () => {
      for (const what of ['clock', 'offsets', 'texts', 'loudness', 'end to end', 'frames']) {
        expect(unseen.missing, what).to.have.property(what, NOBODY);
      }
      expect(unseen.fragments.map(({ state }) => state)).to.deep.equal(
        Array(4).fill('not looked at'),
      );
      expect(unseen.fragments[0]).to.include({ roundTripMs: 1000, translation: 'Hola' });
      expect(unseen).not.to.have.property('frames');
      // Everything is known by now.
      expect(await cachedOnly(() => factsOf(run))).to.deep.equal(facts);
    });

    it('are attached to a failure as charts, and leave nothing in the folder', async () => {
      const attached = new Map<string, string | Buffer>();
      await attachEvidence(run, NAMES, (body, { fileName }) => void attached.set(fileName, body));
      for (const name of ['fragments.svg', 'offset.svg', 'audio.svg']) {
        // Cucumber's HTML report shows bytes only.
        expect(attached.get(name), name).to.be.an.instanceOf(Buffer);
        expect(String(attached.get(name))).to.match(/<svg[^>]* xmlns="/);
      }
      expect(attached.get('evidence-folder.txt')).to.equal(run.evidence.folder);
      const left = readdirSync(run.evidence.folder).filter((name) => name.includes('frames'));
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
      ...['fine', 'fine', 'unheard', 'unheard'],
    ]);
    expect(fragments[2]?.faults.join()).to.match(/not heard at its video/);
    expect(fragments[3]?.faults).to.deep.equal(['the STS answered with the error TIMEOUT']);
    expect(fragments[3]?.shownAtPts).to.be.closeTo(18, 0.1);
  });

  it('are there without a tap, without an output, and with a recording that is none', async () => {
    const direct = await factsOf(evidence('direct', { run: { monitor: 'direct' } }));
    expect(direct.missing['events']).to.match(/was not heard.*STS_MONITOR is direct/);
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
    const run = evidence('viewer', { run: { monitor: 'direct' } });
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
    const looks = [0, 0, 0, 4].map((sent, i): MetricsRecord => ({
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
    const { series, histograms } = await factsOf(evidence('metrics', { metrics: looks }));
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

  it('mark what the tap has done, what the STS asked for, and lost connections', async () => {
    const fault = (seconds: number, payload: object): TapEvent =>
      event(seconds, { kind: 'fault', payload });
    const words = 'when fragment 0 is sent: nothing arrives from the STS any more';
    const run = evidence('marks', {
      events: [
        event(0.3, { kind: 'open' }),
        fault(1, { fault: words }),
        fault(2, { fault: words, detail: '42' }),
        event(3, { kind: 'close', payload: { code: 1006 } }),
        event(3, { kind: 'close', direction: 'from-sts', payload: { code: 1006 } }),
        event(4, { kind: 'refused', connection: 2 }),
        event(5, { kind: 'open', connection: 3 }),
        event(6, { event: 'backpressure', payload: { action: 'pause' } }),
        event(7, { event: 'backpressure', payload: 'nonsense' }),
      ],
      run: { times: { published: PUBLISHED }, outcome: 'the run was broken off' },
    });
    const { marks, isWhole } = await factsOf(run);
    expect(isWhole).to.equal(false);
    expect(marks.map(({ atSeconds, kind, text }) => [atSeconds, kind, text])).to.deep.equal([
      [0, 'pipeline', 'the publisher is started'],
      [1, 'fault', words],
      [3, 'connection', 'the connection to the STS was lost'],
      [4, 'connection', 'a connection to the STS was refused'],
      [5, 'connection', 'media-service is connected to the STS again'],
      [6, 'connection', 'the STS asked for a pause'],
    ]);
  });

  it('are there of a folder that has a run.json only', async () => {
    const where = join(folder, 'bare');
    mkdirSync(where);
    writeFileSync(join(where, 'run.json'), JSON.stringify(RUN));
    const facts = await factsOf(new BroadcastFindings(readEvidence(where), movie.fixture));
    expect(facts.missing).to.include.keys('events', 'metrics', 'output', 'log of media-service');
    expect(facts.files.map(({ name }) => name)).to.deep.equal(['run.json']);
    expect(existsSync(join(where, 'facts.json'))).to.equal(false);
  });
});

describe('findings without work', () => {
  it('are those that were asked for before, also while they are worked out', async () => {
    const remembered = new FindingCache();
    const slow = remembered.once('slow', () => new Promise((done) => setImmediate(done, 1)));
    expect(await cachedOnly(() => remembered.once('slow', () => Promise.resolve(2)))).to.equal(1);
    expect(await slow).to.equal(1);
  });

  it('that nobody has asked for are rejected, also through others, and can be asked for later', async () => {
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
