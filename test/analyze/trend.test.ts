import { describe, it } from 'node:test';

import { expect } from 'chai';

import { offsetTrend, type Trend, trendOf } from '../../support/analyze/trend';
import { noise } from './make-media';

/** Offsets of so many fragments, one each 6 s, or of tones, one a second. */
function points(offsets: readonly number[], everySeconds = 6) {
  return offsets.map((ms, i) => ({ atSeconds: i * everySeconds, ms }));
}

/** As recordings of RTMP have it: ± 0.5 ms. */
const jitter = noise(4000, 20);
const series = (count: number, ms: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => ms(i) + 0.5 * (jitter[i] ?? 0));

const shown = ({ jumps, outliers }: Trend): unknown => ({
  jumps: jumps.map(({ at, byMs }) => [at, Math.round(byMs)]),
  outliers: outliers.map(({ at, byMs, isAtEdge }) => [at, Math.round(byMs), isAtEdge]),
});

describe('the trend of offsets', () => {
  for (const ppm of [0, 20, 100, 200, 500, 1000, 2000, 5000, -500, -5000]) {
    it(`is a slope of ${ppm} ppm, told within its error`, () => {
      const trend = trendOf(points(series(10, (i) => (6 * i * ppm) / 1000)));
      expect(trend.errorPpm).to.be.within(30, 40);
      expect(Math.abs(trend.ppm - ppm)).to.be.below(trend.errorPpm);
      expect(trend.driftMs).to.be.closeTo((54 * ppm) / 1000, 2);
      expect(shown(trend)).to.deep.equal({ jumps: [], outliers: [] });
      expect(trend.worstWithoutDriftMs).to.be.closeTo(0, 3.5);
    });
  }

  const after = (from: number, ms: number) => (i: number) => (i < from ? 0 : ms);
  const cases: [
    what: string,
    offsets: number[],
    jumps: [number, number][],
    outliers: [number, number, boolean][],
  ][] = [
    ['four offsets, of which two are 139 ms early', [0.3, 0.3, -138.9, -138.9], [[2, -139]], []],
    ['a jump early', series(10, after(2, -134)), [[2, -134]], []],
    ['a jump in the middle', series(10, after(5, -90)), [[5, -90]], []],
    ['a jump before the last two', series(10, after(8, 70)), [[8, 70]], []],
    ['the last one alone', series(10, after(9, -139)), [], [[9, -139, true]]],
    ['the first one alone', series(10, (i) => (i < 1 ? 80 : 0)), [], [[0, 80, true]]],
    [
      'two jumps one way',
      series(10, (i) => (i < 3 ? 0 : i < 7 ? 80 : 150)),
      [
        [3, 80],
        [7, 70],
      ],
      [],
    ],
    [
      'a jump and back',
      series(10, (i) => (i < 3 || i > 6 ? 0 : 80)),
      [
        [3, 80],
        [7, -80],
      ],
      [],
    ],
    ['a single one in between', series(10, (i) => (i === 4 ? 80 : 0)), [], [[4, 80, false]]],
    [
      'two single ones',
      series(10, (i) => (i === 2 ? 80 : i === 6 ? -60 : 0)),
      [],
      [
        [2, 80, false],
        [6, -60, false],
      ],
    ],
    ['a small jump', series(10, after(5, 12)), [[5, 12]], []],
    ['three, the last alone', [0, 0, -139], [], [[2, -139, true]]],
    ['three, the middle alone', [0, -139, 0], [], [[1, -139, false]]],
    ['one', [5], [], []],
  ];
  for (const [what, offsets, jumps, outliers] of cases) {
    it(`tells ${what} from a slope`, () => {
      const trend = trendOf(points(offsets));
      expect(shown(trend)).to.deep.equal({ jumps, outliers });
      expect(Math.abs(trend.driftMs)).to.be.below(6);
      expect(Math.abs(trend.ppm)).to.be.below(trend.errorPpm);
    });
  }

  it('tells a jump and a slope apart where both are there', () => {
    for (const ppm of [500, 1000, -2000]) {
      const offsets = series(10, (i) => (6 * i * ppm) / 1000 + (i < 6 ? 0 : 100));
      const trend = trendOf(points(offsets));
      expect(shown(trend)).to.deep.include({ outliers: [] });
      expect(trend.jumps.map(({ at }) => at)).to.deep.equal([6]);
      expect(trend.jumps[0]?.byMs).to.be.closeTo(100, 4);
      expect(Math.abs(trend.ppm - ppm)).to.be.below(trend.errorPpm);
    }
  });

  it('takes segments that come later and later for a slope', () => {
    const trend = trendOf(points(series(10, (i) => 20 * i)));
    expect(shown(trend)).to.deep.equal({ jumps: [], outliers: [] });
    expect(trend.driftMs).to.be.closeTo(180, 2);
  });

  it('gives the rate of a slope that each segment takes back, and no drift that nobody has', () => {
    const { ppm, driftMs, isTakenBack, jumps, worstWithoutDriftMs } = trendOf(
      points(
        series(58, (i) => 5 * (i % 6)),
        1,
      ),
    );
    expect(isTakenBack).to.be.true;
    expect(ppm).to.be.closeTo(5000, 100);
    expect(driftMs).to.be.closeTo(25, 1);
    expect(jumps).to.deep.equal([]);
    expect(worstWithoutDriftMs).to.be.closeTo(0, 2);
  });

  it('does not tell drift from a jump by two', () => {
    const two = trendOf(points([0, -139]));
    expect(two).to.include({ isTold: false, driftMs: -139 });
    expect(trendOf(points([0, 0, 0]))).to.have.property('isTold', true);
  });

  it('says how little few tell', () => {
    const errors = [2, 3, 4, 6, 10].map(
      (count) => trendOf(points(Array<number>(count).fill(0))).errorPpm,
    );
    expect(errors.map((error) => Math.round(error / 10))).to.deep.equal([47, 24, 15, 8, 4]);
  });

  it('takes no scatter for jumps', () => {
    const trend = trendOf(points(Array.from(jitter.slice(0, 60), (x) => 20 * x)));
    expect(trend.jumps).to.deep.equal([]);
    expect(Math.abs(trend.ppm)).to.be.below(trend.errorPpm);
  });

  it('is exact over an hour, and takes no long time', () => {
    const from = process.cpuUsage();
    const slow = trendOf(
      points(
        series(3600, (i) => i * 0.02),
        1,
      ),
    );
    expect(slow.errorPpm).to.be.below(0.05);
    expect(slow.ppm).to.be.closeTo(20, 0.05);
    const jump = trendOf(
      points(
        series(3600, (i) => (i < 1234 ? 0 : 30)),
        1,
      ),
    );
    expect(shown(jump)).to.deep.equal({ jumps: [[1234, 30]], outliers: [] });
    expect(process.cpuUsage(from).user).to.be.below(10e6);
  });
});

describe('a jump of offsets', () => {
  /** The audio of each is heard, and its video shown, that much later than in the source. */
  const measured = (audioMs: number[], videoMs: number[]) =>
    audioMs.map((ms, number) => ({
      ...{ number, atSeconds: 6 * number, ms: ms - (videoMs[number] ?? 0) },
      ptsSeconds: 6 * number + ms / 1000,
    }));

  it('says from when on, and whether audio or video is later', () => {
    const [audio] = offsetTrend(measured([0, 0, -139, -139], [0, 0, 0, 0])).jumps;
    expect(audio).to.deep.include({ before: 1, after: 2 });
    expect(audio?.fromSeconds).to.be.closeTo(12, 1e-9);
    expect(audio?.audioLaterMs).to.be.closeTo(-139, 1e-6);
    expect(audio?.videoLaterMs).to.be.closeTo(0, 1e-6);
    const [video] = offsetTrend(measured([0, 0, 0, 0], [0, 0, 139, 139])).jumps;
    expect(video?.byMs).to.be.closeTo(-139, 1e-6);
    expect(video?.fromSeconds).to.be.closeTo(12.139, 1e-9);
    expect(video?.audioLaterMs).to.be.closeTo(0, 1e-6);
    expect(video?.videoLaterMs).to.be.closeTo(139, 1e-6);
  });

  it('is between those that are not alone', () => {
    const { jumps, outliers } = offsetTrend(
      measured([0, 0, 0, 300, 90, 90, 90, 90, 90, 90], Array<number>(10).fill(0)),
    );
    expect(outliers.map(({ number }) => number)).to.deep.equal([3]);
    expect(jumps.map(({ before, after }) => [before, after])).to.deep.equal([[2, 4]]);
  });
});
