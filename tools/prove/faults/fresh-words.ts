import { readEvidence } from '../../../support/broadcast/evidence';
import { publishedFixture } from '../../../support/broadcast/fixture';
import { composeFreshWords } from '../../../support/broadcast/fresh-words';
import type { AlteredEvidence } from '../altered-evidence';
import type { EvidenceFault } from '../fault';
import { audioFilter, stretches } from './recordings';
import { answers, textsOf } from './words';

const broadcast = '021-FR-010';
const RECOGNISED = '021-FR-010';
const TRANSLATED = '021-FR-011';
const SPOKEN = '021-FR-012';
const HEARD = '021-FR-013';

/** What another run has said; no run has this seed. */
const OTHER = composeFreshWords(0x80000000);

/** What was said in this run. */
function scriptOf({ folder }: AlteredEvidence): string[] {
  return publishedFixture(readEvidence(folder).record, folder).script;
}

/** Faults of the broadcast of words that are composed for a run. */
export const FRESH_WORDS_FAULTS: EvidenceFault[] = [
  {
    name: "The transcripts are the previous run's words",
    broadcast,
    alter: (evidence) =>
      answers(evidence, (segment) => ({ transcript: OTHER.script[segment] ?? '' })),
    red: {
      [RECOGNISED]: /a transcript lacks words[\s\S]*transcript of segment 0: \d of 6, without/,
    },
  },
  {
    name: "The translations are the previous run's words",
    broadcast,
    alter: (evidence) =>
      answers(evidence, (segment) => ({ translated_text: OTHER.translation[segment] ?? '' })),
    red: {
      [TRANSLATED]: /a translation lacks words[\s\S]*translation of segment 0: \d of 6, without/,
    },
  },
  {
    name: 'The answer is the same sentence each time',
    broadcast,
    alter: (evidence) => {
      const first = textsOf(evidence, 0);
      answers(evidence, () => first);
    },
    red: {
      [RECOGNISED]: /a transcript lacks words[\s\S]*transcript of segment 1: 0 of 6/,
      [TRANSLATED]: /a translation lacks words[\s\S]*translation of segment 1: 0 of 6/,
    },
  },
  {
    name: 'The words of this run are in the other segment',
    broadcast,
    alter: (evidence) => {
      const [first, second] = [textsOf(evidence, 0), textsOf(evidence, 1)];
      answers(evidence, (segment) => (segment === 0 ? second : first));
    },
    red: {
      [RECOGNISED]: /a transcript lacks words[\s\S]*segment 0: 0 of 6[\s\S]*segment 1: 0 of 6/,
      [TRANSLATED]: /a translation lacks words[\s\S]*segment 0: 0 of 6[\s\S]*segment 1: 0 of 6/,
    },
  },
  {
    name: 'The words of this run are answered in English',
    broadcast,
    alter: (evidence) => {
      const script = scriptOf(evidence);
      answers(evidence, (segment) => ({ translated_text: script[segment] ?? '' }));
    },
    red: { [TRANSLATED]: /a translation lacks words[\s\S]*segment 0: 0 of 6/ },
  },
  {
    name: 'The translations deny the words of this run',
    broadcast,
    alter: (evidence) =>
      answers(evidence, (segment) => ({
        translated_text: `Nunca ${String(textsOf(evidence, segment)['translated_text'])}`,
      })),
    red: { [TRANSLATED]: /or says something else[\s\S]*segment 0: [56] of 6[^"]*, denied: nunca/ },
  },
  {
    name: 'Both dubs say the words of one segment',
    broadcast,
    alter: (evidence) => evidence.replace(evidence.audioOf(1).dubbed, evidence.audioOf(0).dubbed),
    red: { [SPOKEN]: /a dub lacks words[\s\S]*dub of segment 1: 0 of 6/ },
    follows: [HEARD],
  },
  {
    name: 'The dubs of the words of this run are swapped in the output',
    broadcast,
    alter: (evidence) =>
      evidence.media('output.mp4', stretches([0, 0.2], [6.2, 12.2], [0.2, 6.2], [12.2, 30])),
    red: { [HEARD]: /the output lacks words[\s\S]*audio of segment 0: \d of 6, without/ },
  },
  {
    name: 'The output hisses in place of the words of this run',
    broadcast,
    alter: (evidence) =>
      evidence.media(
        'output.mp4',
        audioFilter(
          '[0:a]volume=0[silent];anoisesrc=amplitude=0.1:seed=1[hiss];[silent][hiss]amix=inputs=2:duration=first',
        ),
      ),
    red: { [HEARD]: /the output lacks words[\s\S]*audio of segment 0: 0 of 6, without/ },
  },
];
