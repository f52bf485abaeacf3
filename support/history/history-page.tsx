import type { ComponentChildren, VNode } from 'preact';

import { CHART_STYLE } from '../report/charts/chart';
import { comparisonRows, compareRuns, LEAST_FRAGMENTS } from '../report/compare';
import { type BroadcastFigures, reportFiles } from '../report/facts';
import { Badge, type Column, List, page, type PageSection } from '../report/layout';
import { section, Sections, type ShownState, STATES, Table } from '../report/layout';
import { figureText } from '../report/page/showcase-section';
import type { SoakVerdict } from '../report/soak-record';
import { counted, duration, shownNumber } from '../report/wording';
import { comparedRecord, median, medianOf, runsBefore } from './median';
import { type PassRate, passRates } from './repeated-runs';
import { ENDS, endsIn, figureOf, isPassed, marginOf, momentOf } from './run-record';
import { type Nearest, nearestIn, OUTCOMES, type RunRecord } from './run-record';
import { TREND_STYLE, type Trend, TrendChart } from './trend-chart';

/** So many runs are listed, and scenarios judged by how they ended in these. */
const LISTED = 50;
/** The last run is compared with the median of so many before. */
const COMPARED = 10;

const STYLE = `${CHART_STYLE}${TREND_STYLE}
.trends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1rem 2rem; }
.trend { margin: 0; max-width: 40rem; } .trend figcaption { font-size: .9rem; } .legend { display: block; font-size: .8125rem; }
.legend svg.chart { display: inline-block; width: 22px; height: 8px; vertical-align: middle; }
.ends { font: .75rem/1.2 ui-monospace, monospace; letter-spacing: .05em; overflow-wrap: anywhere; min-width: 9rem; }
.said { min-width: 14rem; } .when, .id { white-space: nowrap; } .digest { font-size: .8125rem; }
@media print { .trend { break-inside: avoid; } }
`;

/** What the page of a history is made of. */
export interface HistoryFacts {
  /** In the order in which they began. */
  runs: readonly RunRecord[];
  /** What they show of requirements that need several. */
  judged: readonly SoakVerdict[];
  /** What of the files is not in it, and why. */
  leftOut: readonly string[];
  /** Other runtimes, whose runs are not in it. */
  others: readonly string[];
  isBesideRun: boolean;
}

/** The page of all runs: how often they passed, and how their figures have changed. */
export function historyPage(facts: HistoryFacts): string {
  const { runs, isBesideRun } = facts;
  return page({
    title: `History of ${counted(runs.length, 'run')}`,
    above: isBesideRun ? <a href={reportFiles.index}>Page of the last run</a> : null,
    style: STYLE,
    body: (
      <>
        <Summary {...facts} />
        <Sections sections={sectionsOf(facts)} />
      </>
    ),
  });
}

function sectionsOf({ runs, judged, leftOut, others }: HistoryFacts): PageSection[] {
  const last = runs.findLast(({ seconds }) => seconds !== undefined);
  const notes = [
    ...leftOut,
    ...others.map((one) => `Runs on ${one} are not in it: npm run history -- --runtime ${one}`),
  ];
  return [
    section('rate', 'Pass rate and time', <RunTrends runs={runs} />),
    ...(last ? [section('changes', 'What has changed', <Changes {...{ last, runs }} />)] : []),
    section('margins', 'Margins to limits', <Margins runs={runs} />),
    section('scenarios', 'Scenarios that did not always pass', <Scenarios runs={runs} />),
    section('repeated', 'Requirements of repeated runs', <Repeated judged={judged} />),
    section('broadcasts', 'Broadcasts without faults', <Broadcasts runs={runs} />),
    section('runs', 'Runs', <Runs runs={runs} />),
    ...(notes.length > 0 ? [section('left-out', 'Not in it', <List items={notes} />)] : []),
  ];
}

function Summary({ runs, others }: HistoryFacts): VNode {
  const recent = runs.slice(-LISTED);
  const passed = recent.filter(({ outcome }) => outcome === 'passed').length;
  const interrupted = recent.filter(({ outcome }) => outcome === 'interrupted').length;
  const last = recent.at(-1);
  const [first] = runs;
  if (!last || !first) return <p>No run is in it yet.</p>;
  const rate = shownNumber((100 * passed) / recent.length, 0, ' %');
  const broken = interrupted > 0 ? `, ${interrupted} without an end` : '';
  const runtimes = [...new Set(runs.flatMap(({ runtime }) => runtime ?? []))].join(', ');
  const parts = runs.filter(({ ends, known }) => ends.length < known).length;
  const inParts = parts > 0 ? `${counted(parts, 'run')} asked for a part of the scenarios.` : '';
  const { className } = STATES[stateOf(last)];
  const which = runs.length > LISTED ? `the last ${LISTED}` : `${runs.length}`;
  return (
    <>
      <p class={`verdict ${className}`}>
        <strong>{`${passed} of ${which} ${runs.length === 1 ? 'run' : 'runs'} passed (${rate})${broken}. `}</strong>
        {`The last one: ${last.verdict}`}
      </p>
      <p>{`From ${momentOf(first)} to ${momentOf(last)}; ${runtimes ? `services on ${runtimes}` : 'no services were started'}${others.length > 0 ? `; those on ${others.join(', ')} apart` : ''}. ${inParts}`}</p>
    </>
  );
}

function stateOf({ outcome }: RunRecord): ShownState {
  return outcome === 'interrupted' ? 'not run' : outcome;
}

const REPEATED: Column<SoakVerdict>[] = [
  { head: 'State', cell: ({ state }) => <Badge state={state} /> },
  { head: 'ID', kind: 'id', isHead: true, cell: ({ requirement }) => requirement },
  { head: 'What must hold', kind: 'said', cell: ({ sentence }) => sentence },
  { head: 'Seen', kind: 'said', cell: ({ seen, what }) => (what ? `${what}: ${seen}` : seen) },
  { head: 'Expected', kind: 'said', cell: ({ expected }) => expected },
];

function Repeated({ judged }: { judged: readonly SoakVerdict[] }): VNode {
  return (
    <>
      <p>Judged by the last runs of all scenarios of the spec, as many as it names.</p>
      <Table label="Table: Requirements of repeated runs" columns={REPEATED} rows={judged} />
    </>
  );
}

/** The last run against the median of those before. */
function Changes({ last, runs }: { last: RunRecord; runs: readonly RunRecord[] }): VNode {
  const before = runsBefore(last, runs, COMPARED);
  if (before.length === 0) return <p>No run before the last one was of the same scenarios.</p>;
  const comparison = compareRuns(medianOf(before), comparedRecord(last));
  const rows = comparisonRows(comparison);
  return (
    <>
      <p>{`The run of ${momentOf(last)} against the ${comparison.a}: ${comparison.gotWorse === 0 ? 'nothing got worse' : `${counted(comparison.gotWorse, 'thing')} got worse`}.`}</p>
      {rows.length === 0 ? (
        <p>No figure moved beyond noise.</p>
      ) : (
        <Table label="Table: What has changed" rows={rows} columns={CHANGES} />
      )}
    </>
  );
}

const CHANGES: Column<ReturnType<typeof comparisonRows>[number]>[] = [
  {
    head: 'Change',
    cell: ({ change, isWorse }) => <span class={isWorse ? 'bad' : ''}>{change}</span>,
  },
  { head: 'What', kind: 'said', isHead: true, cell: ({ what }) => what },
  { head: 'Before', kind: 'number', cell: ({ before }) => before },
  { head: 'Last run', kind: 'number', cell: ({ now }) => now },
  { head: 'Noise up to', kind: 'number', cell: ({ noise }) => noise },
  { head: 'Broadcast', kind: 'said', cell: ({ broadcast }) => broadcast },
];

function Scenarios({ runs }: { runs: readonly RunRecord[] }): VNode {
  const recent = runs.slice(-LISTED);
  const rates = passRates(recent);
  const unsteady = rates.filter(({ passed, ran, flaky }) => passed < ran || flaky > 0);
  const steady = `${rates.length - unsteady.length} of ${counted(rates.length, 'scenario')} passed in every run that ran it, of ${recent.length === 1 ? 'the last one' : `the last ${recent.length}`}.`;
  return (
    <>
      <p>{steady}</p>
      {unsteady.length === 0 ? null : (
        <Table
          label="Table: Scenarios that did not always pass"
          rows={unsteady}
          columns={SCENARIOS}
        />
      )}
      <p class="faint">
        Flaky: passed at a retry, or failed and passed with the same revision and images.
      </p>
    </>
  );
}

const SCENARIOS: Column<PassRate>[] = [
  {
    head: 'Passed',
    kind: 'number',
    cell: ({ passed, ran }) =>
      `${passed} of ${ran} (${shownNumber((100 * passed) / ran, 0, ' %')})`,
  },
  { head: 'Flaky', kind: 'number', cell: ({ flaky }) => (flaky === 0 ? '–' : flaky) },
  { head: 'Scenario', kind: 'said', isHead: true, cell: ({ title }) => title },
  { head: 'Each run, the last one at the right', cell: ({ ends }) => <Ends ends={ends} /> },
];

function Ends({ ends }: { ends: string }): VNode {
  const letters = endsIn(ends);
  const said = endsIn(ends.replace(/^-+/, ''));
  const failed = said.filter((end) => end === 'F').length;
  return (
    <span
      class="ends"
      role="img"
      aria-label={`${failed} failed; the last one ${ENDS[said.at(-1) ?? '-']}`}
    >
      {letters.map((end, index) => {
        const { sign, className } = STATES[end === '-' ? 'not run' : OUTCOMES[end]];
        return (
          <span key={index} class={end === '-' ? 'faint' : className}>
            {end === 'R' ? '↻' : end === '-' ? '·' : sign}
          </span>
        );
      })}
    </span>
  );
}

function RunTrends({ runs }: { runs: readonly RunRecord[] }): VNode {
  const ended = runs.filter(({ seconds }) => seconds !== undefined);
  // The time of other scenarios is another time.
  const most = ended.map(({ specs }) => specs.length).reduce((a, b) => Math.max(a, b), 0);
  const whole = ended.filter(({ specs }) => most > 0 && specs.length === most);
  const last = ended.at(-1);
  const timed = whole.length > 0 || !last ? whole : [...runsBefore(last, ended, Infinity), last];
  return (
    <div class="trends">
      <TrendChart
        title="Scenarios that passed"
        runs={ended}
        unit=" %"
        decimals={1}
        trends={[{ name: 'of those that ran', figureOf: passedPercent }]}
      />
      <TrendChart
        title={
          whole.length > 0 ? 'Time of the whole suite' : 'Time of the scenarios of the last run'
        }
        runs={timed}
        unit=" min"
        decimals={1}
        trends={[
          {
            name: 'runs of the same scenarios',
            figureOf: ({ seconds }) => seconds && seconds / 60,
          },
        ]}
      />
    </div>
  );
}

function passedPercent({ ends }: RunRecord): number | undefined {
  const ran = endsIn(ends).filter((end) => end !== '-' && end !== 'N');
  return ran.length === 0 ? undefined : (100 * ran.filter(isPassed).length) / ran.length;
}

/** A figure as the last run has it that has one, and its margins in the last runs, in percent of its limit. */
interface MarginRow {
  last: Nearest;
  ofRecent: number[];
}

function percentOf(run: RunRecord, criterion: string): number | undefined {
  const nearest = nearestIn(run).find((one) => one.criterion === criterion);
  return nearest && 100 * marginOf(nearest);
}

function Margins({ runs }: { runs: readonly RunRecord[] }): VNode {
  const recent = runs.slice(-LISTED);
  const last = new Map(recent.flatMap(nearestIn).map((one) => [one.criterion, one]));
  const rows = [...last.values()].map((one): MarginRow => ({
    last: one,
    ofRecent: recent.flatMap((run) => percentOf(run, one.criterion) ?? []),
  }));
  if (rows.length === 0) return <p class="faint">None of the last runs has a figure.</p>;
  rows.sort((a, b) => marginOf(a.last) - marginOf(b.last));
  return (
    <>
      <p>
        How far the figure that is nearest to its limit is away from it, in percent of the limit, or
        of what is between the limit and 100 %; below 0 it is beyond. The nearest first.
      </p>
      <Table label="Table: Margins to limits" rows={rows} columns={MARGINS} />
      <details>
        <summary>Margins over all runs</summary>
        <div class="trends">
          {rows.map(({ last: { criterion, name } }) => (
            <TrendChart
              key={criterion}
              {...{ title: name, runs }}
              unit=" %"
              decimals={0}
              trends={[{ name: 'margin', figureOf: (run) => percentOf(run, criterion) }]}
            />
          ))}
        </div>
      </details>
    </>
  );
}

const MARGINS: Column<MarginRow>[] = [
  {
    head: 'Margin',
    kind: 'number',
    cell: ({ last: one }) => shownNumber(100 * marginOf(one), 0, ' %'),
  },
  {
    head: 'Median',
    kind: 'number',
    cell: ({ ofRecent }) => shownNumber(median(ofRecent), 0, ' %'),
  },
  {
    head: 'Least',
    kind: 'number',
    cell: ({ ofRecent }) => shownNumber(Math.min(...ofRecent), 0, ' %'),
  },
  { head: 'Figure', kind: 'said', isHead: true, cell: ({ last: { name } }) => name },
  { head: 'Last one and its limit', kind: 'said', cell: ({ last: one }) => figureText(one) },
  { head: 'Broadcast', kind: 'said', cell: ({ last: { broadcast } }) => broadcast },
];

/** The charts of a broadcast: each of some figures, in a unit of its own. */
const CHARTS: readonly {
  title: string;
  unit: string;
  decimals: number;
  per?: number;
  figures: Partial<Record<keyof BroadcastFigures, string>>;
}[] = [
  {
    title: 'A/V offset, without sign',
    unit: ' ms',
    decimals: 1,
    figures: { offsetP50Ms: 'p50', offsetP95Ms: 'p95', offsetWorstMs: 'worst' },
  },
  {
    title: 'Latency per fragment',
    unit: ' s',
    decimals: 2,
    per: 1000,
    figures: { answerP50Ms: 'p50', answerP95Ms: 'p95' },
  },
  {
    title: 'Word error rate',
    unit: ' %',
    decimals: 1,
    per: 0.01,
    figures: { wordErrorRate: 'transcripts', spokenErrorRate: 'what is heard' },
  },
  {
    title: 'Latency end to end',
    unit: ' s',
    decimals: 1,
    figures: { endToEndSeconds: 'first frame', lateAtEndSeconds: 'at the end' },
  },
];

/** Of broadcasts that are long enough for percentiles, those that most runs have first; one that only old runs have, not. */
function Broadcasts({ runs }: { runs: readonly RunRecord[] }): VNode {
  const counts = new Map<string, number>();
  for (const { names, figures } of runs.slice(-LISTED)) {
    const at = names.figures.indexOf('fragmentsSent');
    names.broadcasts.forEach(({ name, isDisturbed }, index) => {
      if (isDisturbed || (figures[index]?.[at] ?? 0) < LEAST_FRAGMENTS) return;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
  }
  const names = [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return (
    <>
      {names.length === 0 ? <p class="faint">None of the last runs has one.</p> : null}
      {names.map((name, index) => (
        <details key={name} open={index === 0}>
          <summary>{name}</summary>
          <div class="trends">
            {CHARTS.map(({ title, unit, decimals, per = 1, figures }) => {
              const trends = (Object.entries(figures) as [keyof BroadcastFigures, string][]).map(
                ([figure, words]): Trend => ({
                  name: words,
                  figureOf: (run) => {
                    const value = figureOf(run, name, figure);
                    return value === undefined ? undefined : Math.abs(value) / per;
                  },
                }),
              );
              return <TrendChart key={title} {...{ title, unit, decimals, runs, trends }} />;
            })}
          </div>
        </details>
      ))}
    </>
  );
}

function Runs({ runs }: { runs: readonly RunRecord[] }): VNode {
  const rows = runs.slice(-LISTED).reverse();
  const older = runs.length - rows.length;
  return (
    <>
      <Table label="Table: Runs" {...{ rows, columns: RUNS }} />
      {older > 0 ? <p>{`${counted(older, 'older run')} in the file, and in the charts.`}</p> : null}
    </>
  );
}

const RUNS: Column<RunRecord>[] = [
  { head: 'Began', kind: 'when', isHead: true, cell: momentOf },
  { head: 'State', cell: (run) => <Badge state={stateOf(run)}>{run.outcome}</Badge> },
  { head: 'Verdict', kind: 'said', cell: ({ verdict }) => verdict },
  { head: 'Asked for', kind: 'number', cell: ({ ends, known }) => `${ends.length} of ${known}` },
  { head: 'Took', kind: 'number', cell: ({ seconds }) => duration(seconds) },
  { head: 'Revision', kind: 'when', cell: ({ revision }) => <code>{revision}</code> },
  { head: 'Images', cell: ({ images }) => imagesOf(images) },
];

function imagesOf(images: RunRecord['images']): ComponentChildren {
  const all = Object.entries(images);
  if (all.length === 0) return <span class="faint">none: processes</span>;
  return all.map(([service, digest]) => (
    <div key={service} class="digest">
      {service} <code title={digest}>{digest.replace('sha256:', '').slice(0, 12)}</code>
    </div>
  ));
}
