import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { AssertionError, expect } from 'chai';

import { NotObserved, problemOf } from '../../support/base/errors';
import { assessed, criterion, expectPassed, judge } from '../../support/checks/criterion';
import { addVerdict, readVerdicts, VERDICTS_FILE } from '../../support/checks/verdict-log';

interface Subject {
  offsetMs?: number;
  isSilent?: boolean;
}

const silent = criterion({
  ...{ id: 'audio', title: 'The output has audio', failure: 'there is no audio' },
  where: () => 'output.mp4',
  measure: ({ isSilent = false }: Subject) => isSilent,
  assess: (isSilent, limit: { wanted: boolean }) =>
    assessed(isSilent !== limit.wanted, isSilent ? 'silence' : 'audio', 'audio'),
  defaultLimit: { wanted: true },
});

const offset = criterion({
  ...{ id: 'offset', title: 'In sync', failure: 'audio and video are apart' },
  where: () => 'output.mp4',
  measure: ({ offsetMs }: Subject) => {
    if (offsetMs !== undefined) return offsetMs;
    throw new NotObserved({
      ...{ what: 'the offset was not observed', where: 'output.mp4' },
      ...{ seen: 'no dub', expected: 'a dub' },
    });
  },
  assess: (ms, { limitMs }: { limitMs: number }) =>
    assessed(Math.abs(ms) < limitMs, `${ms} ms`, `less than ${limitMs} ms`),
  explainedBy: [{ criterion: silent }],
});

describe('judging by a criterion', () => {
  it('passes and fails at the border of the limit that is passed, and records it', async () => {
    expect(await judge(offset, { offsetMs: 119 }, { limitMs: 120 })).to.include({
      ...{ state: 'passed', seen: '119 ms', expected: 'less than 120 ms', what: '' },
    });
    const late = await judge(offset, { offsetMs: -120 }, { limitMs: 120 });
    expect(late).to.include({
      state: 'failed',
      seen: '-120 ms',
      what: 'audio and video are apart',
    });
    expect(late.limit).to.deep.equal({ limitMs: 120 });
    expect((await judge(offset, { offsetMs: 2 }, { limitMs: 1 })).state).to.equal('failed');
  });

  it('names what explains a failure', async () => {
    const verdict = await judge(offset, { offsetMs: 500, isSilent: true }, { limitMs: 120 });
    expect(verdict.state).to.equal('follows');
    expect(verdict.because).to.include({ criterion: 'audio', seen: 'silence' });
    expect(() => expectPassed(verdict)).to.throw(/follows from: The output has audio: silence/);
  });

  it('shows what was not observed as such, and fails', async () => {
    const verdict = await judge(offset, {}, { limitMs: 120 });
    expect(verdict).to.include({ state: 'not shown', seen: 'no dub' });
    expect(() => expectPassed(verdict)).to.throw(AssertionError);
  });

  it('lets a bug of its own through', async () => {
    const broken = criterion({
      ...{ id: 'broken', title: '', failure: '', where: () => '' },
      measure: (): number => {
        throw new TypeError('a bug');
      },
      assess: () => assessed(true, '', ''),
    });
    const error = await judge(broken, undefined, {}).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TypeError);
  });

  it("fails with chai's AssertionError and the five parts", async () => {
    const verdict = await judge(offset, { offsetMs: 121 }, { limitMs: 120 });
    try {
      expectPassed({ ...verdict, next: 'look at it' });
      expect.fail('it passed');
    } catch (error) {
      expect(error).to.be.instanceOf(AssertionError).with.property('name', 'AssertionError');
      expect(problemOf(error)).to.deep.equal({
        ...{ what: 'audio and video are apart', where: 'output.mp4', seen: '121 ms' },
        ...{ expected: 'less than 120 ms', next: 'look at it' },
      });
    }
  });
});

describe('the log of verdicts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'verdicts-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gives back what was added, in its order; a last line that is not whole is left out', async () => {
    const verdict = await judge(offset, { offsetMs: 121 }, { limitMs: 120 });
    const scenario = { name: 'In sync', place: 'a.feature:3' };
    addVerdict(folder, { stream: 'test_a', scenario, verdict });
    addVerdict(folder, { verdict });
    const both = [{ stream: 'test_a', scenario, verdict }, { verdict }];
    expect(readVerdicts(folder)).to.deep.equal(both);
    writeFileSync(join(folder, VERDICTS_FILE), '{"verdict":{"crit', { flag: 'a' });
    expect(readVerdicts(folder)).to.deep.equal(both);
    writeFileSync(join(folder, VERDICTS_FILE), '\n{}\n', { flag: 'a' });
    expect(() => readVerdicts(folder)).to.throw(/verdicts\.ndjson:3/);
  });

  it('is empty where nothing was judged', () => {
    expect(readVerdicts(join(folder, 'nowhere'))).to.deep.equal([]);
  });
});
