import { describe, it } from 'node:test';

import { expect } from 'chai';

import { grown, spread, type Usage } from '../../tools/soak-figures';

const usage = (peakMegabytes: number, last: number): Usage => ({
  peakMegabytes,
  descriptors: { first: 10, peak: 50, last },
});
const run = (
  peakMegabytes: number,
  last: number,
  more: { exitCode?: number; reportBytes?: number } = {},
): Parameters<typeof grown>[0][number] => ({
  ...{ exitCode: 0, reportBytes: 1000, usage: { runner: usage(peakMegabytes, last) } },
  ...more,
});

describe('the figures of many runs', () => {
  it('are told as least, median and most', () => {
    expect(spread([3, 10, 2])).to.equal('2 / 3 / 10');
    expect(spread([1])).to.equal('1 / 1 / 1');
    expect(spread([])).to.equal('-');
  });

  it('do not grow when they go up and down', () => {
    const runs = [200, 240, 210, 205, 235, 200, 240, 260, 255].map((megabytes) =>
      run(megabytes, 30),
    );
    expect(grown(runs)).to.be.empty;
  });

  it('do not grow when a short peak is seen in some runs only', () => {
    const runs = [198, 205, 189, 189, 189, 189, 259, 189, 261].map((megabytes) =>
      run(megabytes, 30),
    );
    expect(grown(runs)).to.be.empty;
  });

  it('grow when all of the last third are above the first', () => {
    const memory = [200, 210, 205, 230, 240, 245, 260, 270, 265].map((megabytes) =>
      run(megabytes, 30),
    );
    expect(grown(memory)).to.deep.equal([
      'peak memory of runner, MB grew from at most 210 to 260 or more',
    ]);
    const descriptors = [30, 31, 30, 35, 36, 37, 40, 45, 50].map((last) => run(200, last));
    expect(grown(descriptors)).to.deep.equal([
      'descriptors of runner at the end grew from at most 31 to 40 or more',
    ]);
    const disk = [1000, 1000, 1000, 1500, 1500, 1500, 2000, 2000, 2000].map((reportBytes) =>
      run(200, 30, { reportBytes }),
    );
    expect(grown(disk)).to.deep.equal([
      'size of the results, bytes grew from at most 1000 to 2000 or more',
    ]);
  });

  it('say nothing of few runs, and leave out those that failed', () => {
    const growing = [100, 200, 300, 400, 500, 600, 700, 800].map((megabytes) => run(megabytes, 30));
    expect(grown(growing)).to.be.empty;
    const failed = Array.from({ length: 9 }, () => run(900, 90, { exitCode: 1 }));
    expect(grown([...growing, ...failed])).to.be.empty;
  });
});
