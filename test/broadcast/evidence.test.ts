import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le, readAudio } from '../../support/analyze/audio';
import { CannotBeShown, NotObserved, SuiteError } from '../../support/base/errors';
import { hideSecretsOf } from '../../support/base/safe-text';
import type { TapEvent } from '../../support/broadcast/events';
import { evidenceFiles, readEvidence, recordedBroadcasts } from '../../support/broadcast/evidence';
import { EvidenceWriter } from '../../support/broadcast/evidence-writer';
import { readFault } from '../../support/broadcast/fault-words';
import { type BroadcastRecord, EVIDENCE_VERSION } from '../../support/broadcast/record';
import { keyOf, requestOf } from '../../support/broadcast/request';
import { projectRoot } from '../../support/config';
import { aRecord } from './a-record';

const RECORD = evidenceFiles.record;

describe('evidence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  after(() => rmSync(folder, { recursive: true }));

  const event: TapEvent = {
    ...{ at: 1, connection: 0, stream: 'one', direction: 'from-sts' },
    ...{ kind: 'event', event: 'fragment:processed', payload: {} },
  };

  function written(name: string, monitor: BroadcastRecord['monitor'], events: TapEvent[]): string {
    const writer = new EvidenceWriter(join(folder, name));
    events.forEach((one) => writer.addTapEvent(one));
    writer.finish(aRecord({ monitor }));
    return writer.folder;
  }

  it('of the tap is what it recorded, be it nothing', () => {
    expect(readEvidence(written('quiet', 'tap', [])).tap).to.deep.equal([]);
    expect(readEvidence(written('heard', 'tap', [event])).tap).to.have.length(1);
  });

  it('of direct mode is what the STS sent to every client; reading says so where that is nothing', () => {
    expect(readEvidence(written('told', 'direct', [event])).tap).to.have.length(1);
    const deaf = readEvidence(written('deaf', 'direct', []));
    expect(() => deaf.tap).to.throw(CannotBeShown, 'was not heard');
  });

  it('names files of the project from its folder on, and others as they are', () => {
    const [inProject, elsewhere] = [
      join(projectRoot, 'fixtures/12-s-nfl.yaml'),
      join(folder, 'clip.mp4'),
    ];
    const writer = new EvidenceWriter(join(folder, 'placed'));
    writer.finish(aRecord({ fixtureScript: inProject, fixtureFile: elsewhere }));
    const text = readFileSync(join(writer.folder, RECORD), 'utf8');
    expect(JSON.parse(text)).to.include({
      ...{ fixtureScript: 'fixtures/12-s-nfl.yaml', fixtureFile: elsewhere },
    });
    expect(readEvidence(writer.folder).record).to.include({
      ...{ fixtureScript: inProject, fixtureFile: elsewhere },
    });
  });

  /** A complete folder in which one file is then changed. */
  function damaged(change: (path: (name: string) => string) => void): () => unknown {
    const writer = new EvidenceWriter(join(folder, `damaged-${randomUUID()}`));
    for (const at of [1, 2]) {
      writer.addTapEvent({ ...event, at });
      writer.addMetrics({ at, samples: [{ name: 'a', labels: {}, value: at }] });
      writer.addMediaMtx({ at, paths: [] });
    }
    writer.finish(aRecord());
    change((name) => writer.path(name));
    return () => {
      const { tap, metrics, mediamtx } = readEvidence(writer.folder);
      return [tap, metrics, mediamtx];
    };
  }

  const damages: Record<string, [(path: (name: string) => string) => void, RegExp]> = {
    'a record that is missing': [(path) => rmSync(path(RECORD)), new RegExp(`no ${RECORD}`)],
    'a record that is empty': [
      (path) => writeFileSync(path(RECORD), ''),
      new RegExp(`${RECORD}.*not JSON`, 's'),
    ],
    'a record that is cut off': [
      (path) => truncateSync(path(RECORD), 100),
      new RegExp(`${RECORD}.*not JSON`, 's'),
    ],
    'a record without a field': [
      (path) => writeFileSync(path(RECORD), JSON.stringify({ ...aRecord(), times: undefined })),
      new RegExp(`${RECORD}.*times`, 's'),
    ],
    'a record that is a folder': [
      (path) => {
        rmSync(path(RECORD));
        mkdirSync(path(RECORD));
      },
      new RegExp(`${RECORD}.*EISDIR`, 's'),
    ],
    'events that are missing': [(path) => rmSync(path('tap.ndjson')), /tap\.ndjson.*ENOENT/s],
    'events that are cut off': [
      (path) => truncateSync(path('tap.ndjson'), statSync(path('tap.ndjson')).size - 20),
      /tap\.ndjson:2.*not JSON/s,
    ],
    'an event that is null': [
      (path) => appendFileSync(path('tap.ndjson'), 'null\n'),
      /tap\.ndjson:3/,
    ],
    'an event without a time': [
      (path) => appendFileSync(path('tap.ndjson'), '{"kind":"event"}\n'),
      /tap\.ndjson:3.*at/s,
    ],
    'bytes among the events': [
      (path) => appendFileSync(path('tap.ndjson'), Buffer.from([0xff, 0, 0xfe])),
      /tap\.ndjson:3/,
    ],
    'metrics that are missing': [(path) => rmSync(path('metrics.ndjson')), /metrics\.ndjson/],
    'a metric without a number': [
      (path) =>
        appendFileSync(
          path('metrics.ndjson'),
          '{"at":1,"samples":[{"name":"a","labels":{},"value":null}]}',
        ),
      /metrics\.ndjson:3.*value/s,
    ],
    'polls of MediaMTX that are cut off': [
      (path) => truncateSync(path('mediamtx.ndjson'), 10),
      /mediamtx\.ndjson:1/,
    ],
    'a loop of links': [
      (path) => {
        rmSync(path('tap.ndjson'));
        symlinkSync(path('tap.ndjson'), path('tap.ndjson'));
      },
      /tap\.ndjson.*ELOOP/s,
    ],
  };
  for (const [name, [change, message]] of Object.entries(damages)) {
    it(`with ${name} says so, and where`, () => {
      expect(damaged(change)).to.throw(NotObserved, message);
    });
  }

  it('that is complete is read as it was written', () => {
    expect(damaged(() => undefined)()).to.have.length(3);
  });

  const versions: [string, unknown, string][] = [
    ['without a version', undefined, 'no version'],
    ['of version 1', 1, 'version 1'],
    ['of version 3', 3, 'version 3'],
    ['of a version that is a text', String(EVIDENCE_VERSION), `version "${EVIDENCE_VERSION}"`],
  ];
  for (const [name, version, seen] of versions) {
    it(`${name} is refused, with what to do about it`, () => {
      const other = join(folder, `version-${randomUUID()}`, 's');
      mkdirSync(other, { recursive: true });
      writeFileSync(join(other, RECORD), JSON.stringify({ ...aRecord(), version }));
      for (const read of [() => readEvidence(other), () => recordedBroadcasts(join(other, '..'))]) {
        expect(read)
          .to.throw(NotObserved)
          .with.property('problem')
          .that.includes({
            what: 'this evidence was recorded by another version of the suite',
            ...{ where: join(other, RECORD), seen, expected: `version ${EVIDENCE_VERSION}` },
          })
          .and.has.property('next')
          .that.includes('npm run acceptance');
      }
    });
  }

  it('is found again by what was asked for, the newest where there are several', () => {
    const all = join(folder, 'recorded');
    const dropped = requestOf({ faults: [readFault('fragment 1', 'the answer is dropped')] });
    const broadcasts: [string, Partial<BroadcastRecord>][] = [
      ['old', { finishedAt: 1 }],
      ['new', { finishedAt: 3 }],
      ['faulty', { finishedAt: 2, request: dropped }],
    ];
    for (const [name, given] of broadcasts) {
      new EvidenceWriter(join(all, name)).finish(aRecord(given));
    }
    expect(recordedBroadcasts(all)).to.deep.equal(
      new Map([
        [keyOf(requestOf()), join(all, 'new')],
        [keyOf(dropped), join(all, 'faulty')],
      ]),
    );
    expect(() => recordedBroadcasts(join(folder, 'none'))).to.throw(NotObserved, /no evidence/);
  });

  for (const file of ['tap.ndjson', 'metrics.ndjson', 'mediamtx.ndjson', RECORD, 'sts.log']) {
    it(`on a full disk (${file}) says so at its end, and disturbs nothing before`, () => {
      const path = join(folder, `full-${file}`);
      mkdirSync(path);
      symlinkSync('/dev/full', join(path, file));
      const writer = new EvidenceWriter(path);
      writer.addTapEvent(event);
      writer.addMetrics({ at: 1, samples: [] });
      writer.addMediaMtx({ at: 1, paths: [] });
      writer.addLog('sts', 'text');
      expect(() => writer.finish(aRecord())).to.throw(
        SuiteError,
        new RegExp(`${file}.*ENOSPC.*REPORTS_DIR`, 's'),
      );
    });
  }

  it('says that audio could not be written', () => {
    const writer = new EvidenceWriter(join(folder, 'no-audio'));
    rmSync(writer.path('audio'), { recursive: true });
    writeFileSync(writer.path('audio'), '');
    const audio = { data_base64: 'AAAA' };
    writer.addTapEvent({ ...event, event: 'fragment:data', payload: { audio } });
    expect(() => writer.finish(aRecord())).to.throw(SuiteError, /tap\.ndjson.*(ENOTDIR|EEXIST)/s);
  });

  for (const where of ['/sys/evidence', join('/dev/null', 'evidence')]) {
    it(`cannot be begun in ${where}, which cannot be written to`, () => {
      expect(() => new EvidenceWriter(where)).to.throw(SuiteError, /cannot be written.*seen: +E/s);
    });
  }

  /** What is read of one event. */
  function kept(payload: unknown, name: string = 'fragment:processed'): Record<string, unknown> {
    const writer = new EvidenceWriter(join(folder, `kept-${randomUUID()}`));
    const one = { ...event, event: name, payload };
    writer.addTapEvent(one);
    writer.finish(aRecord());
    const [read] = readEvidence(writer.folder).tap;
    return { folder: writer.folder, payload: read?.payload };
  }

  it('keeps PCM as a WAV file with the same samples', async () => {
    const pcm = Buffer.from(new Int16Array([0, 1000, -1000, 32767, -32768]).buffer);
    const audio = {
      format: 'pcm_s16le',
      sample_rate_hz: 8000,
      data_base64: pcm.toString('base64'),
    };
    const { folder: path, payload } = kept({ dubbed_audio: audio });
    const { file, bytes } = (payload as { dubbed_audio: { file: string; bytes: number } })
      .dubbed_audio;
    expect(bytes).to.equal(pcm.length);
    const samples = await readAudio(join(String(path), file), 8000);
    expect(Buffer.compare(pcmToS16le(samples), pcm)).to.equal(0);
  });

  it('keeps a bare string of PCM as a WAV file of the rate of what was sent, and any other audio as what it is', () => {
    const writer = new EvidenceWriter(join(folder, 'formats'));
    const add = (name: string, payload: object): void =>
      writer.addTapEvent({ ...event, event: name, payload });
    const pcm = Buffer.alloc(8, 1).toString('base64');
    const format = { format: 'pcm_s16le', sample_rate_hz: 22_050, channels: 2 };
    add('fragment:data', { audio: { ...format, data_base64: pcm } });
    add('fragment:processed', { dubbed_audio: pcm });
    const m4a = Buffer.from('0000ftypM4A ').toString('base64');
    add('fragment:processed', { dubbed_audio: { format: 'pcm_s16le', data_base64: m4a } });
    add('fragment:processed', { dubbed_audio: { format: 'mp3', data_base64: pcm } });
    writer.finish(aRecord());
    const [, bare, ...others] = readEvidence(writer.folder).tap.map(
      ({ payload }) => (payload as { dubbed_audio?: { file: string } }).dubbed_audio?.file ?? '',
    );
    const wav = readFileSync(writer.path(bare ?? ''));
    expect([wav.readUInt32LE(24), wav.readUInt16LE(22)]).to.deep.equal([22_050, 2]);
    expect(others.map((file) => file.split('.').at(-1))).to.deep.equal(['m4a', 'bin']);
  });

  it('keeps malformed Base64 as it was, beside what can be decoded of it', () => {
    const { folder: path, payload } = kept({ dubbed_audio: 'AAAA!AAAA' });
    const { not_base64: file } = (payload as { dubbed_audio: { not_base64: string } }).dubbed_audio;
    expect(readFileSync(join(String(path), file), 'utf8')).to.equal('AAAA!AAAA');
  });

  it('is not led to files that a service names', () => {
    const audio = { file: '../../secret', bytes: 1, format: 'pcm_s16le' };
    for (const dubbed of [audio, { ...audio, data_base64: 7 }, { ...audio, data_base64: 'AAAA' }]) {
      const { payload } = kept({ dubbed_audio: dubbed });
      const read = (payload as { dubbed_audio: { file?: string; said: unknown } }).dubbed_audio;
      expect(read.file ?? '').to.not.include('secret');
      expect(read.said).to.deep.equal({ file: '../../secret', bytes: 1 });
    }
  });

  it('keeps numbers that JSON does not have', () => {
    const writer = new EvidenceWriter(join(folder, 'numbers'));
    const values = [NaN, Infinity, -Infinity, 1.5];
    const samples = values.map((value) => ({ name: 'a', labels: {}, value }));
    writer.addMetrics({ at: 1, samples });
    writer.finish(aRecord());
    expect(readEvidence(writer.folder).metrics[0]?.samples).to.deep.equal(samples);
  });

  it('has no secrets in any of its files', () => {
    hideSecretsOf({ SOME_TOKEN: 'tok-4711-secret' });
    const writer = new EvidenceWriter(join(folder, 'secrets'));
    const said = 'tok-4711-secret at rtsp://u:hunter2@h/live';
    writer.addTapEvent({ ...event, payload: { sts: said, nested: [{ said }] } });
    writer.addTapEvent({ ...event, kind: 'undecodable', payload: { reason: said, message: said } });
    writer.addTapEvent({ ...event, kind: 'refused', payload: { reason: said } });
    writer.addMetrics({ at: 1, samples: [{ name: 'a', labels: { url: said }, value: 1 }] });
    writer.addLog('sts', said);
    writer.finish(aRecord({ problems: [said], publisher: { exitCode: 1, stderr: said } }));
    const files = readdirSync(writer.folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
    expect(texts.length).to.be.above(5);
    expect(texts.join('\n')).to.not.match(/4711|hunter2/);
    expect(texts.join('\n')).to.include('rtsp://***@h/live');
  });
});
