import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { AnyCriterion } from '../../support/checks/criterion';
import { projectRoot } from '../../support/config';

const load = createRequire(__filename) as (file: string) => object;
const FOLDER = join(projectRoot, 'support/checks');

function isCriterion(value: unknown): value is AnyCriterion<never> {
  return typeof value === 'object' && value !== null && 'id' in value && 'assess' in value;
}

describe('the criteria', () => {
  it('have an ID each, in kebab case', () => {
    const modules = readdirSync(FOLDER).map((name) => load(join(FOLDER, name)));
    const exported = modules.flatMap((one): unknown[] => Object.values(one));
    const ids = [...new Set(exported.filter(isCriterion))].map(({ id }) => id);
    expect(ids).to.have.length.above(100);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).to.deep.equal([]);
    expect(ids.filter((id) => !/^[a-z]+(-[a-z]+)*$/.test(id))).to.deep.equal([]);
  });
});
