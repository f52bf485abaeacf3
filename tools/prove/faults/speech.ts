import { join } from 'node:path';

import { type Fixture, readFixture } from '../../../support/broadcast/fixture';
import { projectRoot } from '../../../support/config';
import type { Fields } from '../altered-evidence';
import type { EvidenceFault, OutsideFault } from '../fault';
import { redub } from '../redub';
import { type CannedAnswer, cannedSts, hissFor } from '../stand-ins';
import { changedAnswers, standIn } from './outside';
import { answers, textsOf } from './words';

const broadcast = '021-US2-3';
const DUBBED = '021-US4-1 The dubbed audio';
const NOT_ITS_TRANSLATION = /the STS returned dubs that do not say their translation/;
const NOT_SPANISH = /dubs that are not in the target language/;
const FOLLOWS = ['021-US2-4', '021-US2-5'];
/** Noise in bursts, at about the loudness of speech, and of each fragment its own. */
function hiss(index: number): string {
  const noise = `anoisesrc=amplitude=0.1:seed=${index + 1}:r=44100:d=6`;
  return `${noise},volume='lt(mod(t,0.9),0.6)':eval=frame`;
}

const counting = (): Fixture =>
  readFixture(join(projectRoot, 'fixtures/30s-counting-english.yaml'));

/** Six seconds of somebody who counts in English, of each fragment others: the second time round he counts faster. */
function countedAloud(index: number): string {
  const { script, segmentSeconds } = counting();
  const from = segmentSeconds * (index % script.length);
  const part = `atrim=${from}:${from + segmentSeconds},asetpts=PTS-STARTPTS`;
  const tempo = index < script.length ? 1 : 1.2;
  return `[1:a]${part},atempo=${tempo},apad=whole_dur=${segmentSeconds},aresample=44100,aformat=channel_layouts=mono`;
}

/** Dubs that are not speech, or not what was said, in answers and output alike: nothing else of the broadcast is wrong. */
const SPOKEN_FAULTS: EvidenceFault[] = [
  {
    name: 'All dubs are hiss, loud as speech',
    broadcast,
    alter: (evidence) =>
      redub(evidence, (index) => ({
        filter: `[0:a]volume=0[a];${hiss(index)}[b];[a][b]amix=normalize=0`,
      })),
    red: { [DUBBED]: NOT_SPANISH },
    follows: FOLLOWS,
  },
  {
    name: 'Each dub says the words of another segment',
    broadcast,
    alter: (evidence) =>
      redub(evidence, (index, files) => ({
        filter: '[1:a]anull',
        inputs: [files[(index + 1) % files.length]?.dubbed ?? ''],
      })),
    red: { [DUBBED]: NOT_ITS_TRANSLATION },
    follows: FOLLOWS,
  },
  {
    name: 'The dubs are English speech of another broadcast',
    broadcast,
    alter: (evidence) =>
      redub(evidence, (index) => ({ filter: countedAloud(index), inputs: [counting().path] })),
    red: { [DUBBED]: /dubs that are not in the target language[\s\S]*most probable en/ },
    follows: FOLLOWS,
  },
  {
    name: 'Every dub is the same sentence',
    broadcast,
    alter: (evidence) =>
      redub(evidence, (_, files) => ({
        filter: '[1:a]volume=0.99',
        inputs: [files[0]?.dubbed ?? ''],
      })),
    red: { '021-US2-4': NOT_ITS_TRANSLATION },
    // Each is found in all segments.
    follows: [DUBBED, '021-US2-5'],
  },
  {
    name: 'The dubs are a mumble, 30 dB below a noise',
    broadcast,
    alter: (evidence) =>
      redub(evidence, (index) => ({
        filter: `[0:a]volume=-30dB[a];${hiss(index)}[b];[a][b]amix=normalize=0`,
      })),
    red: { [DUBBED]: NOT_SPANISH },
    follows: FOLLOWS,
  },
  {
    name: 'The translations are those of other sentences, and the dubs say them',
    broadcast,
    alter: async (evidence) => {
      await redub(evidence, (index, files) => ({
        filter: '[1:a]anull',
        inputs: [files[(index + 1) % files.length]?.dubbed ?? ''],
      }));
      const others = Array.from({ length: 10 }, (_, index) => textsOf(evidence, (index + 1) % 10));
      answers(evidence, (index) => ({ translated_text: others[index]?.['translated_text'] }));
    },
    red: { '021-US4-3 The translation': /the translations are not what the script means/ },
  },
];

/** The lines that an STS could know before the run. */
function linesOf(name: string): CannedAnswer[] {
  const { script, translation = [] } = readFixture(join(projectRoot, 'fixtures', `${name}.yaml`));
  return script.map((transcript, i) => ({ transcript, translation: translation[i] ?? '' }));
}

/** What says of speech that it is right. */
const SPEECH_TAGS = '@fresh-words or @021-US4-1 or @019-US3-1 or @019-US3-2 or @019-US6-3';

/** An STS that does nothing of it, and one that does all but speak. */
const FAKES: OutsideFault[] = [
  {
    name: 'The STS answers from a table of the broadcasts, with hiss',
    tags: SPEECH_TAGS,
    make: () => {
      const names = ['1-min-nfl', '12-s-nfl', '30s-counting-english', 'hello-world', '6-s-noise'];
      const tables = names.map((name) => ({ stream: name, answers: linesOf(name) }));
      return standIn('STS_SERVICE_URL', '', cannedSts(tables));
    },
    red: {
      '021-FR-010': /a transcript lacks words/,
      '021-FR-011': /a translation lacks words/,
      '021-FR-012': /a dub lacks words/,
      '021-FR-013': /the output lacks words/,
      [DUBBED]: NOT_SPANISH,
    },
    // Of what is sent to it directly it knows nothing.
    follows: ['019-US6-3', '019-US3-1', '019-US3-2'],
  },
  {
    name: 'The STS speaks hiss',
    tags: SPEECH_TAGS,
    make: changedAnswers((answer) => {
      const dub = answer['dubbed_audio'] as Fields | null;
      return [dub ? { ...answer, dubbed_audio: hissFor(dub) } : answer];
    }),
    red: {
      '021-FR-012': /a dub lacks words/,
      '021-FR-013': /the output lacks words/,
      [DUBBED]: NOT_SPANISH,
      '019-US3-1': /what is heard in the dub is not the translation/,
      '019-US3-2': /what is heard in the dub is not the translation/,
    },
    follows: ['019-US6-3'],
  },
];

/** Faults of what is heard. */
export const SPEECH: (EvidenceFault | OutsideFault)[] = [...SPOKEN_FAULTS, ...FAKES];
