import type { VNode } from 'preact';

import { Chart, finite, round, textAt, ticks, WIDTH } from '../report/charts/chart';
import { compact, shownNumber } from '../report/wording';
import { median } from './median';
import type { RunRecord } from './run-record';
import { type Place, thinned } from './thinned';

/** Added to the style of charts. */
export const TREND_STYLE = `
svg.chart .line.second { stroke: var(--tts); stroke-dasharray: 7 3; } svg.chart .line.third { stroke: var(--queued); stroke-dasharray: 2 3; }
svg.chart .dot { fill: var(--asr); } svg.chart .dot.second { fill: var(--tts); } svg.chart .dot.third { fill: var(--queued); }
svg.chart .spread { fill: var(--asr); opacity: .18; } svg.chart .spread.second { fill: var(--tts); } svg.chart .spread.third { fill: var(--queued); }
`;

/** One line of a chart. */
export interface Trend {
  name: string;
  figureOf: (run: RunRecord) => number | undefined;
}

interface TrendParts {
  title: string;
  runs: readonly RunRecord[];
  trends: readonly Trend[];
  unit: string;
  decimals: number;
}

const RECENT = 10;
const CLASSES = ['', ' second', ' third'];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, WIDTH / 2 - 12, 30, 150];

/** Figures over runs, from the oldest to the newest; nothing where no run has any. */
export function TrendChart(parts: TrendParts): VNode | null {
  const { title, runs, unit, decimals } = parts;
  const lines = parts.trends
    .map((trend) => ({ ...trend, places: thinned(runs, trend.figureOf) }))
    .filter(({ places }) => places.some(Boolean));
  const values = finite(
    lines.flatMap(({ places }) => places.flatMap((one) => [one?.least, one?.most])),
  );
  if (values.length === 0) return null;
  const [low, high] = rangeOf(values);
  const y = (value: number): number =>
    round(BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP));
  const count = lines[0]?.places.length ?? 1;
  const x = (index: number): number => round(LEFT + ((index + 0.5) / count) * (RIGHT - LEFT));
  const texts = lines.map((line) =>
    summaryOf(line, runs, (value) => shownNumber(value, decimals, unit)),
  );
  return (
    <figure class="trend">
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ name }, index) => (
          <span key={name} class="legend">
            <svg width="22" height="8" aria-hidden="true" class="chart">
              <path class={`line${CLASSES[index]}`} d="M0 4H22" />
            </svg>{' '}
            {texts[index]}
          </span>
        ))}
      </figcaption>
      <Chart title={title} description={texts.join('; ')} width={WIDTH / 2} height={BOTTOM + 24}>
        {ticks(low, high, 3).map((value) => (
          <g key={value}>
            <line class="grid" x1={LEFT} x2={RIGHT} y1={y(value)} y2={y(value)} />
            {textAt(LEFT - 6, y(value) + 4, compact(value), 'faint end')}
          </g>
        ))}
        {lines.map(({ places }, index) => (
          <Line key={index} {...{ places, x, y }} className={CLASSES[index] ?? ''} />
        ))}
        {lines[0] ? <Titles {...{ lines, x, decimals, unit }} /> : null}
        {textAt(LEFT, BOTTOM + 18, runs[0]?.startedAt.slice(0, 10) ?? '', 'faint')}
        {textAt(RIGHT, BOTTOM + 18, runs.at(-1)?.startedAt.slice(0, 10) ?? '', 'faint end')}
      </Chart>
    </figure>
  );
}

/** From 0 where that is not far away, never without height, and a little more than is seen. */
function rangeOf(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const low = least >= 0 && least < 0.5 * most ? 0 : least;
  const room = most > low ? 0.04 * (most - low) : 1;
  return [low === 0 ? 0 : low - room, most + room];
}

interface LineParts {
  places: readonly (Place | undefined)[];
  x: (index: number) => number;
  y: (value: number) => number;
  className: string;
}

function Line({ places, x, y, className }: LineParts): VNode {
  const there = places.flatMap((place, index) => (place ? [{ ...place, at: x(index) }] : []));
  const path = there.map(({ at, median: value }) => `${at} ${y(value)}`).join('L');
  const spread = [
    ...there.map(({ at, most }) => `${at} ${y(most)}`),
    ...[...there].reverse().map(({ at, least }) => `${at} ${y(least)}`),
  ].join('L');
  return (
    <g>
      {there.some(({ least, most }) => least < most) ? (
        <path class={`spread${className}`} d={`M${spread}Z`} />
      ) : null}
      <path class={`line${className}`} d={`M${path}`} />
      {there.length > 40
        ? null
        : there.map(({ at, median: value }) => (
            <circle key={at} class={`dot${className}`} cx={at} cy={y(value)} r={2.5} />
          ))}
    </g>
  );
}

interface TitleParts {
  lines: readonly { name: string; places: readonly (Place | undefined)[] }[];
  x: (index: number) => number;
  decimals: number;
  unit: string;
}

/** What stands under the pointer. */
function Titles({ lines, x, decimals, unit }: TitleParts): VNode {
  const [first] = lines;
  const width = round(x(1) - x(0));
  return (
    <g>
      {first?.places.map((_, index) => {
        const there = lines.flatMap(({ name, places }) => {
          const place = places[index];
          return place ? [{ name, ...place }] : [];
        });
        if (!there[0]) return null;
        const values = there.map((one) => `${one.name} ${shownNumber(one.median, decimals, unit)}`);
        return (
          <rect
            key={index}
            class="hit"
            x={x(index) - width / 2}
            y={TOP}
            width={width}
            height={BOTTOM - TOP}
          >
            <title>{`${there[0].text}: ${values.join(', ')}`}</title>
          </rect>
        );
      })}
    </g>
  );
}

function summaryOf(
  { name, figureOf }: Trend,
  runs: readonly RunRecord[],
  shown: (value: number | undefined) => string,
): string {
  const values = runs.flatMap((run) => figureOf(run) ?? []);
  const recent = values.slice(-RECENT);
  const all = `median of all ${values.length} ${shown(median(values))}`;
  return `${name}: last ${shown(values.at(-1))}, median of the last ${recent.length} ${shown(median(recent))}, ${all}`;
}
