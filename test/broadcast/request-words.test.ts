import { describe, it } from 'node:test';

import { expect } from 'chai';

import { readFault } from '../../support/broadcast/fault-words';
import { requestOf } from '../../support/broadcast/request';
import {
  broadcastName,
  broadcastNameInFull,
  disturbancesOf,
} from '../../support/broadcast/request-words';

const MARK = readFault('every fragment', 'the dub is half as loud');
const TIMEOUTS = readFault('fragments 0 to 4', 'the answer is the error TIMEOUT');
const LOST = readFault('when fragment 5 is sent', 'the connection is lost');

describe('what was made to go wrong with a broadcast', () => {
  it('is all that was: faults, the Echo STS, the publisher and the media server', () => {
    expect(disturbancesOf(requestOf())).to.deep.equal([]);
    const request = requestOf({
      ...{ faults: [MARK, TIMEOUTS], cutOffAfterSeconds: 8, refusesOutput: true },
      controls: [{ event: 'simulate:disconnect', payload: { delay_ms: 0 } }],
    });
    expect(disturbancesOf(request)).to.deep.equal([
      'every fragment: the dub is half as loud: a mark, by which it is told from the original',
      'fragments 0 to 4: the answer is the error TIMEOUT',
      'the Echo STS gets simulate:disconnect {"delay_ms":0}',
      'the publisher is killed 8 s after the media server has the broadcast',
      'the media server refuses to have the output published',
    ]);
  });
});

describe('the name of a broadcast', () => {
  it('tells it from others of the same clip', () => {
    const nameOf = (wanted: Parameters<typeof requestOf>[0]): string =>
      broadcastName('Tones', requestOf(wanted));
    expect(nameOf({})).to.equal('Tones');
    expect(
      nameOf({ seconds: 31, composition: { echoSegmentSeconds: 3 }, faults: [MARK] }),
    ).to.equal('Tones, its first 31 s, Echo STS in segments of 3 s');
    expect(nameOf({ faults: [MARK, TIMEOUTS, LOST], use: 1 })).to.equal(
      'Tones, broadcast 2 of it – fragments 0 to 4: the answer is the error TIMEOUT, and 1 more',
    );
    expect(nameOf({ composition: 'media with the Echo STS', publishedBy: 'rtmp' })).to.equal(
      'Tones, Echo STS, published by RTMP',
    );
  });

  it('in full is that of no other request', () => {
    const requests: Parameters<typeof requestOf>[0][] = [
      ...[{}, { seconds: 31 }, { publishedBy: 'rtmp' as const }, { cutOffAfterSeconds: 8 }],
      ...[{ use: 1 }, { refusesOutput: true }, { budgetSeconds: 60 }, { timeScale: 60 }],
      ...[
        { composition: 'dual without a tap' as const },
        { composition: { echoSegmentSeconds: 3 } },
      ],
      { composition: 'media with the Echo STS' },
      { composition: { echoSegmentSeconds: 3, oneAtATime: true } },
      ...[{ faults: [MARK] }, { faults: [TIMEOUTS, LOST] }, { faults: [TIMEOUTS, MARK] }],
      { controls: [{ event: 'simulate:disconnect', payload: { delay_ms: 0 } }] },
    ];
    const names = requests.map((one) => broadcastNameInFull('Tones', requestOf(one)));
    expect(new Set(names)).to.have.length(requests.length);
    expect(names).to.include.members([
      ...['Tones', 'Tones, given up after 60 s', 'Tones, 1 s of it stands for 60 s'],
      'Tones – fragments 0 to 4: the answer is the error TIMEOUT; when fragment 5 is sent: the connection is lost',
    ]);
  });
});
