import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';

import { ResilienceFindings } from '../../support/analyze/resilience-findings';
import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { TONES } from '../../support/analyze/tones';
import { beginningOf, readFixture } from '../../support/broadcast/fixture';
import { projectRoot } from '../../support/config';
import { evidenceFiles, readEvidence } from '../../support/broadcast/evidence';
import { EvidenceWriter } from '../../support/broadcast/evidence-writer';
import { aRecord } from '../broadcast/a-record';
import { ffmpeg, stripMovie } from './make-media';

const SECONDS = 8;
const SEGMENT_SECONDS = 2;
const RATE_HZ = 44_100;
const STREAM = 'test_joined';
const NO_METRICS = {
  ...{ segmentsProcessed: '', audioFragments: '', avSyncDelta: '', stsProcessingTime: '' },
  ...{ fallbacks: '', inflight: '', breakerState: '', backpressureEvents: '', reconnections: '' },
};

describe('what is heard in each segment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segments-'));
  after(() => rmSync(folder, { recursive: true }));
  const movie = join(folder, 'source.mp4');
  const whole = readFixture(join(projectRoot, 'fixtures/90-s-tones.yaml'), movie);
  const fixture = beginningOf(whole, SECONDS, SEGMENT_SECONDS);
  const fps = fixture.video.framesPerSecond;

  before(() => {
    const frames = stripMovie(join(folder, 'frames.mp4'), { fps, durationSeconds: SECONDS });
    const tones = ['-f', 'lavfi', '-i', `aevalsrc=exprs='${TONES}':s=${RATE_HZ}:d=${SECONDS}`];
    ffmpeg('-i', frames, ...tones, ...['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k'], movie);
  });

  /**
   * The evidence of a worker that joined the source so late: segments are counted from there. The third keeps its original
   * audio, the others are dubs, which are half as loud. The last second of the audio is 150 ms short.
   */
  function broadcast(joinedSeconds: number, isSent: boolean): ResilienceFindings {
    const writer = new EvidenceWriter(join(folder, `evidence-${joinedSeconds}-${isSent}`));
    const at = 1000 * SEGMENT_SECONDS * 2;
    const end = SECONDS - 0.15;
    const [third, fourth] = [2, 3].map((one) => joinedSeconds + one * SEGMENT_SECONDS);
    ffmpeg(
      ...['-i', movie, '-filter_complex'],
      // Frames begin with the next whole one.
      `[0:v]trim=${Math.ceil(joinedSeconds * fps) / fps},setpts=PTS-${joinedSeconds}/TB[v];` +
        `[0:a]volume='if(between(t,${third},${fourth}),1,0.5)':eval=frame,atrim=${joinedSeconds}:${end},asetpts=PTS-STARTPTS[a]`,
      ...['-map', '[v]', '-map', '[a]', '-preset', 'ultrafast', '-fps_mode', 'passthrough'],
      writer.path(evidenceFiles.output),
    );
    if (isSent) {
      const pcm = ffmpeg(
        ...['-i', movie, '-ss', String(joinedSeconds), '-t', String(SEGMENT_SECONDS), '-vn'],
        ...['-ac', '1', '-ar', String(RATE_HZ), '-f', 's16le', '-'],
      );
      writer.addTapEvent({
        ...{ at, connection: 1, stream: STREAM, direction: 'to-sts', kind: 'event' },
        event: 'fragment:data',
        payload: {
          ...{ fragment_id: 'f0', stream_id: STREAM, sequence_number: 0, timestamp: 0 },
          audio: {
            ...{ format: 'pcm_s16le', sample_rate_hz: RATE_HZ, channels: 1, duration_ms: 2000 },
            data_base64: pcm.toString('base64'),
          },
        },
      });
    }
    writer.finish(
      aRecord({
        ...{ stream: STREAM, finishedAt: at, fixtureFile: movie },
        ...{ durationSeconds: SECONDS, segmentSeconds: SEGMENT_SECONDS },
      }),
    );
    const names = {
      ...{ mediaService: 'media-service', sts: 'sts-service', metrics: NO_METRICS },
      paths: { input: 'live/{stream}/in', output: 'live/{stream}/out' },
    };
    const evidence = readEvidence(writer.folder);
    return new ResilienceFindings(new BroadcastFindings(evidence, fixture, names));
  }

  // 0.418 was seen: the boundary of the last segment lies in its first tone, and its second tone is the last of all.
  for (const joined of [0.05, 0.2, 0.418, 0.7]) {
    it(`is told by all tones that are there, when the worker joins ${joined} s late`, async () => {
      const heard = await broadcast(joined, true).segmentAudio();
      expect(heard.observed && heard.segments).to.deep.equal(['dub', 'dub', 'original', 'dub']);
    });
  }

  it('is told by the first frame when no fragment was sent', async () => {
    const heard = await broadcast(0.2, false).segmentAudio();
    expect(heard.observed && heard.segments).to.deep.equal(['dub', 'dub', 'original', 'dub']);
  });
});

describe('segments on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'segments-'));
  after(() => rmSync(folder, { recursive: true }));

  it('have their tracks in one file or in two, in any folder, beside what is no media', async () => {
    const writer = new EvidenceWriter(join(folder, 'evidence'));
    const disk = writer.path(evidenceFiles.segments);
    mkdirSync(join(disk, 'seg1'), { recursive: true });
    const video = ['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=25:d=1'];
    const audio = ['-f', 'lavfi', '-i', 'sine=d=1'];
    ffmpeg(...video, ...audio, join(disk, 'seg0.ts'));
    ffmpeg(...video, join(disk, 'seg1', 'video.mp4'));
    ffmpeg(...audio, join(disk, 'seg1', 'audio.m4a'));
    writeFileSync(join(disk, 'list.m3u8'), '#EXTM3U\n#EXTINF:1,\nseg0.ts\n#EXT-X-ENDLIST\n');
    writeFileSync(join(disk, 'metadata.json'), '{}');
    writer.finish(
      aRecord({ stream: STREAM, segmentSeconds: SEGMENT_SECONDS, durationSeconds: SECONDS }),
    );
    const fixture = readFixture(join(projectRoot, 'fixtures/90-s-tones.yaml'));
    const names = { mediaService: '', sts: '', paths: { input: '', output: '' } };
    const findings = new BroadcastFindings(readEvidence(join(folder, 'evidence')), fixture, {
      ...{ ...names, metrics: NO_METRICS },
    });
    const found = await new ResilienceFindings(findings).segmentFiles();
    const files = found.observed ? found.files : [];
    expect(files.map(({ file, kind }) => `${file} ${kind}`)).to.deep.equal([
      ...['metadata.json no media', 'seg0.ts video', 'seg0.ts audio'],
      ...['seg1/audio.m4a audio', 'seg1/video.mp4 video'],
    ]);
    const whole = files.filter(({ seconds }) => Math.abs(seconds - 1) < 0.1);
    expect(whole).to.have.length(4);
  });
});
