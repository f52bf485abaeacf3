import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';
import { z } from 'zod';

import { projectRoot } from '../../support/config';
import { EVENTS } from '../../support/contract/contract';
import { contractPage } from '../../tools/contract-page';

describe('docs/contract.md', () => {
  it('is what `npm run contract` makes of the contract', async () => {
    const written = readFileSync(join(projectRoot, 'docs/contract.md'), 'utf8');
    expect(await contractPage()).to.equal(written);
  });

  it('says of every field what it means', async () => {
    const rows = (await contractPage()).split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.filter((row) => /\|\s*\|\s*$/.test(row))).to.deep.equal([]);
    const fields = EVENTS.flatMap(({ payload }) => Object.keys(payload.shape));
    expect(rows).to.have.length.greaterThan(fields.length);
    expect(EVENTS.every(({ payload }) => payload instanceof z.ZodObject)).to.be.true;
  });
});
