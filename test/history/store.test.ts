import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { SuiteError } from '../../support/base/errors';
import { median, medianOf, runsBefore } from '../../support/history/median';
import { appendRun, mergeHistories, readHistory } from '../../support/history/store';
import { tempFolder } from '../analyze/make-media';
import { recordOn } from './a-record';

describe('the file of the history', () => {
  const folder = tempFolder();
  let files = 0;
  const newFile = (): string => join(folder, `history-${(files += 1)}`, 'history.ndjson');
  const daysIn = (...all: string[]): string[] =>
    readHistory(all).runs.map(({ startedAt }) => startedAt.slice(8, 10));

  it('has every run, in the order in which they began, and their names once', () => {
    const file = newFile();
    [3, 1, 2].forEach((day) => appendRun(file, recordOn(day)));
    const { runs, leftOut } = readHistory([file]);
    expect(runs).to.deep.equal([1, 2, 3].map((day) => recordOn(day)));
    expect(leftOut).to.deep.equal([]);
    expect(readFileSync(file, 'utf8').trim().split('\n')).to.have.length(4);
  });

  it('has no line twice, as where a report is made again', () => {
    const file = newFile();
    for (const day of [1, 2, 1, 2]) appendRun(file, recordOn(day));
    expect(readFileSync(file, 'utf8').trim().split('\n')).to.have.length(3);
  });

  it('has a run once, with its end', () => {
    const file = newFile();
    const { seconds, ...begun } = recordOn(1, { outcome: 'interrupted', ends: '--' });
    expect(seconds).to.be.a('number');
    appendRun(file, begun);
    expect(readHistory([file]).runs).to.deep.equal([begun]);
    appendRun(file, recordOn(1));
    appendRun(file, begun);
    expect(readHistory([file]).runs).to.deep.equal([recordOn(1)]);
  });

  it('names a line that was broken off, and loses no other', () => {
    const file = newFile();
    appendRun(file, recordOn(1));
    appendFileSync(file, '{"version":1,"run":"half');
    appendRun(file, recordOn(2));
    expect(daysIn(file)).to.deep.equal(['01', '02']);
    expect(readHistory([file]).leftOut).to.deep.equal([
      `${file}: no record of a run at line 3: a run was killed while it was writing`,
    ]);
  });

  it('counts records of a newer version, which stay there', () => {
    const file = newFile();
    appendRun(file, recordOn(1));
    appendFileSync(file, '{"version":2,"run":"later"}\n');
    appendRun(file, recordOn(2));
    expect(daysIn(file)).to.deep.equal(['01', '02']);
    expect(readHistory([file]).leftOut.join()).to.match(/1 of a newer version of the suite/);
    expect(readFileSync(file, 'utf8')).to.contain('"later"');
  });

  it('is merged with others, whichever comes first', () => {
    const [one, other, merged] = [newFile(), newFile(), join(folder, 'merged.ndjson')];
    appendRun(one, recordOn(1));
    [1, 2].forEach((day) => appendRun(other, recordOn(day)));
    expect(daysIn(one, other)).to.deep.equal(['01', '02']);
    expect(daysIn(mergeHistories([other, one], merged))).to.deep.equal(['01', '02']);
    expect(daysIn(join(folder, 'none.ndjson'))).to.deep.equal([]);
  });

  it('says where it cannot be written', () => {
    writeFileSync(join(folder, 'a-file'), '');
    const file = join(folder, 'a-file', 'history.ndjson');
    expect(() => appendRun(file, recordOn(1))).to.throw(
      SuiteError,
      /cannot be added to the history/,
    );
  });
});

describe('the median of runs', () => {
  it('is of each figure and scenario by itself', () => {
    const [a, b, c] = [recordOn(1), recordOn(2, { ends: 'FP' }), recordOn(9, { ends: 'P-' })];
    const { scenarios, broadcasts, seconds } = medianOf([a, b, c]);
    expect(seconds).to.equal(602);
    expect(scenarios.map(({ name, outcome }) => `${name} ${outcome}`)).to.deep.equal([
      ...['One passed', 'Two passed'],
    ]);
    expect(broadcasts[0]?.figures).to.include({ answerP50Ms: 2002, wordErrorRate: 0.03 });
    expect([median([]), median([4, 1]), median([3, 1, 2])]).to.deep.equal([undefined, 2.5, 2]);
  });

  it('is of the last ones before that were of the same scenarios and have an end', () => {
    const { seconds, ...interrupted } = recordOn(4);
    expect(seconds).to.be.a('number');
    const last = recordOn(9);
    const runs = [
      ...[recordOn(1), recordOn(2), recordOn(3, { specs: [] }), interrupted],
      ...[recordOn(5, { runtime: 'docker' }), recordOn(6), last, recordOn(10)],
    ];
    const before = runsBefore(last, runs, 2).map(({ run }) => run);
    expect(before).to.deep.equal(['run 2', 'run 6']);
  });
});
