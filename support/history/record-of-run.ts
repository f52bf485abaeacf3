import { NotObserved } from '../base/errors';
import { safeText } from '../base/safe-text';
import { readEvidence } from '../broadcast/evidence';
import type { Figure } from '../checks/criterion';
import type { VerdictLine } from '../checks/verdict-log';
import { FIGURES, type NamedBroadcast, namedBroadcast } from '../report/compare';
import type { BroadcastFigures, BroadcastSummary, RunFacts } from '../report/facts';
import { missedBy, policyOf } from '../report/not-shown';
import { byScenario } from '../report/requirement-states';
import { isOfSpec, type Spec } from '../report/requirements';
import { type ResultsPart, verdictOf } from '../report/run-report';
import { idsOf, outcomeOf, type ScenarioResult } from '../report/scenario-results';
import { broadcastsOf } from '../report/write-reports';
import { cut, oneLine } from '../report/wording';
import { type End, HISTORY_VERSION, isPassed, marginOf, type RunRecord } from './run-record';

const MOST_PROBLEMS = 5;
const LONGEST_PROBLEM = 200;
/** More than any margin. */
const DISTURBED = 1e9;

/**
 * What the history keeps of a run. It takes figures, outcomes and the verdict from what its report shows.
 *
 * @param parts of one run: its only one, or its shards
 */
export function recordOf(
  parts: readonly ResultsPart[],
  facts: RunFacts,
  specs: readonly Spec[],
): RunRecord {
  const known = knownIn(parts);
  const asked = known.filter(({ isAsked }) => isAsked);
  const endOf = endsOf(facts);
  const ends = asked.map(({ place }) => endOf(place));
  const broadcasts = broadcastsIn(parts, facts.broadcasts);
  const figures = figuresIn(broadcasts);
  const nearest = nearestToLimits(
    broadcasts,
    parts.flatMap(({ verdicts }) => verdicts),
  );
  const { seconds, startedAtMs = 0, environments, problems } = facts;
  const [runtime] = environments.flatMap(({ runsOn }) => runsOn ?? []);
  return {
    version: HISTORY_VERSION,
    // Of shards, all of them. Messages of an older cucumber-js have none.
    run: parts
      .flatMap(({ collector }) => collector.runId ?? [])
      .sort()
      .join('+'),
    startedAt: new Date(startedAtMs).toISOString(),
    ...(seconds === undefined ? {} : { seconds }),
    revision: environments[0]?.commit ?? 'unknown',
    ...(runtime === undefined ? {} : { runtime }),
    images: Object.assign(
      {},
      ...environments.map(({ images = {} }) => images),
    ) as RunRecord['images'],
    ...(seconds === undefined
      ? { outcome: 'interrupted', verdict: interruptedText(ends) }
      : { outcome: verdictOf(facts).outcome, verdict: verdictOf(facts).text }),
    problems: problems.slice(0, MOST_PROBLEMS).map((one) => cut(oneLine(one), LONGEST_PROBLEM)),
    specs: specs.filter((spec) => isWhole(spec, known)).map(({ spec }) => spec),
    known: known.length,
    names: {
      version: HISTORY_VERSION,
      scenarios: asked.map((one) => ({ ids: idsOf(one), name: safeText(one.name) })),
      broadcasts: broadcasts.map(({ name, isDisturbed }) => ({ name, isDisturbed })),
      figures,
      limited: nearest.map(({ criterion, figure: { name, unit, holds } }) => ({
        ...{ criterion, name, unit, holds },
      })),
    },
    ends: ends.join(''),
    figures: broadcasts.map((one) => figures.map((key) => one.figures[key] ?? null)),
    nearest: nearest.map(({ figure: { value, limit }, broadcast }) => [value, limit, broadcast]),
  };
}

type Known = ResultsPart['collector']['known'];

/** All scenarios of the features; of shards, each of which asks for some of them. */
function knownIn(parts: readonly ResultsPart[]): Known {
  const known = new Map<string, Known[number]>();
  for (const one of parts.flatMap(({ collector }) => collector.known)) {
    const { isAsked = false } = known.get(one.place) ?? {};
    known.set(one.place, { ...one, isAsked: one.isAsked || isAsked });
  }
  return [...known.values()];
}

/** Whether all scenarios of a spec were asked for, and there are some for each of its requirements. */
function isWhole({ spec, requirements }: Spec, known: Known): boolean {
  const own = known.filter((one) => idsOf(one).some((id) => isOfSpec(id, spec)));
  const shown = new Set(own.flatMap(idsOf));
  const needed = requirements.filter(({ sentences }) => sentences.some(byScenario));
  return own.every(({ isAsked }) => isAsked) && needed.every(({ id }) => shown.has(id));
}

/** By a scenario's place. One that the end of the run came in the middle of has not ended. */
function endsOf({ scenarios, scopes, seconds }: RunFacts): (place: string) => End {
  const missed = missedBy(scenarios, policyOf(scopes));
  const results = new Map(scenarios.map((one) => [one.place, one]));
  const passedAs = ({ attempts = [] }: ScenarioResult): End => (attempts.length > 0 ? 'R' : 'P');
  return (place) => {
    const result = results.get(place);
    if (!result || (result.status === 'UNKNOWN' && seconds === undefined)) return '-';
    const outcome = outcomeOf(result);
    if (outcome === 'not shown') return missed.includes(result) ? 'M' : 'N';
    if (outcome === 'passed') return passedAs(result);
    return outcome === 'failed' ? 'F' : 'S';
  };
}

function interruptedText(ends: readonly End[]): string {
  const passed = ends.filter(isPassed).length;
  const count = (wanted: End): number => ends.filter((end) => end === wanted).length;
  return `No end: ${passed} of ${ends.length} scenarios passed, ${count('F')} failed, ${count('-')} not run.`;
}

/** A broadcast of a run, with the streams of all that had the same request: every shard may have one. */
interface RunBroadcast extends NamedBroadcast, Pick<BroadcastSummary, 'figures'> {
  streams: string[];
}

/** Each once, with the figures of the last one; those whose evidence cannot be read any more are left out. */
function broadcastsIn(
  parts: readonly ResultsPart[],
  summaries: readonly BroadcastSummary[],
): RunBroadcast[] {
  const folders = new Map(
    parts.flatMap(broadcastsOf).map(({ stream, evidenceFolder }) => [stream, evidenceFolder]),
  );
  const found = new Map<string, RunBroadcast>();
  for (const { stream, figures } of summaries) {
    const named = nameIn(folders.get(stream) ?? '');
    if (!named) continue;
    const { streams = [] } = found.get(named.name) ?? {};
    found.set(named.name, { ...named, figures, streams: [...streams, stream] });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameIn(evidenceFolder: string): NamedBroadcast | undefined {
  try {
    return namedBroadcast(readEvidence(evidenceFolder).record);
  } catch (error) {
    if (error instanceof NotObserved) return undefined;
    throw error;
  }
}

/** Those that there are of any broadcast, in their usual order. */
function figuresIn(
  broadcasts: readonly { figures: BroadcastFigures }[],
): (keyof BroadcastFigures)[] {
  const keys = Object.keys(FIGURES) as (keyof BroadcastFigures)[];
  return keys.filter((key) => broadcasts.some(({ figures }) => figures[key] !== undefined));
}

/** The figure of a verdict, and the number of its broadcast. */
interface Limited {
  criterion: string;
  figure: Figure;
  broadcast: number;
}

/**
 * By criterion: of all broadcasts that were judged by it, the figure that is nearest to its limit, or farthest beyond. One with
 * which something was made to go wrong counts where there is no other: its figure says how much was made to.
 */
function nearestToLimits(
  broadcasts: readonly RunBroadcast[],
  verdicts: readonly VerdictLine[],
): Limited[] {
  const at = new Map(
    broadcasts.flatMap(({ streams }, index) => streams.map((stream) => [stream, index] as const)),
  );
  const nearest = new Map<string, Limited>();
  const rankOf = (one: Omit<Limited, 'criterion'>): number =>
    marginOf(one.figure) + (broadcasts[one.broadcast]?.isDisturbed === true ? DISTURBED : 0);
  for (const { stream = '', verdict } of verdicts) {
    const { criterion, figure } = verdict;
    const broadcast = at.get(stream);
    const before = nearest.get(criterion);
    if (!figure || broadcast === undefined) continue;
    if (before && rankOf(before) <= rankOf({ figure, broadcast })) continue;
    nearest.set(criterion, { criterion, figure, broadcast });
  }
  return [...nearest.values()].sort((a, b) => (a.criterion < b.criterion ? -1 : 1));
}
