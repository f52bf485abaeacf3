import { CucumberExpression, ParameterTypeRegistry } from '@cucumber/cucumber-expressions';
import type { Envelope, Pickle } from '@cucumber/messages';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { SuiteError } from '../base/errors';
import type { Fault } from '../broadcast/fault';
import {
  type BroadcastRequest,
  type EchoControl,
  isEcho,
  keyOf,
  type OwnServices,
  type PartialRequest,
  requestOf,
} from '../broadcast/request';
import type { AnyCriterion } from '../checks/criterion';
import { type Capability, type Needs, neededBy } from './capabilities';
import type { DirectRequest } from './direct-request';
import type { NestedRequest } from './nested-request';
import { type Asked, HELLO, type TrialRequest } from './trial-request';

/** What the steps of a scenario have said of the broadcast that is going to be dubbed, of trials, and of what they need. */
export class RequestDraft {
  #said: PartialRequest = {};
  readonly #requests: BroadcastRequest[] = [];
  readonly #usual: Record<TrialRequest['composition'], TrialRequest['variables']> = {
    ...{ media: {}, sts: {} },
  };
  readonly #trials: TrialRequest[] = [];
  readonly #nested: NestedRequest[] = [];
  readonly #direct: DirectRequest[] = [];
  readonly #measured: AnyCriterion<BroadcastFindings>[] = [];
  readonly #needed = new Set<Capability>();
  readonly #judged = new Set<Capability>();

  /** Without this nothing of the scenario can be done. */
  needs(capability: Capability): void {
    this.#needed.add(capability);
  }

  /** Without this one of its steps cannot judge; the others can. */
  judges(capability: Capability): void {
    this.#judged.add(capability);
  }

  /** What was said to be needed, and what its broadcasts need. */
  get needed(): Needs {
    const ofTrials = this.#trials.length > 0 ? (['compositions'] as const) : [];
    const ofDirect = this.#direct.length > 0 ? (['speech'] as const) : [];
    const ofRequests = this.#requests.flatMap(neededBy);
    const all = [...this.#needed, ...ofRequests, ...ofTrials, ...ofDirect];
    return { whole: new Set(all), part: this.#judged };
  }

  /** It is dubbed through the Echo STS, in segments of that length. */
  throughEcho(segmentSeconds: number): void {
    this.#said = { ...this.#said, composition: { echoSegmentSeconds: segmentSeconds } };
  }

  /** It is dubbed through the Echo STS, one fragment after the other, in compressed time: each second stands for `timeScale`. */
  throughSlowEcho(segmentSeconds: number, timeScale: number): void {
    const composition = {
      echoSegmentSeconds: segmentSeconds / timeScale,
      oneAtATime: true,
    } as const;
    const budgetSeconds = requestOf().budgetSeconds / timeScale;
    this.#said = { ...this.#said, composition, timeScale, budgetSeconds };
  }

  /** How many seconds each second of it stands for. */
  get timeScale(): number {
    return this.#said.timeScale ?? 1;
  }

  /** It gets to the media server in that way, whatever is configured. */
  publishedBy(how: BroadcastRequest['publishedBy']): void {
    this.#said = { ...this.#said, publishedBy: how };
  }

  /** It is dubbed by services of the scenario's own. */
  throughOwn(composition: OwnServices): void {
    this.#said = { ...this.#said, composition };
  }

  /** These go wrong, after those that were said before. */
  addFaults(faults: readonly Fault[]): void {
    this.#said = { ...this.#said, faults: [...(this.#said.faults ?? []), ...faults] };
  }

  /** The Echo STS is told this before it is published. */
  addControl(control: EchoControl): void {
    this.#said = { ...this.#said, controls: [...(this.#said.controls ?? []), control] };
  }

  /** The request that is complete with this. Others may follow, of which the same was said before. */
  complete(said: PartialRequest = {}): BroadcastRequest {
    const faults = [...(this.#said.faults ?? []), ...(said.faults ?? [])];
    const request = requestOf({ ...this.#said, ...said, faults });
    this.#requests.push(request);
    return request;
  }

  /** One more broadcast through the same services, of which nothing else that was said before holds. */
  addOther(said: PartialRequest): BroadcastRequest {
    const { composition } = this.#said;
    const request = requestOf({ ...(composition === undefined ? {} : { composition }), ...said });
    this.#requests.push(request);
    return request;
  }

  /** The values that variables of a composition have in trials that name no other ones: rows of name and value. */
  usualVariables(
    composition: TrialRequest['composition'],
    rows: readonly (readonly string[])[],
  ): void {
    const pairs = rows.map(([name = '', value = '']) => [name, value]);
    this.#usual[composition] = Object.fromEntries(pairs) as Record<string, string>;
  }

  /** A composition is started alone with these values of its variables. */
  addTrial(
    composition: TrialRequest['composition'],
    named: TrialRequest['variables'],
    asked: Asked = HELLO,
  ): TrialRequest {
    const variables = { ...this.#usual[composition], ...named };
    const trial = { composition, variables, values: Object.values(named), asked };
    this.#trials.push(trial);
    return trial;
  }

  get trials(): readonly TrialRequest[] {
    return this.#trials;
  }

  /** The suite is run with something wrong in its settings. */
  addNested(wrong: NestedRequest['wrong'], of = ''): NestedRequest {
    const request = { wrong, of };
    this.#nested.push(request);
    return request;
  }

  get nested(): readonly NestedRequest[] {
    return this.#nested;
  }

  /** The first segments of a fixture are sent to the STS directly, all at once. */
  addDirect(request: DirectRequest): DirectRequest {
    this.#direct.push(request);
    return request;
  }

  get direct(): readonly DirectRequest[] {
    return this.#direct;
  }

  /** Of its first broadcast it measures this, which takes long. */
  measures(criterion: AnyCriterion<BroadcastFindings>): void {
    this.#measured.push(criterion);
  }

  get measured(): PlannedMeasurement[] {
    const [request] = this.#requests;
    return request ? this.#measured.map((criterion) => ({ request, criterion })) : [];
  }

  /** All that are complete, in their order. */
  get requests(): readonly BroadcastRequest[] {
    return this.#requests;
  }
}

/** What a step says of broadcasts; its arguments are those of the step, a table's rows last. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments of steps are of the types that their patterns name
type Apply = (draft: RequestDraft, ...args: any[]) => unknown;

/** The values in features' sentences (support/parameter-types.ts), by which planned steps are read. */
export const parameterTypes = new ParameterTypeRegistry();
const planned: { pattern: string; apply: Apply }[] = [];
let matchers: { match: (text: string) => unknown[] | undefined; apply: Apply }[] | undefined;

/**
 * Says what the step with that pattern means for broadcasts, so that they can begin before it is their scenario's turn.
 *
 * @param pattern the step's Cucumber Expression
 */
export function plan(pattern: string, apply: Apply): void {
  planned.push({ pattern, apply });
}

/** Says that nothing can be done of scenarios with one of these steps without it. */
export function planNeed(capability: Capability, ...patterns: readonly string[]): void {
  for (const pattern of patterns) plan(pattern, (draft) => draft.needs(capability));
}

/**
 * Says that steps with these patterns judge the scenario's broadcast by this criterion, for which it is listened to or its recording
 * is decoded: that can begin before the scenario's turn.
 */
export function planMeasured(
  criterion: AnyCriterion<BroadcastFindings>,
  ...patterns: readonly string[]
): void {
  for (const pattern of patterns) plan(pattern, (draft) => draft.measures(criterion));
}

/** What was planned of scenarios, by their ids: each is read once. */
const drafts = new Map<string, RequestDraft>();
const pickles = new Map<string, Pickle>();
const selected: Pickle[] = [];
const leftOut = new Set<string>();
const patterns = new Set<string>();

/** Notes what cucumber-js says before a run begins: the scenarios that are going to run, in their order. */
export function noteEnvelope({ pickle, testCase, stepDefinition }: Envelope): void {
  if (stepDefinition) patterns.add(stepDefinition.pattern.source);
  if (pickle) pickles.set(pickle.id, pickle);
  const known = testCase && pickles.get(testCase.pickleId);
  if (known) selected.push(known);
}

/** A scenario that is going to run, and what its steps and broadcasts need. */
export interface PlannedScenario {
  pickle: Pickle;
  needs: Needs;
}

/** The times of a forecast, in seconds after the first broadcast has begun. */
export interface ForecastTimes {
  /** When each broadcast will have been dubbed, by keyOf. */
  ends: ReadonlyMap<string, number>;
  /** When services of a scenario's own may start. */
  besideFrom: number;
}

/**
 * Scenarios in the order in which what they look at is there, and otherwise in their own: while one waits, none of those that
 * follow is looked at.
 *
 * @param timesOf the forecast for these broadcasts
 */
export function inTurn<Scenario extends { pickle: Pickle }>(
  scenarios: readonly Scenario[],
  timesOf: (broadcasts: PlannedBroadcast[]) => ForecastTimes,
): Scenario[] {
  const times = timesOf(broadcastsIn(scenarios));
  const turns = new Map(scenarios.map((one) => [one, turnOf(one.pickle, times)]));
  return [...scenarios].sort((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0));
}

/** All broadcasts of these scenarios, in their order; but for those of services of a scenario's own. */
export function broadcastsIn(scenarios: readonly { pickle: Pickle }[]): PlannedBroadcast[] {
  return scenarios.flatMap(({ pickle }) => broadcastsOf(pickle));
}

function turnOf(pickle: Pickle, { ends, besideFrom }: ForecastTimes): number {
  const { requests } = draftOf(pickle);
  // It is made beside broadcasts or after them, and waits until there is time.
  if (isMadeAhead(pickle)) return Infinity;
  // It starts services, while there are others to wait for.
  if (startsServices(pickle)) return besideFrom;
  return Math.max(0, ...requests.map((one) => ends.get(keyOf(one)) ?? 0));
}

/** Whether something is done for it alone: services are started, a composition, or a run of the suite, or the STS is asked directly. */
export function isMadeBeside(pickle: Pickle): boolean {
  return isMadeAhead(pickle) || startsServices(pickle);
}

function isMadeAhead(pickle: Pickle): boolean {
  const { trials, nested, direct } = draftOf(pickle);
  return trials.length > 0 || nested.length > 0 || direct.length > 0;
}

function startsServices(pickle: Pickle): boolean {
  const { requests } = draftOf(pickle);
  return (
    requests.some(({ composition }) => isOwn(composition)) || isTagged(pickle, '@own-services')
  );
}

function isTagged({ tags }: Pickle, tag: string): boolean {
  return tags.some(({ name }) => name === tag);
}

/** Edge cases have broadcasts of two segments; so have those that are dubbed several times, for nothing but that. */
function isShort(pickle: Pickle, requests: readonly BroadcastRequest[]): boolean {
  return isTagged(pickle, '@edge-case') || requests.some(({ use }) => use > 0);
}

/** All scenarios that are going to run, in their order. */
export function plannedScenarios(): PlannedScenario[] {
  return selected.map((pickle) => ({ pickle, needs: draftOf(pickle).needed }));
}

/** All tags of the features that were read, also of scenarios that are not going to run. */
export function knownTags(): Set<string> {
  return new Set([...pickles.values()].flatMap(({ tags }) => tags.map(({ name }) => name)));
}

/** It cannot be shown: nothing is published or tried for it. */
export function leaveOut({ id }: Pickle): void {
  leftOut.add(id);
}

/** Those of which something is going to be done. */
function tried(): Pickle[] {
  return selected.filter((pickle) => !leftOut.has(pickle.id));
}

/** A broadcast that the run is going to need. */
export interface PlannedBroadcast {
  request: BroadcastRequest;
  /** How many broadcasts its scenario has, itself among them: it may ask that they are dubbed at the same time. */
  together: number;
  /** `shared`: many scenarios look at it; `short`: it waits for an STS most of the time; `echo`: so does the Echo STS. */
  group: 'shared' | 'short' | 'echo';
}

/**
 * All broadcasts of the scenarios that are going to run, in their order. What a scenario says wrongly is its own business:
 * its broadcasts are left out.
 *
 * @throws SuiteError when a planned step has no definition
 */
export function plannedBroadcasts(): PlannedBroadcast[] {
  const stray = planned.find(({ pattern }) => patterns.size > 0 && !patterns.has(pattern));
  if (stray) {
    throw new SuiteError({
      ...{ what: 'a planned step has no definition', where: 'step-definitions/' },
      ...{ seen: stray.pattern, expected: 'the pattern of a step, word for word' },
    });
  }
  return tried().flatMap(broadcastsOf);
}

function broadcastsOf(pickle: Pickle): PlannedBroadcast[] {
  // Services of a scenario's own are not started before its turn.
  const requests = draftOf(pickle).requests.filter(({ composition }) => !isOwn(composition));
  return requests.map((request) => ({
    request,
    together: requests.length,
    group: isEcho(request) ? 'echo' : isShort(pickle, requests) ? 'short' : 'shared',
  }));
}

function isOwn(composition: BroadcastRequest['composition']): composition is OwnServices {
  return typeof composition === 'string' && composition !== 'dual';
}

/** All trials of the scenarios that are going to run, in their order. */
export function plannedTrials(): TrialRequest[] {
  return tried().flatMap((pickle) => draftOf(pickle).trials);
}

/** All that is going to be sent to the STS directly, in the order of the scenarios. */
export function plannedDirect(): DirectRequest[] {
  return tried().flatMap((pickle) => draftOf(pickle).direct);
}

/** What is measured of a broadcast that takes long. */
export interface PlannedMeasurement {
  request: BroadcastRequest;
  criterion: AnyCriterion<BroadcastFindings>;
}

/** All that the scenarios measure that takes long, in their order. */
export function plannedMeasurements(): PlannedMeasurement[] {
  return tried().flatMap((pickle) => draftOf(pickle).measured);
}

/** All nested runs of the scenarios that are going to run, in their order. */
export function plannedNested(): NestedRequest[] {
  return tried().flatMap((pickle) => draftOf(pickle).nested);
}

function draftOf(pickle: Pickle): RequestDraft {
  const known = drafts.get(pickle.id);
  if (known) return known;
  const draft = readDraft(pickle);
  drafts.set(pickle.id, draft);
  return draft;
}

function readDraft({ steps }: Pickle): RequestDraft {
  matchers ??= planned.map(({ pattern, apply }) => {
    const expression = new CucumberExpression(pattern, parameterTypes);
    const match = (text: string): unknown[] | undefined =>
      expression.match(text)?.map((argument) => argument.getValue<unknown>(null));
    return { match, apply };
  });
  const draft = new RequestDraft();
  try {
    for (const { text, argument } of steps) {
      for (const { match, apply } of matchers) {
        const args = match(text);
        if (!args) continue;
        const rows = argument?.dataTable?.rows.map(({ cells }) => cells.map(({ value }) => value));
        apply(draft, ...args, ...(rows ? [rows] : []));
      }
    }
  } catch {
    return new RequestDraft();
  }
  return draft;
}
