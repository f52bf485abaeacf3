import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { MetricChart } from '../charts/metric-chart';
import type { BroadcastFacts, HistogramFacts, MetricSeries } from '../facts';
import { type Column, Table } from '../layout';
import { compact, counted } from '../wording';
import { folded, Missing } from './parts';

/** More charts than this are folded. */
const CHARTS_IN_VIEW = 12;

const METRIC: readonly Column<{ name: string; labels: string }>[] = [
  { head: 'metric', cell: ({ name }) => safeText(name) },
  { head: 'labels', cell: ({ labels }) => safeText(labels) },
];
const CONSTANT: readonly Column<MetricSeries>[] = [
  ...METRIC,
  { head: 'value', kind: 'number', cell: ({ points }) => compact(points[0]?.value) },
];
const HISTOGRAM: readonly Column<HistogramFacts>[] = [
  ...METRIC,
  { head: 'count', kind: 'number', cell: ({ count }) => compact(count) },
  { head: 'mean', kind: 'number', cell: ({ mean }) => compact(mean) },
];

export function MetricsSection({ facts }: { facts: BroadcastFacts }): VNode {
  const { series, histograms } = facts;
  const changes = ({ points }: MetricSeries): boolean =>
    points.some(({ value }) => value !== points[0]?.value);
  const moving = series.filter(changes);
  const constant = series.filter((one) => !changes(one));
  if (series.length + histograms.length === 0) return <Missing facts={facts} name="metrics" />;
  const charts = (): VNode => <MetricCharts facts={facts} moving={moving} />;
  return (
    <>
      {moving.length > CHARTS_IN_VIEW
        ? folded(moving, `${moving.length} metrics over time`, charts)
        : moving.length > 0 && charts()}
      {folded(constant, `${counted(constant.length, 'metric')} that did not change`, () => (
        <Table label="Metrics that did not change" rows={constant} columns={CONSTANT} />
      ))}
      {folded(histograms, `${counted(histograms.length, 'histogram')} at the end`, () => (
        <Table label="Histograms" rows={histograms} columns={HISTOGRAM} />
      ))}
    </>
  );
}

function MetricCharts({ facts, moving }: { facts: BroadcastFacts; moving: MetricSeries[] }): VNode {
  const { events, ptsZeroAtSeconds } = facts;
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
            <MetricChart {...{ series, events, toSeconds, ptsZeroAtSeconds }} />
          </figure>
        ))}
      </div>
    </>
  );
}
