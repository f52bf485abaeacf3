import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { removeReports, writeReports } from '../../support/report/write-reports';
import { tempFolder } from '../analyze/make-media';
import { resultsIn, steps } from './run-messages';

describe('the registry of streams', () => {
  const folder = tempFolder();
  const told = [
    {
      ...{ name: 'Each use is a stream of its own', tags: ['@019-US4-3'] },
      streams: ['test_a_1', 'test_a_2'],
    },
    { name: 'Hello world', tags: ['@019-US3-1', '@P1'], streams: ['test_direct_3'] },
    {
      ...{ name: 'One that failed', tags: [], steps: steps('PASSED', 'FAILED', 'SKIPPED') },
      streams: ['test_b_4'],
    },
    { name: 'Ports', tags: ['@019-US7-2'] },
  ];
  const parts = [resultsIn(folder, told)];

  it('says which streams each scenario has used, also where it failed, or used none', async () => {
    await writeReports(folder, parts);
    const registry = JSON.parse(readFileSync(join(folder, 'streams.json'), 'utf8')) as {
      scenario: string;
      place: string;
      requirements: string[];
      streams: string[];
    }[];
    expect(registry.map(({ scenario, streams }) => [scenario, streams])).to.deep.equal([
      ['Each use is a stream of its own', ['test_a_1', 'test_a_2']],
      ['Hello world', ['test_direct_3']],
      ['One that failed', ['test_b_4']],
      ['Ports', []],
    ]);
    expect(registry[1]).to.deep.include({ requirements: ['019-US3-1'] });
    expect(registry[1]?.place).to.match(/\.feature:\d+$/);
  });

  it('is shown at each scenario, on the page of the run', async () => {
    await writeReports(folder, parts);
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(page).to.include('Streams: test_a_1, test_a_2');
    expect(page).to.include('Stream: test_direct_3');
    expect(page.match(/Streams?: /g)).to.have.length(4);
  });

  it('of an earlier run is removed', async () => {
    await writeReports(folder, parts);
    removeReports(folder);
    expect(() => readFileSync(join(folder, 'streams.json'))).to.throw(/ENOENT/);
  });
});
