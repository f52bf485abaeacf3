import { safeText } from '../base/safe-text';
import { idsOf, outcomeOf, type ScenarioResult, type StepResult } from './scenario-results';
import { counted, duration, shownMessage } from './wording';

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
    briefly(failed.slice(MOST_IN_FULL), options),
    ...skipped(of('skipped'), options),
    problems(options),
    counts(results, options),
  ].filter((lines) => lines.length > 0);
  return `\n${blocks.map((lines) => `${lines.join('\n')}\n`).join('\n')}`;
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
  const mark = `${number}. `;
  const inside = ' '.repeat(mark.length);
  const pages = result.judgedBy.flatMap((stream) => pageOf(stream) ?? []);
  return [
    `${paint('red', '✘')} ${paint('bold', `${mark}${titleOf(result)}`)}`,
    ...[
      paint('dim', oneLine(result.place)),
      ...whatFailed(result, options, shownSnippets),
      ...pages.map((page) => `evidence: ${page}`),
    ].map((line) => (line === '' ? '' : `  ${inside}${line}`)),
  ];
}

function whatFailed(
  { steps, status, message }: ScenarioResult,
  { paint, snippetOf, detailsPage }: EndOfRunOptions,
  shownSnippets: Set<string>,
): string[] {
  const lines = steps.filter(isFault).flatMap((step) => {
    const line = paint('red', oneLine(`${step.keyword} ${step.text}`));
    if (step.status === 'UNDEFINED') {
      const snippet = safeText(snippetOf(step.text) ?? '');
      const isKnown = snippet === '' || shownSnippets.has(snippet);
      shownSnippets.add(snippet);
      return [
        line,
        '  nothing says what this step does',
        ...(isKnown ? [] : ['', ...snippet.split('\n').map((code) => `    ${code}`), '']),
      ];
    }
    const text = step.status === 'PENDING' ? 'this step is not finished' : step.message;
    return [line, ...indented(messageLines(text, detailsPage))];
  });
  // What hooks have to say belongs to no step.
  const ofSteps = steps
    .filter(({ message: text }) => text !== '')
    .map((step) => `${step.message}\n`);
  const ofHooks = ofSteps.reduce((rest, text) => rest.replace(text, () => ''), message);
  if (ofHooks.trim() !== '') {
    const where =
      lines.length > 0 ? 'besides, before or after the steps' : 'before or after the steps';
    lines.push(paint('red', where), ...indented(messageLines(ofHooks, detailsPage)));
  }
  if (status === 'UNKNOWN') lines.push('the run was ended in the middle of it');
  return lines;
}

function isFault({ status }: StepResult): boolean {
  return status !== 'PASSED' && status !== 'SKIPPED' && status !== 'UNKNOWN';
}

/** As much of a message as has room, and where the rest is. */
function messageLines(message: string, detailsPage: string | undefined): string[] {
  const all = safeText(shownMessage(message)).split('\n');
  const lines = all.slice(0, MOST_LINES).map((line) => cut(line));
  const isWhole = all.length <= MOST_LINES && all.every((line) => line.length <= LONGEST_LINE);
  return isWhole ? lines : [...lines, detailsPage ? `… more in ${detailsPage}` : '… more'];
}

function briefly(failed: readonly ScenarioResult[], { paint }: EndOfRunOptions): string[] {
  return failed.map(
    (result, i) =>
      `${paint('red', '✘')} ${MOST_IN_FULL + i + 1}. ${titleOf(result)} ` +
      paint('dim', oneLine(result.place)),
  );
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
    ...indented(
      texts.flatMap((text) =>
        safeText(text)
          .split('\n')
          .map((line) => cut(line)),
      ),
    ),
  ];
}

function counts(
  results: readonly ScenarioResult[],
  { seconds, indexPage, paint }: EndOfRunOptions,
): string[] {
  const shown = (outcome: string, format: Format): string[] => {
    const count = results.filter((result) => outcomeOf(result) === outcome).length;
    return count === 0 ? [] : [paint(format, `${count} ${outcome}`)];
  };
  const outcomes = [
    ...[...shown('passed', 'green'), ...shown('failed', 'red'), ...shown('skipped', 'yellow')],
  ].join(', ');
  const ran =
    results.length === 0
      ? 'no scenario ran'
      : `${counted(results.length, 'scenario')}: ${outcomes}`;
  return [`${ran}, in ${duration(seconds)}`, ...(indexPage ? [`report: ${indexPage}`] : [])];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

function cut(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)} …`;
}

function oneLine(text: string): string {
  return safeText(text).replace(/\s+/g, ' ').trim();
}
