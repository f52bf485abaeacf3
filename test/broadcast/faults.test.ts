import { describe, it } from 'node:test';

import { expect } from 'chai';

import { concerns, isAnswerFault, readFault } from '../../support/broadcast/faults';

describe('faults in the words of a scenario', () => {
  const known: [string, string, object][] = [
    ['every fragment', 'there is no answer', { on: { first: 0, last: null }, does: 'drop' }],
    [
      'fragments 0 to 4',
      'the answer is the error GPU_OOM',
      { on: { first: 0, last: 4 }, does: 'error', code: 'GPU_OOM' },
    ],
    [
      'fragment 3',
      'the answer takes 1.5 seconds longer',
      { on: { first: 3, last: 3 }, does: 'delay', fromMs: 1500, toMs: 1500 },
    ],
    [
      'fragment 2 and all later ones',
      'the answer takes 0 to 500 ms longer',
      { on: { first: 2, last: null }, does: 'delay', fromMs: 0, toMs: 500 },
    ],
    [
      '12.5 seconds after fragment 0 is answered',
      'the STS asks for 500 ms between fragments',
      {
        at: { when: 'answered', fragment: 0, afterSeconds: 12.5 },
        ...{ does: 'backpressure', action: 'slow_down', delayMs: 500 },
      },
    ],
    [
      'from the start',
      'the connection is cut and refused from then on',
      { at: { when: 'start', afterSeconds: 0 }, does: 'cut', refuseSeconds: null },
    ],
    [
      'when fragment 2 is sent',
      'the connection is cut and refused for 10 seconds',
      { at: { when: 'sent', fragment: 2, afterSeconds: 0 }, does: 'cut', refuseSeconds: 10 },
    ],
  ];
  for (const [place, event, fault] of known) {
    it(`${place}: ${event}`, () => {
      expect(readFault(place, event)).to.deep.equal({ words: `${place}: ${event}`, ...fault });
    });
  }

  const unknown: [string, string, RegExp][] = [
    ['sometimes', 'there is no answer', /sometimes/],
    ['every fragment', 'the answer is wrong', /the answer is wrong/],
    ['every fragment', 'the connection is cut', /for fragments, a connection at a moment/],
    ['when fragment 0 is sent', 'there is no answer', /for fragments, a connection at a moment/],
  ];
  for (const [place, event, message] of unknown) {
    it(`names what it does not know: ${place}, ${event}`, () => {
      expect(() => readFault(place, event)).to.throw(message);
      expect(() => readFault(place, event)).to.throw('README');
    });
  }

  it('concerns the fragments that it names, and no others', () => {
    const fault = readFault('fragments 2 to 3', 'there is no answer');
    if (!isAnswerFault(fault)) throw new Error('it is a fault of answers');
    expect([1, 2, 3, 4].map((fragment) => concerns(fault, fragment))).to.deep.equal([
      ...[false, true, true, false],
    ]);
  });
});
