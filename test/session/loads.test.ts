import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type PartialRequest, keyOf, requestOf } from '../../support/broadcast/request';
import { projectRoot } from '../../support/config';
import { isRoomBeside, loadOf, roomOfProcessors, scheduled } from '../../support/session/loads';
import type { PlannedBroadcast } from '../../support/session/plan';

const config = {
  fixtureScript: `${projectRoot}/fixtures/1-min-nfl.yaml`,
  runtime: 'host',
} as const;
const room = { config, maxStreams: 10, processors: 2 };
const echo = { composition: { echoSegmentSeconds: 6 } };
const tones = { fixture: '90-s-tones', ...echo };

function planned(
  group: PlannedBroadcast['group'],
  request: PartialRequest,
  together = 1,
): PlannedBroadcast {
  return { group, request: requestOf(request), together };
}

describe('the loads of broadcasts', () => {
  it('are in the order in which they are to begin', () => {
    const all = scheduled(
      [
        planned('short', { fixture: '12-s-nfl', use: 1 }),
        planned('echo', { ...tones, seconds: 24 }),
        planned('echo', { ...tones, seconds: 36 }, 3),
        planned('echo', { ...tones, seconds: 78 }, 3),
        planned('shared', { fixture: '12-s-silence' }),
        planned('shared', { fixture: '30s-counting-english' }),
        planned('short', { fixture: '12-s-silence', use: 1 }),
        planned('echo', { ...tones, seconds: 30 }),
        planned('shared', {}),
        planned('shared', {}),
      ],
      room,
    );
    expect(all.map(({ request, seconds }) => [request.fixture, seconds])).to.deep.equal([
      ...[
        [null, 73],
        ['12-s-silence', 25],
        ['30s-counting-english', 43],
      ],
      ...[30, 24, 78, 36].map((seconds) => ['90-s-tones', seconds + 13]),
      ...[
        ['12-s-nfl', 25],
        ['12-s-silence', 25],
      ],
    ]);
  });

  it('of a block are those of all of it for the longest one, and nothing for the others', () => {
    const block = [78, 72, 36].map((seconds) => planned('echo', { ...tones, seconds }, 3));
    const alone = planned('echo', { ...tones, seconds: 30 });
    const loads = scheduled([...block, alone], room).map(({ load }) => load.processors);
    expect(loads.map((one) => Number(one.toFixed(2)))).to.deep.equal([0.14, 0.42, 0, 0]);
    const many = Array.from({ length: 40 }, (_, use) => planned('echo', { ...tones, use }, 40));
    expect(scheduled(many, { ...room, maxStreams: 40 })[0]?.load.processors).to.equal(2);
  });

  it('of a block have starts so close together that all are on the air when the last one begins', () => {
    const apart = (...lengths: number[]): (number | undefined)[] =>
      scheduled(
        lengths.map((seconds) => planned('echo', { ...tones, seconds }, lengths.length)),
        room,
      ).map(({ load }) => load.nextWithinMs && Math.round(load.nextWithinMs));
    // Eight tenths of the second's 36 s: half of the first's 78 s is more. After the last one, whatever begins has time.
    expect(apart(30, 36, 78)).to.deep.equal([28_800, 28_800, undefined]);
    expect(apart(40, 60)).to.deep.equal([48_000, undefined]);
    expect(apart(60)).to.deep.equal([undefined]);
  });

  it('of a block have all streams of it from the beginning of the longest to its end', () => {
    const block = [78, 72, 36].map((seconds) => planned('echo', { ...tones, seconds }, 3));
    const alone = planned('echo', { ...tones, seconds: 30 });
    const streams = (one: number): number => Number((one * room.maxStreams).toFixed(2));
    const shares = scheduled([...block, alone], { ...room, processors: 8 }).map(({ load }) => [
      streams(load.share),
      streams(load.tail.share),
    ]);
    expect(shares).to.deep.equal([
      [1, 1],
      [3, 3],
      [0, 0],
      [0, 0],
    ]);
  });

  it('of a block that services do not take at once are of each its own', () => {
    const block = [78, 72, 36].map((seconds) => planned('echo', { ...tones, seconds }, 3));
    const loads = (maxStreams: number): number[] =>
      scheduled(block, { ...room, maxStreams }).map(({ load }) =>
        Number(load.processors.toFixed(2)),
      );
    expect(loads(3)).to.deep.equal([0.42, 0, 0]);
    expect(loads(2)).to.deep.equal([0.14, 0.14, 0.14]);
  });

  it('are of the scenario that wants the most of them', () => {
    const request = { ...tones, seconds: 30 };
    const all = scheduled([planned('echo', request), planned('echo', request, 2)], room);
    expect(all).to.have.length(1);
    expect(all[0]?.load.processors).to.equal(
      scheduled([planned('echo', request, 2)], room)[0]?.load.processors,
    );
  });

  it('take all of an STS on two processors, and a stream of it until the output has ended', () => {
    const shares = (maxStreams: number, processors: number): number[][] =>
      scheduled([planned('shared', {}), planned('short', { use: 1 }), planned('echo', tones)], {
        ...{ config, maxStreams, processors },
      }).map(({ load }) => [load.share, load.tail.share]);
    expect(shares(10, 2)).to.deep.equal([
      [1, 0.1],
      [0.1, 0.1],
      // Half of its fragments are sent when it has been published.
      [0.25, 0.25],
    ]);
    expect(shares(1, 2)).to.deep.equal(Array(3).fill([1, 1]));
    expect(shares(10, 4)[0]).to.deep.equal([1 / 3, 0.1]);
  });

  it('are of one set of services where those run elsewhere', () => {
    const sets = (runtime: 'host' | 'external'): number =>
      new Set(
        scheduled([planned('shared', {}), planned('echo', tones)], {
          ...{ ...room, config: { ...config, runtime } },
        }).map(({ load }) => load.set),
      ).size;
    expect(sets('host')).to.equal(2);
    expect(sets('external')).to.equal(1);
    const own = loadOf(requestOf({ composition: 'dual without a tap' }), config);
    expect(own).to.deep.include({ processors: 0, share: 1, tail: { processors: 0, share: 1 } });
  });

  it('know how long slow answers take', () => {
    const [slow] = scheduled(
      [
        planned('echo', {
          ...{ fixture: '90-s-tones', seconds: 20 },
          composition: { echoSegmentSeconds: 2, oneAtATime: true },
          faults: [{ on: { first: 0, last: null }, does: 'take', ms: 10_000 }],
        }),
      ],
      room,
    );
    expect(slow?.seconds).to.equal(113);
    expect(keyOf(slow?.request ?? requestOf())).to.include('"seconds":20');
  });

  it('of short ones begin with those whose last answer comes late', () => {
    const delay = { does: 'delay', fromMs: 31_000, toMs: 31_000 } as const;
    const late = { fixture: '12-s-nfl', faults: [{ on: { first: 0, last: null }, ...delay }] };
    const first = { fixture: '12-s-nfl', faults: [{ on: { first: 0, last: 0 }, ...delay }] };
    const all = scheduled(
      [
        planned('short', { fixture: '12-s-silence' }),
        planned('short', first),
        planned('short', late),
      ],
      room,
    );
    expect(all.map(({ request, seconds }) => [request.fixture, seconds])).to.deep.equal([
      ...[
        ['12-s-nfl', 12 + 31 + 13],
        ['12-s-silence', 25],
        ['12-s-nfl', 25],
      ],
    ]);
  });

  it('of one that is cut off are as long as it is published', () => {
    const [one] = scheduled([planned('short', { ...tones, cutOffAfterSeconds: 7 })], room);
    expect(one?.seconds).to.equal(20);
  });

  it('of a fixture that nobody can read are those of a minute', () => {
    const [one] = scheduled([planned('shared', { fixture: 'no-such-fixture' })], room);
    expect(one?.seconds).to.equal(73);
  });
});

describe('the room for broadcasts', () => {
  it('is enough for services beside them from 1.2 processors on', () => {
    const rooms = [
      roomOfProcessors(2, 'host', 0.5),
      roomOfProcessors(2, 'docker', 0.75),
      roomOfProcessors(1, 'host', 1.5),
      roomOfProcessors(2, 'host', 0.75),
      roomOfProcessors(2, 'docker', 1),
      roomOfProcessors(4, 'docker', 0.5),
    ];
    const answers = [false, false, true, true, true, true];
    expect(rooms.map(isRoomBeside)).to.deep.equal(answers);
    expect(isRoomBeside({ processors: 1.19 })).to.equal(false);
  });

  it('is a part of all processors, by their speed', () => {
    const rooms = [
      roomOfProcessors(2, 'host', 1),
      roomOfProcessors(2, 'docker', 1),
      roomOfProcessors(2, 'host', 0.5),
      roomOfProcessors(4, 'external', 1.5),
    ];
    expect(rooms.map(({ processors }) => processors.toFixed(2))).to.deep.equal([
      ...['1.70', '1.40', '0.85', '5.10'],
    ]);
  });

  it('has starts as far apart as two processors take them, and of more processors closer together', () => {
    const every = (
      [
        [1, 'host', 1],
        [2, 'host', 1],
        [2, 'host', 1.5],
        [2, 'docker', 1],
        [2, 'docker', 1.25],
        [2, 'docker', 1.5],
        [2, 'docker', 0.5],
        [3, 'docker', 1],
        [4, 'host', 1],
        [4, 'docker', 1],
        [8, 'docker', 1],
      ] as const
    ).map(([count, place, speed]) =>
      Math.round(roomOfProcessors(count, place, speed).startEveryMs),
    );
    expect(every).to.deep.equal([
      ...[2600, 2600, 2600],
      ...[3400, 2720, 2600, 6800],
      ...[2267, 1300, 1700, 1300],
    ]);
  });
});
