import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  checkNames,
  chosenFaults,
  inBaseline,
  NoFaultMeant,
  type Wanted,
} from '../../tools/prove/choice';
import { type Fault, type NamedScenario, scenarioOf, titleOf } from '../../tools/prove/fault';
import { FAULTS } from '../../tools/prove/faults/all';
import { scenariosOfFeatures } from '../../tools/prove/features';

describe('the faults of the suite', () => {
  let scenarios: NamedScenario[] = [];
  before(async () => {
    scenarios = await scenariosOfFeatures();
  });

  it('name each scenario so that no other one is meant', () => {
    expect(scenarios).to.have.length.above(50);
    checkNames(FAULTS, scenarios);
  });

  it('turn every scenario red for a reason of its own', () => {
    const proved = FAULTS.flatMap(({ red, name }) =>
      Object.keys(red).map((one) => titleOf(scenarioOf(scenarios, one, name))),
    );
    const others = scenarios.map(titleOf).filter((title) => !proved.includes(title));
    expect(others, 'scenarios that need a fault in tools/prove/faults/').to.deep.equal([]);
  });

  it('have names of their own', () => {
    const names = FAULTS.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).to.deep.equal([]);
  });
});

const ofEvidence = (name: string, red: string, follows: string[] = []): Fault => ({
  ...{ name, follows, broadcast: '021-A', red: { [red]: /cause/ } },
  alter: () => undefined,
});
const dub = ofEvidence('A dub is missing', '021-A', ['021-B The dub']);
const answer = ofEvidence('An answer is missing', '021-C');
const late = ofEvidence('An answer is late', '021-B The answer');
const service: Fault = {
  ...{ name: 'The STS is missing', tags: '@021-D', red: { '021-D': /cause/ } },
  make: () => Promise.resolve({ environment: {} }),
};
const all = [dub, answer, late, service];
const wanted = (...only: string[]): Wanted & { only: string[] } => ({
  ...{ only, recorded: false, fewest: false },
});

describe('--only', () => {
  it("chooses by a part of a fault's name", () => {
    expect(chosenFaults(all, wanted('missing'))).to.deep.equal([dub, answer, service]);
    expect(chosenFaults(all, { ...wanted('missing'), recorded: true })).to.deep.equal([
      dub,
      answer,
    ]);
  });

  it('chooses by the beginning of a scenario that turns red, for its own reason or as an effect', () => {
    expect(chosenFaults(all, wanted('021-B'))).to.deep.equal([dub, late]);
    expect(chosenFaults(all, wanted('021-B The dub', '021-D'))).to.deep.equal([dub, service]);
  });

  it('that chooses nothing is refused', () => {
    expect(() => chosenFaults(all, wanted('021-E'))).to.throw(NoFaultMeant, /no fault like 021-E/);
  });
});

describe('--fewest', () => {
  const fewest = { only: undefined, recorded: false, fewest: true };

  it('takes faults until each scenario is turned red that all of them turn red', () => {
    const again = ofEvidence('An answer is empty', '021-C');
    const many: Fault = { ...again, name: 'No answer', red: { '021-C': /none/, '021-A': /none/ } };
    expect(chosenFaults([dub, answer, again, many, late], fewest)).to.deep.equal([many, late]);
  });

  it('proves every scenario of the suite with fewer faults', () => {
    const names = (faults: readonly Fault[]): string[] =>
      [...new Set(faults.flatMap(({ red }) => Object.keys(red)))].sort();
    const chosen = chosenFaults(FAULTS, fewest);
    expect(names(chosen)).to.deep.equal(names(FAULTS));
    expect(chosen.length).to.be.below(FAULTS.length);
  });
});

describe('a baseline', () => {
  const scenario = (requirement: string, name: string): NamedScenario => ({
    ...{ tags: ['@P1', `@${requirement}`], name },
  });
  const baseline = {
    folder: 'reports',
    scenarios: [scenario('021-A', 'One'), scenario('021-B', 'The dub'), scenario('021-C', 'Three')],
  };

  it('that has the scenarios of all chosen faults is used', () => {
    const { faults, leftOut } = inBaseline([dub, answer], undefined, baseline);
    expect([faults, leftOut]).to.deep.equal([[dub, answer], []]);
  });

  it('leaves out what only a part of its name has chosen', () => {
    const { faults, leftOut } = inBaseline([dub, answer, service], ['missing'], baseline);
    expect([faults, leftOut]).to.deep.equal([[dub, answer], [service]]);
  });

  it('that lacks scenarios is refused with all of them, and one command', () => {
    const small = { folder: 'reports', scenarios: [scenario('021-B', 'The dub')] };
    expect(() => inBaseline([dub, late], ['021-B'], small)).to.throw(
      /without 021-A; 021-B The answer\n[\s\S]*REPORTS_DIR=reports\/baseline npm run acceptance -- --tags '@021-A or @021-B'; /,
    );
  });

  it('that lacks all that is chosen is refused', () => {
    expect(() => inBaseline([service], ['STS'], baseline)).to.throw(/--tags '@021-D'/);
  });

  it('for all faults has all scenarios', () => {
    expect(() => inBaseline(all, undefined, baseline)).to.throw(/npm run acceptance; then/);
  });
});
