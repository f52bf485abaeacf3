import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, parse, relative, resolve, sep } from 'node:path';

import { messageOf } from '../base/errors';
import { safeText } from '../base/safe-text';
import { evidenceFiles } from '../broadcast/evidence';
import { broadcastPage } from './broadcast-page';
import { reportFiles, type BroadcastFacts, type BroadcastSummary, type RunFacts } from './facts';
import { readBroadcastFacts } from './facts-file';
import { causesOf, withCircumstances, withoutRepeats } from './causes';
import type { Cause } from './facts';
import { besidePage, type Shown, showcaseOf } from './showcase';
import { readRequirements } from './requirements';
import { runPage } from './run-page';
import { runFactsOf, type ResultsPart } from './run-report';
import { idsOf, type ScenarioResult } from './scenario-results';
import type { SoakVerdict } from './soak-record';
import { summaryOf } from './summary';

export interface RunBroadcast {
  stream: string;
  /** Its evidence; of a replay, in the results of another run. */
  evidenceFolder: string;
  /** Where its facts and its page lie. */
  pageFolder: string;
}

/**
 * Adds a run to the history, and says what repeated runs have shown; undefined where the parts are no whole run, have not
 * begun, or judge again what another run has recorded.
 *
 * @param to where its page is written
 */
export type Remember = (
  to: string,
  parts: readonly ResultsPart[],
  facts: RunFacts,
) => Promise<readonly SoakVerdict[] | undefined>;

/** Removes the reports of an earlier run; its evidence folders stay, as their names are their own. */
export function removeReports(reportsFolder: string): void {
  const { index, summary, part, replayed, streams } = reportFiles;
  const clips = existsSync(reportsFolder)
    ? readdirSync(reportsFolder).filter((name) => parse(name).name === reportFiles.original)
    : [];
  for (const name of [index, summary, part, replayed, streams, ...clips]) {
    rmSync(join(reportsFolder, name), { recursive: true, force: true });
  }
}

/**
 * The broadcast of an evidence folder. Its page lies with its evidence; that of a replay in the replay's own results, so
 * that evidence stays as it was recorded.
 */
export function runBroadcast(
  reportsFolder: string,
  evidenceFolder: string,
  isReplay: boolean,
): RunBroadcast {
  const stream = basename(evidenceFolder);
  const replayed = join(reportsFolder, reportFiles.replayed, stream);
  const pageFolder = isReplay ? replayed : evidenceFolder;
  return { stream, evidenceFolder, pageFolder };
}

/** The broadcasts that a run lists; of one that could not write its list, those that its scenarios name. */
export function broadcastsOf({ folder, part, collector }: ResultsPart): RunBroadcast[] {
  const judged = new Set(collector.results.flatMap(({ judgedBy }) => judgedBy));
  const listed = part?.evidence ?? [...judged].map((stream) => join('evidence', stream));
  return listed
    .map((one) => resolve(folder, one))
    .filter((one) => part !== undefined || existsSync(join(one, evidenceFiles.record)))
    .map((one) => runBroadcast(folder, one, part?.isReplay ?? false));
}

/**
 * Writes the page of every broadcast, and the page and the summary of the run. A page that cannot be made is a problem of
 * the run; the others are made all the same.
 *
 * @param to where the page of the run is written
 * @param parts of one run: its only one, or its shards
 * @param options.isShard where one shard speaks for itself, and the others are not missed
 * @param options.repeated what repeated runs have shown, this one with them
 * @returns what the page shows, and which of its problems came up here
 * @throws when the page of the run itself cannot be made or written
 */
export async function writeReports(
  to: string,
  parts: readonly ResultsPart[],
  {
    isShard = false,
    repeated,
  }: { isShard?: boolean; repeated?: Remember | readonly SoakVerdict[] | undefined } = {},
): Promise<{ facts: RunFacts; problems: string[] }> {
  const started = performance.now();
  const specs = readRequirements();
  const results = parts.flatMap(({ collector }) => collector.results);
  const causes = causesOf(
    parts.flatMap(({ verdicts }) => verdicts),
    results,
  );
  const { summaries, known, problems } = writePages(to, parts, { results, causes });
  const made = {
    ...{ broadcasts: summaries, problems },
    seconds: (performance.now() - started) / 1000,
  };
  const facts: RunFacts = {
    ...runFactsOf(parts, made, isShard),
    causes: withoutRepeats(
      causes.map((one) => withCircumstances(one, known.get(one.stream ?? '')?.facts, causes)),
    ),
    showcase: showcaseOf([...known.values()], (clip) => besidePage(clip, to)),
  };
  if (typeof repeated !== 'function') facts.soak = repeated;
  else {
    try {
      facts.soak = await repeated(to, parts, facts);
      facts.hasHistory = facts.soak !== undefined;
    } catch (error) {
      problems.push(messageOf(error));
      facts.problems.push(safeText(messageOf(error)));
    }
  }
  writeFileSync(join(to, reportFiles.index), runPage(facts, specs));
  writeFileSync(join(to, reportFiles.summary), summaryOf(facts, specs));
  writeFileSync(join(to, reportFiles.streams), streamsOf(facts.scenarios));
  return { facts, problems };
}

/** Writes the page of every broadcast. */
function writePages(
  to: string,
  parts: readonly ResultsPart[],
  { results, causes }: Pick<RestOfRun, 'results' | 'causes'>,
): { summaries: BroadcastSummary[]; known: Map<string, Shown>; problems: string[] } {
  const said = parts.flatMap(({ part }) => part?.problems ?? []);
  const problems: string[] = [];
  const broadcasts = new Map<string, BroadcastSummary | undefined>();
  const known = new Map<string, Shown>();
  const all = parts
    .flatMap(broadcastsOf)
    .map((broadcast) => ({ broadcast, ...factsIn(broadcast) }));
  for (const { broadcast, ...read } of all) {
    const { stream, evidenceFolder } = broadcast;
    if (broadcasts.get(stream)) continue;
    const { summary, problem, facts } = writeBroadcastPage(to, broadcast, read, {
      ...{ results, causes, all },
    });
    const evidenceUrl = `${urlOf(to, evidenceFolder)}/`;
    if (facts && summary) known.set(stream, { facts, summary, evidenceUrl });
    broadcasts.set(stream, summary);
    // Why there are no facts of a broadcast may have been said where they were to be made.
    const isKnown = summary === undefined && said.some((one) => one.includes(stream));
    if (problem !== undefined && !isKnown) problems.push(problem);
  }
  for (const stream of new Set(results.flatMap(({ judgedBy }) => judgedBy))) {
    if (broadcasts.has(stream) || said.some((one) => one.includes(stream))) continue;
    problems.push(`there is no evidence of ${stream}, by which scenarios were judged`);
  }
  return { summaries: [...broadcasts.values()].flatMap((one) => one ?? []), known, problems };
}

/** The registry of streams: which each scenario has used, those that used none included. */
function streamsOf(scenarios: readonly ScenarioResult[]): string {
  const registry = scenarios.map((scenario) => {
    const { name, place, streams = [] } = scenario;
    return { scenario: name, place, requirements: idsOf(scenario), streams };
  });
  return `${JSON.stringify(registry, null, 2)}\n`;
}

/** What is known of a broadcast, or why nothing is. */
interface ReadFacts {
  facts?: BroadcastFacts;
  problem?: string;
}

function factsIn({ stream, pageFolder }: RunBroadcast): ReadFacts {
  try {
    // An earlier page must not be taken for this one.
    rmSync(pageIn(pageFolder), { force: true });
    const facts = readBroadcastFacts(pageFolder);
    return facts ? { facts } : { problem: `there is no page of ${stream}: it has no facts` };
  } catch (error) {
    return { problem: `there is no page of ${stream}: ${messageOf(error)}` };
  }
}

function pageIn(folder: string): string {
  return join(folder, reportFiles.broadcastPage);
}

/** What a page says of the rest of the run. */
interface RestOfRun {
  results: readonly ScenarioResult[];
  causes: readonly Cause[];
  all: readonly ({ broadcast: RunBroadcast } & ReadFacts)[];
}

/** @returns no summary where there are no facts, and what went wrong */
function writeBroadcastPage(
  to: string,
  { stream, evidenceFolder, pageFolder }: RunBroadcast,
  { facts, problem: unread }: ReadFacts,
  { results, causes, all }: RestOfRun,
): {
  summary?: BroadcastSummary | undefined;
  problem?: string | undefined;
  facts?: BroadcastFacts | undefined;
} {
  if (!facts) return { problem: unread };
  const file = pageIn(pageFolder);
  try {
    const judged = results.filter(({ judgedBy }) => judgedBy.includes(stream));
    const evidence = urlOf(pageFolder, evidenceFolder);
    const run = urlOf(pageFolder, join(to, reportFiles.index));
    mkdirSync(pageFolder, { recursive: true });
    const beside = all.flatMap(({ broadcast, facts: other }) =>
      other && other.stream !== stream && wereTogether(other, facts)
        ? [{ name: safeText(other.name), page: urlOf(pageFolder, pageIn(broadcast.pageFolder)) }]
        : [],
    );
    const links = { run, evidence: evidence === '' ? '' : `${evidence}/`, beside };
    const own = withoutRepeats(
      causesIn(stream, causes, judged).map((one) => withCircumstances(one, facts, causes)),
    );
    writeFileSync(file, broadcastPage(facts, judged, links, own));
    return { facts, summary: summaryOfBroadcast(facts, urlOf(to, file)) };
  } catch (error) {
    const problem = `there is no page of ${stream}: ${messageOf(error)}`;
    return { problem, summary: summaryOfBroadcast(facts) };
  }
}

type OnAir = Pick<BroadcastFacts, 'startedAt' | 'endedAt'>;

function wereTogether(one: OnAir, other: OnAir): boolean {
  if (one.endedAt === undefined || other.endedAt === undefined) return false;
  return one.startedAt < other.endedAt && other.startedAt < one.endedAt;
}

/** The causes that were found in a broadcast, with those of its scenarios that they explain. */
function causesIn(
  stream: string,
  causes: readonly Cause[],
  judged: readonly ScenarioResult[],
): Cause[] {
  const places = new Set(judged.map(({ place }) => place));
  return causes
    .filter((one) => one.stream === stream)
    .map(({ scenarios, followers, ...cause }) => ({
      ...cause,
      scenarios: scenarios.filter((place) => places.has(place)),
      followers: followers.filter((place) => places.has(place)),
    }));
}

function summaryOfBroadcast(facts: BroadcastFacts, page?: string): BroadcastSummary {
  const { stream, name, figures, coverage, isComplete, faults, translatedTo } = facts;
  const isTranslated = translatedTo !== undefined;
  return { stream, name, figures, coverage, isComplete, isTranslated, faults, page };
}

/** From a folder to a file or folder, as a page links to it. */
function urlOf(folder: string, target: string): string {
  return relative(resolve(folder), resolve(target)).split(sep).map(encodeURIComponent).join('/');
}
