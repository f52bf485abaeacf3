import { describe, it } from 'node:test';

import { expect } from 'chai';

import { scenariosOfFeatures } from '../../tools/prove/features';
import { clothesOf, SYSTEMS } from './systems';

describe('the stand-in systems', () => {
  it('are at least eight, each with a way to be broken', () => {
    expect(Object.keys(SYSTEMS)).to.have.length.of.at.least(8);
    Object.values(SYSTEMS).forEach(({ flaws }) => expect(flaws).to.not.be.empty);
  });

  for (const [name, system] of Object.entries(SYSTEMS)) {
    it(`${name} is covered by scenarios that are there`, async () => {
      expect(await scenariosOfFeatures(system.tags)).to.not.be.empty;
    });
  }

  it('wear a flaw at one side only', () => {
    expect(clothesOf('media-service', 'own-breaker', 'opens after 4').environment).to.deep.equal({
      BREAKER_FAILURE_THRESHOLD: '4',
    });
    expect(clothesOf('sts', 'own-breaker', 'opens after 4')).to.deep.equal({});
    expect(clothesOf('media-service', 'own-breaker', '')).to.not.have.property('environment');
  });

  it('are refused by a name that there is not', () => {
    expect(() => clothesOf('sts', 'm4b', '')).to.throw(TypeError, 'm4b');
    expect(() => clothesOf('sts', 'm4a', 'flawless')).to.throw(TypeError, 'm4a flawless');
  });
});
