import { safeText } from '../base/safe-text';
import { causeInWords, namesOf, NOT_AS_IT_SHOULD_BE } from './causes';
import type { CauseFacts } from './facts';
import { reportFiles, type RunFacts } from './facts';
import { STATES } from './layout';
import type { Spec } from './requirements';
import {
  requirementsInWords,
  type RequirementState,
  requirementStatesOf,
} from './requirement-states';
import { needlesslyExcluded, type NotShownGroup, notShownByReason } from './not-shown';
import { notShownTitle, policyOf, scopeInWords } from './not-shown';
import { broadcastColumns, skippedByReason, stateOfBroadcast, verdictOf } from './run-report';
import { idsOf, nameWithIds, outcomeOf, outsideSteps } from './scenario-results';
import type { ScenarioResult } from './scenario-results';
import { leadOf } from './lead';
import { figureText, WORST_LINES } from './page/showcase-section';
import { counted, cut, shownMessage, shownNumber } from './wording';

/** In UTF-8. A CI job's page takes a summary of 1 MiB, a comment 65 536 characters. */
const MOST_BYTES = 60_000;
const LONGEST_NAME = 200;
/** The heading of what was made to go wrong. */
const ON_PURPOSE = 'Made to go wrong';
/** Of the verdict in a sentence, which names causes. */
const LONGEST_LINE = 600;

interface Limits {
  /** Of a failure's message. */
  characters: number;
  /** Of each list and table. */
  lines: number;
}

/** How much is told: the first of these with which the summary is short enough. */
const LIMITS: readonly Limits[] = [
  { characters: 20_000, lines: 200 },
  { characters: 2000, lines: 100 },
  { characters: 500, lines: 50 },
  { characters: 200, lines: 20 },
  { characters: 0, lines: 5 },
];

/** What a CI job's page shows of a run, in GitHub-flavoured Markdown; at most 60 KB. */
export function summaryOf(facts: RunFacts, specs: readonly Spec[]): string {
  for (const limits of LIMITS) {
    const summary = summaryWithin(facts, specs, limits);
    if (Buffer.byteLength(summary) <= MOST_BYTES) return summary;
  }
  return `${verdictLine(facts)}\n\nThere is more to say than fits here: see \`${reportFiles.index}\`.\n`;
}

function summaryWithin(facts: RunFacts, specs: readonly Spec[], limits: Limits): string {
  const { causes = [], scenarios, problems, broadcasts } = facts;
  const failed = scenarios.filter((scenario) => outcomeOf(scenario) === 'failed');
  const reasons = skippedByReason(scenarios);
  const policy = policyOf(facts.scopes);
  const notShown = notShownByReason(scenarios, policy);
  const states = requirementStatesOf(specs, facts);
  const missed = states
    .flatMap(({ requirements }) => requirements)
    .filter(({ state }) => state !== 'passed' && state !== 'not run');
  const blocks = [
    verdictLine(facts),
    ...(causes.length > 0 ? ['### Causes'] : []),
    ...some(causes, limits, (cause) => causeBlock(cause, failed, limits)),
    showcaseBlock(facts),
    ...facts.scopes.map((scope) => markdown(scopeInWords(scope)[0] ?? '')),
    ...(failed.length > 0 ? ['### Failures'] : []),
    ...some(failed, limits, (scenario) => failure(facts, scenario, limits)),
    ...(problems.length > 0 ? ['### Problems'] : []),
    ...some(problems, limits, (problem) => fenced(cut(problem, Math.max(limits.characters, 200)))),
    ...(reasons.length > 0 ? ['### Skipped'] : []),
    ...some(reasons, limits, (one) => reasonBlock(one, limits)),
    ...(notShown.length > 0 ? [`### ${notShownTitle(notShown)}`] : []),
    ...some(notShown, limits, (one) => notShownBlock(one, limits)),
    ...some(needlesslyExcluded(scenarios, policy), limits, markdown),
    '### Requirements',
    `${requirementsInWords(states)}.`,
    some(missed, limits, requirement).join('\n'),
    ...(broadcasts.length > 0 ? ['### Broadcasts', broadcastTable(facts, limits)] : []),
    `Everything else is in \`${reportFiles.index}\` of the results.`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** With the sentences of it that are not passed. */
function requirement({ id, state, text, missing }: RequirementState): string {
  return [
    `- ${STATES[state].sign} ${state}: **${markdown(id)}** ${markdown(text)}`,
    ...missing.map(
      (one) => `  - ${STATES[one.state].sign} ${markdown(one.text)} (${markdown(one.why)})`,
    ),
  ].join('\n');
}

function reasonBlock(
  { reason, scenarios }: ReturnType<typeof skippedByReason>[number],
  { characters }: Limits,
): string {
  return details(
    `${counted(scenarios.length, 'scenario')}: ${markdown(reason.split('\n')[0] ?? '')}`,
    fenced(cut(reason, Math.max(characters, 200))),
  );
}

/** The reason, and the scenarios, each with why the run does not fail by it. */
function notShownBlock({ reason, scenarios }: NotShownGroup, limits: Limits): string {
  const list = some(scenarios, limits, ({ scenario, excuse = 'fails the run' }) => {
    return `- ${markdown(nameWithIds({ ids: idsOf(scenario), name: scenario.name }))} (${markdown(excuse)})`;
  });
  return details(
    `${counted(scenarios.length, 'scenario')}: ${markdown(reason.split('\n')[0] ?? '')}`,
    `${fenced(cut(reason, Math.max(limits.characters, 200)))}\n\n${list.join('\n')}`,
  );
}

/** In a sentence what viewers get and what failed, what of it is lost, and the verdict. */
function verdictLine(facts: RunFacts): string {
  const { outcome } = verdictOf(facts);
  const { sentence, notes, verdict = '', seenIn } = leadOf(facts);
  return [
    `## ${STATES[outcome].sign} ${lineOf(sentence)}`,
    notes.map((one) => `- ${lineOf(one)}`).join('\n'),
    lineOf(verdict),
    seenIn ? `What viewers get is seen in “${lineOf(seenIn.name)}”.` : '',
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

/** Room to each limit, and the lines of the translation that a reader has to judge. */
function showcaseBlock({ showcase }: RunFacts): string {
  if (!showcase) return '';
  const { figures, lines } = showcase;
  const shown = figures.map((one) => `${one.name}: ${figureText(one)}`).join('; ');
  const worst = lines.slice(0, WORST_LINES).map(({ script = '', translation = '', chrf }) => {
    return `- ${markdown(script)} → ${markdown(translation)} (chrF ${shownNumber(chrf, 2)})`;
  });
  return [
    ...(shown === '' ? [] : [`Measured: ${lineOf(shown)}.`]),
    ...(worst.length === 0
      ? []
      : [
          `Whether the translation can be understood, a reader has to say. The lines least like a translator's:\n\n${worst.join('\n')}`,
        ]),
  ].join('\n\n');
}

/** What is wrong, where, and when; then what follows from it. */
function causeBlock(
  cause: CauseFacts,
  failed: readonly ScenarioResult[],
  { characters }: Limits,
): string {
  const { where, seen, expected, place, meaning, next, log, scenarios, followers } = cause;
  const { title, judged, lost } = causeInWords(cause, failed.length);
  const texts = [
    [where, place].filter(Boolean).join(', '),
    ...(judged === undefined ? [] : [`judged as: ${judged}`]),
    ...lost.map((text) => `${NOT_AS_IT_SHOULD_BE}: ${text}`),
    `seen: ${seen}`,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(meaning === undefined ? [] : [`means: ${meaning}`]),
    ...(next === undefined ? [] : [`next: ${next}`]),
    ...log.map(({ service, text }) => `${service}: ${text}`),
    ...(scenarios.length > 0 ? [`found by ${namesOf(scenarios, failed)}`] : []),
    ...(followers.length > 0 ? [`from it follows: ${namesOf(followers, failed)}`] : []),
  ];
  return details(markdown(title), fenced(cut(texts.join('\n'), Math.max(characters, 200))), true);
}

function failure(facts: RunFacts, scenario: ScenarioResult, { characters }: Limits): string {
  const { feature, place, steps, judgedBy, status } = scenario;
  const bad = steps.filter((step) => outcomeOf(step) === 'failed');
  const pages = judgedBy.flatMap(
    (stream) => facts.broadcasts.find((one) => one.stream === stream)?.page ?? [],
  );
  const texts = [
    ...bad.map(({ keyword, text, message, status: how }) =>
      [`${keyword} ${text}`, message === '' ? how.toLowerCase() : shownMessage(message)].join('\n'),
    ),
    shownMessage(outsideSteps(scenario)),
    status === 'UNKNOWN' ? 'the run was ended in the middle of it' : '',
  ].filter((text) => text !== '');
  const lines = [
    [feature, place]
      .filter(Boolean)
      .map((text) => markdown(text))
      .join(' · '),
    ...(characters > 0 && texts.length > 0 ? [fenced(cut(texts.join('\n\n'), characters))] : []),
    ...(pages.length > 0 ? [`Evidence: ${pages.map(code).join(', ')}`] : []),
  ];
  const title = `${STATES.failed.sign} <b>${markdown(scenario.name)}</b> ${markdown(idsOf(scenario).join(', '))}`;
  return details(title, lines.join('\n\n'), true);
}

function broadcastTable({ broadcasts, scenarios }: RunFacts, limits: Limits): string {
  const header = ['State', 'Broadcast', ...broadcastColumns.map(({ head }) => head), ON_PURPOSE];
  const rows = broadcasts
    .slice(0, limits.lines)
    .map((summary) => [
      stateOfBroadcast(summary, scenarios).state,
      markdown(summary.name),
      ...broadcastColumns.map(({ cell }) => markdown(cell(summary))),
      markdown(summary.faults.join('; ')),
    ]);
  const rule = header.map((_, index) =>
    index <= 1 || index === header.length - 1 ? '---' : '---:',
  );
  const table = [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const more = broadcasts.length - rows.length;
  return more > 0 ? `${table}\n\n… and ${more} more.` : table;
}

/** As many as the limits allow, and how many more there are. */
function some<T>(items: readonly T[], { lines }: Limits, shown: (item: T) => string): string[] {
  const more = items.length - lines;
  return [...items.slice(0, lines).map(shown), ...(more > 0 ? [`… and ${more} more.`] : [])];
}

/** The empty lines are what lets Markdown begin again inside. */
function details(summary: string, content: string, isOpen = false): string {
  return `<details${isOpen ? ' open' : ''}><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

/** A block of code that its own text cannot end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${safeText(text)}\n${fence}`;
}

/** A line of which a text is too short to be cut. */
function lineOf(text: string): string {
  return markdown(text, LONGEST_LINE);
}

/** A short text in which nothing is Markdown or HTML. */
function markdown(text: string, longest = LONGEST_NAME): string {
  return cut(safeText(text).replace(/\s+/g, ' '), longest).replace(
    /[&<>|`*[\]\\~#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}

function code(text: string): string {
  return `<code>${markdown(text)}</code>`;
}
