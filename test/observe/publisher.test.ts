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

import { expect } from 'chai';

import { packetHashesOf, receivedTrack } from '../../support/analyze/received';
import { eventually } from '../../support/base/eventually';
import { readPacketHashes } from '../../support/broadcast/packet-hashes';
import { projectRoot } from '../../support/config';
import { freePorts } from '../../support/environment/ports';
import { at, FlvTags, isVideo } from '../../support/observe/flv-tags';
import { readInput } from '../../support/observe/input-reader';
import { MediaMtxApi } from '../../support/observe/mediamtx-api';
import { leadInSecondsOf, publish, type PublishedTo } from '../../support/observe/publisher';
import { LEAD_IN_SECONDS } from '../../support/observe/rtmp-publisher';

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

describe('the lead-in', () => {
  it('is there by RTMP alone, and not where an encoder has none', () => {
    const url = 'rtmp://127.0.0.1';
    expect(leadInSecondsOf({})).to.equal(0);
    expect(leadInSecondsOf({ rtmp: { url, hasLeadIn: false } })).to.equal(0);
    expect(leadInSecondsOf({ rtmp: { url, hasLeadIn: true } })).to.equal(LEAD_IN_SECONDS);
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

    /** What a reader gets that joins when the path is listed, and how long publishing took. */
    async function readWhilePublished(
      clip: string,
      path: string,
      rtmp: PublishedTo['rtmp'],
    ): Promise<{ lostFrames: number; seconds: number; source: string | undefined }> {
      const began = Date.now();
      const to = { server: { url: urls.rtsp }, path, ...(rtmp ? { rtmp } : {}) };
      const publication = publish(clip, to, track, SECONDS);
      const listed = await eventually(
        'the path',
        async () => {
          const found = (await api.paths()).find(({ name, ready }) => name === path && ready);
          if (!found) throw new Error('not listed');
          return found;
        },
        { withinMs: 10_000, everyMs: 50 },
      );
      const hashes = join(folder, 'hashes');
      const reader = readInput(
        { url: `${urls.rtmp}/${path}`, close: () => undefined },
        hashes,
        track,
      );
      const { exitCode, stderr } = await publication.result;
      expect(stderr).to.equal('');
      expect(exitCode).to.equal(0);
      const seconds = (Date.now() - began) / 1000;
      await reader.result;
      const sent = await packetHashesOf(clip);
      const received = readPacketHashes(readFileSync(hashes, 'utf8'));
      const video = receivedTrack(sent.video, received.video);
      const audio = receivedTrack(sent.audio, received.audio);
      if (!video.observed || !audio.observed) throw new Error(JSON.stringify({ video, audio }));
      return { lostFrames: video.missingAtStart, seconds, source: listed.source?.type };
    }

    it('loses nothing by RTMP with a lead-in, packet by packet, whatever it is called', async () => {
      const clip = join(folder, `it's "a" clip, ü.mp4`);
      copyFileSync(CLIP, clip);
      const { lostFrames, seconds, source } = await readWhilePublished(clip, 'live/with/in', {
        ...{ url: urls.rtmp, hasLeadIn: true },
      });
      expect(source).to.match(/^rtmp/i);
      expect(lostFrames).to.equal(0);
      expect(seconds).to.be.within(SECONDS + LEAD_IN_SECONDS - 0.5, SECONDS + LEAD_IN_SECONDS + 2);
    });

    it('loses the first 2 s by RTMP without one, as that of an encoder', async () => {
      const { lostFrames, source } = await readWhilePublished(CLIP, 'live/without/in', {
        ...{ url: urls.rtmp, hasLeadIn: false },
      });
      expect(source).to.match(/^rtmp/i);
      expect(lostFrames / FRAMES_PER_SECOND).to.be.within(2, 3);
    });

    it('says what cannot be published', async () => {
      const to = {
        server: { url: '' },
        path: 'live/x/in',
        rtmp: { url: urls.rtmp, hasLeadIn: true },
      };
      const missing = await publish(join(folder, 'none.mp4'), to, track).result;
      expect(missing.exitCode).to.not.equal(0);
      expect(missing.stderr)
        .to.match(/none\.mp4/)
        .and.to.match(/No such file/);
      const [port] = await freePorts(1);
      const nowhere = { ...to, rtmp: { ...to.rtmp, url: `rtmp://127.0.0.1:${port}` } };
      const refused = await publish(CLIP, nowhere, track).result;
      expect(refused.exitCode).to.not.equal(0);
      expect(refused.stderr).to.include(String(port));
    });

    it('ends when it is told to', async () => {
      const to = {
        server: { url: '' },
        path: 'live/y/in',
        rtmp: { url: urls.rtmp, hasLeadIn: false },
      };
      for (const how of ['stop', 'breakOff'] as const) {
        const publication = publish(CLIP, to, track);
        setTimeout(() => publication[how](), 500);
        const { stderr } = await publication.result;
        expect(stderr).to.equal('');
      }
    });

    it('loses a key frame interval and what joining takes by RTSP', async () => {
      const { lostFrames, source } = await readWhilePublished(CLIP, 'live/rtsp/in', undefined);
      expect(source).to.match(/^rtsp/i);
      expect(lostFrames / FRAMES_PER_SECOND).to.be.within(0, 1);
    });
  },
);
