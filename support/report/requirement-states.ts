import type { RunFacts } from './facts';
import type { Basis, ByScenarios, Requirement, Sentence, Spec } from './requirements';
import { idsOf, outcomeOf, type Outcome, type ScenarioResult } from './scenario-results';
import { counted } from './wording';

/** What a run says of a requirement or of one of its sentences. */
export type ShownBy = Outcome | 'not run';

export interface SentenceState {
  text: string;
  state: 'passed' | 'failed' | 'not shown' | 'not run';
  /** Why it is not passed. */
  why: string;
}

export interface RequirementState extends Requirement {
  state: ShownBy;
  scenarios: ScenarioResult[];
  /** Those that are not passed; none where no scenario of the requirement ran. */
  missing: SentenceState[];
}

export interface SpecState extends Omit<Spec, 'requirements'> {
  requirements: RequirementState[];
}

/** What of a run says whether its requirements are shown. */
export type Shown = Pick<RunFacts, 'scenarios' | 'judged' | 'leftOut' | 'asked' | 'soak'>;

/** What is read first comes first. */
const ORDER: readonly ShownBy[] = ['failed', 'skipped', 'not shown', 'not run', 'passed'];

/**
 * What a run says of each requirement: `failed` when one of its scenarios or sentences failed, `skipped` when one was
 * skipped, `passed` only when every sentence was judged in this run, and holds. `not shown`: nothing has judged a
 * sentence. `not run`: a scenario that would have was not asked for. IDs that only scenarios know come last; they are as
 * good as their scenarios.
 */
export function requirementStatesOf(specs: readonly Spec[], run: Shown): SpecState[] {
  const shownBy = new Map<string, ScenarioResult[]>();
  for (const scenario of run.scenarios) {
    for (const id of idsOf(scenario)) shownBy.set(id, [...(shownBy.get(id) ?? []), scenario]);
  }
  const listed = specs.flatMap(({ requirements }) => requirements);
  const known = new Set(listed.map(({ id }) => id));
  const others = [...shownBy.keys()].filter((id) => !known.has(id)).sort();
  const text = 'Not in the list of requirements (support/report/requirements.yaml)';
  const unlisted: Spec = {
    spec: '',
    title: 'Other IDs',
    requirements: others.map((id) => ({ id, text, sentences: [] })),
  };
  // Of files that were not loaded, nothing is known: what they would have judged was not asked for.
  const asked = new Set(run.asked);
  const isPart = listed.some(({ id, sentences }) => !asked.has(id) && sentences.some(byScenario));
  const leftOut = new Set(isPart ? known : run.leftOut);
  return [...specs, ...(others.length > 0 ? [unlisted] : [])].map((spec) => ({
    ...spec,
    requirements: spec.requirements
      .map((one) => stateOf(one, shownBy.get(one.id) ?? [], run, leftOut.has(one.id)))
      .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state)),
  }));
}

/** `103 of 115 requirements passed; 6 not run`, with the states that there are. */
export function requirementsInWords(specs: readonly SpecState[]): string {
  const states = specs.flatMap(({ requirements }) => requirements.map(({ state }) => state));
  const count = (wanted: ShownBy): number => states.filter((state) => state === wanted).length;
  const rest = ORDER.filter((state) => state !== 'passed' && count(state) > 0).map(
    (state) => `${count(state)} ${state}`,
  );
  const why = count('not run') > 0 ? ', as not all of their scenarios were asked for or begun' : '';
  const passed = `${count('passed')} of ${counted(states.length, 'requirement')} passed`;
  return [passed, ...rest].join('; ') + why;
}

/** Whether scenarios can judge it. */
export function byScenario({ basis }: Sentence): boolean {
  return 'by' in basis || 'step' in basis;
}

function stateOf(
  requirement: Requirement,
  scenarios: ScenarioResult[],
  run: Shown,
  isLeftOut: boolean,
): RequirementState {
  const sentences = requirement.sentences.map((one) =>
    sentenceState(requirement.id, one, { run, scenarios, isLeftOut }),
  );
  const missing = sentences.filter(({ state }) => state !== 'passed');
  const has = (state: SentenceState['state']): boolean =>
    missing.some((one) => one.state === state);
  const outcomes = new Set(scenarios.map(outcomeOf));
  const base = { ...requirement, scenarios, missing };
  if (outcomes.has('failed') || has('failed')) return { ...base, state: 'failed' };
  if (outcomes.has('skipped')) return { ...base, state: 'skipped' };
  if (scenarios.length === 0) return { ...base, state: 'not run', missing: [] };
  if (outcomes.has('not shown') || has('not shown')) return { ...base, state: 'not shown' };
  return { ...base, state: has('not run') ? 'not run' : 'passed' };
}

interface Circumstances {
  run: Shown;
  /** Those of the requirement. */
  scenarios: readonly ScenarioResult[];
  isLeftOut: boolean;
}

function sentenceState(
  id: string,
  { text, basis }: Sentence,
  { run, scenarios, isLeftOut }: Circumstances,
): SentenceState {
  if ('notShownBy' in basis) return { text, state: 'not shown', why: basis.notShownBy };
  if ('soak' in basis) return soakState(id, text, basis, run);
  const fitting = scenarios.filter((one) => fits(basis, one));
  const parts =
    'step' in basis ? [stepState(basis.step, fitting)] : judgements(basis, fitting, run);
  if (parts.some(({ state }) => state === 'failed')) {
    return { text, state: 'failed', why: 'a scenario of this run has judged it' };
  }
  const unjudged = parts.filter(({ state }) => state !== 'passed').map(({ what }) => what);
  if (unjudged.length === 0) return { text, state: 'passed', why: '' };
  const unable = fitting.find((one) => outcomeOf(one) === 'not shown');
  if (unable) {
    const [why = ''] = unable.notShown?.split('\n') ?? [];
    return { text, state: 'not shown', why };
  }
  const outcomes = fitting.map(outcomeOf);
  if (outcomes.includes('failed') || outcomes.includes('skipped')) {
    return { text, state: 'not run', why: 'its scenario was not run to its end' };
  }
  if (isLeftOut) return { text, state: 'not run', why: 'its scenario was not asked for' };
  return { text, state: 'not shown', why: `nothing has judged it: ${unjudged.join(', ')}` };
}

/** Whether a scenario is one that can judge a sentence: it has the step or the name that is asked for. */
export function fits(
  basis: ByScenarios | { step: string },
  { name, steps }: { name: string; steps: readonly { text: string }[] },
): boolean {
  const wanted = 'step' in basis ? basis.step : basis.in;
  return wanted === undefined || name === wanted || steps.some(({ text }) => text === wanted);
}

interface Judgement {
  what: string;
  /** Undefined where it was not judged. */
  state: 'passed' | 'failed' | undefined;
}

function stepState(text: string, fitting: readonly ScenarioResult[]): Judgement {
  const own = fitting.flatMap(({ steps }) => steps.filter((step) => step.text === text));
  const has = (outcome: Outcome): boolean => own.some((one) => outcomeOf(one) === outcome);
  const state = has('failed') ? 'failed' : has('passed') ? 'passed' : undefined;
  return { what: `"${text}"`, state };
}

/** What each criterion of a sentence has said in the scenarios that fit. */
function judgements(
  { by }: ByScenarios,
  fitting: readonly ScenarioResult[],
  { judged }: Shown,
): Judgement[] {
  const outcomes = new Map(fitting.map((one) => [one.place, outcomeOf(one)]));
  return by.map((what) => {
    const own = judged.filter(({ criterion, place }) => criterion === what && outcomes.has(place));
    // A scenario that has passed at a later attempt has failed at none that counts.
    const isFailed = own.some((one) => !one.isPassed && outcomes.get(one.place) === 'failed');
    if (isFailed) return { what, state: 'failed' };
    return { what, state: own.some(({ isPassed }) => isPassed) ? 'passed' : undefined };
  });
}

/** By a record of `npm run soak`, where one is given. */
function soakState(
  id: string,
  text: string,
  { soak }: Extract<Basis, { soak: unknown }>,
  run: Shown,
): SentenceState {
  const record = run.soak?.find((one) => one.requirement === id && one.sentence === text);
  if (record?.state === 'passed') return { text, state: 'passed', why: '' };
  if (record) return { text, state: record.state, why: `${record.what}: ${record.seen}` };
  const command = `npm run soak -- --runs ${soak.runs} --tags @${id.slice(0, 3)}`;
  return { text, state: 'not shown', why: `not shown by this run: ${command}` };
}
