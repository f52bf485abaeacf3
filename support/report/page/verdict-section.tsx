import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { wordOf } from '../charts/chart';
import { coverageText, lostTexts } from '../coverage';
import type { BroadcastFacts, BroadcastSummary, CauseFacts, VerdictFacts } from '../facts';
import { Badge, type Column, List, Quote, STATES, Table, Terms } from '../layout';
import { idsOf, outcomeOf, type ScenarioResult } from '../scenario-results';
import { offsetSentence } from '../verdict-facts';
import { counted, duration, shownMessage, shownNumber } from '../wording';
import { Causes } from './causes';
import { folded } from './parts';

/** Another broadcast of the run; where its page is, relative to this one. */
export type Beside = Pick<BroadcastSummary, 'name' | 'page'>;

interface SectionParts {
  facts: BroadcastFacts;
  /** The scenarios that judged this broadcast. */
  judged: readonly ScenarioResult[];
}

/** What is wrong, first. */
export function VerdictSection({
  facts,
  judged,
  causes,
  beside,
}: SectionParts & { causes: readonly CauseFacts[]; beside: readonly Beside[] }): VNode {
  const failed = judged.filter((result) => outcomeOf(result) === 'failed');
  // What follows from something else, or is not shown, says something where a scenario has asked for it.
  const verdicts = facts.verdicts.filter(
    ({ state, judgedBy }) => state === 'failed' || (state !== 'passed' && judgedBy.length > 0),
  );
  const missing = Object.entries(facts.missing).map((one) => one.map(safeText) as [string, string]);
  return (
    <section aria-label="Verdict">
      <VerdictLine judged={judged} />
      <Happened facts={facts} />
      <OnPurpose facts={facts} hasFailed={failed.length > 0} />
      {causes.length > 0 ? <h2>Causes</h2> : null}
      <Causes causes={causes} scenarios={judged} />
      <InShort facts={facts} judged={judged} />
      {facts.isComplete ? null : (
        <p class="bad">
          <strong>The output is not complete:</strong> {safeText(facts.outcome)}
        </p>
      )}
      <WrongFragments facts={facts} />
      {failed.length > 0 ? <h2>Scenarios that failed</h2> : null}
      {failed.map((result) => (
        <FailedScenario key={result.place + result.name} result={result} />
      ))}
      {verdicts.length > 0 ? <h2>Checks that did not pass</h2> : null}
      {verdicts.length > 0 ? (
        <VerdictTable verdicts={verdicts} label="Checks that did not pass" />
      ) : null}
      {facts.problems.length > 0 ? <h2>Could not be observed</h2> : null}
      <List items={facts.problems} />
      {folded(missing, `Not measured: ${missing.map(([name]) => name).join(', ')}`, () => (
        <Terms items={missing} />
      ))}
      <About {...{ facts, beside }} />
    </section>
  );
}

function VerdictLine({ judged }: { judged: readonly ScenarioResult[] }): VNode {
  const count = (outcome: string): number =>
    judged.filter((result) => outcomeOf(result) === outcome).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  if (passed + failed === 0) {
    return (
      <p class="verdict unsure">
        {`No scenario judged this broadcast${skipped > 0 ? `: ${skipped} skipped` : ''}.`}
      </p>
    );
  }
  const state = failed > 0 ? 'failed' : 'passed';
  const all = passed === 1 ? 'The scenario' : `All ${passed} scenarios`;
  const who = failed > 0 ? `${failed} of ${counted(judged.length, 'scenario')}` : all;
  return (
    <p class={`verdict ${STATES[state].className}`}>
      <Badge state={state}>{`${who} that judged this broadcast ${state}`}</Badge>
      {failed > 0 && passed > 0 ? `; ${passed} passed` : ''}
      {skipped > 0 ? `, ${skipped} skipped` : ''}.
    </p>
  );
}

/** How many segments viewers hear dubbed, why not the others, and what happened between the services. */
function Happened({ facts }: { facts: BroadcastFacts }): VNode {
  const { coverage, exchange } = facts;
  const { breaker, lostAtSeconds, fallbacks } = exchange;
  const at = (seconds: number): string => `second ${shownNumber(seconds, 0)}`;
  const open = breaker.map(({ fromSeconds, toSeconds, failures }) => {
    const until =
      toSeconds === undefined
        ? 'until the broadcast ended, as no fragment was sent to try the STS again'
        : `to ${at(toSeconds)}`;
    return `After ${counted(failures, 'failure')} in a row, the circuit breaker was open from ${at(fromSeconds)} since publishing began ${until}.`;
  });
  const [firstLost] = lostAtSeconds;
  const counts = fallbacks.map(({ value, delta }) => `${value} ${delta}`).join(', ');
  const happened = [
    ...lostTexts(coverage).map((text) => `Not dubbed as it should be: ${text}.`),
    ...open,
    ...(firstLost === undefined
      ? []
      : [
          `A connection to the STS was lost ${times(lostAtSeconds.length)}, first at ${at(firstLost)} since publishing began.`,
        ]),
    ...(counts === ''
      ? []
      : [`Fallbacks to the original audio as media-service counts them: ${counts}.`]),
  ];
  return (
    <>
      {coverage.segments > 0 ? (
        <p>
          <strong>{`Segments that viewers hear dubbed: ${coverageText(coverage)}.`}</strong>
        </p>
      ) : null}
      <List items={happened} />
    </>
  );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function OnPurpose(parts: { facts: BroadcastFacts; hasFailed: boolean }): VNode | null {
  const { faults, isDisturbed } = parts.facts;
  if (!isDisturbed) return null;
  return (
    <>
      <p>
        <strong>Made to go wrong on purpose.</strong>{' '}
        {parts.hasFailed
          ? 'What is found below may be its effect:'
          : 'What is red below is its effect, as the scenarios expect it:'}
      </p>
      <List items={faults} />
    </>
  );
}

/** What is wrong, what is not, and what to do next: where anything is. */
function InShort({ facts, judged }: SectionParts): VNode | null {
  const failed = judged.filter((result) => outcomeOf(result) === 'failed');
  if (failed.length === 0) return null;
  const { verdicts } = facts;
  const offset = offsetSentence(facts);
  const passed = verdicts.filter(({ state }) => state === 'passed').map(({ title }) => title);
  const ids = [...new Set(failed.flatMap(idsOf))].map((id) => `@${id}`);
  return (
    <ul>
      {offset === undefined ? null : (
        <li>
          {offset} See <a href="#offset">A/V offset</a>.
        </li>
      )}
      {passed.length === 0 ? null : (
        <li>
          {folded(passed, checksInWords(verdicts), () => (
            <List items={passed} />
          ))}
        </li>
      )}
      {ids.length > 0 ? (
        <li>
          Next: what each message means is in <code>docs/troubleshooting.md</code>; to see it again,{' '}
          <code>npm run acceptance -- --tags "{ids.join(' or ')}"</code>.
        </li>
      ) : null}
    </ul>
  );
}

/** `11 checks passed, 3 failed, 13 could not be judged as something before them is missing`. */
function checksInWords(verdicts: readonly VerdictFacts[]): string {
  const count = (...states: VerdictFacts['state'][]): number =>
    verdicts.filter(({ state }) => states.includes(state)).length;
  const texts: [number, string][] = [
    [count('failed'), 'failed'],
    [count('follows'), 'follow from that'],
    [count('not shown'), 'had nothing to judge'],
  ];
  return [
    `${counted(count('passed'), 'check')} passed`,
    ...texts.filter(([of]) => of > 0).map(([of, words]) => `${of} ${words}`),
  ].join(', ');
}

function WrongFragments({ facts }: { facts: BroadcastFacts }): VNode | null {
  const wrong = facts.fragments.filter(({ state }) => state === 'wrong' || state === 'unheard');
  if (wrong.length === 0) return null;
  return (
    <>
      <h2>Fragments that are wrong</h2>
      <ul class="wrong-ones">
        {wrong.map(({ sequence, state, remarks }) => (
          <li key={sequence}>
            <a href={`#fragment-${sequence}`}>fragment {sequence}</a>, {wordOf(state)}
            {remarks.length > 0 ? `: ${remarks.map(safeText).join('; ')}` : ''}
          </li>
        ))}
      </ul>
    </>
  );
}

function FailedScenario({ result }: { result: ScenarioResult }): VNode {
  const steps = result.steps.filter(({ status }) => status !== 'PASSED' && status !== 'SKIPPED');
  return (
    <article>
      <h3>{safeText(result.name)}</h3>
      <p class="faint">
        {[...idsOf(result), result.place].filter(Boolean).map(safeText).join(', ')}
      </p>
      {steps.map(({ keyword, text }, index) => (
        <p key={index}>
          <Badge state="failed" />: {safeText(`${keyword} ${text}`.trim())}
        </p>
      ))}
      <Quote>{shownMessage(result.message) || result.status.toLowerCase()}</Quote>
    </article>
  );
}

/** What of the machine may have made a broadcast late. */
function machineText({ busyShare, waits }: BroadcastFacts): string {
  const busy =
    busyShare === undefined ? [] : [`processors ${Math.round(100 * busyShare)} % busy on average`];
  if (waits === undefined) return 'not observed';
  const kept =
    waits.count === 0
      ? 'the suite itself was never kept waiting'
      : `the suite itself was kept waiting ${times(waits.count)}, ${shownNumber(waits.longestMs / 1000, 2)} s at most`;
  return [...busy, kept].join('; ');
}

function BesideIt({ beside }: { beside: readonly Beside[] }): VNode {
  if (beside.length === 0) return <>no other broadcast of the run</>;
  return folded(beside, counted(beside.length, 'other broadcast'), () => (
    <ul>
      {beside.map(({ name, page }, index) => (
        <li key={index}>{page === undefined ? name : <a href={page}>{name}</a>}</li>
      ))}
    </ul>
  )) as VNode;
}

function About(parts: { facts: BroadcastFacts; beside: readonly Beside[] }): VNode {
  const { facts, beside } = parts;
  const { figures, coverage } = facts;
  const media = facts.audio === 'none' ? 'video without audio' : facts.audio;
  const { fragmentsSent, fragmentsAnswered, answerP50Ms, answerP95Ms, answerMaxMs } = figures;
  const [p50, p95, longest] = [answerP50Ms, answerP95Ms, answerMaxMs].map((value) =>
    shownNumber(value, 0, ' ms'),
  );
  const length = `${duration(facts.durationSeconds)} of ${media}`;
  return (
    <Terms
      items={[
        ['stream', safeText(facts.stream)],
        ['broadcast', `${length}, in segments of ${shownNumber(facts.segmentSeconds, 0)} s`],
        ['began', safeText(facts.startedAt)],
        ['took', duration(figures.tookSeconds)],
        ['outcome', safeText(facts.outcome)],
        ['segments', `${coverage.segments} to be dubbed`],
        ['fragments', `${fragmentsSent} sent, ${fragmentsAnswered} answered`],
        ['latency per fragment', `p50 ${p50}, p95 ${p95}, longest ${longest}`],
        [
          'latency end to end',
          `${duration(figures.endToEndSeconds)} from the first frame being published to its being shown; at the end ${duration(figures.lateAtEndSeconds)}`,
        ],
        ['on the air beside it', <BesideIt beside={beside} />],
        ['machine', machineText(facts)],
        ['runtime', safeText(facts.runtime)],
        ['STS monitor', safeText(facts.monitor)],
      ]}
    />
  );
}

const VERDICT: readonly Column<VerdictFacts>[] = [
  { head: 'criterion', isHead: true, cell: ({ title }) => safeText(title) },
  { head: 'state', cell: ({ state }) => <Badge state={state} /> },
  { head: 'seen', kind: 'text', cell: ({ seen }) => safeText(seen) },
  { head: 'expected', kind: 'text', cell: ({ expected }) => safeText(expected) },
  { head: 'judged by', kind: 'text', cell: (verdict) => <JudgedBy {...verdict} /> },
];
const CAUSE: Column<VerdictFacts> = {
  ...{ head: 'follows from', kind: 'text' },
  cell: ({ because }) => because && safeText(`${because.title}: ${because.seen}`),
};

/** Recorded verdicts, with what was seen and expected as the scenario says it. */
export function VerdictTable(parts: { verdicts: readonly VerdictFacts[]; label: string }): VNode {
  const areExplained = parts.verdicts.some(({ because }) => because !== undefined);
  const columns = areExplained ? [...VERDICT, CAUSE] : VERDICT;
  return <Table {...{ label: parts.label, columns }} rows={parts.verdicts} />;
}

function JudgedBy({ judgedBy }: VerdictFacts): VNode {
  if (judgedBy.length === 0) return <span class="faint">default limit</span>;
  return (
    <>
      {judgedBy.map(({ name, place }) => (
        <div key={place} title={safeText(place)}>
          {safeText(name)}
        </div>
      ))}
    </>
  );
}
