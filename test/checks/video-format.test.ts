import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { packetSpan } from '../../support/analyze/media';
import type { Fixture } from '../../support/broadcast/fixture';
import { decoding, timestamps } from '../../support/checks/output-file';
import { programme } from '../../support/checks/programme';
import { videoFormat } from '../../support/checks/video-format';
import { ffmpeg, observed, tempFolder, turnedByHeader } from '../analyze/make-media';
import { altered, judged, videoClip } from '../analyze/video-clip';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);

const FINE: Record<string, { graph: string; options?: string[] }> = {
  'as it was': { graph: '[0:v]null[out]' },
  'half of the size throughout': { graph: '[0:v]scale=160:90[out]' },
  'another even size of the same shape': { graph: '[0:v]scale=426:240[out]' },
  'the same shape by other pixels': { graph: '[0:v]scale=240:180,setsar=4/3[out]' },
  'B-frames, one key frame every 9 s': {
    graph: '[0:v]null[out]',
    options: ['-bf', '3', '-g', '270', '-sc_threshold', '0'],
  },
};

const WRONG: Record<string, { graph: string; options?: string[]; says: RegExp }> = {
  'squeezed to 4:3': { graph: '[0:v]scale=240:180,setsar=1[out]', says: /aspect ratio 1\.333/ },
  'pixels that are not square': { graph: '[0:v]setsar=4/3[out]', says: /aspect ratio 2\.370/ },
  'turned upright': { graph: '[0:v]transpose=1[out]', says: /aspect ratio 0\.563/ },
  'borders at top and bottom': {
    graph: '[0:v]scale=320:136,pad=320:180:0:22,setsar=1[out]',
    says: /black border, 12 % at the top; black border, 12 % at the bottom/,
  },
  'borders at both sides': {
    graph: '[0:v]scale=240:180,pad=320:180:40:0,setsar=1[out]',
    says: /on the left; black border, 13 % on the right/,
  },
  'colours in full resolution': {
    graph: '[0:v]format=yuv444p[out]',
    options: ['-pix_fmt', 'yuv444p'],
    says: /pixels are yuv444p/,
  },
  '10 bits': {
    graph: '[0:v]format=yuv420p10le[out]',
    options: ['-pix_fmt', 'yuv420p10le'],
    says: /pixels are yuv420p10le/,
  },
  'one key frame in 12 s': {
    graph: '[0:v]null[out]',
    options: ['-g', '1000', '-sc_threshold', '0'],
    says: /12\.0 s without a key frame/,
  },
};

describe('the format of the video', () => {
  let fixture: Fixture;
  before(() => {
    fixture = videoClip(folder, 'card');
  });

  for (const [what, { graph, options = [] }] of Object.entries(FINE)) {
    it(`${what}: fine`, async () => {
      const file = altered(fixture, path('fine.mp4'), graph, { options });
      const { state, seen } = await judged(videoFormat, file, fixture);
      expect(state, seen).to.equal('passed');
    });
  }

  for (const [what, { graph, options = [], says }] of Object.entries(WRONG)) {
    it(`${what}: named`, async () => {
      const file = altered(fixture, path('wrong.mp4'), graph, { options });
      const { state, seen } = await judged(videoFormat, file, fixture);
      expect([state, says.test(seen)], seen).to.deep.equal(['failed', true]);
    });
  }

  it('another size from the middle on is named, and so when', async () => {
    const parts = [
      ['[0:v]trim=0:6[out]', 'a.ts'],
      ['[0:v]trim=6,scale=160:90[out]', 'b.ts'],
    ] as const;
    for (const [graph, name] of parts) altered(fixture, path(name), graph);
    const changed = path('changed.ts');
    ffmpeg('-i', `concat:${path('a.ts')}|${path('b.ts')}`, '-c', 'copy', changed);
    const { state, seen } = await judged(videoFormat, changed, fixture);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/from \d+\.\d\d s on 160 x 90.* in place of 320 x 180/);
    // Half the detail is what another size leaves: said as its effect, not as a second cause.
    expect((await judged(programme, changed, fixture)).state).to.equal('follows');
    expect((await judged(decoding, changed, fixture)).state).to.not.equal('failed');
  });

  it('rotation by the header is named, and explains what is seen', async () => {
    const turned = turnedByHeader(fixture.path, path('turned.mp4'));
    const { state, seen } = await judged(videoFormat, turned, fixture);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/players turn it by -?90°, the source by 0°/);
  });

  it('a key frame before the first frame that is presented, and none at the end, count', async () => {
    const long = altered(fixture, path('long.mp4'), '[0:v]null[out]', {
      options: ['-g', '300', '-sc_threshold', '0'],
    });
    const [cut, tail] = [path('cut.mp4'), path('tail.mp4')];
    ffmpeg('-ss', '0.1', '-i', long, '-c', 'copy', cut);
    const { state, seen } = await judged(videoFormat, cut, fixture);
    expect(state, seen).to.equal('passed');
    altered(fixture, tail, '[0:v]null[out]', {
      options: ['-g', '1000', '-sc_threshold', '0', '-force_key_frames', '0,0.5,1'],
    });
    expect((await judged(videoFormat, tail, fixture)).seen).to.equal('11.0 s without a key frame');
  });

  it('a gap at the start counts by its length', async () => {
    const gap = (seconds: number): string =>
      altered(fixture, path('gap.mp4'), `[0:v]select='lt(n,1)+gte(t,${seconds})'[out]`, {
        options: ['-fps_mode', 'vfr'],
      });
    const wrong = async (seconds: number): Promise<string[]> => {
      const video = observed((await packetSpan(gap(seconds))).video);
      const { deviations } = timestamps.assess({ video, audio: video }, timestamps.defaultLimit, {
        fixture: undefined,
      } as never);
      return deviations.map(({ text }) => text);
    };
    expect(await wrong(0.4)).to.deep.equal([]);
    expect((await wrong(2.2))[0]).to.equal('video: 2.200 s to the next packet at 0.000 s');
  });

  it('what comes last in the order of decoding may be missing, nothing else', async () => {
    /** Frames that refer to later ones, two between each pair of others: I0 P3 B1 B2 P6 …; from a packet of its end on, or without one, all are dropped. */
    const reordered = path('reordered.mp4');
    altered(fixture, reordered, '[0:v]null[out]', {
      options: ['-bf', '2', '-x264-params', 'b-adapt=0:b-pyramid=0:scenecut=0', '-g', '60'],
    });
    const without = async (dropped: string): Promise<string[]> => {
      const file = path('last.mp4');
      ffmpeg('-i', reordered, '-an', '-c', 'copy', '-bsf:v', `noise=drop='${dropped}'`, file);
      const video = observed((await packetSpan(file)).video);
      const subject = { fixture: undefined } as never;
      const { deviations } = timestamps.assess(
        { video, audio: video },
        timestamps.defaultLimit,
        subject,
      );
      return deviations.map(({ text }) => text).filter((text) => text.startsWith('video'));
    };
    const count = Math.round(fixture.durationSeconds * fixture.video.framesPerSecond);
    // The last packets are P B B, in groups of three.
    for (const kept of [count - 1, count - 2, count - 3, count - 4]) {
      expect(await without(`gte(n,${kept})`), String(kept)).to.deep.equal([]);
    }
    expect(await without(`eq(n,${count - 10})`)).to.have.length(1);
    expect(await without(`between(n,${count - 12},${count - 11})`)).to.not.be.empty;
  });

  it('a gap is told also where the last packet has no PTS', async () => {
    const whole = path('whole.ts');
    const dropped = '[0:v]select=not(between(n\\,60\\,69))[out]';
    altered(fixture, whole, dropped, { options: ['-fps_mode', 'vfr', '-bf', '0'] });
    const file = path('without.ts');
    writeFileSync(file, withoutLastPts(readFileSync(whole)));
    const video = observed((await packetSpan(file)).video);
    expect(video.packetsWithoutPts).to.equal(1);
    const subject = { fixture: undefined } as never;
    const { deviations } = timestamps.assess(
      { video, audio: video },
      timestamps.defaultLimit,
      subject,
    );
    const texts = deviations.map(({ text }) => text).filter((text) => text.startsWith('video'));
    expect(texts[0]).to.match(/^video: 0\.\d+ s to the next packet/);
    expect(texts[1]).to.equal('video: 1 packets without PTS');
  });
});

const TS_PACKET_BYTES = 188;

/** A transport stream of which the last PES packet of the video says no PTS or DTS (ISO 13818-1, 2.4.3.7). */
function withoutLastPts(stream: Buffer): Buffer {
  const flagsOf = (at: number): number | undefined => {
    const field = stream.readUInt8(at + 3) & 0x20 ? 1 + stream.readUInt8(at + 4) : 0;
    const pes = at + 4 + field;
    const isBegin = (stream.readUInt8(at + 1) & 0x40) !== 0;
    return isBegin && stream.readUInt32BE(pes) === 0x1e0 ? pes + 7 : undefined;
  };
  const count = stream.length / TS_PACKET_BYTES;
  const flags = Array.from({ length: count }, (_, i) => flagsOf(i * TS_PACKET_BYTES) ?? []).flat();
  const last = flags.at(-1) ?? NaN;
  stream.writeUInt8(stream.readUInt8(last) & 0x3f, last);
  return stream;
}
