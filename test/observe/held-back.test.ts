import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { now } from '../../support/base/clock';
import { HeldBack } from '../../support/observe/held-back';

/** What was handed on, and when. */
function held(): { held: HeldBack<string>; seen: { part: string; at: number }[] } {
  const seen: { part: string; at: number }[] = [];
  return { held: new HeldBack((part) => void seen.push({ part, at: now() })), seen };
}

describe('what is kept back', () => {
  it('is handed on in its order and in its own time, all of it as much later as the first part', async () => {
    const { held: parts, seen } = held();
    const came: number[] = [];
    const add = (part: string): void => {
      came.push(now());
      parts.add(part);
    };
    add('a');
    await delay(100);
    add('b');
    await delay(100);
    expect(seen).to.deep.equal([]);
    expect(parts.begunAt).to.be.undefined;
    parts.begin();
    add('c');
    await delay(50);
    add('d');
    await parts.emptied();
    expect(seen.map(({ part }) => part)).to.deep.equal(['a', 'b', 'c', 'd']);
    const later = seen.map(({ at }, n) => at - (came[n] ?? 0));
    expect(later[0]).to.be.at.least(199);
    for (const ms of later) expect(ms).to.be.closeTo(later[0] ?? 0, 40);
    expect(parts.begunAt).to.equal(seen[0]?.at);
  });

  it('is not kept back where it may begin before it comes', async () => {
    const { held: parts, seen } = held();
    parts.begin();
    await delay(20);
    parts.add('a');
    expect(seen.map(({ part }) => part)).to.deep.equal(['a']);
    parts.add('b');
    expect(seen.map(({ part }) => part)).to.deep.equal(['a', 'b']);
    await parts.emptied();
  });

  it('is gone where it is dropped, and nobody waits for it', async () => {
    const { held: parts, seen } = held();
    parts.add('a');
    const emptied = parts.emptied();
    parts.drop();
    await emptied;
    parts.begin();
    await delay(20);
    expect(seen).to.deep.equal([]);
  });
});
