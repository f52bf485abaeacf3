import { describe, it } from 'node:test';

import { expect } from 'chai';

import { normalizeWords, ReferenceEmpty, wordErrorRate } from '../../support/analyze/transcript';

describe('normalizeWords', () => {
  const same: [string, string][] = [
    ['a forty-two yard run', 'A 42-yard run!'],
    ['one hundred and five', '105'],
    ['two thousand three hundred', '2,300'],
    ['fourth and ten', '4th and 10'],
    ['the twenty-first, the twelfth', 'the 21st, the 12th'],
    ['one, two, three, ten', '1 2 3 10'],
    ['twenty twenty', '20 20'],
    ["it's third down; they won't", 'It is 3rd down they will not'],
    ['the player\u2019s ball', 'the players ball'],
    ['Um, well [Music] okay', 'well OK'],
    ['fifty percent', '50%'],
    ['five million and six', '5000006'],
  ];
  for (const [a, b] of same) {
    it(`reads "${a}" as "${b}"`, () => {
      expect(normalizeWords(a)).to.deep.equal(normalizeWords(b));
      expect(normalizeWords(a)).to.not.have.length(0);
    });
  }

  it('keeps different numbers apart', () => {
    expect(normalizeWords('forty two')).to.deep.equal(['42']);
    expect(normalizeWords('forty and two')).to.deep.equal(['40', 'and', '2']);
    expect(normalizeWords('3.5')).to.deep.equal(['3.5']);
    expect(normalizeWords('two hundred and gone')).to.deep.equal(['200', 'and', 'gone']);
  });
});

describe('wordErrorRate', () => {
  it('is 0 for the same text in other writing', () => {
    const errors = wordErrorRate("It's a forty-two yard pass.", 'it is a 42 yard pass');
    expect(errors).to.include({ wordErrorRate: 0, referenceWords: 6, hypothesisWords: 6 });
  });

  it('is exactly 0.25 for one of four and tells one more apart', () => {
    const said = 'the crowd goes wild tonight in the rain';
    const two = wordErrorRate(said, 'the cloud goes wild tonight in a rain');
    expect(two.wordErrorRate).to.equal(0.25);
    expect(wordErrorRate(said, 'the cloud goes wild tonight in a train').wordErrorRate).to.equal(
      0.375,
    );
  });

  it('counts substitutions, insertions and deletions and aligns the texts', () => {
    const errors = wordErrorRate('the quick brown fox', 'the quack brown old fox');
    expect(errors).to.include({ substitutions: 1, insertions: 1, deletions: 0 });
    expect(errors.aligned.split('\n')).to.deep.equal([
      'said:  the quick brown *** fox',
      'heard: the quack brown old fox',
      '           S           I',
    ]);
    expect(wordErrorRate('one small step', 'step')).to.include({ deletions: 2, insertions: 0 });
  });

  it('is 1 for silence and above 1 for invented sentences', () => {
    expect(wordErrorRate('hello world', '').wordErrorRate).to.equal(1);
    expect(wordErrorRate('hello', 'thank you for watching').wordErrorRate).to.equal(4);
  });

  it('refuses an empty reference', () => {
    expect(() => wordErrorRate(' ... ', 'hello')).to.throw(ReferenceEmpty);
  });
});
