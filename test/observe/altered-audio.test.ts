import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmFromS16le, readAudio } from '../../support/analyze/audio';
import { runFfmpeg } from '../../support/analyze/ffmpeg';
import { audioFormatOf } from '../../support/broadcast/audio-format';
import {
  alteredAudio,
  AudioNotAlterable,
  resizedBy,
  softer,
} from '../../support/observe/altered-audio';

interface Dub {
  data_base64: string;
  duration_ms: number;
  format: string;
}

/** Half a second of silence, a second of a tone, half a second of silence: where it begins shows whether it has moved. */
const TONE = "aevalsrc='0.5*sin(2*PI*440*t)*between(t,0.5,1.5)':d=2";
const FORMATS = { wav: ['wav'], m4a: ['ipod'], adts: ['adts'], opus: ['ogg', 'libopus'] } as const;
const EXTENSION = { wav: 'wav', m4a: 'm4a', adts: 'aac', opus: 'ogg' } as const;

describe('a dub', () => {
  const folder = mkdtempSync(join(tmpdir(), 'altered-test-'));
  after(() => rmSync(folder, { recursive: true }));

  async function encoded(
    format: keyof typeof FORMATS,
    rateHz: number,
    channels: number,
  ): Promise<Buffer> {
    const file = join(folder, `in-${rateHz}-${channels}.${EXTENSION[format]}`);
    const [muxer, codec] = FORMATS[format];
    const { stderr, exitCode } = await runFfmpeg([
      ...['-v', 'error', '-y', '-f', 'lavfi', '-i', `${TONE}:s=${rateHz}`],
      ...['-ac', String(channels), ...(codec ? ['-c:a', codec] : []), '-f', muxer, file],
    ]);
    expect(exitCode, stderr).to.equal(0);
    return readFileSync(file);
  }

  async function decoded(bytes: Buffer, format: keyof typeof FORMATS): Promise<Float32Array> {
    const file = join(folder, `out.${EXTENSION[format]}`);
    writeFileSync(file, bytes);
    return readAudio(file, 48_000);
  }

  /** Where the tone begins, how long all is, and how loud it is. */
  function measured(samples: Float32Array): { at: number; seconds: number; peak: number } {
    const at = samples.findIndex((one) => Math.abs(one) > 0.1) / 48_000;
    const peak = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    return { at, seconds: samples.length / 48_000, peak };
  }

  for (const format of ['wav', 'm4a', 'adts', 'opus'] as const) {
    for (const [rateHz, channels] of [
      [16_000, 1],
      [44_100, 2],
      [48_000, 2],
    ] as const) {
      it(`in ${format}, ${rateHz} Hz, ${channels} channels, is made softer and longer where it is`, async () => {
        const bytes = await encoded(format, rateHz, channels);
        expect(audioFormatOf(bytes, 'm4a')).to.equal(format);
        const dub = { format: 'm4a', duration_ms: 2000, data_base64: bytes.toString('base64') };
        const before = measured(await decoded(bytes, format));
        const soft = (await alteredAudio(dub, softer)) as Dub;
        const half = measured(await decoded(Buffer.from(soft.data_base64, 'base64'), format));
        expect(half.peak / before.peak).to.be.within(0.42, 0.58);
        expect(half.at).to.be.closeTo(before.at, 0.005);
        // One frame of AAC at most.
        expect(half.seconds).to.be.closeTo(before.seconds, (2 * 1024) / rateHz);
        const long = (await alteredAudio(dub, resizedBy(15))) as Dub;
        const longer = measured(await decoded(Buffer.from(long.data_base64, 'base64'), format));
        expect(longer.seconds / before.seconds).to.be.within(1.07, 1.22);
        expect(longer.at).to.be.closeTo(before.at, 0.005);
        expect(long.duration_ms).to.be.closeTo(2300, 1);
        expect(long.format).to.equal('m4a');
      });
    }
  }

  it('in PCM is altered at once, as an object and as a bare string', () => {
    const pcm = Buffer.from(new Int16Array([1000, -1000, 500, 3]).buffer).toString('base64');
    const samplesOf = (base64: string): number[] => [
      ...pcmFromS16le(Buffer.from(base64, 'base64')).map((one) => one * 32_768),
    ];
    expect(samplesOf(alteredAudio(pcm, softer) as string)).to.deep.equal([500, -500, 250, 2]);
    const dub = { format: 'pcm_s16le', channels: 2, duration_ms: 10, data_base64: pcm };
    const short = alteredAudio(dub, resizedBy(-50)) as Dub;
    expect(samplesOf(short.data_base64)).to.deep.equal([1000, -1000]);
    expect(short.duration_ms).to.equal(5);
  });

  it('in a bare string is altered by what it is', async () => {
    const bytes = await encoded('adts', 16_000, 1);
    const soft = (await alteredAudio(bytes.toString('base64'), softer)) as string;
    expect(audioFormatOf(Buffer.from(soft, 'base64'), undefined)).to.equal('adts');
  });

  it('that is not there is not altered', () => {
    for (const none of [null, undefined, '', {}, 7]) {
      expect(alteredAudio(none, softer)).to.equal(undefined);
    }
  });

  it('that is nothing known says so', async () => {
    const said = (dub: unknown): unknown => {
      try {
        return alteredAudio(dub, softer);
      } catch (error) {
        return error;
      }
    };
    const unknown = { format: 'm4a', data_base64: 'AAECAwQFBgc=' };
    expect(said(unknown)).to.be.instanceOf(AudioNotAlterable);
    expect(String(said(unknown))).to.match(
      /8 bytes of format m4a that begin with 0001020304050607/,
    );
    // Half a sample.
    expect(said('AAAA')).to.be.instanceOf(AudioNotAlterable);
    const cut = (await encoded('m4a', 16_000, 1)).subarray(0, 300).toString('base64');
    const failure = await Promise.resolve(alteredAudio(cut, softer)).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(AudioNotAlterable);
  });

  it('whose first sample looks like ADTS is PCM', () => {
    const bytes = Buffer.from([0xff, 0xf1, 0x50, 0x80, 0x12, 0x34, 0, 1]);
    expect(audioFormatOf(bytes, 'pcm_s16le')).to.equal('pcm');
    expect(audioFormatOf(bytes, 'opus')).to.equal(undefined);
  });
});
