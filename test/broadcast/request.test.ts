import { describe, it } from 'node:test';

import { expect } from 'chai';

import { readFault } from '../../support/broadcast/fault-words';
import {
  isEcho,
  isUndisturbed,
  keyOf,
  type PartialRequest,
  requestOf,
} from '../../support/broadcast/request';

const keyFor = (wanted: PartialRequest): string => keyOf(requestOf(wanted));

describe('the key of a request', () => {
  it('is independent of defaults that are said explicitly', () => {
    const explicit: PartialRequest = {
      ...{ fixture: null, seconds: null, composition: 'dual', faults: [], controls: [] },
      ...{ cutOffAfterSeconds: null, refusesOutput: false, budgetSeconds: 300, use: 0 },
      ...{ timeScale: 1, publishedBy: null },
    };
    expect(keyFor(explicit)).to.equal(keyFor({}));
  });

  it('tells apart by what a broadcast gets to the media server', () => {
    const ways = [null, 'rtsp', 'rtmp', 'encoder'] as const;
    expect(new Set(ways.map((publishedBy) => keyFor({ publishedBy }))).size).to.equal(4);
  });

  it('is independent of the order of keys, at every depth', () => {
    const one: PartialRequest = {
      fixture: '12-s-silence',
      faults: [{ on: { first: 0, last: null }, does: 'delay', fromMs: 1, toMs: 2 }],
      controls: [{ event: 'simulate:disconnect', payload: { a: 1, b: { c: 2, d: 3 } } }],
    };
    const other: PartialRequest = {
      controls: [{ payload: { b: { d: 3, c: 2 }, a: 1 }, event: 'simulate:disconnect' }],
      faults: [{ toMs: 2, fromMs: 1, does: 'delay', on: { last: null, first: 0 } }],
      fixture: '12-s-silence',
    };
    expect(keyFor(one)).to.equal(keyFor(other));
  });

  it('is the same for "fragment 0 and all later ones" and "every fragment"', () => {
    const [one, other] = ['fragment 0 and all later ones', 'every fragment'].map((place) =>
      keyFor({ faults: [readFault(place, 'the answer is dropped')] }),
    );
    expect(one).to.equal(other);
  });

  it('is the same for a delay in seconds and the same one in ms', () => {
    const [one, other] = [
      'the answer is delayed by 2 seconds',
      'the answer is delayed by 2000 to 2000 ms',
    ].map((event) => keyFor({ faults: [readFault('fragment 1', event)] }));
    expect(one).to.equal(other);
  });

  const different: Record<string, PartialRequest> = {
    'another fixture': { fixture: '12-s-silence' },
    'a part of it': { seconds: 12 },
    'the Echo STS': { composition: { echoSegmentSeconds: 6 } },
    'the Echo STS, one fragment at a time': {
      composition: { echoSegmentSeconds: 6, oneAtATime: true },
    },
    'the Echo STS in the place of the STS': { composition: 'media with the Echo STS' },
    'nothing between the services': { composition: 'dual without a tap' },
    'compressed time': { timeScale: 5 },
    'the Echo STS and other segments': { composition: { echoSegmentSeconds: 1 } },
    'a fault': { faults: [readFault('fragment 1', 'the answer is dropped')] },
    'a fault of another fragment': { faults: [readFault('fragment 2', 'the answer is dropped')] },
    'a control': { controls: [{ event: 'simulate:disconnect', payload: {} }] },
    'a publisher that is killed': { cutOffAfterSeconds: 8 },
    'an output that is refused': { refusesOutput: true },
    'another budget': { budgetSeconds: 60 },
    'another use': { use: 1 },
  };
  it('differs wherever requests differ', () => {
    const keys = [{}, ...Object.values(different)].map((wanted) => keyFor(wanted));
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it('tells the order of faults, which are applied one after the other', () => {
    const faults = ['the dub is half as loud', 'the dub is 5 percent longer'].map((event) =>
      readFault('fragment 0', event),
    );
    expect(keyFor({ faults })).to.not.equal(keyFor({ faults: [...faults].reverse() }));
  });

  it('can be read back into the request', () => {
    for (const wanted of Object.values(different)) {
      const request = requestOf(wanted);
      expect(requestOf(JSON.parse(keyOf(request)) as PartialRequest)).to.deep.equal(request);
    }
  });
});

describe('a request', () => {
  it('without a fault, a control or an interruption is undisturbed', () => {
    const of = (wanted: PartialRequest): boolean => isUndisturbed(requestOf(wanted));
    expect(of({})).to.be.true;
    expect(of({ fixture: 'a', seconds: 6, use: 1, composition: { echoSegmentSeconds: 1 } })).to.be
      .true;
    expect(of({ faults: [readFault('fragment 1', 'the answer is dropped')] })).to.be.false;
    expect(of({ controls: [{ event: 'simulate:disconnect', payload: {} }] })).to.be.false;
    expect(of({ cutOffAfterSeconds: 8 })).to.be.false;
    expect(of({ refusesOutput: true })).to.be.false;
  });

  it('is of the Echo STS where it names the length of its segments', () => {
    expect(isEcho(requestOf({ composition: { echoSegmentSeconds: 6 } }))).to.be.true;
    expect(isEcho(requestOf())).to.be.false;
    expect(isEcho(requestOf({ composition: 'media with the Echo STS' }))).to.be.true;
    expect(isEcho(requestOf({ composition: 'dual without a tap' }))).to.be.false;
  });

  it('refuses what it does not know', () => {
    expect(() => requestOf({ fixtures: 'a' } as PartialRequest)).to.throw(/fixtures/);
    expect(() => requestOf({ composition: { echoSegmentSeconds: 0 } })).to.throw();
  });
});
