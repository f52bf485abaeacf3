import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { ScenarioResult } from '../../support/report/scenario-results';
import { firstFailure, judgeSystem, type Row, tableOf } from '../../tools/foreign-judge';

const OUTPUT = [
  '✔ 018-US1-3 The echo answers within a second (1.4 s)',
  '\u001b[31m✘\u001b[39m 1. 018-US1-6 Ten segments make a minute',
  '     features/a.feature:40',
  '     Then media-service counts 10 processed audio segments',
  '       fragment 4 was not sent',
  '',
  '✘ 2. 018-US1-4 In sync',
  '     no figure',
  '',
].join('\n');

type Result = Pick<ScenarioResult, 'name' | 'tags' | 'status' | 'notShown'>;
const green: Result = { name: 'a', tags: ['@018-US1-3'], status: 'PASSED' };
const red: Result = { name: 'b', tags: ['@018-US1-6', '@P1'], status: 'FAILED' };
const skipped: Result = { name: 'c', tags: ['@018-E1'], status: 'SKIPPED' };
const unable: Result = { ...skipped, tags: ['@018-US3-4'], notShown: 'no metric' };

const judged = (results: Result[], output: string, cause?: RegExp): Row =>
  judgeSystem('s', cause ? 'f' : '', { results, output }, cause);

describe('the first failure on the console', () => {
  it('is the block that begins with 1., without colours', () => {
    expect(firstFailure(OUTPUT).split('\n')).to.deep.equal([
      '✘ 1. 018-US1-6 Ten segments make a minute',
      'features/a.feature:40',
      'Then media-service counts 10 processed audio segments',
      'fragment 4 was not sent',
    ]);
  });

  it('is the cause of several, where there is one', () => {
    const cause = '✘ Cause of 2 of 3 failures: another number of fragments was sent\n  seen: 9';
    expect(firstFailure(`${cause}\n\n${OUTPUT}`).split('\n')[1]).to.equal('seen: 9');
  });

  it('is nothing where nothing has failed, and may be the last line', () => {
    expect(firstFailure('✔ 018-US1-3 The echo (1 s)\n')).to.equal('');
    expect(firstFailure('✘ 1. it')).to.equal('✘ 1. it');
  });
});

describe('a system that conforms', () => {
  it('is green', () => {
    expect(judged([green], '').differs).to.be.empty;
  });

  it('differs where something is red, skipped or not shown, or nothing ran', () => {
    expect(judged([green, red], OUTPUT).differs).to.deep.equal(['red: 018-US1-6']);
    expect(judged([green, skipped], '').differs).to.deep.equal(['skipped: 018-E1']);
    expect(judged([green, unable], '').differs).to.deep.equal(['not shown: 018-US3-4']);
    expect(judged([], '').differs).to.deep.equal(['no scenario ran']);
  });
});

describe('a broken system', () => {
  it('has its cause in the first failure', () => {
    const row = judged([green, red], OUTPUT, /fragment 4/);
    expect(row.differs).to.be.empty;
    expect(row.red).to.deep.equal(['018-US1-6']);
  });

  it('differs where the cause comes later, or nothing is red', () => {
    expect(judged([red], OUTPUT, /no figure/).differs).to.deep.equal([
      'the first failure does not say /no figure/',
    ]);
    expect(judged([green], '', /fragment 4/).differs).to.deep.equal(['nothing is red']);
  });
});

it('the table has a line for each system, and what differs below', () => {
  const rows = [judged([green], ''), judged([red, unable], OUTPUT, /no figure/)];
  expect(tableOf(rows).split('\n')).to.deep.equal([
    '   system  flaw      green  not shown  skipped  red',
    '✔  s       conforms  1      0          0        0',
    '✘  s       f         0      1          0        1    018-US1-6',
    `     first: ${firstFailure(OUTPUT).split('\n').join(' · ')}`,
    '     ✘ the first failure does not say /no figure/',
  ]);
});
