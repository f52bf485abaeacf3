import { safeText } from '../base/safe-text';
import { idsOf, outcomeOf, outsideSteps } from './scenario-results';
import type { ScenarioResult, StepResult } from './scenario-results';
import { counted, duration, oneLine, shownMessage } from './wording';

/** So many failures are shown with all they have to say; of the others there is a line each. */
const MOST_IN_FULL = 10;
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
  /** Steps were matched and not run (`--dry-run`). */
  isDry?: boolean;
  /** Code to begin a step with that has none. */
  snippetOf: (stepText: string) => string | undefined;
  paint: (format: Format, text: string) => string;
}

/** What is printed when a run has ended: failures first, then what was skipped, then the counts. Ends in a line feed. */
export function endOfRun(results: readonly ScenarioResult[], options: EndOfRunOptions): string {
  const of = (outcome: string): ScenarioResult[] =>
    results.filter((result) => outcomeOf(result) === outcome);
  const failed = of('failed');
  const shownSnippets = new Set<string>();
  const blocks = [
    ...failed
      .slice(0, MOST_IN_FULL)
      .map((result, i) => failure(result, i + 1, options, shownSnippets)),
    failed.slice(MOST_IN_FULL).map((result, i) => {
      const place = options.paint('dim', oneLine(result.place));
      return `${options.paint('red', '✘')} ${MOST_IN_FULL + i + 1}. ${titleOf(result)} ${place}`;
    }),
    ...(options.isDry ? [] : notPassed('skipped', '↷', of('skipped'), options)),
    ...(options.isDry ? [] : notPassed('not shown', '?', of('not shown'), options)),
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
    const [reason = ''] = result.notShown?.split('\n') ?? [];
    return `${paint('yellow', '?')}${end} (not shown: ${oneLine(reason)})`;
  }
  return `${paint('yellow', '↷')}${end}${why ? ` (skipped: ${oneLine(why)})` : ''}`;
}

/** A scenario in one line: the IDs of its requirements, and its name. */
export function titleOf(scenario: Pick<ScenarioResult, 'tags' | 'name'>): string {
  return oneLine([...idsOf(scenario), scenario.name].join(' '));
}

function failure(
  result: ScenarioResult,
  number: number,
  options: EndOfRunOptions,
  shownSnippets: Set<string>,
): string[] {
  const { paint, pageOf } = options;
  const label = `${number}. `;
  const inside = ' '.repeat(label.length);
  const pages = result.judgedBy.flatMap((stream) => pageOf(stream) ?? []);
  return [
    `${paint('red', '✘')} ${paint('bold', `${label}${titleOf(result)}`)}`,
    ...[
      paint('dim', oneLine(result.place)),
      ...whatFailed(result, options, shownSnippets),
      ...pages.map((page) => `evidence: ${page}`),
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
  return lines;
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

/** What was skipped, or cannot be shown, a block for each reason. */
function notPassed(
  word: string,
  sign: string,
  results: readonly ScenarioResult[],
  { paint }: EndOfRunOptions,
): string[][] {
  const groups = new Map<string, { reason: string[]; titles: string[] }>();
  for (const result of results) {
    const said = result.notShown ?? result.skipReason ?? 'without a reason';
    const reason = safeText(said).split('\n');
    const group = groups.get(reason[0] ?? '') ?? { reason, titles: [] };
    group.titles.push(titleOf(result));
    groups.set(reason[0] ?? '', group);
  }
  return [...groups.values()].map(({ reason, titles }) => {
    const more = titles.length - MOST_NAMES;
    return [
      `${paint('yellow', sign)} ${paint('bold', `${counted(titles.length, 'scenario')} ${word}`)}`,
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
  { seconds, indexPage, isDry, paint }: EndOfRunOptions,
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
  const report = indexPage ? [`report: ${indexPage}`] : [];
  return [`${all}: ${outcomes.join(', ')}, in ${duration(seconds)}`, ...report];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function cut(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)} …`;
}
