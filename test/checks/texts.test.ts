import { describe, it } from 'node:test';

import { expect } from 'chai';

import { wordErrorRate } from '../../support/analyze/transcript';
import type { JudgedText } from '../../support/analyze/translation';
import { judge } from '../../support/checks/criterion';
import type { OutputSubject } from '../../support/checks/output-subject';
import { transcripts, translations } from '../../support/checks/texts';

/** Ten segments, of which one may be another sentence: the average hides it. */
function subject(odd: Partial<JudgedText>): OutputSubject {
  const script = 'one two three four five six seven eight';
  const good = { transcript: script, translation: 'uno', words: wordErrorRate(script, script) };
  const match = { chrf: 0.6, leftUntranslated: [] };
  const texts = Array.from({ length: 10 }, (_, sequence): JudgedText => {
    const text = { ...good, sequence, script, match };
    return sequence === 8 ? { ...text, ...odd } : text;
  });
  return {
    output: { file: 'output.mp4' },
    fixture: { script: texts.map((one) => one.script) },
    dubFiles: [],
    judgedTexts: () => Promise.resolve(texts),
  } as unknown as OutputSubject;
}

describe('texts', () => {
  it('are not what was said where one segment is another sentence', async () => {
    const heard = (wrong: number): OutputSubject => {
      const said = 'one two three four five six seven eight'.split(' ');
      const words = said.map((word, i) => (i < wrong ? 'other' : word)).join(' ');
      return subject({ transcript: words, words: wordErrorRate(said.join(' '), words) });
    };
    const limit = transcripts.defaultLimit;
    expect((await judge(transcripts, heard(6), limit)).state).to.equal('passed');
    const verdict = await judge(transcripts, heard(7), limit);
    expect(verdict.state).to.equal('failed');
    expect(verdict.seen).to.match(/^segment 8: word error rate 0\.88: "other/);
  });

  it('do not mean what was said where one translation is another sentence', async () => {
    const match = (chrf: number): Partial<JudgedText> => ({
      match: { chrf, leftUntranslated: [] },
      translation: 'Compren hoy',
    });
    const limit = translations.defaultLimit;
    expect((await judge(translations, subject(match(0.22)), limit)).state).to.equal('passed');
    const verdict = await judge(translations, subject(match(0.219)), limit);
    expect(verdict.state).to.equal('failed');
    expect(verdict.seen).to.equal('segment 8: chrF 0.219: "Compren hoy"');
  });
});
