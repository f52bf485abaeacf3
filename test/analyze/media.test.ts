import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { NoAudioTrack } from '../../support/analyze/audio';
import { MediaUnreadable, probeTool } from '../../support/analyze/ffmpeg';
import { within } from '../../support/analyze/finding';
import { packetSpan, probeStreams } from '../../support/analyze/media';
import { readVideo } from '../../support/analyze/video';
import { readAudioTrack } from '../../support/analyze/audio-track';
import { projectRoot } from '../../support/config';
import { ffmpeg, observed, rejection, run, tempFolder, turnedByHeader } from './make-media';

const folder = tempFolder();
const [SPS_NAL_UNIT, PPS_NAL_UNIT, FILLER_NAL_UNIT] = [0x67, 0x68, 0x6c].map((header) =>
  Buffer.from([0, 0, 1, header]),
) as [Buffer, Buffer, Buffer];
const path = (name: string): string => join(folder, name);

/** 10 frames a second, 64 x 36, 48 kHz mono sine. */
function movie(name: string, seconds: number, ...options: string[]): string {
  ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=64x36:r=10:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=f=300:r=48000:d=${seconds}`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '10', '-c:a', 'aac'],
    ...options,
    path(name),
  );
  return path(name);
}

describe('probeTool', () => {
  it('says which ffprobe runs', async () => {
    const tool = await probeTool();
    expect(tool.version).to.match(/^[N\d]/);
    expect(tool.source).to.equal(tool.path === 'ffprobe' ? 'system' : 'ffprobe-static');
  });
});

describe('a complete movie of 4 s', () => {
  let file = '';
  before(() => {
    file = movie('whole.mp4', 4, '-metadata:s:a:0', 'language=spa');
  });

  it('has its streams told', async () => {
    expect(await probeStreams(file)).to.deep.equal([
      { index: 0, kind: 'video', codec: 'h264', language: null, width: 64, height: 36, fps: 10 },
      {
        ...{ index: 1, kind: 'audio', codec: 'aac', language: 'spa', sampleRateHz: 48000 },
        ...{ channels: 1, channelLayout: 'mono' },
      },
    ]);
  });

  it('has the same format told by the ffprobe of the registry, where there is none on PATH', () => {
    const probing = `
      const { formatOf } = require('./support/analyze/media');
      void formatOf(process.argv[1]).then((format) => console.log(JSON.stringify(format)));`;
    const turned = turnedByHeader(file, path('turned.mp4'));
    const probed = (PATH: string): unknown => {
      const args = ['-r', './support/base/typescript.cjs', '-e', probing, turned];
      const options = { cwd: projectRoot, encoding: 'utf8', env: { PATH } } as const;
      const { stdout, stderr } = spawnSync(process.execPath, args, options);
      expect(stderr).to.equal('');
      return JSON.parse(stdout);
    };
    const told = probed(folder);
    expect(told).to.include({ rotationDegrees: -90 });
    expect(told).to.deep.equal(probed('/usr/bin:/usr/local/bin:/opt/homebrew/bin'));
  });

  it('decodes without an error, every frame and sample', async () => {
    const [frames, audio] = [await readVideo(file), await readAudioTrack(file)];
    expect(frames).to.deep.include({ errorLines: [], exitCode: 0, black: [] });
    expect(audio).to.deep.include({ errorLines: [], exitCode: 0, filledGaps: [] });
    expect(frames.frames).to.have.length(40);
    expect(audio.decodedSamples / audio.rateHz).to.be.closeTo(4, 0.022);
  });
});

describe('frames that are shown for a thousandth of a second', () => {
  const bunched = path('bunched.mp4');
  /** In ticks of the file, of which a second has 1000. */
  const times = ['pts', 'dts'].map((time) => {
    const name = time.toUpperCase();
    return `${time}='if(between(N,20,29),PREV_OUT${name}+1,${name})'`;
  });

  it('decode without an error, each with its own time', async () => {
    const file = movie('evenly.mp4', 4, '-an', '-video_track_timescale', '1000');
    const options = ['-i', file, '-c', 'copy', '-video_track_timescale', '1000'];
    ffmpeg(...options, '-bsf:v', `setts=${times.join(':')}`, bunched);
    const { frames, errorLines } = await readVideo(bunched);
    expect(errorLines).to.deep.equal([]);
    expect(new Set(frames.map(({ ptsSeconds }) => ptsSeconds)).size).to.equal(40);
  });
});

describe('packetSpan', () => {
  for (const [seconds, inside] of [
    [58.9, false],
    [59.1, true],
  ] as const) {
    it(`tells ${seconds} s from the packets, whatever the timeline begins with`, async () => {
      const file = movie(`${seconds}.ts`, seconds, '-output_ts_offset', '7');
      const { video, audio } = await packetSpan(file);
      expect(observed(video)).to.include({ packets: seconds * 10, packetsWithoutPts: 0 });
      expect(observed(video).gaps).to.deep.equal([]);
      expect(observed(video).firstPtsSeconds).to.be.greaterThan(7);
      expect(observed(video).durationSeconds).to.be.closeTo(seconds, 0.001);
      expect(observed(audio).durationSeconds).to.be.closeTo(seconds, 0.044);
      expect(within(observed(video).durationSeconds, 60, 1)).to.equal(inside);
    });
  }

  it('is not deceived by the duration in the header', async () => {
    const file = movie('lying.flv', 2);
    const bytes = readFileSync(file);
    const at = bytes.indexOf('duration') + 'duration'.length + 1;
    bytes.writeDoubleBE(60, at);
    writeFileSync(file, bytes);
    expect(headerDurationSeconds(file)).to.be.closeTo(60, 0.1);
    expect(observed((await packetSpan(file)).video).durationSeconds).to.be.closeTo(2, 0.002);
  });

  it('counts B-frames by PTS and leaves AAC priming out', async () => {
    const file = movie('b-frames.mp4', 3, '-bf', '2', '-preset', 'fast');
    const { video, audio } = await packetSpan(file);
    expect(observed(video).durationSeconds).to.be.closeTo(3, 0.001);
    expect(observed(audio).firstPtsSeconds).to.be.closeTo(0, 0.001);
    expect(observed(audio).discardedPackets).to.equal(1);
  });

  it('lists a gap with place and size', async () => {
    const file = movie(
      'gap.mp4',
      3,
      ...['-vf', "select='not(between(n,10,14))'", '-fps_mode', 'passthrough'],
    );
    const { gaps, packets } = observed((await packetSpan(file)).video);
    expect(packets).to.equal(25);
    expect(gaps).to.have.length(1);
    expect(gaps[0]?.atSeconds).to.be.closeTo(0.9, 0.001);
    expect(gaps[0]?.stepSeconds).to.be.closeTo(0.6, 0.001);
  });

  it('tells the GOP, and timestamps that go back or come twice', async () => {
    const good = observed((await packetSpan(movie('gop.ts', 4, '-g', '8'))).video);
    const { medianSeconds, maxSeconds } = observed(good.keyInterval);
    expect([medianSeconds, maxSeconds].map((s) => s.toFixed(3))).to.deep.equal(['0.800', '0.800']);
    expect([...good.backwardDtsSeconds, ...good.repeatedPtsSeconds]).to.deep.equal([]);
    // Played again from the start, without new timestamps.
    const again = path('again.ts');
    const bytes = readFileSync(path('gop.ts'));
    writeFileSync(again, Buffer.concat([bytes, bytes]));
    const bad = observed((await packetSpan(again)).video);
    expect(bad.backwardDtsSeconds).to.have.length(1);
    expect(bad.repeatedPtsSeconds).to.have.length(40);
  });

  it('says that a track is missing', async () => {
    const file = movie('no-audio.mp4', 1, '-an');
    const { video, audio } = await packetSpan(file);
    expect(observed(video).durationSeconds).to.be.closeTo(1, 0.001);
    expect(audio).to.deep.equal({ observed: false, reason: `${file} has no audio track` });
    expect(await rejection(readAudioTrack(file))).to.be.instanceOf(NoAudioTrack);
  });
});

describe('damaged media', () => {
  it('tells the errors of corrupt bytes in the middle', async () => {
    const file = movie('corrupt.ts', 4, '-b:v', '400k');
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    for (let i = 0; i < 8000; i += 1) {
      // Packet headers are left alone: the damage is in the coded frames, not in the container.
      if ((middle + i) % 188 > 20) bytes[middle + i] = (i * 7919) & 0xff;
    }
    writeFileSync(path('corrupted.ts'), bytes);
    const errors = async (name: string): Promise<string[]> => [
      ...(await readVideo(name)).errorLines,
      ...(await readAudioTrack(name)).errorLines,
    ];
    expect(await errors(file)).to.deep.equal([]);
    // How many it comes to depends on the version of ffmpeg.
    expect(await errors(path('corrupted.ts'))).not.to.be.empty;
  });

  it('finds no frame in H.264 without SPS and PPS', async () => {
    const file = path('no-sps.ts');
    const bytes = readFileSync(movie('with-sps.ts', 2, '-an'));
    // Made filler: what ffmpeg is told to leave out, newer versions write again from what they have read before.
    for (const parameters of [SPS_NAL_UNIT, PPS_NAL_UNIT]) {
      for (let at = 0; (at = bytes.indexOf(parameters, at)) >= 0;) FILLER_NAL_UNIT.copy(bytes, at);
    }
    writeFileSync(file, bytes);
    const [stream] = await probeStreams(file);
    expect(stream).to.include({ kind: 'video', codec: 'h264' });
    const report = await readVideo(file);
    expect(report.frames).to.deep.equal([]);
    expect(report.errorLines.join('\n')).to.match(/PPS|SPS|decode/);
    expect(report.exitCode).to.not.equal(0);
  });

  it('sees the missing end of a truncated file', async () => {
    const whole = readFileSync(movie('long.ts', 6));
    writeFileSync(path('truncated.ts'), whole.subarray(0, whole.length / 2));
    const span = observed((await packetSpan(path('truncated.ts'))).video);
    expect(span.durationSeconds).to.be.within(2, 4);
    expect((await readVideo(path('truncated.ts'))).frames.length).to.be.within(20, 40);
  });

  for (const [name, content, said] of [
    ['missing.mp4', null, 'ENOENT'],
    ['empty.mp4', '', '0 bytes'],
    ['text.mp4', 'this is no film', 'Invalid data'],
  ] as const) {
    it(`names ${name} and what was said about it`, async () => {
      if (content !== null) writeFileSync(path(name), content);
      for (const read of [probeStreams, packetSpan, readVideo, readAudioTrack]) {
        const error = await rejection(read(path(name)));
        expect(error).to.be.instanceOf(MediaUnreadable);
        expect(String(error)).to.include(path(name)).and.to.include(said);
      }
    });
  }

  it('refuses an MP4 whose index is cut off', async () => {
    const whole = readFileSync(movie('index-at-end.mp4', 2));
    writeFileSync(path('no-index.mp4'), whole.subarray(0, whole.length / 2));
    const error = await rejection(probeStreams(path('no-index.mp4')));
    expect(error).to.be.instanceOf(MediaUnreadable);
    expect(String(error)).to.include('moov atom not found');
  });
});

/** What the header claims. */
function headerDurationSeconds(file: string): number {
  const entry = ['-show_entries', 'format=duration', '-of', 'csv=p=0'];
  return Number(run('ffprobe', ['-v', 'error', ...entry, file]));
}
