import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  requirementsInWords,
  requirementStatesOf,
  type RequirementState,
} from '../../support/report/requirement-states';
import { type Basis, readRequirements, type Spec } from '../../support/report/requirements';
import { runFactsOf } from '../../support/report/run-report';
import { readSoakRecord, type SoakVerdict } from '../../support/report/soak-record';
import { tempFolder } from '../analyze/make-media';
import { partOf, resultsIn, steps, type Told } from './run-messages';

const folder = tempFolder();
let runs = 0;

/** A requirement of these sentences, in a spec of its own; others of that spec have scenarios as well. */
function specOf(sentences: Record<string, Basis>): Spec[] {
  const own = Object.entries(sentences).map(([text, basis]) => ({ text, basis }));
  const requirements = [{ id: '021-A', text: 'it works', sentences: own }];
  return [{ spec: '021', title: 'Full', requirements }];
}

function statesOf(specs: Spec[], shards: Told[][], soak?: SoakVerdict[]): RequirementState[] {
  const parts = shards.map((told, index) => {
    const part = partOf({}, shards.length > 1 ? [index + 1, shards.length] : undefined);
    return resultsIn(join(folder, `run-${(runs += 1)}`), told, part);
  });
  const facts = runFactsOf(parts, { broadcasts: [], problems: [], seconds: 0 });
  return requirementStatesOf(specs, { ...facts, soak }).flatMap(({ requirements }) => requirements);
}

/** Its state, and what it lacks: "state: sentence: why". */
function shown(sentences: Record<string, Basis>, told: Told[], soak?: SoakVerdict[]): string[] {
  const [one] = statesOf(specOf(sentences), [told], soak);
  if (!one) throw new Error('no requirement');
  return [one.state, ...one.missing.map(({ text, state, why }) => `${state}: ${text}: ${why}`)];
}

const scenario = (more: Partial<Told> = {}): Told => ({
  ...{ name: 'One', tags: ['@021-A'], ...more },
});
const BOTH = { first: { by: ['one'] }, second: { by: ['two', 'three'] } };
const EACH = { one: 'passed', two: 'passed', three: 'passed' } as const;

describe('a requirement', () => {
  it('is passed when every sentence of it was judged, whichever of its scenarios did it', () => {
    expect(shown(BOTH, [scenario({ judged: EACH })])).to.deep.equal(['passed']);
    const told = [
      scenario({ judged: { one: 'passed', two: 'passed' } }),
      scenario({ judged: { three: 'passed' } }),
    ];
    expect(shown(BOTH, told)).to.deep.equal(['passed']);
  });

  it('is not shown when nothing has judged a sentence, although all of its scenarios passed', () => {
    expect(shown(BOTH, [scenario({ judged: { one: 'passed', two: 'passed' } })])).to.deep.equal([
      'not shown',
      'not shown: second: nothing has judged it: three',
    ]);
    expect(shown(BOTH, [scenario()])).to.have.length(3);
  });

  it('is not shown by what a scenario of another requirement has judged', () => {
    const told = [scenario(), scenario({ tags: ['@021-B'], judged: EACH })];
    expect(shown(BOTH, told)[0]).to.equal('not shown');
  });

  it('is not run when a scenario that would have judged a sentence was not asked for', () => {
    const told = [scenario({ judged: { one: 'passed' } }), scenario({ isLeftOut: true })];
    expect(shown(BOTH, told)).to.deep.equal([
      'not run',
      'not run: second: its scenario was not asked for',
    ]);
    expect(shown(BOTH, [scenario({ isLeftOut: true })])).to.deep.equal(['not run']);
  });

  it('is not run when features were left out that may have judged the rest', () => {
    const [spec] = specOf(BOTH);
    const other = {
      id: '021-B',
      text: 'more',
      sentences: [{ text: 'third', basis: { by: ['four'] } }],
    };
    const specs = [
      { ...{ spec: '021', title: 'Full' }, requirements: [...(spec?.requirements ?? []), other] },
    ];
    const states = statesOf(specs, [[scenario({ judged: { one: 'passed' } })]]);
    expect(states.map(({ id, state }) => [id, state])).to.deep.equal([
      ['021-A', 'not run'],
      ['021-B', 'not run'],
    ]);
  });

  it('is failed when a scenario of it failed, and says which sentence', () => {
    const told = scenario({
      judged: { one: 'passed', two: 'not shown' },
      steps: steps('PASSED', 'FAILED'),
    });
    expect(shown(BOTH, [told])).to.deep.equal([
      'failed',
      'failed: second: a scenario of this run has judged it',
    ]);
    const early = scenario({ judged: { one: 'failed' }, steps: steps('FAILED', 'SKIPPED') });
    expect(shown(BOTH, [early])[2]).to.equal(
      'not run: second: its scenario was not run to its end',
    );
    const hook = scenario({ judged: EACH, hook: 'Error: not stopped' });
    expect(shown(BOTH, [hook])).to.deep.equal(['failed']);
  });

  it('is not failed by an attempt that a later one has made good', () => {
    const [one] = specOf(BOTH);
    const told = scenario({ judged: { ...EACH } });
    const again = resultsIn(join(folder, `run-${(runs += 1)}`), [told]);
    const [line] = again.verdicts;
    if (!line || !one) throw new Error('no verdict');
    const failed = { ...line, verdict: { ...line.verdict, state: 'failed' as const } };
    const parts = [{ ...again, verdicts: [failed, ...again.verdicts] }];
    const facts = runFactsOf(parts, { broadcasts: [], problems: [], seconds: 0 });
    expect(requirementStatesOf([one], facts)[0]?.requirements[0]?.state).to.equal('passed');
  });

  it('is skipped when a scenario of it was', () => {
    const told = [
      scenario({ judged: EACH }),
      scenario({ steps: steps('SKIPPED'), skipReason: 'no file' }),
    ];
    expect(shown(BOTH, told)).to.deep.equal(['skipped']);
  });

  it('may need a step, or a criterion in a scenario that has the step or the name', () => {
    const text = 'the STS answers';
    const answering = { name: 'One', steps: [{ text, status: 'PASSED' }] };
    expect(shown({ first: { step: text } }, [scenario(answering)])).to.deep.equal(['passed']);
    expect(shown({ first: { step: text } }, [scenario()])[1]).to.contain(
      'judged it: "the STS answers"',
    );
    const inStep = { first: { in: text, by: ['one'] } };
    expect(shown(inStep, [scenario({ judged: EACH })])[0]).to.equal('not shown');
    expect(shown(inStep, [scenario({ ...answering, judged: EACH })])).to.deep.equal(['passed']);
    const named = { first: { in: 'Another', by: ['one'] } };
    expect(shown(named, [scenario({ judged: EACH })])[0]).to.equal('not shown');
    expect(shown(named, [scenario({ name: 'Another', judged: EACH })])).to.deep.equal(['passed']);
    const failing = { name: 'One', steps: [{ text, status: 'FAILED', message: 'Error: no' }] };
    expect(shown({ first: { step: text } }, [scenario(failing)])[1]).to.match(/^failed: first/);
  });

  it('of shards is passed by all of them together', () => {
    const first = scenario({ judged: { one: 'passed' } });
    const second = scenario({ name: 'Two', judged: { two: 'passed', three: 'passed' } });
    const left = { isLeftOut: true };
    const shards = [
      [first, { ...second, ...left }],
      [{ ...first, ...left }, second],
    ];
    expect(statesOf(specOf(BOTH), shards).map(({ state }) => state)).to.deep.equal(['passed']);
  });

  it('that nothing can show is never passed, and says why', () => {
    const sentences = { first: { by: ['one'] }, second: { notShownBy: 'nobody can see it' } };
    expect(shown(sentences, [scenario({ judged: EACH })])).to.deep.equal([
      'not shown',
      'not shown: second: nobody can see it',
    ]);
  });
});

describe('a requirement of repeated runs', () => {
  const sentences = { first: { by: ['one'] }, second: { soak: { runs: 10, percent: 95 } } };
  const told = [scenario({ judged: EACH })];
  const record = (state: SoakVerdict['state'], sentence = 'second'): SoakVerdict[] => [
    {
      requirement: '021-A',
      sentence,
      state,
      what: 'too few passed',
      seen: '9 of 10',
      expected: '',
    },
  ];

  it('is not shown by a single run, which names the command', () => {
    expect(shown(sentences, told)).to.deep.equal([
      'not shown',
      'not shown: second: not shown by this run: npm run soak -- --runs 10 --tags @021',
    ]);
  });

  it('is what the record says where one is given', () => {
    expect(shown(sentences, told, record('passed'))).to.deep.equal(['passed']);
    expect(shown(sentences, told, record('failed'))).to.deep.equal([
      'failed',
      'failed: second: too few passed: 9 of 10',
    ]);
    expect(shown(sentences, told, record('not shown'))[0]).to.equal('not shown');
    expect(shown(sentences, told, record('passed', 'another'))[0]).to.equal('not shown');
  });

  it('takes no other file for a record', () => {
    const file = join(folder, 'soak.json');
    writeFileSync(file, JSON.stringify({ judged: record('passed') }));
    expect(readSoakRecord(file)).to.deep.equal(record('passed'));
    writeFileSync(file, JSON.stringify({ judged: [{ requirement: '021-A', state: 'fine' }] }));
    expect(() => readSoakRecord(file)).to.throw(
      /soak\.json: the record of repeated runs cannot be read/,
    );
    expect(() => readSoakRecord(join(folder, 'none.json'))).to.throw(/no such file/);
  });
});

describe('requirements', () => {
  it('are counted by their states, and IDs that only scenarios know come last', () => {
    const told = [scenario({ judged: EACH }), scenario({ tags: ['@030-X1'] })];
    const part = resultsIn(join(folder, `run-${(runs += 1)}`), told);
    const facts = runFactsOf([part], { broadcasts: [], problems: [], seconds: 0 });
    const states = requirementStatesOf(specOf(BOTH), facts);
    expect(states.at(-1)?.requirements).to.have.length(1);
    expect(states.at(-1)?.requirements[0]).to.include({ id: '030-X1', state: 'passed' });
    expect(requirementsInWords(states)).to.equal('2 of 2 requirements passed');
    const none = requirementStatesOf(specOf(BOTH), { ...facts, scenarios: [] });
    expect(requirementsInWords(none)).to.equal(
      '0 of 1 requirement passed; 1 not run, as not all of their scenarios were asked for or begun',
    );
  });

  it('stand in each spec by their state, the worst first', () => {
    const ids = ['A', 'B', 'C'];
    const specs = [
      {
        ...{ spec: '021', title: 'Full' },
        requirements: ids.map((id) => ({
          ...{ id: `021-${id}`, text: id },
          sentences: [{ text: 'first', basis: { by: ['one'] } }],
        })),
      },
    ];
    const told = ids.map((id): Told => ({
      ...{ name: id, tags: [`@021-${id}`], judged: id === 'A' ? { one: 'passed' as const } : {} },
      steps: steps(id === 'C' ? 'FAILED' : 'PASSED'),
    }));
    expect(statesOf(specs, [told]).map(({ id, state }) => `${id} ${state}`)).to.deep.equal([
      ...['021-C failed', '021-B not shown', '021-A passed'],
    ]);
  });

  it('are refused under another spec, without sentences, or with an unknown basis', () => {
    const file = join(folder, 'wrong.yaml');
    const read = (id: string, requirement: string): (() => unknown) => {
      const must = `      - must:\n          ${id}:\n            ${requirement}\n`;
      writeFileSync(file, `specs:\n  - spec: '021'\n    title: Full\n    requirements:\n${must}`);
      return () => readRequirements(file);
    };
    expect(read('019-US1-1', '{ text: a, sentences: { b: one } }')).to.throw(/019-US1-1 under 021/);
    expect(read('US1', '{ text: a, sentences: { b: one } }')).to.throw(/the list of requirements/);
    expect(read('021-A', '{ text: a, sentences: {} }')).to.throw(/wrong\.yaml:7/);
    expect(read('021-A', '{ text: a, sentences: { b: { by: } } }')).to.throw(/wrong\.yaml:7/);
    expect(read('021-A', '{ text: a, sentences: { b: Not an ID } }')).to.throw(/wrong\.yaml:7/);
    expect(read('021-A', '{ text: a, sentences: { b: one } }')()).to.have.length(1);
  });
});
