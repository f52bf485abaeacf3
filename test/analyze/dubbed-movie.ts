import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { pcmToS16le } from '../../support/analyze/audio';
import type { DubFiles } from '../../support/analyze/output-findings';
import { readFixture, type Fixture } from '../../support/broadcast/fixture';
import { ffmpeg, mixInto, noise, run, speech, stripMovie } from './make-media';

export const RATE = 16000;
export const FPS = 30;
export const SEGMENT_SECONDS = 6;

const ENGLISH = [
  'The quarterback takes the ball and looks for an open player',
  'The defense is strong tonight, they stop the runner again',
  'What a great play, the crowd is on its feet and shouting',
  'Ten seconds on the clock, he throws the ball to the corner',
];
const SPANISH = [
  'El mariscal de campo toma la bola y busca un jugador abierto',
  'La defensa es fuerte esta noche, paran al corredor otra vez',
  'Qué gran jugada, la multitud está de pie y gritando',
  'Diez segundos en el reloj, lanza la bola a la esquina',
];
export const DURATION_SECONDS = ENGLISH.length * SEGMENT_SECONDS;

/** A source with frame strip, its dubs, and an output in which each dub is heard at its video. */
export interface DubbedMovie {
  fixture: Fixture;
  dubs: DubFiles[];
  output: string;
  /** The dubs, of 6 s each at `RATE`. */
  dubbed: Float32Array[];
}

/**
 * Makes a dubbed movie of 24 s. The source is spoken by Piper's male voice, or espeak-ng where that is too slow; the
 * dub by espeak-ng, in Spanish unless told otherwise.
 */
export function dubbedMovie(folder: string, language: 'es' | 'en' = 'es'): DubbedMovie {
  mkdirSync(folder, { recursive: true });
  const said = (texts: readonly string[], voice: string, from: number): Float32Array[] =>
    texts.map((text) => {
      const fragment = noise(SEGMENT_SECONDS * RATE, 1).map((sample) => sample * 0.0005);
      mixInto(fragment, speech(text, { voice, rateHz: RATE, wordsPerMinute: 165 }), from * RATE);
      return fragment;
    });
  const originals = said(ENGLISH, 'en-us+f3', 0.7);
  const dubbed = said(language === 'es' ? SPANISH : ENGLISH, language, 0.9);
  const movie = (name: string, fragments: Float32Array[]): string => {
    const samples = new Float32Array(DURATION_SECONDS * RATE);
    fragments.forEach((fragment, i) => samples.set(fragment, i * SEGMENT_SECONDS * RATE));
    return stripMovie(join(folder, name), {
      fps: FPS,
      durationSeconds: DURATION_SECONDS,
      audio: { samples, rateHz: RATE },
      output: ['-ar', '48000', '-g', '15'],
    });
  };
  movie('source.mp4', originals);
  const wav = (name: string, samples: Float32Array): string => {
    const file = join(folder, name);
    run(
      'ffmpeg',
      ['-v', 'error', '-y', '-f', 's16le', '-ar', String(RATE), '-ac', '1', '-i', '-', file],
      pcmToS16le(samples),
    );
    return file;
  };
  const yaml = join(folder, 'source.yaml');
  writeFileSync(
    yaml,
    stringify({
      ...{ id: 'source', title: 'A source', file: 'source.mp4', durationSeconds: DURATION_SECONDS },
      ...{ segmentSeconds: SEGMENT_SECONDS, language: 'en', targetLanguage: 'es', script: ENGLISH },
      video: { width: 320, height: 180, framesPerSecond: FPS, frameStrip: true },
      audio: { sampleRateHz: 48000, channels: 1 },
    }),
  );
  return {
    fixture: readFixture(yaml),
    dubs: dubbed.map((samples, sequence) => ({
      sequence,
      dubbed: wav(`${sequence}-dubbed.wav`, samples),
      original: wav(`${sequence}-original.wav`, originals[sequence] ?? new Float32Array()),
    })),
    output: movie('output.mp4', dubbed),
    dubbed,
  };
}

/** ffmpeg's options that turn a dubbed movie (input 0; input 1 is its source) into a faulty one, by what is wrong. */
export const FAULTS: Record<string, { fault: string[]; check: string }> = {
  'the original audio is kept': {
    check: 'original',
    fault: ['-map', '0:v', '-map', '1:a', '-c', 'copy'],
  },
  'the original is heard under the dub, at -18 dB': {
    check: 'original',
    fault: audio('[1:a]volume=-18dB[o];[0:a][o]amix=inputs=2:normalize=0:duration=first'),
  },
  'two dubs are swapped': {
    check: 'dubs',
    fault: audio(pieces([0, 6], [12, 18], [6, 12], [18, 24])),
  },
  'one dub is missing': {
    check: 'dubs',
    fault: audio("[0:a]volume=0:enable='between(t,12,18)'"),
  },
  'one dub is heard twice': {
    check: 'dubs',
    fault: audio(pieces([0, 6], [6, 12], [6, 12], [18, 24])),
  },
  'half of a dub is cut off': {
    check: 'dubs',
    fault: audio("[0:a]volume=0:enable='between(t,14.5,18)'"),
  },
  'the dub is 150 ms late': {
    check: 'av-offset',
    fault: audio('[0:a]adelay=150:all=1,atrim=0:24'),
  },
  'audio and video drift apart by 200 ms': {
    check: 'av-drift',
    fault: audio('[0:a]asetrate=48000*24/24.2,aresample=48000,atrim=0:24'),
  },
  'the frame freezes for 1 s': {
    check: 'frames',
    fault: frame('[0:v]split[a][b];[a][b]freezeframes=first=330:last=359:replace=330'),
  },
  'frames are black for 0.5 s': {
    check: 'frames',
    fault: frame("[0:v]drawbox=y=8:t=fill:color=black:enable='between(t,8,8.5)'"),
  },
  'audio is missing for 300 ms at a splice': {
    check: 'timestamps',
    fault: ['-map', '0', '-c', 'copy', '-bsf:a', "noise=drop='between(n,555,568)':amount=0"],
  },
  'a click is heard at a splice': {
    check: 'splices',
    fault: audio("[0:a]aeval='if(between(t,12,12.0005),0.8,val(0))':c=same"),
  },
  'the output is silent': { check: 'audio', fault: audio('[0:a]volume=0') },
  'the stream is looped': {
    check: 'frames',
    fault: [
      ...[
        '-filter_complex',
        '[0:v]trim=0:12,split[v][w];[0:a]atrim=0:12,asplit[a][b];[v][a][w][b]concat=n=2:v=1:a=1[x][y]',
      ],
      ...['-map', '[x]', '-map', '[y]', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    ],
  },
};

function audio(filter: string): string[] {
  return [
    '-filter_complex',
    `${filter}[out]`,
    '-map',
    '0:v',
    '-map',
    '[out]',
    '-c:v',
    'copy',
    '-c:a',
    'aac',
  ];
}

function frame(filter: string): string[] {
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15'];
  return [
    '-filter_complex',
    `${filter}[out]`,
    '-map',
    '[out]',
    '-map',
    '0:a',
    ...video,
    '-c:a',
    'copy',
  ];
}

/** Stretches of the audio, one after the other. */
function pieces(...stretches: [number, number][]): string {
  const labels = stretches.map((_, i) => `[s${i}]`).join('');
  return (
    `[0:a]asplit=${stretches.length}${stretches.map((_, i) => `[p${i}]`).join('')};` +
    stretches
      .map(([from, to], i) => `[p${i}]atrim=${from}:${to},asetpts=PTS-STARTPTS[s${i}];`)
      .join('') +
    `${labels}concat=n=${stretches.length}:v=0:a=1`
  );
}

/** The faulty movie; its name tells nothing. */
export function faulty(movie: DubbedMovie, fault: readonly string[], file: string): string {
  ffmpeg('-i', movie.output, '-i', movie.fixture.path, ...fault, '-shortest', file);
  return file;
}
