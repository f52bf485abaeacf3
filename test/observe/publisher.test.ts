import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { packetHashesOf, receivedTrack } from '../../support/analyze/received';
import { now } from '../../support/base/clock';
import { eventually } from '../../support/base/eventually';
import { readPacketHashes } from '../../support/broadcast/packet-hashes';
import { projectRoot } from '../../support/config';
import { freePorts } from '../../support/environment/ports';
import { at, FlvTags, isVideo } from '../../support/observe/flv-tags';
import { readInput } from '../../support/observe/input-reader';
import { MediaMtxApi, type MediaMtxPath } from '../../support/observe/mediamtx-api';
import { publish, type PublishedTo } from '../../support/observe/publisher';
import { SEARCH_ENDS_MS } from '../../support/observe/rtmp-publisher';

const CLIP = join(projectRoot, 'fixtures/generated/12-s-nfl.mp4');
const SECONDS = 4;
const FRAMES_PER_SECOND = 30;

const command = join(projectRoot, '.tools/mediamtx');
const folder = mkdtempSync(join(tmpdir(), 'publisher-'));
const track = () => () => undefined;

/** A tag of the file; the size behind it is not looked at. */
function tagOf(kind: number, ms: number, ...data: number[]): Buffer {
  const head = Buffer.alloc(11);
  head.writeUInt8(kind);
  head.writeUIntBE(data.length, 1, 3);
  head.writeUIntBE(ms % 2 ** 24, 4, 3);
  head.writeUInt8(Math.floor(ms / 2 ** 24), 7);
  return Buffer.concat([head, Buffer.from(data), Buffer.alloc(4)]);
}

describe('FLV', () => {
  const header = Buffer.from('FLV_123456789');
  const parts = [
    tagOf(18, 0, 1, 2, 3),
    ...[tagOf(9, 0, 0x17, 0, 0), tagOf(8, 0, 0xaf, 0, 0x12)],
    ...[tagOf(9, 2 ** 24 + 5, 0x17, 1, 0), tagOf(8, 4_000_000_000, 0xaf, 1)],
  ];

  for (const size of [1, 7, 1000]) {
    it(`is cut into tags, in pieces of ${size} bytes`, () => {
      const all = Buffer.concat([header, ...parts]);
      const tags = new FlvTags();
      const cut = Array.from({ length: Math.ceil(all.length / size) }, (_, n) =>
        tags.add(all.subarray(n * size, (n + 1) * size)),
      ).flat();
      expect(tags.header).to.deep.equal(header);
      expect(cut.map(({ bytes }) => bytes)).to.deep.equal(parts);
      expect(cut.map(({ ms }) => ms)).to.deep.equal([0, 0, 0, 2 ** 24 + 5, 4_000_000_000]);
      const configurations = cut.map(({ isConfiguration }) => isConfiguration);
      expect(configurations).to.deep.equal([false, true, true, false, false]);
      expect(cut.map(isVideo)).to.deep.equal([false, true, false, true, false]);
    });
  }

  it('keeps all of a tag but its time', () => {
    const [tag] = new FlvTags().add(Buffer.concat([header, tagOf(9, 7, 0x27, 1, 2)]));
    if (!tag) throw new Error('no tag');
    for (const ms of [0, 2100, 2 ** 24 + 1]) {
      expect(at(tag, ms)).to.deep.equal({ ...tag, ms, bytes: tagOf(9, ms, 0x27, 1, 2) });
    }
  });
});

describe(
  'a clip that is published',
  { skip: existsSync(command) ? false : 'there is no .tools/mediamtx' },
  () => {
    let mediaMtx: ChildProcess | undefined;
    let api = new MediaMtxApi('');
    const urls = { rtsp: '', rtmp: '' };

    before(async () => {
      const [rtsp = 0, rtmp = 0, control = 0] = await freePorts(3);
      const file = join(folder, 'mediamtx.yml');
      writeFileSync(
        file,
        [
          `rtspAddress: 127.0.0.1:${rtsp}`,
          `rtmpAddress: 127.0.0.1:${rtmp}`,
          `apiAddress: 127.0.0.1:${control}`,
          ...['api: yes', 'rtspTransports: [tcp]', 'hls: no', 'srt: no', 'webrtc: no'],
          'paths: {all_others: {}}',
        ].join('\n'),
      );
      mediaMtx = spawn(command, [file], { stdio: 'ignore' });
      urls.rtsp = `rtsp://127.0.0.1:${rtsp}`;
      urls.rtmp = `rtmp://127.0.0.1:${rtmp}`;
      api = new MediaMtxApi(`http://127.0.0.1:${control}`);
      await eventually('MediaMTX', () => api.paths(), { withinMs: 10_000 });
    });
    after(() => {
      mediaMtx?.kill();
      rmSync(folder, { recursive: true, force: true });
    });

    /** What a reader gets that joins so long after the path is listed; content that is kept back begins when it has joined. */
    async function readWhilePublished(
      clip: string,
      { path, joinsAfterMs = 0, ...how }: Omit<PublishedTo, 'server'> & { joinsAfterMs?: number },
    ): Promise<{
      lostFrames: number;
      lostAudio: number;
      contentSeconds: number;
      source: string | undefined;
    }> {
      const publication = publish(
        clip,
        { server: { url: urls.rtsp }, path, ...how },
        track,
        SECONDS,
      );
      const found = async (isIt: (one: MediaMtxPath) => boolean): Promise<MediaMtxPath> => {
        const [one] = (await api.paths()).filter(({ name }) => name === path).filter(isIt);
        if (!one) throw new Error('not listed');
        return one;
      };
      const often = { withinMs: 10_000, everyMs: 50 };
      const listed = await eventually('the path', () => found(({ ready }) => ready), often);
      await delay(joinsAfterMs);
      const hashes = join(folder, 'hashes');
      const reader = readInput(
        { url: `${urls.rtmp}/${path}`, close: () => undefined },
        hashes,
        track,
      );
      await eventually('the reader', () => found(({ readers }) => readers.length > 0), often);
      await delay(200);
      expect(publication.begunAt()).to.be.undefined;
      const mayBeginAt = now();
      publication.begin();
      const { exitCode, stderr } = await publication.result;
      expect(stderr).to.equal('');
      expect(exitCode).to.equal(0);
      if (how.holds) expect(publication.begunAt()).to.be.within(mayBeginAt, mayBeginAt + 500);
      const contentSeconds = (now() - (publication.begunAt() ?? NaN)) / 1000;
      await reader.result;
      const sent = await packetHashesOf(clip);
      const received = readPacketHashes(readFileSync(hashes, 'utf8'));
      const video = receivedTrack(sent.video, received.video);
      const audio = receivedTrack(sent.audio, received.audio);
      if (!video.observed || !audio.observed) throw new Error(JSON.stringify({ video, audio }));
      return {
        ...{ lostFrames: video.missingAtStart, lostAudio: audio.missingAtStart },
        ...{ contentSeconds, source: listed.source?.type },
      };
    }

    for (const protocol of ['rtsp', 'rtmp'] as const) {
      it(`loses nothing by ${protocol} where it waits for a reader, packet by packet, whatever it is called`, async () => {
        const clip = join(folder, `it's "a" clip, ü, ${protocol}.mp4`);
        copyFileSync(CLIP, clip);
        const { lostFrames, lostAudio, contentSeconds, source } = await readWhilePublished(clip, {
          ...{ path: `live/with/${protocol}`, holds: true, joinsAfterMs: 1500 },
          ...(protocol === 'rtmp' ? { rtmp: urls.rtmp } : {}),
        });
        expect(source).to.match(new RegExp(`^${protocol}`, 'i'));
        expect(lostFrames).to.equal(0);
        expect(lostAudio).to.equal(0);
        expect(contentSeconds).to.be.within(SECONDS - 0.5, SECONDS + 1);
      });
    }

    it('has a lead-in by RTMP that is longer than the search for its tracks', async () => {
      const began = now();
      const to = { server: { url: '' }, path: 'live/lead/in', rtmp: urls.rtmp, holds: true };
      const publication = publish(CLIP, to, track, 1);
      publication.begin();
      expect((await publication.result).stderr).to.equal('');
      expect((publication.begunAt() ?? 0) - began).to.be.within(
        SEARCH_ENDS_MS,
        SEARCH_ENDS_MS + 1500,
      );
    });

    it('loses the first 2 s by RTMP without a lead-in, as that of an encoder', async () => {
      const { lostFrames, source } = await readWhilePublished(CLIP, {
        ...{ path: 'live/without/in', rtmp: urls.rtmp },
      });
      expect(source).to.match(/^rtmp/i);
      expect(lostFrames / FRAMES_PER_SECOND).to.be.within(2, 3);
    });

    it('says what cannot be published', async () => {
      const to = {
        server: { url: '' },
        path: 'live/x/in',
        ...{ rtmp: urls.rtmp, holds: true },
      };
      const missing = await publish(join(folder, 'none.mp4'), to, track).result;
      expect(missing.exitCode).to.not.equal(0);
      expect(missing.stderr)
        .to.match(/none\.mp4/)
        .and.to.match(/No such file/);
      const [port] = await freePorts(1);
      const nowhere = { ...to, rtmp: `rtmp://127.0.0.1:${port}` };
      const refused = await publish(CLIP, nowhere, track).result;
      expect(refused.exitCode).to.not.equal(0);
      expect(refused.stderr).to.include(String(port));
    });

    it('by RTSP says what cannot be published, whether it is kept back or not', async () => {
      const [port] = await freePorts(1);
      for (const holds of [true, false]) {
        const to = { server: { url: urls.rtsp }, path: 'live/x/in', holds };
        const missing = await publish(join(folder, 'none.mp4'), to, track).result;
        expect(missing.exitCode).to.not.equal(0);
        expect(missing.stderr).to.match(/No such file/);
        const nowhere = { ...to, server: { url: `rtsp://127.0.0.1:${port}` } };
        const refused = await publish(CLIP, nowhere, track).result;
        expect(refused.exitCode).to.not.equal(0);
        expect(refused.stderr).to.match(/refused|ECONNREFUSED/i);
      }
    });

    it('ends when it is told to, before it is listed', async () => {
      const to = { server: { url: '' }, path: 'live/y/in', rtmp: urls.rtmp };
      for (const how of ['stop', 'breakOff'] as const) {
        const publication = publish(CLIP, to, track);
        setTimeout(() => publication[how](), 500);
        const { stderr } = await publication.result;
        expect(stderr).to.equal('');
      }
    });

    for (const rtmp of [true, false]) {
      for (const holds of [true, false]) {
        it(`ends when it is told to, by ${rtmp ? 'RTMP' : 'RTSP'}${holds ? ', before its content has begun' : ''}`, async () => {
          for (const how of ['stop', 'breakOff'] as const) {
            const path = `live/${how}/in`;
            const isListed = async (): Promise<boolean> =>
              (await api.paths()).some(({ name, ready }) => name === path && ready);
            const server = { url: urls.rtsp };
            const to = { server, path, holds, ...(rtmp ? { rtmp: urls.rtmp } : {}) };
            const publication = publish(CLIP, to, track);
            await eventually('the path', async () => expect(await isListed()).to.be.true, {
              withinMs: 10_000,
            });
            publication[how]();
            const { stderr } = await publication.result;
            expect(stderr).to.equal('');
            await eventually('its end', async () => expect(await isListed()).to.be.false, {
              withinMs: 5000,
            });
          }
        });
      }
    }

    it('by RTSP loses a key frame interval and what joining takes, where nothing is kept back', async () => {
      const { lostFrames, source } = await readWhilePublished(CLIP, { path: 'live/rtsp/in' });
      expect(source).to.match(/^rtsp/i);
      expect(lostFrames / FRAMES_PER_SECOND).to.be.within(0, 1);
    });
  },
);
