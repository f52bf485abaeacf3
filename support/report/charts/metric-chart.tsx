import type { VNode } from 'preact';

import type { MetricSeries, TimelineEvent } from '../facts';
import { compact } from '../wording';
import { Chart, EventLines, round, SecondsAxis, textAt, xOf } from './chart';

interface MetricParts {
  series: MetricSeries;
  events: readonly TimelineEvent[];
  toSeconds: number;
  ptsZeroAtSeconds?: number | undefined;
}

/** One metric over seconds since publishing, with faults and lost connections. */
export function MetricChart(parts: MetricParts): VNode {
  const { series, events, toSeconds, ptsZeroAtSeconds } = parts;
  const points = series.points.filter(({ atSeconds, value }) =>
    [atSeconds, value].every(Number.isFinite),
  );
  const values = points.map(({ value }) => value);
  const least = values.reduce((a, b) => Math.min(a, b), Math.min(0, values[0] ?? 0));
  const most = values.reduce((a, b) => Math.max(a, b), least);
  const [width, left, right, top, bottom] = [460, 52, 450, 28, 110];
  const axis = { left, right, from: 0, to: Math.max(1, toSeconds) };
  const y = (value: number): number =>
    round(bottom - ((value - least) / (most - least || 1)) * (bottom - top));
  // A value holds until the next one is read.
  const path = points
    .map(({ atSeconds, value }, index) =>
      index === 0 ? `M${xOf(axis, atSeconds)} ${y(value)}` : `H${xOf(axis, atSeconds)}V${y(value)}`,
    )
    .join('');
  const name = `${series.name} ${series.labels}`.trim();
  const seen =
    values.length === 0
      ? 'no values'
      : `${compact(values[0])} at first, ${compact(values.at(-1))} at last, ${compact(least)} to ${compact(most)}`;
  return (
    <Chart
      title={name}
      description={`${series.type}: ${seen}`}
      {...{ width, axis }}
      height={bottom + 20}
      span={[top, bottom]}
      ptsOffset={ptsZeroAtSeconds === undefined ? undefined : -ptsZeroAtSeconds}
    >
      <SecondsAxis {...{ axis, top, bottom }} />
      {[...new Set([least, most])].map((value) =>
        textAt(left - 5, y(value) + 4, compact(value), 'faint end'),
      )}
      <line class="axis" x1={left} x2={right} y1={bottom} y2={bottom} />
      <EventLines
        events={events.filter(({ kind }) => kind !== 'pipeline')}
        {...{ axis, top, bottom }}
      />
      <path class="line" d={path || 'M0 0'} />
    </Chart>
  );
}
