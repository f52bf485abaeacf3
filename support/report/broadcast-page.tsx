import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ComponentChildren, VNode } from 'preact';

import type { Check } from '../analyze/output-checks';
import { LIMITS } from '../analyze/output-checks';
import { safeText } from '../base/safe-text';
import {
  CHART_STYLE,
  compact,
  FragmentTimeLine,
  MetricChart,
  OffsetChart,
  shownNumber,
  AudioChart,
  STAGES,
  STATE_SIGNS,
  wordOf,
} from './charts';
import type { FragmentFacts, LogEntry, MetricSeries, BroadcastFacts } from './facts';
import { Badge, OnThisPage, page, Quote, WideTable } from './layout';
import { idsOf, outcomeOf } from './scenario-results';
import type { ScenarioResult } from './scenario-results';
import { counted, duration, shownMessage } from './wording';

/** More charts than this are folded. */
const CHARTS_IN_VIEW = 12;
/** More lines than this make a page that nobody can open; all of them are in the evidence folder. */
const MOST_LOG_LINES = 10_000;
const PRINTED_LOG_LINES = 100;
/** What browsers play. */
const PLAYABLE = /\.(?:mp4|m4v|webm)$/i;

/** In the folder of this module; it is put into each page as it is. */
const SCRIPT_FILE = join(__dirname, 'broadcast-page-script.js');

const STYLE = `${CHART_STYLE}
.player { background: var(--back); border-bottom: 1px solid var(--line); padding: .5rem 0; display: flex; gap: 1rem; flex-wrap: wrap; }
.player video { display: block; width: 100%; max-height: 60vh; background: #000; }
.player > * { flex: 1 1 20rem; min-width: 0; } .player p { margin: .3rem 0; }
.now { overflow-wrap: anywhere; }
@media (min-width: 60rem) and (min-height: 30rem) { .player { position: sticky; top: 0; z-index: 5; flex-wrap: nowrap; max-height: 32vh; }
  .player > .screen { flex: 0 0 auto; } .player video { width: auto; max-width: 50vw; height: calc(32vh - 1.1rem); aspect-ratio: 16 / 9; }
  .player > .now { overflow-y: auto; } .has-player [id] { scroll-margin-top: 34vh; } }
tr[aria-current] > * { background: #fff3cd; }
@media (prefers-color-scheme: dark) { tr[aria-current] > * { background: #332a0c; } }
.play { margin-right: .3rem; } .chart-box { overflow-x: auto; margin: .6rem 0; } .chart-box > svg { min-width: 46rem; }
.text { min-width: 12rem; max-width: 26rem; overflow-wrap: anywhere; } #fragments thead th { white-space: normal; vertical-align: bottom; }
.metrics { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; margin: .6rem 0; }
.metrics figure { margin: 0; min-width: 0; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
.filters { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; } .filters label { display: grid; font-size: .9rem; }
.filters input { width: min(22rem, 80vw); } .log { max-height: 32rem; overflow: auto; border: 1px solid var(--line); }
.log table { font: .8125rem/1.4 ui-monospace, monospace; } .log td { padding: .15rem .5rem; } .log button { padding: 0 .3rem; }
.log td:last-child { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 20rem; }
.can-seek svg[data-from-pts] { cursor: crosshair; } [hidden] { display: none !important; } .print-only { display: none; }
.wrong-ones { padding-left: 1.2rem; } .verdict .badge { white-space: normal; }
@media print { .print-only { display: block; } .player { display: none; } .log { max-height: none; overflow: visible; }
  .log tbody tr:nth-child(n + ${PRINTED_LOG_LINES + 1}) { display: none; } .chart-box { overflow: visible; } .chart-box > svg { min-width: 0; }
  details::details-content { content-visibility: visible; block-size: auto; } figure, svg { break-inside: avoid; } }
`;

/**
 * The evidence page of one stream: what was wrong first, then everything that was seen of it.
 *
 * @param judged the scenarios that looked at this broadcast
 * @param runPage the page of the run, relative to this one
 */
export function broadcastPage(
  facts: BroadcastFacts,
  judged: readonly ScenarioResult[],
  runPage: string,
): string {
  const { fragments, images, output } = facts;
  const sections: { id: string; title: string; content: VNode }[] = [
    ...(output
      ? [{ id: 'player', title: 'Player', content: <Player facts={facts} output={output} /> }]
      : []),
    { id: 'fragments', title: 'Fragments', content: <Fragments facts={facts} /> },
    { id: 'time-line', title: 'Time line of fragments', content: <TimeLine facts={facts} /> },
    {
      id: 'offset',
      title: 'A/V offset',
      content: some(fragments, 'No fragment was observed.', () => (
        <ChartBox label="A/V offset">
          <OffsetChart facts={facts} />
        </ChartBox>
      )),
    },
    {
      id: 'audio',
      title: 'Audio',
      content: images ? (
        <ChartBox label="Audio of the original and of the output">
          <AudioChart {...{ images, fragments }} />
        </ChartBox>
      ) : (
        <Missing facts={facts} name="images" />
      ),
    },
    { id: 'metrics', title: 'Metrics', content: <Metrics facts={facts} /> },
    { id: 'findings', title: 'Findings', content: <Findings facts={facts} /> },
    { id: 'files', title: 'Files', content: <Files facts={facts} /> },
    { id: 'log', title: 'Log', content: <Log facts={facts} /> },
  ];
  return page({
    title: safeText(facts.title),
    above: (
      <nav aria-label="Run">
        <a href={runPage}>← All scenarios of the run</a>
      </nav>
    ),
    style: STYLE,
    script: readFileSync(SCRIPT_FILE, 'utf8'),
    data: { segments: segmentsOf(facts) },
    body: (
      <div class={isPlayable(facts) ? 'has-player' : undefined}>
        <Verdict facts={facts} judged={judged} />
        <OnThisPage sections={sections} />
        {sections.map(({ id, title, content }) =>
          // Not within a section, which it would leave the screen with.
          id === 'player' ? (
            content
          ) : (
            <section key={id} id={id}>
              <h2>{title}</h2>
              {content}
            </section>
          ),
        )}
      </div>
    ),
  });
}

function isPlayable({ output }: BroadcastFacts): boolean {
  return output !== undefined && PLAYABLE.test(output.file);
}

/** What the script of the page shows while a fragment is played. */
function segmentsOf({ fragments, segmentSeconds }: BroadcastFacts): unknown[] {
  const shown = fragments.filter(({ shownAtPts }) => Number.isFinite(shownAtPts));
  return shown.map((fragment, index) => {
    const from = fragment.shownAtPts ?? 0;
    const next = shown[index + 1]?.shownAtPts;
    return {
      sequence: fragment.sequence,
      fromPts: from,
      toPts:
        next !== undefined && next > from
          ? Math.min(next, from + segmentSeconds)
          : from + segmentSeconds,
      original: fragment.script ?? fragment.transcript ?? '',
      dub: fragment.translation ?? '',
      state: [wordOf(fragment.state), ...fragment.faults].join('; '),
    };
  });
}

/** A relative link to a file of the evidence folder. */
function linkTo(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/');
}

function some(list: readonly unknown[], otherwise: string, content: () => VNode): VNode {
  return list.length > 0 ? content() : <p class="faint">{otherwise}</p>;
}

function Missing({ facts, name }: { facts: BroadcastFacts; name: string }): VNode {
  return <p class="faint">{safeText(facts.missing[name] ?? 'Not looked at.')}</p>;
}

function ChartBox({ label, children }: { label: string; children: ComponentChildren }): VNode {
  return (
    <div class="chart-box" role="region" aria-label={`Chart: ${label}`} tabindex={0}>
      {children}
    </div>
  );
}

function Verdict({
  facts,
  judged,
}: {
  facts: BroadcastFacts;
  judged: readonly ScenarioResult[];
}): VNode {
  const failed = judged.filter((result) => outcomeOf(result) === 'failed');
  const wrong = facts.fragments.filter(({ state }) => state === 'wrong' || state === 'unheard');
  const checks = facts.checks.filter(({ state }) => state === 'failed' || state === 'not observed');
  const missing = Object.entries(facts.missing);
  return (
    <section aria-label="Verdict">
      <VerdictLine judged={judged} />
      <InShort facts={facts} failed={failed} />
      {facts.plan.length > 0 ? (
        <>
          <p>
            <strong>Made to go wrong</strong> by the scenarios, on purpose; what is found below may
            be what was meant:
          </p>
          <List items={facts.plan} />
        </>
      ) : null}
      {facts.isWhole ? null : (
        <p class="bad">
          <strong>The output is not whole:</strong> {safeText(facts.outcome)}
        </p>
      )}
      {wrong.length > 0 ? (
        <>
          <h2>Fragments that are wrong</h2>
          <ul class="wrong-ones">
            {wrong.map(({ sequence, state, faults }) => (
              <li key={sequence}>
                <a href={`#fragment-${sequence}`}>fragment {sequence}</a>:{' '}
                {safeText(faults.join('; ') || wordOf(state))}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {failed.length > 0 ? <h2>Scenarios that failed</h2> : null}
      {failed.map((result) => (
        <FailedScenario key={result.place + result.name} result={result} />
      ))}
      {checks.length > 0 ? (
        <>
          <h2>Checks that found something</h2>
          <CheckTable checks={checks} label="Checks that found something" />
        </>
      ) : null}
      {facts.problems.length > 0 ? (
        <>
          <h2>Could not be observed</h2>
          <List items={facts.problems} />
        </>
      ) : null}
      {missing.length > 0 ? (
        <details>
          <summary>Not looked at: {missing.map(([name]) => safeText(name)).join(', ')}</summary>
          <dl>
            {missing.map(([name, why]) => (
              <Term key={name} name={safeText(name)}>
                {safeText(why)}
              </Term>
            ))}
          </dl>
        </details>
      ) : null}
      <About facts={facts} />
    </section>
  );
}

/** What is wrong, what is not, and what to do next: where anything is. */
function InShort({
  facts,
  failed,
}: {
  facts: BroadcastFacts;
  failed: readonly ScenarioResult[];
}): VNode | null {
  if (failed.length === 0) return null;
  const offset = offsetInShort(facts);
  const fine = facts.checks.filter(({ state }) => state === 'passed').map(({ title }) => title);
  const ids = [...new Set(failed.flatMap(idsOf))].map((id) => `@${id}`);
  return (
    <ul>
      {offset === undefined ? null : (
        <li>
          {offset} See <a href="#offset">A/V offset</a>.
        </li>
      )}
      {fine.length > 0 ? (
        <li>
          In order are {fine.length} of {counted(facts.checks.length, 'check')}: {fine.join('; ')}.
        </li>
      ) : null}
      {ids.length > 0 ? (
        <li>
          Next: what each message means is in <code>docs/troubleshooting.md</code>; to see it again,{' '}
          <code>npm run acceptance -- --tags "{ids.join(' or ')}"</code>.
        </li>
      ) : null}
    </ul>
  );
}

/** Whether audio that is late or early is so throughout, or more and more; undefined where it is neither. */
function offsetInShort({ fragments, figures }: BroadcastFacts): string | undefined {
  const offsets = fragments.flatMap(({ offsetMs }) => offsetMs ?? []);
  const apart = offsets.filter((ms) => Math.abs(ms) >= LIMITS.deltaMs);
  if (apart.length === 0) return undefined;
  const [least, most] = [Math.min(...apart), Math.max(...apart)];
  const range =
    most - least < 1 ? shownNumber(most, 0) : `${shownNumber(least, 0)} to ${shownNumber(most, 0)}`;
  const drift = Math.abs(figures.driftMs ?? 0);
  const how =
    apart.length < offsets.length
      ? ''
      : drift > LIMITS.driftMs
        ? `, and drifts by ${shownNumber(figures.driftMs, 0)} ms over the stream`
        : ', from the first to the last, without drift';
  return `Audio minus frame is ${range} ms in ${apart.length} of ${counted(fragments.length, 'fragment')}${how}.`;
}

function VerdictLine({ judged }: { judged: readonly ScenarioResult[] }): VNode {
  const count = (outcome: string): number =>
    judged.filter((result) => outcomeOf(result) === outcome).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  const others = skipped > 0 ? `, ${skipped} skipped` : '';
  if (failed > 0) {
    return (
      <p class="verdict bad">
        <Badge look="failed">
          {`${failed} of ${counted(judged.length, 'scenario')} that looked at this broadcast failed`}
        </Badge>
        {passed > 0 ? `; ${passed} passed` : ''}
        {others}.
      </p>
    );
  }
  if (passed === 0) {
    return (
      <p class="verdict unsure">
        {judged.length === 0
          ? 'No scenario looked at this broadcast.'
          : `No scenario judged this broadcast: ${skipped} skipped.`}
      </p>
    );
  }
  return (
    <p class="verdict good">
      <Badge look="passed">
        {passed === 1 ? 'The scenario' : `All ${passed} scenarios`} that looked at this broadcast
        passed
      </Badge>
      {others}.
    </p>
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
          <Badge look="failed" />: {safeText(`${keyword} ${text}`.trim())}
        </p>
      ))}
      <Quote>{shownMessage(result.message) || result.status.toLowerCase()}</Quote>
    </article>
  );
}

function List({ items }: { items: readonly string[] }): VNode {
  return (
    <ul>
      {items.map((item, index) => (
        <li key={index}>{safeText(item)}</li>
      ))}
    </ul>
  );
}

function Term({ name, children }: { name: string; children: ComponentChildren }): VNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function About({ facts }: { facts: BroadcastFacts }): VNode {
  const { figures, fragments } = facts;
  const seconds = (value: number | undefined): string =>
    value === undefined || !Number.isFinite(value) ? '–' : duration(value);
  return (
    <dl>
      <Term name="stream">{safeText(facts.stream)}</Term>
      <Term name="broadcast">
        {`${seconds(facts.durationSeconds)} of ${facts.audio === 'none' ? 'frames without a audio' : facts.audio}, cut into fragments of ${shownNumber(facts.segmentSeconds, 0)} s`}
      </Term>
      <Term name="began">{safeText(facts.startedAt)}</Term>
      <Term name="took">{seconds(figures.tookSeconds)}</Term>
      <Term name="outcome">{safeText(facts.outcome)}</Term>
      <Term name="fragments">
        {`${shownNumber(figures.fragmentsSent, 0)} sent, ${shownNumber(figures.fragmentsAnswered, 0)} answered, ${fragments.filter(({ state }) => state === 'fine').length} heard as they should be`}
      </Term>
      <Term name="answers take">
        {`${shownNumber(figures.answerP50Ms, 0)} ms (half of them), ${shownNumber(figures.answerP95Ms, 0)} ms (95 %), ${shownNumber(figures.answerMaxMs, 0)} ms at most`}
      </Term>
      <Term name="end to end">
        {`${seconds(figures.endToEndSeconds)} from a frame being published to its being shown`}
      </Term>
      <Term name="runtime">{safeText(facts.runtime)}</Term>
      <Term name="listened by">{safeText(facts.monitor)}</Term>
    </dl>
  );
}

function Player({
  facts,
  output,
}: {
  facts: BroadcastFacts;
  output: NonNullable<BroadcastFacts['output']>;
}): VNode {
  const file = safeText(output.file);
  const link = <a href={linkTo(output.file)}>{file}</a>;
  if (!isPlayable(facts)) {
    return (
      <section id="player">
        <h2>Player</h2>
        <p>
          Browsers do not play this recording: open {link} ({seconds(output)}) with a media player.
        </p>
      </section>
    );
  }
  return (
    <>
      <h2 id="player">Player</h2>
      <p class="print-only">The recording is {file}.</p>
      <div class="player">
        <div class="screen">
          <video
            controls
            preload="metadata"
            src={linkTo(output.file)}
            aria-label="The recording of the output"
          />
          <p id="player-trouble" class="bad" role="status" hidden>
            The browser cannot play {link}: it has to be beside this page, in a format that the
            browser knows.
          </p>
        </div>
        <div class="now" role="region" aria-label="The current fragment" tabindex={0}>
          <p class="no-print needs-script" hidden>
            <button type="button" data-step="-1">
              previous fragment
            </button>{' '}
            <button type="button" data-step="1">
              next fragment
            </button>
          </p>
          <p aria-live="off">
            <strong id="now-fragment">{`${file}, ${seconds(output)}`}</strong>
          </p>
          <p lang="en" id="now-original" aria-live="off" />
          <p lang="es" id="now-dub" aria-live="off" />
        </div>
      </div>
    </>
  );
}

function seconds({ seconds: value }: { seconds: number }): string {
  return Number.isFinite(value) ? duration(value) : '–';
}

interface Column {
  head: string;
  /** Numbers where it does not say. */
  look?: 'text' | 'few';
  cell: (fragment: FragmentFacts) => ComponentChildren;
}

/** Undefined where the fragment has none, – is shown then; a column without any is not shown at all. */
const COLUMNS: readonly Column[] = [
  { head: 'offset, ms', cell: ({ offsetMs }) => number(offsetMs) },
  { head: 'correlation', cell: ({ correlation }) => number(correlation, 2) },
  {
    head: 'heard, %',
    cell: ({ heardShare }) => number(heardShare === undefined ? undefined : 100 * heardShare, 0),
  },
  { head: 'original beside it', cell: ({ originalCorrelation }) => number(originalCorrelation, 2) },
  { head: 'answer, ms', cell: ({ roundTripMs }) => number(roundTripMs, 0) },
  { head: 'word error rate', cell: ({ wordErrorRate }) => number(wordErrorRate, 2) },
  { head: 'chrF', cell: ({ chrf }) => number(chrf, 2) },
  {
    head: 'script',
    look: 'text',
    cell: ({ script }) => (script === undefined ? undefined : safeText(script)),
  },
  {
    head: 'transcript → translation',
    look: 'text',
    cell: ({ transcript, translation }) =>
      transcript === undefined && translation === undefined ? undefined : (
        <>
          {safeText(transcript ?? '–')} → <span lang="es">{safeText(translation ?? '–')}</span>
        </>
      ),
  },
  {
    head: 'audio',
    look: 'few',
    cell: ({ sequence, original, dubbed }) =>
      original === undefined && dubbed === undefined ? undefined : (
        <>
          {original === undefined ? null : (
            <a href={linkTo(original)} aria-label={`fragment ${sequence} before`}>
              before
            </a>
          )}{' '}
          {dubbed === undefined ? null : (
            <a href={linkTo(dubbed)} aria-label={`fragment ${sequence} after`}>
              after
            </a>
          )}
        </>
      ),
  },
];

function number(value: number | undefined, digits = 1): string | undefined {
  return value === undefined ? undefined : shownNumber(value, digits);
}

function Fragments({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments } = facts;
  const columns = COLUMNS.filter(({ cell }) =>
    fragments.some((fragment) => cell(fragment) !== undefined),
  );
  return some(fragments, 'No fragment was observed.', () => (
    <WideTable label="Fragments">
      <thead>
        <tr>
          <th scope="col">fragment</th>
          <th scope="col">state</th>
          {columns.map(({ head, look = 'number' }) => (
            <th key={head} scope="col" class={look}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {fragments.map((fragment) => (
          <tr key={fragment.sequence} id={`fragment-${fragment.sequence}`}>
            <th scope="row" class="number">
              {Number.isFinite(fragment.shownAtPts) ? (
                <button
                  type="button"
                  class="play no-print needs-script"
                  data-play={fragment.sequence}
                  aria-label={`play from fragment ${fragment.sequence}`}
                  hidden
                >
                  ▶
                </button>
              ) : null}
              {fragment.sequence}
            </th>
            <td class={fragment.faults.length > 0 ? 'text' : undefined}>
              <FragmentState fragment={fragment} />
            </td>
            {columns.map(({ head, look = 'number', cell }) => (
              <td key={head} class={look}>
                {cell(fragment) ?? '–'}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </WideTable>
  ));
}

function FragmentState({ fragment: { state, faults } }: { fragment: FragmentFacts }): VNode {
  const className = { fine: 'good', wrong: 'bad', unheard: 'bad', 'not looked at': 'faint' }[state];
  return (
    <>
      <span class={`badge ${className}`}>
        <span aria-hidden="true">{STATE_SIGNS[state]}</span> {wordOf(state)}
      </span>
      {faults.map((fault, index) => (
        <div key={index}>{safeText(fault)}</div>
      ))}
    </>
  );
}

function TimeLine({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, marks } = facts;
  return (
    <>
      {some(fragments, 'No fragment was observed.', () => (
        <>
          <ChartBox label="Time line of fragments">
            <FragmentTimeLine facts={facts} />
          </ChartBox>
          <details>
            <summary>The same in numbers: seconds since publishing began</summary>
            <WideTable label="Time line of fragments, in numbers">
              <thead>
                <tr>
                  <th scope="col">fragment</th>
                  {STAGES.map(({ stage }) => (
                    <th key={stage} scope="col" class="number">
                      {stage}
                    </th>
                  ))}
                  <th scope="col">ended</th>
                </tr>
              </thead>
              <tbody>
                {fragments.map(({ sequence, stages, ended }) => (
                  <tr key={sequence}>
                    <th scope="row" class="number">
                      {sequence}
                    </th>
                    {STAGES.map(({ stage }) => {
                      const seen = stages.find((one) => one.stage === stage);
                      return (
                        <td key={stage} class="number">
                          {seen
                            ? `${shownNumber(seen.fromSeconds, 2)} to ${shownNumber(seen.toSeconds, 2)}`
                            : '–'}
                        </td>
                      );
                    })}
                    <td>{safeText(ended ?? '–')}</td>
                  </tr>
                ))}
              </tbody>
            </WideTable>
          </details>
        </>
      ))}
      {marks.length > 0 ? (
        <details>
          <summary>{counted(marks.length, 'mark')}</summary>
          <WideTable label="Marks">
            <thead>
              <tr>
                <th scope="col" class="number">
                  second
                </th>
                <th scope="col">kind</th>
                <th scope="col">what happened</th>
              </tr>
            </thead>
            <tbody>
              {marks.map(({ atSeconds, kind, text }, index) => (
                <tr key={index}>
                  <td class="number">{shownNumber(atSeconds, 2)}</td>
                  <td class={kind === 'fault' ? 'bad' : undefined}>{kind}</td>
                  <td>{safeText(text)}</td>
                </tr>
              ))}
            </tbody>
          </WideTable>
        </details>
      ) : null}
    </>
  );
}

function Metrics({ facts }: { facts: BroadcastFacts }): VNode {
  const { series, histograms } = facts;
  const changes = ({ points }: MetricSeries): boolean =>
    points.some(({ value }) => value !== points[0]?.value);
  const moving = series.filter(changes);
  const constant = series.filter((one) => !changes(one));
  if (series.length + histograms.length === 0) return <Missing facts={facts} name="metrics" />;
  return (
    <>
      {moving.length > 0 ? (
        <Folded if={moving.length > CHARTS_IN_VIEW} summary={`${moving.length} metrics over time`}>
          <MetricCharts facts={facts} moving={moving} />
        </Folded>
      ) : null}
      {constant.length > 0 ? (
        <details>
          <summary>{counted(constant.length, 'metric')} that did not change</summary>
          <WideTable label="Metrics that did not change">
            <MetricHead columns={['value']} />
            <tbody>
              {constant.map(({ name, labels, points }) => (
                <tr key={`${name} ${labels}`}>
                  <td>{safeText(name)}</td>
                  <td>{safeText(labels)}</td>
                  <td class="number">{compact(points[0]?.value)}</td>
                </tr>
              ))}
            </tbody>
          </WideTable>
        </details>
      ) : null}
      {histograms.length > 0 ? (
        <details>
          <summary>{counted(histograms.length, 'histogram')} at the end</summary>
          <WideTable label="Histograms">
            <MetricHead columns={['count', 'mean']} />
            <tbody>
              {histograms.map(({ name, labels, count, mean }) => (
                <tr key={`${name} ${labels}`}>
                  <td>{safeText(name)}</td>
                  <td>{safeText(labels)}</td>
                  <td class="number">{compact(count)}</td>
                  <td class="number">{compact(mean)}</td>
                </tr>
              ))}
            </tbody>
          </WideTable>
        </details>
      ) : null}
    </>
  );
}

function MetricHead({ columns }: { columns: readonly string[] }): VNode {
  return (
    <thead>
      <tr>
        <th scope="col">metric</th>
        <th scope="col">labels</th>
        {columns.map((column) => (
          <th key={column} scope="col" class="number">
            {column}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Folded(parts: { if: boolean; summary: string; children: ComponentChildren }): VNode {
  if (!parts.if) return <>{parts.children}</>;
  return (
    <details>
      <summary>{parts.summary}</summary>
      {parts.children}
    </details>
  );
}

function MetricCharts({ facts, moving }: { facts: BroadcastFacts; moving: MetricSeries[] }): VNode {
  const { marks, ptsZeroAtSeconds } = facts;
  const toSeconds = moving
    .flatMap(({ points }) => points.at(-1)?.atSeconds ?? 0)
    .reduce((a, b) => Math.max(a, b), 1);
  return (
    <>
      <p class="faint">
        Over seconds since publishing began; faults are dashed lines, connections dotted ones.
      </p>
      <div class="metrics">
        {moving.map((series) => (
          <figure key={`${series.name} ${series.labels}`}>
            <figcaption>
              {safeText(series.name)} <span class="faint">{safeText(series.labels)}</span>
            </figcaption>
            <MetricChart {...{ series, marks, toSeconds, ptsZeroAtSeconds }} />
          </figure>
        ))}
      </div>
    </>
  );
}

function Findings({ facts }: { facts: BroadcastFacts }): VNode {
  if (facts.checks.length === 0) return <Missing facts={facts} name="checks" />;
  return <CheckTable checks={facts.checks} label="All checks" />;
}

function CheckTable({ checks, label }: { checks: readonly Check[]; label: string }): VNode {
  const areExplained = checks.some(({ because }) => because !== undefined);
  return (
    <WideTable label={label}>
      <thead>
        <tr>
          <th scope="col">check</th>
          <th scope="col">state</th>
          <th scope="col">seen</th>
          <th scope="col">expected</th>
          {areExplained ? <th scope="col">follows from</th> : null}
        </tr>
      </thead>
      <tbody>
        {checks.map(({ id, title, state, seen, expected, because }) => (
          <tr key={id}>
            <th scope="row">{safeText(title)}</th>
            <td>
              <Badge look={state} />
            </td>
            <td class="text">{safeText(seen)}</td>
            <td class="text">{safeText(expected)}</td>
            {areExplained ? <td>{safeText(because ?? '')}</td> : null}
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

function Files({ facts: { files } }: { facts: BroadcastFacts }): VNode {
  return some(files, 'There are none.', () => (
    <details open={files.length <= 20}>
      <summary>{counted(files.length, 'file')} in the folder of this page</summary>
      <WideTable label="Files">
        <thead>
          <tr>
            <th scope="col">file</th>
            <th scope="col" class="number">
              size
            </th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ name, bytes }) => (
            <tr key={name}>
              <td>
                <a href={linkTo(name)}>{safeText(name)}</a>
              </td>
              <td class="number">{size(bytes)}</td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </details>
  ));
}

function size(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function Log({ facts }: { facts: BroadcastFacts }): VNode {
  const lines = facts.log.slice(0, MOST_LOG_LINES);
  const left = facts.log.length - lines.length;
  const valuesOf = (key: 'service' | 'level'): string[] =>
    [...new Set(lines.map((line) => line[key]))].filter(Boolean).sort();
  return some(lines, 'Nothing was logged.', () => (
    <>
      <form class="filters no-print needs-script" hidden>
        <label>
          Search
          <input type="search" id="log-search" autocomplete="off" />
        </label>
        <Choice id="log-service" label="Service" values={valuesOf('service')} />
        <Choice id="log-level" label="Level" values={valuesOf('level')} />
        <button type="button" id="log-all" hidden>
          show all
        </button>
      </form>
      <p role="status" id="log-count" class="no-print" />
      <p class="print-only">
        {`The first ${PRINTED_LOG_LINES} lines at most are printed; all of them are on the page, and in the evidence folder.`}
      </p>
      {left > 0 ? <p>{`${left} later lines are in the evidence folder only.`}</p> : null}
      <div class="log" role="region" aria-label="Log" tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                second
              </th>
              <th scope="col">service</th>
              <th scope="col">level</th>
              <th scope="col">message</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((entry, index) => (
              <LogLine key={index} {...{ entry, facts }} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  ));
}

function LogLine({ entry, facts }: { entry: LogEntry; facts: BroadcastFacts }): VNode {
  const { atSeconds, service, level, text } = entry;
  const { output, ptsZeroAtSeconds } = facts;
  const pts =
    atSeconds !== undefined && ptsZeroAtSeconds !== undefined ? atSeconds - ptsZeroAtSeconds : NaN;
  const isInOutput = output !== undefined && pts >= 0 && pts <= output.seconds;
  return (
    <tr>
      <td class="number" data-seek={isInOutput ? pts.toFixed(2) : undefined}>
        {shownNumber(atSeconds, 2)}
      </td>
      <td>{safeText(service)}</td>
      <td class={/err|fatal|crit|panic/i.test(level) ? 'bad' : undefined}>{safeText(level)}</td>
      <td>{safeText(text)}</td>
    </tr>
  );
}

function Choice({ id, label, values }: { id: string; label: string; values: string[] }): VNode {
  return (
    <label>
      {label}
      <select id={id}>
        <option value="">all</option>
        {values.map((value) => (
          <option key={value} value={safeText(value)}>
            {safeText(value)}
          </option>
        ))}
      </select>
    </label>
  );
}
