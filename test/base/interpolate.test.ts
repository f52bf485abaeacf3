import { describe, it } from 'node:test';

import { expect } from 'chai';

import { interpolate } from '../../support/base/interpolate';

describe('interpolation of compose files', () => {
  const variables = { SET: 'value', EMPTY: '' };
  const cases: [string, string][] = [
    ['$SET and ${SET}', 'value and value'],
    ['${SET:-other}', 'value'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY-other}', ''],
    ['${UNSET-other}', 'other'],
    ['${UNSET:-http://host:${SET:-1}}', 'http://host:value'],
    ['${UNSET:-http://host:${NOT:-3000}}/x', 'http://host:3000/x'],
    ['${SET:+other}${EMPTY:+no}', 'other'],
    ['$$SET costs $5', '$SET costs $5'],
    ['${UNSET}', ''],
  ];
  for (const [text, expected] of cases) {
    it(`${text} -> ${expected}`, () => {
      expect(interpolate(text, variables)).to.equal(expected);
    });
  }

  it('fails with the message of a required variable', () => {
    expect(() => interpolate('${UNSET:?set it}', variables)).to.throw(/UNSET.*set it/);
    expect(() => interpolate('${EMPTY:?set it}', variables)).to.throw(/EMPTY/);
  });

  it('fails when a brace is not closed', () => {
    expect(() => interpolate('a ${SET b', variables)).to.throw(/without its }/);
  });
});
