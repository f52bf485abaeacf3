import { describe, it } from 'node:test';

import { expect } from 'chai';

import { withBusyMachine } from '../../support/checks/busy-machine';
import type { Verdict } from '../../support/checks/criterion';

const failed: Verdict = {
  ...{ criterion: 'answered-in-time', title: '', state: 'failed', limit: 8000, deviations: [] },
  ...{ where: 'stream a', what: 'an answer took too long', seen: '8.67 s', expected: '8 s' },
  next: 'read sts-service.log',
};
const during = (stream: string, busyShare?: number) => ({
  ...{ during: `${stream} was dubbed`, busyShare, publishedAt: 10_000 },
});
const disturbed = {
  ...during('test_a'),
  waits: [
    { at: 20_000, ms: 500 },
    { at: 41_500, ms: 913 },
  ],
};

describe('a failure on a machine that was too busy', () => {
  it('says how long the suite was kept waiting, when, and what to do', () => {
    const { next = '', ...rest } = withBusyMachine(failed, [disturbed]);
    expect({ ...rest, next: failed.next }).to.deep.equal(failed);
    expect(next).to.match(/^read sts-service\.log; where a time is wrong, run it again without/);
    expect(next).to.match(
      /too busy: the suite was kept waiting 2 times while test_a was dubbed, 0\.91 s at most \(31\.50 s after/,
    );
    expect(next).to.match(/or with a lower MAX_STREAMS/);
  });

  it('is left as it is where the suite was never kept waiting', () => {
    expect(withBusyMachine(failed, [during('test_a')])).to.equal(failed);
    expect(withBusyMachine(failed, [])).to.equal(failed);
  });

  it('says how busy its processors were where only services may have waited', () => {
    const full = (busyShare: number) => withBusyMachine(failed, [during('a', busyShare)]);
    expect(full(0.959).next).to.match(
      /run it again without .*: 95 % of the time of its processors was taken while a was dubbed$/,
    );
    expect(full(0.949)).to.equal(failed);
    expect(full(0.959).next).not.to.match(/MAX_STREAMS/);
  });

  it('names only the broadcasts that were disturbed', () => {
    const { next } = withBusyMachine(failed, [during('test_b'), disturbed]);
    expect(next)
      .to.match(/test_a/)
      .and.not.match(/test_b/);
  });

  it('says so of what explains it as well', () => {
    const because = { criterion: 'all-dubbed', title: '', what: '', seen: '', expected: '' };
    const follows: Verdict = { ...failed, state: 'follows', because };
    const verdict = withBusyMachine(follows, [during('a', 0.97)]);
    expect(verdict.next).to.match(/^read sts-service\.log; .* 97 % of the time/);
    expect(verdict.because?.next).to.match(/^where a time is wrong, .* 97 % of the time/);
  });

  it('is no matter of what holds', () => {
    const passed: Verdict = { ...failed, state: 'passed' };
    expect(withBusyMachine(passed, [disturbed])).to.equal(passed);
  });
});
