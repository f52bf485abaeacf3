import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { passRate, suiteTime } from '../../support/checks/repeated-runs';
import { fragmentCount } from '../../support/checks/upstream';
import { fits } from '../../support/report/requirement-states';
import { type Basis, readRequirements, type Sentence } from '../../support/report/requirements';
import { allCriteria, type JudgedScenario, judgedScenarios } from './judging-steps';

const requirements = readRequirements().flatMap(({ requirements: own }) => own);
const sentences = requirements.flatMap(({ id, sentences: own }) =>
  own.map((sentence) => ({ id, sentence })),
);

describe('the sentences of the requirements', () => {
  let scenarios: JudgedScenario[] = [];
  before(async () => {
    scenarios = await judgedScenarios();
    expect(scenarios).to.have.length.above(100);
  });

  const inWords = (id: string, { text }: Sentence, why: string): string =>
    `${id}, "${text}": ${why}`;

  it('are of the requirements that scenarios show', () => {
    const named = [...new Set(scenarios.flatMap(({ ids }) => ids))].sort();
    expect(requirements.map(({ id }) => id).sort()).to.deep.equal(named);
  });

  it('name criteria that exist', () => {
    const known = new Set(allCriteria());
    const unknown = sentences.flatMap(({ id, sentence }) =>
      criteriaOf(sentence.basis)
        .filter((one) => !known.has(one))
        .map((one) => inWords(id, sentence, one)),
    );
    expect(unknown).to.deep.equal([]);
  });

  it('can each be judged by a step of a scenario of their requirement', () => {
    const problems = sentences.flatMap(({ id, sentence }) =>
      notJudged(sentence.basis, ofRequirement(scenarios, id)).map((why) =>
        inWords(id, sentence, why),
      ),
    );
    expect(problems, 'sentences that no step judges').to.deep.equal([]);
  });

  it('have a use for every criterion that a step judges by', () => {
    const used = new Set(sentences.flatMap(({ sentence }) => criteriaOf(sentence.basis)));
    const ofSteps = sentences.flatMap(({ id, sentence: { basis } }) =>
      'step' in basis
        ? ofRequirement(scenarios, id)
            .flatMap(({ steps }) => steps.filter(({ text }) => text === basis.step))
            .flatMap(({ judges }) => judges)
        : [],
    );
    ofSteps.forEach((one) => used.add(one));
    const judged = scenarios.flatMap(({ steps }) => steps.flatMap(({ judges }) => judges));
    const unused = [...new Set(judged)].filter((one) => !used.has(one)).sort();
    expect(unused, 'criteria of steps that no sentence names').to.deep.equal([]);
  });

  it('state how many fragments are sent of each broadcast of which others follow from that', () => {
    const owners = scenarios.filter(({ steps }) =>
      steps.some(({ judges }) => judges.includes(fragmentCount.id)),
    );
    const stated = owners.flatMap(({ ids }) => ids);
    expect(stated).to.include.members(['021-US3-3', '019-US1-2', '018-US1-2', '018-US3-5']);
  });

  it('that only repeated runs show have numbers of the specs', () => {
    const soaks = sentences.flatMap(({ id, sentence: { basis } }) =>
      'soak' in basis ? [[id, basis.soak]] : [],
    );
    expect(soaks).to.deep.equal([
      ['021-SC', { runs: 2, percent: 100 }],
      ['019-SC', { runs: 10, percent: 95 }],
      ['019-SC', { runs: 1, underSeconds: 600 }],
      ['018-SC', { runs: 20, percent: 95 }],
    ]);
  });
});

describe('a step that judges', () => {
  it('is found with its criterion, also in a function that it calls, and with a limit of its own', async () => {
    const judged = (await judgedScenarios()).flatMap(({ steps }) => steps);
    const judges = (text: string): string[] | undefined =>
      judged.find((step) => step.text === text)?.judges;
    expect(judges('the output lasts 60 seconds ± 1 second')).to.deep.equal(['duration']);
    expect(judges('the STS is sent somebody saying "Hello world"')).to.deep.equal(['fixture-says']);
    const failing = 'judging its connection to the STS fails with "was not connected to the STS"';
    expect(judges(failing)).to.deep.equal(['verdict-fails']);
    expect(judges('all services are running')).to.deep.equal([]);
  });
});

function ofRequirement(scenarios: readonly JudgedScenario[], id: string): JudgedScenario[] {
  return scenarios.filter(({ ids }) => ids.includes(id));
}

function criteriaOf(basis: Basis): string[] {
  if ('soak' in basis) return ['percent' in basis.soak ? passRate.id : suiteTime.id];
  return 'by' in basis ? basis.by : [];
}

/** Why no scenario can judge it; nothing where one can, or where it is said that none does. */
function notJudged(basis: Basis, own: readonly JudgedScenario[]): string[] {
  if ('soak' in basis || 'notShownBy' in basis) return [];
  const fitting = own.filter((scenario) => fits(basis, scenario));
  if (fitting.length === 0) return ['no scenario has that step or name'];
  const steps = fitting.flatMap((scenario) => scenario.steps);
  if ('step' in basis) {
    const isJudging = steps.some(({ text, judges }) => text === basis.step && judges.length > 0);
    return isJudging ? [] : ['the step judges nothing'];
  }
  return basis.by.filter((one) => !steps.some(({ judges }) => judges.includes(one)));
}
