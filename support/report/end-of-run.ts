import { safeText } from '../base/safe-text';
import { causeInWords, namesOf } from './causes';
import type { CauseFacts } from './facts';
import { needlesslyExcluded, notShownByReason, notShownTitle } from './not-shown';
import { type NotShownPolicy, reasonOf } from './not-shown';
import { idsOf, nameWithIds, outcomeOf, outsideSteps } from './scenario-results';
import type { ScenarioResult, StepResult } from './scenario-results';
import { counted, duration, oneLine, shownMessage } from './wording';

const MOST_LINES = 12;
const LONGEST_LINE = 300;
const MOST_NAMES = 3;
const MOST_REASON_LINES = 5;

export type Format = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

/** What the end of a run needs besides its scenarios. Paths are shown as they are. */
export interface EndOfRunOptions {
  seconds: number;
  /** The page of the run. */
  indexPage?: string | undefined;
  /** Where whole messages are. */
  detailsPage?: string | undefined;
  /** The evidence page of a stream, if there is one. */
  pageOf: (stream: string) => string | undefined;
  /** What went wrong besides the scenarios. */
  problems: readonly string[];
  policy: NotShownPolicy;
  /** What failures have in common, the one that explains most of them first. */
  causes?: readonly CauseFacts[];
  /** Steps were matched and not run (`--dry-run`). */
  isDry?: boolean;
  /** Code to begin a step with that has none. */
  snippetOf: (stepText: string) => string | undefined;
  paint: (format: Format, text: string) => string;
  /** A path as the terminal opens it by a click. */
  link: (path: string) => string;
}

/** What to do where a failure does not say so itself. */
const NEXT =
  'next:     open the page below; docs/troubleshooting.md has every message of the suite';

/** What is printed when a run has ended: failures first, then what was skipped, then the counts. Ends in a line feed. */
export function endOfRun(results: readonly ScenarioResult[], options: EndOfRunOptions): string {
  const of = (outcome: string): ScenarioResult[] =>
    results.filter((result) => outcomeOf(result) === outcome);
  const failed = of('failed');
  const shownSnippets = new Set<string>();
  const following = new Set(options.causes?.flatMap(({ followers }) => followers));
  const blocks = [
    ...(options.causes ?? []).map((cause) => causeBlock(cause, failed, options)),
    ...failed
      .filter(({ place }) => !following.has(place))
      .map((result, i) => failure(result, i + 1, options, shownSnippets)),
    ...(options.isDry ? [] : skipped(of('skipped'), options)),
    ...(options.isDry ? [] : [notShown(results, options)]),
    problems(options),
    counts(results, options),
  ].filter((lines) => lines.length > 0);
  return `\n${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`;
}

/**
 * What is printed when a scenario has ended.
 *
 * @param how.attempt 1 for the first one
 */
export function scenarioLine(
  result: ScenarioResult,
  { attempt, willBeRetried }: { attempt: number; willBeRetried: boolean },
  paint: EndOfRunOptions['paint'],
): string {
  const [why] = result.skipReason?.split('\n') ?? [];
  const time = `${result.seconds.toFixed(1)} s${attempt > 1 ? `, attempt ${attempt}` : ''}`;
  const end = ` ${titleOf(result)} (${time})`;
  if (willBeRetried) return paint('yellow', `↻${end}: failed, attempt ${attempt + 1} follows`);
  const outcome = outcomeOf(result);
  if (outcome === 'passed') return `${paint('green', '✔')}${end}`;
  if (outcome === 'failed') return paint('red', `✘${end}`);
  if (outcome === 'not shown') {
    return `${paint('yellow', '?')}${end} (not shown: ${oneLine(reasonOf(result))})`;
  }
  return `${paint('yellow', '↷')}${end}${why ? ` (skipped: ${oneLine(why)})` : ''}`;
}

/** A scenario in one line: the IDs of its requirements, and its name. */
export function titleOf(scenario: Pick<ScenarioResult, 'tags' | 'name'>): string {
  return oneLine(nameWithIds({ ids: idsOf(scenario), name: scenario.name }));
}

/** What is wrong, where, and when; then what follows from it. */
function causeBlock(
  cause: CauseFacts,
  failed: readonly ScenarioResult[],
  { paint, pageOf, link }: EndOfRunOptions,
): string[] {
  const { where, seen, expected, next, place, log } = cause;
  const { title, judged, lost } = causeInWords(cause, failed.length);
  const { scenarios, followers, stream } = cause;
  const page = stream === undefined ? undefined : pageOf(stream);
  const message = [
    ...(judged === undefined ? [] : [`judged:   ${judged}`]),
    ...lost.map((text) => `lost:     ${text}`),
    `seen:     ${seen}`,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    next === undefined ? NEXT : `next:     ${next}`,
    ...(place === undefined ? [] : [`where:    ${place}`]),
    ...log.map(({ service, text }) => `${service}: ${text}`),
    ...(scenarios.length > 0 ? [`found by ${namesOf(scenarios, failed)}`] : []),
    ...(followers.length > 0 ? [`from it follows: ${namesOf(followers, failed)}`] : []),
  ];
  return [
    `${paint('red', '✘')} ${paint('bold', oneLine(title))}`,
    ...[where, ...message].map((line) => `  ${cut(oneLine(line))}`),
    ...(page === undefined ? [] : [`  evidence: ${link(page)}`]),
  ];
}

function failure(
  result: ScenarioResult,
  number: number,
  options: EndOfRunOptions,
  shownSnippets: Set<string>,
): string[] {
  const { paint, pageOf, link } = options;
  const label = `${number}. `;
  const inside = ' '.repeat(label.length);
  const pages = result.judgedBy.flatMap((stream) => pageOf(stream) ?? []);
  return [
    `${paint('red', '✘')} ${paint('bold', `${label}${titleOf(result)}`)}`,
    ...[
      paint('dim', oneLine(result.place)),
      ...whatFailed(result, options, shownSnippets),
      ...pages.map((page) => `evidence: ${link(page)}`),
    ].map((line) => (line === '' ? '' : `  ${inside}${line}`)),
  ];
}

function whatFailed(
  scenario: ScenarioResult,
  { paint, snippetOf, detailsPage }: EndOfRunOptions,
  shownSnippets: Set<string>,
): string[] {
  const lines = scenario.steps.filter(isFault).flatMap((step) => {
    const line = paint('red', oneLine(`${step.keyword} ${step.text}`));
    if (step.status === 'UNDEFINED') {
      const snippet = safeText(snippetOf(step.text) ?? '');
      const isKnown = snippet === '' || shownSnippets.has(snippet);
      shownSnippets.add(snippet);
      return [
        line,
        '  this step has no definition',
        ...(isKnown ? [] : ['', ...snippet.split('\n').map((code) => `    ${code}`), '']),
      ];
    }
    const text = step.status === 'PENDING' ? 'this step is not finished' : step.message;
    return [line, ...indented(messageLines(text, detailsPage))];
  });
  const ofHooks = outsideSteps(scenario);
  if (ofHooks !== '') {
    const where = `${lines.length > 0 ? 'besides, ' : ''}before or after the steps`;
    lines.push(paint('red', where), ...indented(messageLines(ofHooks, detailsPage)));
  }
  if (scenario.status === 'UNKNOWN') lines.push('the run was ended in the middle of it');
  return saysNext(scenario.message) ? lines : [...lines, `  ${NEXT}`];
}

/** Whether an error of the suite says what to do: each part of it has a line of its own. */
function saysNext(message: string): boolean {
  return /^ {2}next: /m.test(message);
}

function isFault({ status }: StepResult): boolean {
  return status !== 'PASSED' && status !== 'SKIPPED' && status !== 'UNKNOWN';
}

/** As much of a message as has room, and where the rest is. */
function messageLines(message: string, detailsPage: string | undefined): string[] {
  const all = safeText(shownMessage(message)).split('\n');
  const lines = all.slice(0, MOST_LINES).map(cut);
  const isWhole = all.length <= MOST_LINES && all.every((line) => line.length <= LONGEST_LINE);
  return isWhole ? lines : [...lines, detailsPage ? `… more in ${detailsPage}` : '… more'];
}

/** What is not shown, in one block, and what is excluded for nothing. */
function notShown(
  results: readonly ScenarioResult[],
  { paint, policy }: EndOfRunOptions,
): string[] {
  const groups = notShownByReason(results, policy);
  const notes = needlesslyExcluded(results, policy);
  const lines = groups.flatMap(({ reason, scenarios }) => {
    const more = scenarios.length - MOST_NAMES;
    return [
      ...safeText(reason)
        .split('\n')
        .slice(0, MOST_REASON_LINES)
        .map((line) => `  ${cut(line)}`),
      ...scenarios.slice(0, MOST_NAMES).map(({ scenario, excuse = 'fails the run' }) => {
        return paint('dim', `  – ${titleOf(scenario)} (${oneLine(excuse)})`);
      }),
      ...(more > 0 ? [paint('dim', `  – and ${more} more`)] : []),
    ];
  });
  return [
    ...(groups.length > 0
      ? [`${paint('yellow', '?')} ${paint('bold', notShownTitle(groups))}`, ...lines]
      : []),
    ...notes.map((note) => `${paint('yellow', '?')} ${oneLine(note)}`),
  ];
}

/** What was skipped, a block for each reason. */
function skipped(results: readonly ScenarioResult[], { paint }: EndOfRunOptions): string[][] {
  const groups = new Map<string, { reason: string[]; titles: string[] }>();
  for (const result of results) {
    const reason = safeText(result.skipReason ?? 'without a reason').split('\n');
    const group = groups.get(reason[0] ?? '') ?? { reason, titles: [] };
    group.titles.push(titleOf(result));
    groups.set(reason[0] ?? '', group);
  }
  return [...groups.values()].map(({ reason, titles }) => {
    const more = titles.length - MOST_NAMES;
    return [
      `${paint('yellow', '↷')} ${paint('bold', `${counted(titles.length, 'scenario')} skipped`)}`,
      ...reason.slice(0, MOST_REASON_LINES).map((line) => `  ${cut(line)}`),
      ...titles.slice(0, MOST_NAMES).map((title) => paint('dim', `  – ${title}`)),
      ...(more > 0 ? [paint('dim', `  – and ${more} more`)] : []),
    ];
  });
}

function problems({ problems: texts, paint }: EndOfRunOptions): string[] {
  if (texts.length === 0) return [];
  return [
    `${paint('red', '✘')} ${paint('bold', 'Besides the scenarios')}`,
    ...indented(texts.flatMap((text) => safeText(text).split('\n')).map(cut)),
  ];
}

function counts(
  results: readonly ScenarioResult[],
  { seconds, indexPage, isDry, paint, link }: EndOfRunOptions,
): string[] {
  if (results.length === 0) return ['no scenario ran; the results of an earlier run are kept'];
  const all = counted(results.length, 'scenario');
  const shown = (outcome: string, format: Format): string[] => {
    const count = results.filter((result) => outcomeOf(result) === outcome).length;
    return count === 0 ? [] : [paint(format, `${count} ${outcome}`)];
  };
  const failed = shown('failed', 'red');
  if (isDry) return [[`${all} found`, ...failed].join(', ') + '; nothing was run (--dry-run)'];
  const rest = [...shown('skipped', 'yellow'), ...shown('not shown', 'yellow')];
  const outcomes = [...shown('passed', 'green'), ...failed, ...rest];
  const report = indexPage ? [`report: ${link(indexPage)}`] : [];
  return [`${all}: ${outcomes.join(', ')}, in ${duration(seconds)}`, ...report];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function cut(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)} …`;
}
