import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { runFfmpeg, runFfprobe } from '../../support/analyze/ffmpeg';
import { packetSpan } from '../../support/analyze/media';
import { eventually } from '../../support/base/eventually';
import { projectRoot } from '../../support/config';
import { freePorts } from '../../support/environment/ports';
import { MediaMtxApi } from '../../support/observe/mediamtx-api';
import { readOutput } from '../../support/observe/output-reader';
import { publish } from '../../support/observe/publisher';
import type { RtspServer } from '../../support/observe/rtsp-relay';

const CLIP = join(projectRoot, 'fixtures/generated/12-s-nfl.mp4');
/** Longer than MediaMTX waits with its first sender reports: 10 s. */
const SECONDS = 12;
/** Of the fixtures; and what a busy machine may add to joining a stream that has just begun. */
const FRAMES_PER_SECOND = 30;
const KEY_INTERVAL_SECONDS = 0.2;
const JOINS_SECONDS = 0.5;
const PASSWORD = 's3cret@p=ss';

const command = join(projectRoot, '.tools/mediamtx');
const folder = mkdtempSync(join(tmpdir(), 'output-reader-'));

/** From one packet to the next, in seconds. */
async function steps(name: string, stream: string): Promise<number[]> {
  const asked = ['-select_streams', stream, '-show_entries', 'packet=pts_time'];
  const { packets } = JSON.parse(await runFfprobe(join(folder, name), asked)) as {
    packets: { pts_time: string }[];
  };
  const times = packets.map(({ pts_time: pts }) => Number(pts)).sort((one, other) => one - other);
  return times.slice(1).map((time, index) => time - (times[index] ?? NaN));
}

describe(
  'an output that the media server does not record',
  { skip: existsSync(command) ? false : 'there is no .tools/mediamtx' },
  () => {
    let mediaMtx: ChildProcess | undefined;
    let server: RtspServer = { url: '' };
    let api = new MediaMtxApi('');
    const commandLines: string[] = [];
    const track = (_name: string, pid: number | undefined): (() => void) => {
      commandLines.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      return () => undefined;
    };

    before(async () => {
      const [rtsp = 0, rtmp = 0, control = 0] = await freePorts(3);
      const file = join(folder, 'mediamtx.yml');
      const may = '[{action: publish}, {action: read}, {action: api}]';
      writeFileSync(
        file,
        [
          `rtspAddress: 127.0.0.1:${rtsp}`,
          `rtmpAddress: 127.0.0.1:${rtmp}`,
          `apiAddress: 127.0.0.1:${control}`,
          ...['api: yes', 'rtspTransports: [tcp]', 'hls: no', 'srt: no', 'webrtc: no'],
          `authInternalUsers: [{user: suite, pass: '${PASSWORD}', permissions: ${may}}]`,
          'paths: {all_others: {}}',
        ].join('\n'),
      );
      mediaMtx = spawn(command, [file], { stdio: 'ignore' });
      server = { url: `rtsp://127.0.0.1:${rtsp}`, user: 'suite', password: PASSWORD };
      api = new MediaMtxApi(`http://suite:${encodeURIComponent(PASSWORD)}@127.0.0.1:${control}`);
      await eventually('MediaMTX', () => api.paths(), { withinMs: 10_000 });
    });
    after(() => {
      mediaMtx?.kill();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is recorded from its beginning, but for a key frame interval, by a reader that waits for it', async () => {
      const file = join(folder, 'output.mp4');
      const reader = await readOutput(server, 'dubbed/x', file, track);
      reader.begin();
      const to = { server, path: 'dubbed/x' };
      const { exitCode, stderr } = await publish(CLIP, to, track, SECONDS).result;
      expect(stderr).to.equal('');
      expect(exitCode).to.equal(0);
      const { problem, mayLackSeconds, areTimesKnown } = await reader.end(false);
      expect(problem).to.equal('');
      expect(areTimesKnown).to.be.true;
      expect(mayLackSeconds).to.be.within(0, JOINS_SECONDS);
      const { video, audio } = await packetSpan(file);
      if (!video.observed || !audio.observed) throw new Error('a track is missing');
      const lost = mayLackSeconds + KEY_INTERVAL_SECONDS;
      expect(video.durationSeconds).to.be.within(SECONDS - lost, SECONDS + 0.1);
      expect(audio.durationSeconds).to.be.within(SECONDS - lost - 0.3, SECONDS + 0.1);
    });

    it('has no jump where the media server first says how the times of its tracks belong together', async () => {
      const [video, audio] = await Promise.all(
        ['v:0', 'a:0'].map(async (stream) => Math.max(...(await steps('output.mp4', stream)))),
      );
      expect(video).to.be.lessThan(0.04);
      expect(audio).to.be.lessThan(0.03);
    });

    it('has no jump after its first frame where that is a key frame', async () => {
      const intra = join(folder, 'key-frames-only.mp4');
      const made = ['-i', CLIP, '-c:v', 'libx264', '-g', '1', '-crf', '40', '-c:a', 'copy', intra];
      await runFfmpeg(['-y', ...made]);
      const reader = await readOutput(server, 'dubbed/intra', join(folder, 'intra.mp4'), track);
      reader.begin();
      await publish(intra, { server, path: 'dubbed/intra' }, track, SECONDS).result;
      const { problem, areTimesKnown } = await reader.end(false);
      expect(problem).to.equal('');
      expect(areTimesKnown).to.be.true;
      for (const step of await steps('intra.mp4', 'v:0')) {
        expect(step).to.be.closeTo(1 / FRAMES_PER_SECOND, 0.001);
      }
    });

    it('that ends before that is recorded, and it is said that its times are not known', async () => {
      const file = join(folder, 'short.mp4');
      const reader = await readOutput(server, 'dubbed/short', file, track);
      reader.begin();
      await publish(CLIP, { server, path: 'dubbed/short' }, track, 4).result;
      const { problem, areTimesKnown } = await reader.end(false);
      expect(problem).to.equal('');
      expect(areTimesKnown).to.be.false;
      const { video } = await packetSpan(file);
      expect(video.observed && video.durationSeconds).to.be.within(3, 4.1);
    });

    it('that goes on is recorded up to when the reader is told to end', async () => {
      const file = join(folder, 'goes-on.mp4');
      const reader = await readOutput(server, 'dubbed/on', file, track);
      reader.begin();
      const publishing = publish(CLIP, { server, path: 'dubbed/on' }, track, 6).result;
      await delay(3000);
      await reader.end(true);
      const { video } = await packetSpan(file);
      expect(video.observed && video.durationSeconds).to.be.within(1, 3.5);
      await publishing;
    });

    it('is read, and the broadcast published, without a password in the list of processes', () => {
      expect(commandLines).to.have.length.at.least(2);
      expect(commandLines.join('\n')).to.not.include(PASSWORD).and.to.not.include('suite:');
    });

    it('that never begins has no recording, and its reader ends when it is told to', async () => {
      const file = join(folder, 'never.mp4');
      const reader = await readOutput(server, 'dubbed/never', file, track);
      reader.begin();
      await reader.end(true);
      expect(existsSync(file)).to.be.false;
    });

    it('that may not be read says so', async () => {
      const other = { ...server, password: 'wrong-password' };
      const reader = await readOutput(other, 'dubbed/x', join(folder, 'refused.mp4'), track);
      reader.begin();
      const { problem } = await reader.end(false);
      expect(problem).to.match(/401/);
    });

    it('is not there where the suite has told the media server to refuse it', async () => {
      await api.refusePublishers('dubbed/refused');
      const to = { server, path: 'dubbed/refused' };
      const { exitCode } = await publish(CLIP, to, track, 1).result;
      expect(exitCode).to.not.equal(0);
    });
  },
);
