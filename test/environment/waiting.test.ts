import { describe, it } from 'node:test';

import { expect } from 'chai';

import { waitersAsText, waitersOf, watchWaiters } from '../../support/environment/waiting';
import { processInfo } from '../../support/platform/processes';
import type { ProcessInfo } from '../../support/platform/system-view';

/** Processes 1, 2, 3 …, each started by the one before. */
const chain = (...commands: string[]) => {
  return (pid: number): ProcessInfo | undefined => {
    const command = commands[pid - 1];
    const one = { pid, parent: pid - 1, group: 1, session: 1, startTime: `${pid}0` };
    return command === undefined ? undefined : { ...one, command };
  };
};

describe('who waits for a run', () => {
  const suite = ['node scripts/cucumber.mjs', 'node cucumber.js --tags npm'];
  const chains: [string, string[], number[]][] = [
    ['npm and its shell', ['bash', 'npm run acceptance', 'sh -c node', ...suite], [4, 3, 2]],
    ['npx', ['bash', 'npm exec cucumber-js', 'sh -c cucumber-js', 'node cucumber'], [3, 2]],
    ['npm that has not yet named itself', ['node /usr/bin/npm-cli.js run x', 'sh', 'node'], [2, 1]],
    ['npm by its path', ['node /opt/bin/npm run x', 'sh', 'node'], [2, 1]],
    ['no program of a folder npm', ['node /opt/npm/run.js', 'sh', 'node'], []],
    ['the nearest npm', ['npm run ci', 'bash', 'npm run acceptance', 'sh', 'node'], [4, 3]],
    ['no program without npm', ['systemd', 'bash', ...suite], []],
    ['no program when npm is gone', ['systemd', 'sh -c node scripts/cucumber.mjs', ...suite], []],
  ];
  for (const [who, commands, expected] of chains) {
    it(`is ${who}`, () => {
      const found = waitersOf(commands.length, chain(...commands));
      expect(found.map(({ pid }) => pid)).to.deep.equal(expected);
    });
  }

  it('is found among processes that run', () => {
    const here = processInfo(process.pid);
    expect(here?.startTime).to.match(/^\d+$/);
    if (!here) return;
    expect(watchWaiters('')()).to.be.undefined;
    expect(watchWaiters(waitersAsText([here]))()).to.be.undefined;
    const earlier = { ...here, startTime: '1' };
    expect(watchWaiters(waitersAsText([here, earlier]))()).to.equal(process.pid);
    expect(watchWaiters(`${waitersAsText([here])},4194305:1`)()).to.equal(4194305);
  });
});
