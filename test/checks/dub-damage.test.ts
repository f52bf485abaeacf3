import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudio } from '../../support/analyze/audio';
import { measureDubs } from '../../support/analyze/dub-damage';
import { OutputFindings } from '../../support/analyze/output-findings';
import { locate } from '../../support/analyze/placement';
import { SPEECH_RATE_HZ } from '../../support/analyze/samples';
import { cacheAnswers } from '../../support/analyze/answer-cache';
import { avDrift } from '../../support/checks/av-drift';
import { avOffset } from '../../support/checks/av-sync';
import { judge, shownDeviations, type Verdict } from '../../support/checks/criterion';
import { dubs } from '../../support/checks/dub';
import { dubDamage } from '../../support/checks/dub-damage';
import { dubLoudness } from '../../support/checks/dub-loudness';
import { dubSpeed } from '../../support/checks/dub-speed';
import { channels } from '../../support/checks/output-channels';
import { original } from '../../support/checks/output-original';
import { judgeOutput, type OutputVerdict } from '../../support/checks/output-criteria';
import { outputBegins } from '../../support/checks/output-start';
import { recordingSubject } from '../../support/checks/output-subject';
import { splices } from '../../support/checks/output-audio';
import { dubbedMovie, type DubbedMovie, faulty, SEGMENT_SECONDS } from '../analyze/dubbed-movie';
import { ffmpeg, observed, tempFolder } from '../analyze/make-media';

const folder = tempFolder();
cacheAnswers(join(folder, 'answers'));

const MONO = 'aformat=channel_layouts=mono';
const STEREO = 'aformat=channel_layouts=stereo';

/** ffmpeg's options that filter the audio of a movie, and encode it. */
function altered(filter: string, ...codec: string[]): string[] {
  const coded = codec.length > 0 ? codec : ['-c:a', 'aac', '-b:a', '96k'];
  return [
    ...['-filter_complex', `[0:a]${filter}[out]`, '-map', '0:v', '-map', '[out]'],
    ...['-c:v', 'copy', ...coded],
  ];
}

/** What must not be called damage: encoding, levels, filters, sample rates. */
const BENIGN: Record<string, string[]> = {
  'nothing is changed': altered('anull'),
  '32 kb/s, mono': altered(MONO, '-c:a', 'aac', '-b:a', '32k'),
  '48 kb/s, mono': altered(MONO, '-c:a', 'aac', '-b:a', '48k'),
  '64 kb/s, stereo': altered(STEREO, '-c:a', 'aac', '-b:a', '64k'),
  '192 kb/s, stereo': altered(STEREO, '-c:a', 'aac', '-b:a', '192k'),
  '32 kb/s at 22.05 kHz': altered(`${MONO},aresample=22050`, '-c:a', 'aac', '-b:a', '32k'),
  'another codec (MP3 of 48 kb/s)': altered(MONO, '-c:a', 'libmp3lame', '-b:a', '48k'),
  'another codec (Opus of 32 kb/s)': altered(MONO, '-c:a', 'libopus', '-b:a', '32k'),
  'another codec (Opus of 64 kb/s)': altered(STEREO, '-c:a', 'libopus', '-b:a', '64k'),
  loudnorm: altered(`${MONO},loudnorm=I=-16,aresample=48000,${MONO}`),
  dynaudnorm: altered('dynaudnorm'),
  'a fast dynaudnorm': altered('dynaudnorm=f=100:g=5'),
  'a compressor': altered('acompressor=threshold=0.1:ratio=4:attack=20:release=250'),
  'a hard compressor': altered('acompressor=threshold=0.03:ratio=9:attack=5:release=100:makeup=4'),
  'a limiter': altered('volume=6dB,alimiter=limit=0.7'),
  '44.1 kHz': altered('aresample=44100'),
  'softer by 20 dB': altered('volume=-20dB'),
  'a high-pass filter': altered('highpass=f=100'),
  'a telephone band': altered('highpass=f=200,lowpass=f=3400'),
  'the upper band is 12 dB softer': altered("firequalizer=gain='if(gt(f,3800),-12,0)':delay=0.02"),
  'a rumble filter': altered('highpass=f=150,highpass=f=150'),
  'an equaliser': altered('bass=g=4,treble=g=-4'),
  'noise 50 dB below the dub': altered('aeval=val(0)+0.001*(random(0)*2-1):c=same'),
  'from between two dubs on, all is 4 dB louder': altered(louderFrom(11.5, 4)),
  'a clock that is 300 ppm fast': altered('aresample=48000,asetrate=48014,aresample=48000'),
};

/** A stretch of the audio that is played backwards. */
function reversed(from: number, to: number): string {
  return (
    `asplit=3[p][q][r];[p]atrim=0:${from}[x];[q]atrim=${from}:${to},asetpts=PTS-STARTPTS,areverse[y];` +
    `[r]atrim=${to},asetpts=PTS-STARTPTS[z];[x][y][z]concat=n=3:v=0:a=1`
  );
}

/** Louder by so many dB from a second on. */
function louderFrom(seconds: number, db: number): string {
  return `volume=-12dB,volume=${db}dB:enable='gte(t,${seconds})'`;
}

/** Damage, and what is said of it. */
const DAMAGE: Record<string, { fault: string[]; says: RegExp }> = {
  'nothing above 400 Hz': {
    fault: altered('lowpass=f=400'),
    says: /^fragments? 0.*: only a part of its band is heard: 4200 to 7000 Hz are -\d\d dB/,
  },
  'nothing above 700 Hz': {
    fault: altered('lowpass=f=700'),
    says: /^fragments? 0.*part of its band/,
  },
  'the band of a telephone, with steep edges': {
    fault: altered('lowpass=f=3400,lowpass=f=3400,lowpass=f=3400,highpass=f=300,highpass=f=300'),
    says: /^fragments? 0.*part of its band is heard: 4200 to 7000 Hz/,
  },
  'the band of a telephone, with vertical edges': {
    fault: altered("firequalizer=gain='if(between(f,300,3400),0,-60)':delay=0.02"),
    says: /^fragments? 0.*part of its band is heard: (100 to 220|4200 to 7000) Hz are -[2-6]\d dB/,
  },
  'nothing below 300 Hz': {
    fault: altered("firequalizer=gain='if(gt(f,300),0,-60)':delay=0.02"),
    says: /^fragments? 0.*part of its band is heard: 100 to 220 Hz are -[2-6]\d dB/,
  },
  'the upper band is 18 dB softer': {
    fault: altered("firequalizer=gain='if(gt(f,3800),-18,0)':delay=0.02"),
    // Which dubs have so much there that it is missed, depends on the voice's version.
    says: /^fragments? \d.*part of its band is heard: 4200 to 7000 Hz are -1[5-9] dB/,
  },
  'a tremolo of 5 Hz': {
    fault: altered('tremolo=f=5:d=0.6'),
    says: /^fragments? 0.*: its level goes up and down by [78] dB, (4\.9|5\.[01]) times a second/,
  },
  'a level that sways in 3 s': {
    fault: altered("volume='1+0.6*sin(2*PI*t/3)':eval=frame"),
    says: /^fragments? 0.*: its level goes up and down by 1[01] dB, about every 3 s/,
  },
  'holes of 23 ms every 250 ms': {
    fault: altered("volume=0:enable='lt(mod(t,0.25),0.023)'"),
    says: /fragment 0: \d+ dropouts, \d+ ms in all, the first at 0?\d\.\d\d s/,
  },
  '300 ms are silent inside one dub': {
    fault: altered("volume=0:enable='between(t,14.2,14.5)'"),
    says: /^fragment 2: (\d dropouts, )?[123]\d0 ms .* at 14\.[23]\d s/,
  },
  'one hole of 30 ms': {
    fault: altered("volume=0:enable='between(t,8.5,8.53)'"),
    says: /^fragment 1: [1-4]0 ms of it are missing at 8\.[45]\d s$/,
  },
  'clipping by +24 dB': {
    fault: altered('volume=24dB,aformat=s16'),
    says: /^fragments 0 to 3: clipped/,
  },
  'clipping at half of full scale': {
    fault: altered('volume=16dB,aformat=s16,volume=0.5'),
    says: /^fragments? 0.*: clipped/,
  },
  'a click within a dub': {
    fault: altered("aeval='if(between(t,9.5,9.5003),0.8,val(0))':c=same"),
    says: /^fragment 1: a click at 9\.5\d s/,
  },
  crackle: {
    fault: altered("aeval='if(gt(random(0),0.9998),0.5*(random(1)*2-1),val(0))':c=same"),
    says: /fragment 0: \d+ clicks \(up to \d+ dB\)/,
  },
  'a hum of 50 Hz': {
    fault: altered('aeval=val(0)+0.02*sin(2*PI*50*t):c=same'),
    says: /a tone of (49|50|51) Hz under it, -\d\d dB/,
  },
  'a tone of 1 kHz': {
    fault: altered('aeval=val(0)+0.01*sin(2*PI*1000*t):c=same'),
    says: /a tone of (999|1000|1001) Hz under it/,
  },
  noise: {
    fault: altered('aeval=val(0)+0.02*(random(0)*2-1):c=same'),
    says: /noise under it, -\d\d dB/,
  },
  'half of a dub is half as loud': {
    fault: altered("volume=0.5:enable='between(t,14.4,18)'"),
    says: /^fragment 2: from 14\.[345]\d s on softer by 6 dB$/,
  },
  'from the middle of a dub on, all is 10 dB louder': {
    fault: altered(louderFrom(14, 10)),
    says: /^fragment 2: from 1[34]\.\d\d s on louder by 10 dB$/,
  },
  'from between two dubs on, all is 10 dB louder': {
    fault: altered(louderFrom(11.5, 10)),
    says: /^fragment 2: from the pause between 1[01]\.\d\d s and 12\.\d\d s on louder by 10 dB$/,
  },
  'from between two dubs on, all is 10 dB softer': {
    fault: altered(louderFrom(11.5, -10)),
    says: /^fragment 2: from the pause between 1[01]\.\d\d s and 12\.\d\d s on softer by 10 dB$/,
  },
  'from between two dubs on, all is 6 dB louder': {
    fault: altered(louderFrom(11.5, 6)),
    says: /^fragment 2: from the pause .* louder by 6 dB$/,
  },
  'a dub is played backwards': {
    fault: altered(reversed(6, 12)),
    says: /^fragment 1: what is heard is not the dub \(-?[01] dB\)$/,
  },
  'the speech of a dub is played backwards': {
    fault: altered(reversed(6.9, 10.5)),
    says: /^fragment 1: what is heard is not the dub \(-?[01] dB\)$/,
  },
  'one second of a dub is played backwards': {
    fault: altered(reversed(7.5, 8.5)),
    says: /^fragment 1: from 7\.[45]\d s on something else is heard, (9\d0|10\d0) ms in all/,
  },
  '0.4 s of a dub are played backwards': {
    fault: altered(reversed(8, 8.4)),
    says: /^fragment 1: from 8\.[01]\d s on something else is heard, [34]\d0 ms in all/,
  },
  'clipping to square waves, which are less unlike the dub than another one': {
    fault: altered('volume=60dB,aformat=s16'),
    says: /^fragments? 0.*: clipped/,
  },
  '4 bits a sample': {
    fault: altered('acrusher=bits=4:mode=lin:mix=0'),
    says: /hiss or distortion/,
  },
  'resampled to 8 kHz without a filter, 5 bits a sample': {
    fault: altered(
      'aresample=8000:filter_size=1,aresample=48000:filter_size=1,acrusher=bits=5:mix=0',
    ),
    says: /hiss or distortion/,
  },
  'an echo of 120 ms': {
    fault: altered('aecho=0.8:0.6:120:0.5'),
    says: /what was 120 ms before is heard instead|other audio/,
  },
  '100 ms are heard twice, in place of the next': {
    fault: altered(
      'asplit=3[p][q][r];[p]atrim=0:8.5,asetpts=PTS-STARTPTS[x];[q]atrim=8.4:8.5,asetpts=PTS-STARTPTS[y];' +
        '[r]atrim=8.6,asetpts=PTS-STARTPTS[z];[x][y][z]concat=n=3:v=0:a=1',
    ),
    says: /^fragment 1: from 8\.[456]\d s on what was 100 ms before is heard/,
  },
};

/** Damage of a whole recording, by the one check that fails. */
const WHOLE: Record<string, { fault: string[]; check: string; says: RegExp }> = {
  'one hole of 60 ms': {
    fault: altered("volume=0:enable='between(t,8.5,8.56)'"),
    ...{ check: 'dub-damage', says: /^fragment 1: [3-7]0 ms of it are missing at 8\.[45]\d s$/ },
  },
  'all is 10 dB softer from 11.5 s on': {
    fault: altered("volume=-10dB:enable='gte(t,11.5)'"),
    ...{
      check: 'dub-damage',
      says: /^fragment 2: from the pause between 1[01].* softer by 10 dB$/,
    },
  },
  'every dub is 0.8 % faster and higher': {
    fault: altered(inEachDub('asetrate=48384,aresample=48000')),
    ...{ check: 'dub-speed', says: /fragments? 0.*: heard 0\.(79|80|81) % faster and higher/ },
  },
  'every dub is 1 % slower and lower': {
    fault: altered(inEachDub('asetrate=47520,aresample=48000')),
    ...{ check: 'dub-speed', says: /fragments? 0.*: heard (0\.99|1\.0[01]) % slower and lower/ },
  },
  'the audio clock is 1 % fast': {
    fault: altered('asetrate=48480,aresample=48000,apad,atrim=0:24'),
    ...{ check: 'av-drift', says: /-99\d\d ± \d+ ppm/ },
  },
  'the right channel is silent': {
    fault: altered('pan=stereo|c0=c0|c1=0*c0'),
    ...{ check: 'channels', says: /"right" is silent for 2\d\.\d s, from 0\.\d s on/ },
  },
  'of six channels, the front right is silent': {
    fault: altered('pan=5.1|FL=c0|FR=0*c0|FC=0*c0|LFE=0*c0|BL=0*c0|BR=0*c0', '-c:a', 'aac'),
    ...{ check: 'channels', says: /"front right" is silent for 2\d\.\d s, from 0\.\d s on/ },
  },
  'the left channel is 20 dB softer from 10 s on': {
    fault: altered(
      "aeval='val(0)*if(lt(t,10),1,0.1)|val(0)':c=stereo,aformat=channel_layouts=stereo",
    ),
    ...{
      check: 'channels',
      says: /"left" is (silent|at .* only) for 1\d\.\d s, from (9|10)\.\d s on/,
    },
  },
  'the right channel is 8 ms late': {
    fault: altered(`${STEREO},adelay=0|8`),
    ...{ check: 'channels', says: /"right" is (7\.[89]|8\.[012]) ms late for \d+\.\d s, from 0/ },
  },
  'the left channel is 30 ms late': {
    fault: altered(`${STEREO},adelay=30|0`),
    ...{ check: 'channels', says: /"left" is (29\.[89]|30\.[012]) ms late for \d+\.\d s, from 0/ },
  },
  'the channels are of opposite polarity': {
    fault: altered('pan=stereo|c0=c0|c1=-1*c0'),
    ...{ check: 'channels', says: /opposite polarity \(correlation -(1\.00|0\.9\d)\)/ },
  },
  'audio of 44.1 kHz is played at 48 kHz': {
    fault: altered('aresample=44100,asetrate=48000'),
    ...{ check: 'dubs', says: /audio of 44\.1 kHz is played as if it were 48 kHz: 8\.8 % faster/ },
  },
  'audio of 48 kHz is played at 44.1 kHz': {
    fault: altered('asetrate=44100,aresample=48000'),
    ...{ check: 'dubs', says: /audio of 48 kHz is played as if it were 44\.1 kHz: 8\.1 % slower/ },
  },
};

/** Each dub through a filter that makes it longer or shorter. */
function inEachDub(filter: string): string {
  const parts = [0, 1, 2, 3].map((i) => {
    const [from, to] = [i * SEGMENT_SECONDS, (i + 1) * SEGMENT_SECONDS];
    const padded = `apad=whole_dur=${SEGMENT_SECONDS},atrim=0:${SEGMENT_SECONDS}`;
    return `[p${i}]atrim=${from}:${to},asetpts=PTS-STARTPTS,${filter},${padded}[s${i}];`;
  });
  const [ins, outs] = ['p', 's'].map((name) => parts.map((_, i) => `[${name}${i}]`).join(''));
  return `asplit=4${ins};${parts.join('')}${outs}concat=n=4:v=0:a=1`;
}

describe('the condition of dubs', () => {
  let movie: DubbedMovie;
  before(() => {
    movie = dubbedMovie(join(folder, 'good'));
  });

  /** Of the audio alone. */
  async function saidOf(fault: readonly string[]): Promise<string> {
    const file = faulty(movie, [...fault, '-vn'], join(folder, 'altered.mka'));
    const samples = await readAudio(file, SPEECH_RATE_HZ);
    const heard = movie.dubbed.map((dubbed, sequence) => {
      // Encoders begin some ms later.
      const from = sequence * SEGMENT_SECONDS - 1;
      const near = samples.subarray(Math.max(0, from) * SPEECH_RATE_HZ);
      const place = observed(locate(dubbed, near.subarray(0, 8 * SPEECH_RATE_HZ), SPEECH_RATE_HZ));
      const ptsSeconds = Math.max(0, from) + place.offsetSeconds;
      return { sequence, dubbed, speed: 1, ptsSeconds };
    });
    const audio = { samples, rateHz: SPEECH_RATE_HZ, firstPtsSeconds: 0 };
    const conditions = measureDubs(audio, heard);
    const measured = { conditions, placements: [] };
    const { assess, defaultLimit } = dubDamage;
    return shownDeviations(assess(measured, defaultLimit, undefined as never).deviations);
  }

  for (const [what, fault] of Object.entries(BENIGN)) {
    it(`${what}: fine`, async () => {
      expect(await saidOf(fault)).to.equal('');
    });
  }

  for (const [what, { fault, says }] of Object.entries(DAMAGE)) {
    it(`${what}: told`, async () => {
      expect(await saidOf(fault)).to.match(says);
    });
  }

  async function judged(fault: readonly string[], of = movie): Promise<Verdict[]> {
    const file = faulty(of, fault, join(folder, 'altered.mkv'));
    const subject = recordingSubject(new OutputFindings(file, of.fixture, of.dubs));
    return [
      await judge(outputBegins, subject, outputBegins.defaultLimit),
      await judge(channels, subject, channels.defaultLimit),
      await judge(dubs, subject, dubs.defaultLimit),
      await judge(dubDamage, subject, dubDamage.defaultLimit),
      await judge(splices, subject, splices.defaultLimit),
      await judge(original, subject, original.defaultLimit),
      await judge(dubLoudness, subject, dubLoudness.defaultLimit),
      await judge(avDrift, subject, avDrift.defaultLimit),
      await judge(dubSpeed, subject, dubSpeed.defaultLimit),
      await judge(avOffset, subject, avOffset.defaultLimit),
    ];
  }
  /** Also by what cannot be shown. */
  function judgedByAll(fault: readonly string[]): Promise<OutputVerdict[]> {
    const file = faulty(movie, fault, join(folder, 'altered.mkv'));
    const output = new OutputFindings(file, movie.fixture, movie.dubs);
    return judgeOutput(recordingSubject(output), { listens: false });
  }
  const told = (verdicts: readonly OutputVerdict[]): string =>
    verdicts.map(({ criterion, state, seen }) => `${criterion}: ${state}, ${seen}`).join('\n');

  it('a whole recording that is good: fine', async () => {
    const loudnorm = 'loudnorm=I=-16,aresample=44100,aformat=channel_layouts=stereo';
    const verdicts = await judged(altered(`${MONO},${loudnorm}`));
    expect(
      verdicts.filter(({ state }) => state !== 'passed'),
      told(verdicts),
    ).to.deep.equal([]);
  });

  // ffmpeg puts one channel into the middle, two to the front; nothing is in the others.
  for (const [what, filter, loss] of [
    ['in the middle', 'pan=5.1|FC=c0', 3],
    ['left and right', 'pan=5.1|FL=c0|FR=c0', 0],
  ] as const) {
    it(`a good recording of six channels, the dub ${what}: fine`, async () => {
      const six = altered(filter, '-c:a', 'aac', '-b:a', '256k');
      const verdicts = await judged(six);
      const wrong = verdicts.filter(({ state }) => state !== 'passed');
      expect(wrong, told(verdicts)).to.deep.equal([]);
      const file = faulty(movie, six, join(folder, 'six.mkv'));
      const subject = recordingSubject(new OutputFindings(file, movie.fixture, movie.dubs));
      const levels = await dubLoudness.measure(subject);
      const own = await dubLoudness.measure(
        recordingSubject(new OutputFindings(movie.output, movie.fixture, movie.dubs)),
      );
      // Of the middle each side gets half of the power.
      levels.forEach(({ dubDbfs }, i) =>
        expect(dubDbfs).to.be.closeTo((own[i]?.dubDbfs ?? NaN) - loss, 0.3),
      );
    });
  }

  it('of a source of six channels with a crowd behind, a good dub is fine, and the original is told', async () => {
    const path = join(folder, 'six-source.mp4');
    const six =
      'anoisesrc=a=0.01:r=48000:d=24:s=1,pan=5.1|BL=c0|BR=c0[crowd];' +
      '[0:a]aformat=channel_layouts=mono,pan=5.1|FC=c0[speech];[speech][crowd]amix=inputs=2:normalize=0[out]';
    ffmpeg(
      ...['-i', movie.fixture.path, '-filter_complex', six, '-map', '0:v', '-map', '[out]'],
      ...['-c:v', 'copy', '-c:a', 'aac', '-b:a', '384k', path],
    );
    const of = { ...movie, fixture: { ...movie.fixture, path } };
    const good = await judged(altered(STEREO), of);
    const wrong = good.filter(({ state }) => state !== 'passed');
    expect(wrong, told(good)).to.deep.equal([]);
    const bad = await judged(['-map', '0:v', '-map', '1:a', '-c', 'copy'], of);
    const failed = bad.filter(({ state }) => state === 'failed');
    expect(
      failed.map(({ criterion }) => criterion),
      told(bad),
    ).to.deep.equal(['original']);
  });

  for (const [tempo, says] of [
    [1.01, /^fragments? 0.* heard about (0\.[6-9]|1\.[0-6]) % faster at the same pitch/],
    [0.99, /^fragments? 0.* heard about (0\.[6-9]|1\.[0-6]) % slower at the same pitch/],
    [1.1, /^fragments? 0.* heard about (9\.[5-9]|10\.[0-4]) % faster at the same pitch/],
  ] as const) {
    it(`every dub is ${tempo} times as fast at the same pitch: told, in sync, its damage not told`, async () => {
      const verdicts = await judgedByAll(altered(inEachDub(`atempo=${tempo}`)));
      const inState = (wanted: OutputVerdict['state']): string[] =>
        verdicts.filter(({ state }) => state === wanted).map(({ criterion }) => criterion);
      expect(inState('failed'), told(verdicts)).to.deep.equal(['dub-speed']);
      expect(inState('not shown')).to.deep.equal(['dub-damage']);
      expect(verdicts.find(({ state }) => state === 'failed')?.seen).to.match(says);
    });
  }

  it('all audio is 1 % faster at the same pitch: early dubs follow from that', async () => {
    const verdicts = await judgedByAll(altered('atempo=1.01,apad,atrim=0:24'));
    const failed = verdicts.filter(({ state }) => state === 'failed');
    // Its clock, where the dubs are on a line well enough to tell.
    expect(failed, told(verdicts)).to.have.length(1);
    expect(failed[0]?.criterion).to.be.oneOf(['av-drift', 'dub-speed']);
    const offset = verdicts.find(({ criterion }) => criterion === 'av-offset');
    expect(offset?.because?.criterion).to.equal(failed[0]?.criterion);
  });

  it('every dub is 0.6 % faster, as a clock is caught up with: fine', async () => {
    const verdicts = await judged(altered(inEachDub('asetrate=48288,aresample=48000')));
    expect(
      verdicts.filter(({ state }) => state !== 'passed'),
      told(verdicts),
    ).to.deep.equal([]);
  });

  const LEVELS: [string, string, RegExp | undefined][] = [
    ['as they are', 'anull', undefined],
    ['6 dB softer', 'volume=-6dB', undefined],
    ['20 dB softer', 'volume=-20dB', /^fragments? 0.* dB against/],
    ['20 dB louder', 'volume=20dB', /^fragments? 0.* dB against/],
    ['one is 20 dB softer', "volume=0.1:enable='between(t,12,18)'", /^fragment 2: .* dB against/],
  ];
  for (const [what, filter, says] of LEVELS) {
    it(`the loudness of dubs, ${what}: ${says ? 'told' : 'fine'}`, async () => {
      const file = faulty(movie, altered(filter, '-c:a', 'flac'), join(folder, 'level.mkv'));
      const subject = recordingSubject(new OutputFindings(file, movie.fixture, movie.dubs));
      const verdict = await judge(dubLoudness, subject, dubLoudness.defaultLimit);
      expect(verdict.state, told([verdict])).to.equal(says ? 'failed' : 'passed');
      if (says) expect(verdict.seen).to.match(says);
    });
  }

  for (const [what, { fault, check, says }] of Object.entries(WHOLE)) {
    it(`${what}: only ${check} fails`, async () => {
      const verdicts = await judged(fault);
      const failed = verdicts.filter(({ state }) => state === 'failed' || state === 'not shown');
      expect(
        failed.map(({ criterion }) => criterion),
        told(verdicts),
      ).to.deep.equal([check]);
      expect(failed[0]?.seen).to.match(says);
    });
  }
});
