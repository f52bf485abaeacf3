/** Files in which nothing is wrong, whatever a muxer of ffmpeg's would say of their timestamps. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudioTrack } from '../../support/analyze/audio-track';
import { isTimecode, probeStreams } from '../../support/analyze/media';
import { OutputFindings } from '../../support/analyze/output-findings';
import { readVideo } from '../../support/analyze/video';
import { decoding, tracks } from '../../support/checks/output-file';
import { judge } from '../../support/checks/criterion';
import { recordingSubject } from '../../support/checks/output-subject';
import { ffmpeg, noise, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const SECONDS = 3;
const RATE = 48_000;

const encoded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'copy'];
const converted = (rate: string): string[] => ['-r', rate, ...encoded];
const shifted = (pts: string): string[] => [
  ...['-vf', `setpts='${pts}'`, '-fps_mode', 'passthrough', '-enc_time_base', '1/90000'],
  ...encoded,
];
const leftOut = ['-vf', "select='not(mod(n,7))+gt(mod(n,5),1)'", '-fps_mode', 'vfr', ...encoded];

/** By the name of the file, how it is made of the same movie. */
const FILES: Record<string, string[]> = {
  ...{ 'remux.mkv': ['-c', 'copy'], 'remux.ts': ['-c', 'copy'], 'remux.flv': ['-c', 'copy'] },
  ...{ 'remux.mov': ['-c', 'copy'], 'l\'été, "8" %d – ü.mkv': ['-c', 'copy'] },
  'fragmented.mp4': ['-c', 'copy', '-movflags', 'frag_keyframe+empty_moov'],
  'b-frames.mp4': ['-c:v', 'libx264', '-preset', 'fast', '-bf', '3', '-g', '60', '-c:a', 'copy'],
  'b-frames.mkv': ['-c:v', 'libx264', '-preset', 'fast', '-bf', '3', '-g', '60', '-c:a', 'copy'],
  ...{ '23.976.mkv': converted('24000/1001'), '25.flv': converted('25') },
  ...{ '29.97.ts': converted('30000/1001'), '29.97.mkv': converted('30000/1001') },
  ...{ '50.mov': converted('50'), '59.94.mp4': converted('60000/1001') },
  ...{ '60.mkv': converted('60'), '60.flv': converted('60') },
  ...{ 'variable.mp4': leftOut, 'variable.mkv': leftOut, 'variable.flv': leftOut },
  'jitter of 12 ms.mp4': shifted('PTS+0.012*random(1)/TB'),
  'in pairs.mp4': shifted('PTS+if(mod(N,2),-0.03,0)/TB'),
  'in pairs.mkv': shifted('PTS+if(mod(N,2),-0.03,0)/TB'),
};

describe('a file in which nothing is wrong', () => {
  before(() => {
    const samples = noise(SECONDS * RATE, 1).map((one) => 0.1 * one);
    stripMovie(path('movie.mp4'), {
      ...{ fps: 30, durationSeconds: SECONDS, audio: { samples, rateHz: RATE } },
    });
  });

  for (const [name, args] of Object.entries(FILES)) {
    it(`decodes without an error: ${name}`, async () => {
      ffmpeg('-i', path('movie.mp4'), ...args, path(name));
      const [video, audio] = [await readVideo(path(name)), await readAudioTrack(path(name))];
      expect([...video.errorLines, ...audio.errorLines]).to.deep.equal([]);
      expect([video.exitCode, audio.exitCode]).to.deep.equal([0, 0]);
      expect(video.frames.length).to.be.above(50);
      expect(video.frames.filter(({ frame }) => frame === null)).to.be.empty;
      const subject = recordingSubject(new OutputFindings(path(name), undefined, []));
      expect(await judge(decoding, subject, null)).to.include({ state: 'passed' });
    });
  }

  for (const name of ['with timecode.mov', 'with timecode.mp4']) {
    it(`may have a timecode track, which is called so: ${name}`, async () => {
      ffmpeg('-i', path('movie.mp4'), '-c', 'copy', '-timecode', '01:00:00:00', path(name));
      const streams = await probeStreams(path(name));
      expect(streams.map(({ codec }) => codec)).to.deep.equal(['h264', 'aac', 'timecode (tmcd)']);
      expect(streams.map(isTimecode)).to.deep.equal([false, false, true]);
      const subject = recordingSubject(new OutputFindings(path(name), undefined, []));
      const verdict = await judge(tracks, subject, tracks.defaultLimit);
      expect(verdict).to.include({ state: 'passed' });
    });
  }

  it('may not have subtitles, which are named', async () => {
    const words = Buffer.from('1\n00:00:00,000 --> 00:00:02,000\nHola\n');
    writeFileSync(path('words.srt'), words);
    ffmpeg('-i', path('movie.mp4'), '-i', path('words.srt'), '-c', 'copy', path('words.mkv'));
    const subject = recordingSubject(new OutputFindings(path('words.mkv'), undefined, []));
    const verdict = await judge(tracks, subject, tracks.defaultLimit);
    expect(verdict).to.include({ state: 'failed', seen: 'audio aac, other subrip, video h264' });
  });
});
