import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { busyShareFromNow, processorCount, tooBusy } from '../../support/base/processors';

describe('a machine', () => {
  it('is too busy where 95 % of the time of its processors is taken', () => {
    expect(tooBusy(0.95, 'a was dubbed')).to.equal(
      'the machine was too busy: 95 % of the time of its processors was taken while a was dubbed',
    );
    expect(tooBusy(1, 'it was waited for')).to.match(/100 % .* while it was waited for$/);
    expect(tooBusy(0.949, '')).to.equal(undefined);
    expect(tooBusy(undefined, '')).to.equal(undefined);
  });

  const skip = processorCount() < cpus().length && 'this process may use some processors only';
  it('tells which part of that time was taken since it was asked first', { skip }, () => {
    const share = busyShareFromNow();
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(share()).to.be.greaterThan(0).and.at.most(1);
  });
});

describe('the processors of this process', () => {
  const all = availableParallelism();
  const countOf = (files: Record<string, string>): number => {
    const root = mkdtempSync(join(tmpdir(), 'quota-'));
    try {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name)), { recursive: true });
        writeFileSync(join(root, name), text);
      }
      return processorCount(root);
    } finally {
      rmSync(root, { recursive: true });
    }
  };
  const ofOne = '100000 100000\n';

  it('are all that it is let run on, where there is no quota', () => {
    expect(countOf({})).to.equal(all);
    expect(countOf({ 'sys/fs/cgroup/cpu.max': 'max 100000\n' })).to.equal(all);
    expect(countOf({ 'sys/fs/cgroup/cpu.max': `${(all + 1) * 100_000} 100000\n` })).to.equal(all);
    expect(
      countOf({
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      }),
    ).to.equal(all);
  });

  it('are no more than the quota of its group, or of one that this is in, is worth', () => {
    expect(countOf({ 'sys/fs/cgroup/cpu.max': ofOne })).to.equal(1);
    const inside = { 'proc/self/cgroup': '0::/pods/own\n' };
    expect(countOf({ ...inside, 'sys/fs/cgroup/pods/own/cpu.max': ofOne })).to.equal(1);
    expect(countOf({ ...inside, 'sys/fs/cgroup/pods/cpu.max': ofOne })).to.equal(1);
    expect(countOf({ ...inside, 'sys/fs/cgroup/others/cpu.max': ofOne })).to.equal(all);
    expect(
      countOf({
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
      }),
    ).to.equal(1);
  });

  it('are one where the quota is worth less, and of one and a half it counts one', () => {
    expect(countOf({ 'sys/fs/cgroup/cpu.max': '10000 100000\n' })).to.equal(1);
    expect(countOf({ 'sys/fs/cgroup/cpu.max': '150000 100000\n' })).to.equal(1);
  });
});
