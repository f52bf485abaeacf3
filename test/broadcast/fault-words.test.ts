import { describe, it } from 'node:test';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { concerns, type Fault, isAnswerFault } from '../../support/broadcast/fault';
import { faultText, readFault } from '../../support/broadcast/fault-words';

const EVERY = { first: 0, last: null };
const START = { when: 'start', afterSeconds: 0 };

/** Places that mean the fragments whose answers are changed. */
const FRAGMENTS: Record<string, object> = {
  'every fragment': EVERY,
  'fragment 3': { first: 3, last: 3 },
  'fragments 0 to 4': { first: 0, last: 4 },
  'fragment 2 and all later ones': { first: 2, last: null },
};

const MOMENTS: Record<string, object> = {
  'from the start': START,
  'when the STS has accepted the stream': { when: 'ready', afterSeconds: 0 },
  'when fragment 2 is sent': { when: 'sent', fragment: 2, afterSeconds: 0 },
  'when fragment 0 is answered': { when: 'answered', fragment: 0, afterSeconds: 0 },
  '1 second after fragment 1 is sent': { when: 'sent', fragment: 1, afterSeconds: 1 },
  '12.5 seconds after fragment 0 is answered': {
    ...{ when: 'answered', fragment: 0, afterSeconds: 12.5 },
  },
};

const ANSWERS: Record<string, object> = {
  'the answer is delayed by 1 second': { does: 'delay', fromMs: 1000, toMs: 1000 },
  'the answer is delayed by 1.5 seconds': { does: 'delay', fromMs: 1500, toMs: 1500 },
  'the answer is delayed by 0 to 500 ms': { does: 'delay', fromMs: 0, toMs: 500 },
  'the answer takes 12 seconds': { does: 'take', ms: 12000 },
  'the answer takes 0.5 seconds': { does: 'take', ms: 500 },
  'the answer is dropped': { does: 'drop' },
  'the answer is the error GPU_OOM': { does: 'error', code: 'GPU_OOM' },
  'the dub is 5 percent longer': { does: 'resize', percent: 5 },
  'the dub is 15 percent shorter': { does: 'resize', percent: -15 },
  'the dub is half as loud': { does: 'soften' },
  'the dub is not Base64': { does: 'malform' },
};

const CONNECTIONS: Record<string, object> = {
  'the STS requests a pause': { does: 'backpressure', action: 'pause', delayMs: 0 },
  'the STS requests 500 ms between fragments': {
    ...{ does: 'backpressure', action: 'slow_down', delayMs: 500 },
  },
  'the STS ends the backpressure': { does: 'backpressure', action: 'none', delayMs: 0 },
  'the connection is lost': { does: 'disconnect', refuseSeconds: 0 },
  'the connection is lost and refused for 1 second': { does: 'disconnect', refuseSeconds: 1 },
  'the connection is lost and refused for 0.3 seconds': { does: 'disconnect', refuseSeconds: 0.3 },
  'the connection is lost and refused from then on': { does: 'disconnect', refuseSeconds: null },
  'nothing arrives from the STS any more': { does: 'mute', direction: 'from-sts' },
  'nothing arrives at the STS any more': { does: 'mute', direction: 'to-sts' },
};

describe('faults in the words of a scenario', () => {
  for (const [event, does] of Object.entries(ANSWERS)) {
    it(`"${event}" is read for all fragments it may be said of, and written as it was read`, () => {
      for (const [place, on] of Object.entries(FRAGMENTS)) {
        const fault = readFault(place, event);
        expect(fault).to.deep.equal({ on, ...does });
        expect(faultText(fault)).to.equal(`${place}: ${event}`);
      }
    });
  }

  for (const [event, does] of Object.entries(CONNECTIONS)) {
    it(`"${event}" is read at every moment, and written as it was read`, () => {
      for (const [place, at] of Object.entries(MOMENTS)) {
        const fault = readFault(place, event);
        expect(fault).to.deep.equal({ at, ...does });
        expect(faultText(fault)).to.equal(`${place}: ${event}`);
      }
    });
  }

  const figure = fc.integer({ min: 0, max: 9999 });
  const tenths = figure.map((n) => n / 10);
  const on = fc.oneof(
    fc.record({ first: figure, last: fc.constant(null) }),
    fc.tuple(figure, figure).map(([first, more]) => ({ first, last: first + more })),
  );
  const at = fc.oneof(
    fc.constant({ when: 'start' as const, afterSeconds: 0 }),
    fc.constant({ when: 'ready' as const, afterSeconds: 0 }),
    fc.record({
      ...{ when: fc.constantFrom('sent' as const, 'answered' as const), fragment: figure },
      afterSeconds: tenths,
    }),
  );
  const answer = fc.oneof(
    fc.tuple(figure, figure).map(([fromMs, more]) => ({ fromMs, toMs: fromMs + more })),
    tenths.map((s) => ({ fromMs: 1000 * s, toMs: 1000 * s })),
  );
  const fault: fc.Arbitrary<Fault> = fc.oneof(
    fc.record({ on, limits: answer }).map(({ limits, ...rest }) => {
      return { ...rest, does: 'delay' as const, ...limits };
    }),
    fc.record({ on, s: tenths }).map(({ s, ...rest }) => {
      return { ...rest, does: 'take' as const, ms: 1000 * s };
    }),
    fc.record({
      on,
      does: fc.constantFrom('drop' as const, 'soften' as const, 'malform' as const),
    }),
    fc.record({
      on,
      does: fc.constant('resize' as const),
      percent: fc.integer({ min: -99, max: 99 }),
    }),
    fc.record({
      ...{ at, does: fc.constant('backpressure' as const) },
      ...{ action: fc.constant('slow_down' as const), delayMs: figure },
    }),
    fc.record({
      ...{ at, does: fc.constant('disconnect' as const) },
      refuseSeconds: fc.option(tenths),
    }),
    fc.record({
      ...{ at, does: fc.constant('mute' as const) },
      direction: fc.constantFrom('to-sts' as const, 'from-sts' as const),
    }),
  );

  it('of any figures are written in words that mean the same', () => {
    fc.assert(
      fc.property(fault, (any) => {
        const [place = '', event = ''] = faultText(any).split(': ');
        expect(readFault(place, event)).to.deep.equal(any);
      }),
    );
  });

  it('"fragment 0 and all later ones" means "every fragment"', () => {
    const [one, other] = ['fragment 0 and all later ones', 'every fragment'].map((place) =>
      readFault(place, 'the answer is dropped'),
    );
    expect(one).to.deep.equal(other);
  });

  const unknown: [string, string, RegExp][] = [
    ['sometimes', 'the answer is dropped', /"sometimes"/],
    ['every fragment', 'the answer is wrong', /"the answer is wrong"/],
    ['every fragment', 'the connection is lost', /for fragments, a connection at a moment/],
    ['when fragment 0 is sent', 'the answer is dropped', /for fragments, a connection at a moment/],
  ];
  for (const [place, event, message] of unknown) {
    it(`that are unknown are named: ${place}, ${event}`, () => {
      expect(() => readFault(place, event)).to.throw(message);
      expect(() => readFault(place, event)).to.throw('docs/adding-a-scenario.md');
    });
  }

  const outOfRange: [string, string][] = [
    ['fragments 4 to 2', 'the answer is dropped'],
    ['fragment 3', 'the answer is delayed by 500 to 100 ms'],
    ['fragment 99999999999', 'the answer is dropped'],
    ['from the start', 'the connection is lost and refused for 86401 seconds'],
  ];
  for (const [place, event] of outOfRange) {
    it(`must have figures that can be: ${place}, ${event}`, () => {
      expect(() => readFault(place, event)).to.throw(/out of range/);
    });
  }

  it('concern the fragments that they name, and no others', () => {
    const dropped = readFault('fragments 2 to 3', 'the answer is dropped');
    if (!isAnswerFault(dropped)) throw new Error('not a fault of answers');
    expect([1, 2, 3, 4].map((fragment) => concerns(dropped, fragment))).to.deep.equal([
      ...[false, true, true, false],
    ]);
  });
});
