import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le } from '../../support/analyze/audio';
import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { readFixture } from '../../support/broadcast/fixture';
import { judge, type Verdict } from '../../support/checks/criterion';
import { validDubs } from '../../support/checks/valid-dubs';
import { projectRoot } from '../../support/config';
import { mixInto, run, speech } from '../analyze/make-media';
import { event } from '../broadcast/an-exchange';
import { aBroadcast } from './a-broadcast';

const RATE = 16_000;
const FORMAT = { format: 'pcm_s16le', sample_rate_hz: RATE, channels: 1, bytes: 1 };
const MP3 = { ...FORMAT, format: 'mp3', duration_ms: 6000 };
/** Two segments, in which somebody speaks. */
const fixture = readFixture(join(projectRoot, 'fixtures/12-s-nfl.yaml'));

/** Said twice, so that there is enough for a fingerprint. */
function spoken(text: string, voice: string, seconds = 6): Float32Array {
  const samples = new Float32Array(seconds * RATE);
  mixInto(samples, speech(`${text}. ${text}.`, { voice, rateHz: RATE }), 0);
  return samples;
}

const ENGLISH = spoken('The quarterback takes the ball and looks for an open player', 'en-us');
const SPANISH = spoken('El mariscal de campo toma la bola y busca un jugador abierto', 'es');

interface Answered {
  dub?: Float32Array | string;
  /** Where the dub is. */
  file?: string;
  fields?: object;
}

/** A broadcast of two segments, of which the second is answered as given. */
function judged({
  dub = SPANISH,
  file = 'audio/dub.wav',
  fields = {},
}: Answered): Promise<Verdict> {
  const audio = (name: string): object => ({
    ...FORMAT,
    file: `audio/${name}.wav`,
    duration_ms: 6000,
  });
  const events = [0, 1].flatMap((sequence) => {
    const ids = { fragment_id: `f${sequence}`, stream_id: 's', sequence_number: sequence };
    const at = 6 * sequence;
    return [
      event(at, 'fragment:data', { ...ids, timestamp: 6000 * sequence, audio: audio('original') }),
      event(at + 1, 'fragment:processed', {
        ...{ ...ids, status: 'success', transcript: 'Said', translated_text: 'Dicho' },
        ...{ target_language: 'es', dubbed_audio: audio(sequence === 0 ? 'good' : 'dub') },
        ...(sequence === 1 ? fields : {}),
      }),
    ];
  });
  const { evidence, names } = aBroadcast({ events, record: { monitor: 'tap' } });
  mkdirSync(join(evidence.folder, 'audio'));
  const write = (name: string, samples: Float32Array | string): void => {
    const file = join(evidence.folder, 'audio', `${name}.wav`);
    if (typeof samples === 'string') return writeFileSync(file, samples);
    const pcm = ['-v', 'error', '-f', 's16le', '-ar', String(RATE), '-ac', '1', '-i', '-', file];
    run('ffmpeg', pcm, pcmToS16le(samples));
  };
  write('original', ENGLISH);
  write('good', SPANISH);
  write('dub', dub);
  const [written, named] = ['audio/dub.wav', file].map((name) => join(evidence.folder, name));
  if (written !== undefined && named !== undefined) renameSync(written, named);
  const broadcast = new BroadcastFindings(evidence, fixture, names);
  return judge(validDubs, broadcast, { tolerancePercent: 10 });
}

describe('an answer that is called processed', () => {
  it('holds a dub, with texts', async () => {
    const { state, seen } = await judged({});
    expect(state, seen).to.equal('passed');
  });

  it('may be a tenth longer or shorter', async () => {
    const lasting = (share: number) => judged({ dub: SPANISH.slice(0, SPANISH.length * share) });
    expect((await lasting(0.9)).state).to.equal('passed');
    const short = await lasting(0.89);
    expect([short.state, short.seen]).to.deep.equal([
      'failed',
      'fragment 1: a dub of 5.34 s for 6.00 s',
    ]);
  });

  for (const [what, given, seen] of [
    ['an echo', { dub: ENGLISH }, /fragment 1: the audio that was sent, bit error rate 0\.\d\d/],
    [
      'an echo that is softer',
      { dub: ENGLISH.map((sample) => sample / 4) },
      /fragment 1: the audio that was sent/,
    ],
    [
      'garbage',
      { dub: 'garbage' },
      /^fragment 1: the dub does not decode: format pcm_s16le said, 1 bytes that begin with 67617262616765$/,
    ],
    [
      'of a format that services do not send',
      { file: 'audio/dub.bin', fields: { dubbed_audio: { ...MP3, file: 'audio/dub.bin' } } },
      /^fragment 1: the dub does not decode: format mp3 said, 1 bytes that begin with [\da-f]{16}$/,
    ],
    [
      'of another length than it says',
      { fields: { dubbed_audio: { ...FORMAT, file: 'audio/dub.wav', duration_ms: 1 } } },
      /^fragment 1: a dub of 6\.00 s with duration_ms 1$/,
    ],
    ['no dub', { fields: { dubbed_audio: null } }, /fragment 1: .*has no dubbed audio/],
    [
      'no texts',
      { fields: { transcript: ' ', translated_text: '' } },
      /fragment 1: no transcript, no translation/,
    ],
    [
      'a failure, whatever comes with it',
      { fields: { status: 'failed', error: { code: 'MODEL_ERROR', message: 'no memory' } } },
      /fragment 1: failed \(MODEL_ERROR: no memory\)/,
    ],
  ] as const) {
    it(`is not ${what}`, async () => {
      const verdict = await judged(given);
      expect(verdict.state).not.to.equal('passed');
      expect(verdict.seen).to.match(seen);
    });
  }
});
