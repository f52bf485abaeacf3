import { createContext, type RenderableProps, type VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { renderToString } from 'preact-render-to-string';

import { safeText } from '../../base/safe-text';
import type { FragmentFacts, TimelineEvent } from '../facts';
import { shownNumber } from '../wording';

/** The style of charts; the names of the page's own colours are those of the common style. */
export const CHART_STYLE = `
:root { --waiting: #8c959f; --queued: #9a6700; --asr: #0969da; --translation: #8250df; --tts: #bf3989; --returned: #6e7781;
  --played: #1a7f37; --unheard: #b3121d; --unmeasured: #1a7f37; --band: #d8f0dc; --strict: #a9dcb3; }
@media (prefers-color-scheme: dark) { :root { --waiting: #8b949e; --queued: #d29922; --asr: #58a6ff; --translation: #bc8cff;
  --tts: #f778ba; --returned: #9aa4ae; --played: #3fb950; --unheard: #ff8a80; --unmeasured: #3fb950; --band: #16301d; --strict: #24562f; } }
svg.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: var(--fore); } svg.chart text.faint { fill: var(--faint); } svg.chart text.bad { fill: var(--bad); }
svg.chart text.end { text-anchor: end; } svg.chart text.middle { text-anchor: middle; }
svg.chart .grid { stroke: var(--line); } svg.chart .axis { stroke: var(--faint); }
svg.chart .event { stroke: var(--faint); } svg.chart .event.connection { stroke: var(--queued); stroke-dasharray: 2 3; }
svg.chart .event.fault { stroke: var(--bad); stroke-dasharray: 5 3; }
svg.chart .boundary { stroke: var(--fore); stroke-dasharray: 1 3; opacity: .7; }
svg.chart .line { fill: none; stroke: var(--asr); stroke-width: 1.6; } svg.chart .wave { fill: none; stroke: var(--asr); }
svg.chart .playhead { stroke: var(--bad); stroke-width: 2; visibility: hidden; }
svg.chart .limit { stroke: var(--bad); }
svg.chart .band { fill: var(--band); } svg.chart .strict { fill: var(--strict); }
svg.chart .heard { fill: var(--good); } svg.chart .wrong { fill: var(--bad); } svg.chart .paper { fill: var(--soft); }
svg.chart .hit { fill: transparent; } svg.chart a { cursor: pointer; text-decoration: none; }
svg.chart a:hover .hit, svg.chart a:focus .hit { fill: var(--highlight); opacity: .5; }
`;

/** For a chart that is shown alone: on light ground, whatever is around it. */
const ALONE_STYLE = `:root { color-scheme: light; --back: #ffffff; --fore: #1b1f24; --soft: #f3f5f7; --line: #cdd4db;
  --faint: #57606a; --good: #116329; --bad: #b3121d; --highlight: #ffe9a8; }
${CHART_STYLE.replace(/@media[^}]*\} \}/, '')}`;

/** Whether the chart is a document of its own. */
const Alone = createContext(false);

/** A chart as a document of its own (SVG): for attachments. */
export function svgText(node: VNode): string {
  const svg = renderToString(<Alone.Provider value={true}>{node}</Alone.Provider>);
  // HTML allows what XML does not.
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replaceAll(']]>', ']]&gt;')}\n`;
}

/** In pixels of the drawing, unless a chart says otherwise. */
export const WIDTH = 960;
/** Above each chart, for its title when it is alone. */
const TITLE_HEIGHT = 20;

/** A text of a chart, with classes of {@link CHART_STYLE}. */
export function textAt(x: number, y: number, text: string | number, className?: string): VNode {
  return (
    <text class={className || undefined} x={x} y={y}>
      {text}
    </text>
  );
}

/** The values that are finite numbers. */
export function finite(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => Number.isFinite(value)) as number[];
}

/** The part of a chart that time is drawn in: pixels of the drawing, seconds of its axis. */
export interface TimeAxis {
  left: number;
  right: number;
  from: number;
  to: number;
}

/** The x of a time on the axis, in pixels; at its ends when it is outside. */
export function xOf(axis: TimeAxis, seconds: number): number {
  const share = (seconds - axis.from) / Math.max(1e-9, axis.to - axis.from);
  return round(axis.left + Math.min(1, Math.max(0, share)) * (axis.right - axis.left));
}

export function round(pixels: number): number {
  return Math.round(10 * pixels) / 10;
}

interface ChartParts {
  title: string;
  /** What there is to see, for those who do not see it. */
  description: string;
  width?: number;
  height: number;
  axis?: TimeAxis;
  /** Where the playhead goes, from and to. */
  span?: readonly [top: number, bottom: number];
  /** What is added to a time of the axis to have the output's PTS: the player and this chart then go together. */
  ptsOffset?: number | undefined;
}

export function Chart(parts: RenderableProps<ChartParts>): VNode {
  const { title, description, width = WIDTH, height, axis, ptsOffset, children } = parts;
  const [top, bottom] = parts.span ?? [0, height];
  const isAlone = useContext(Alone);
  // The page has a heading in place of the title.
  const titleHeight = isAlone ? 0 : TITLE_HEIGHT;
  const together = axis !== undefined && ptsOffset !== undefined;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      class="chart"
      viewBox={`0 ${titleHeight} ${width} ${height - titleHeight}`}
      width={isAlone ? width : undefined}
      height={isAlone ? height : undefined}
      // Not an image: there are links in it.
      role="group"
      aria-label={safeText(`${title}. ${description}`)}
      {...(together && {
        ...{ 'data-left': axis.left, 'data-right': axis.right },
        ...{ 'data-from-pts': axis.from + ptsOffset, 'data-to-pts': axis.to + ptsOffset },
      })}
    >
      <desc>{safeText(description)}</desc>
      {isAlone ? <style dangerouslySetInnerHTML={{ __html: ALONE_STYLE }} /> : null}
      {isAlone ? <rect width={width} height={height} fill="#ffffff" /> : null}
      {isAlone ? (
        <text x={10} y={16} font-weight="600">
          {safeText(title)}
        </text>
      ) : null}
      {children}
      {together ? <line class="playhead" y1={top} y2={bottom} /> : null}
    </svg>
  );
}

/** Round numbers between two others, at most about `count` of them. */
export function ticks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  const amount = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: amount }, (_, index) => Number(((first + index) * step).toFixed(6)));
}

/** What is drawn over a time, from its top to its bottom. */
export interface OverTime {
  axis: TimeAxis;
  top: number;
  bottom: number;
}

export function SecondsAxis({ axis, top, bottom }: OverTime): VNode {
  return (
    <g>
      {ticks(axis.from, axis.to, (axis.right - axis.left) / 70).map((seconds) => (
        <g key={seconds}>
          <line class="grid" x1={xOf(axis, seconds)} x2={xOf(axis, seconds)} y1={top} y2={bottom} />
          {textAt(xOf(axis, seconds), bottom + 14, `${seconds} s`, 'faint middle')}
        </g>
      ))}
    </g>
  );
}

/** More events than this are not listed beside the drawing; a table has them all. */
export const LISTED_EVENTS = 10;

/** Events that have a time, in its order. */
export function eventsInOrder(events: readonly TimelineEvent[]): TimelineEvent[] {
  return events
    .filter(({ atSeconds }) => Number.isFinite(atSeconds))
    .sort((a, b) => a.atSeconds - b.atSeconds);
}

/** One line of at most so many characters. */
export function shortened(text: string, length: number): string {
  const safe = safeText(text).replaceAll('\n', ' ');
  return safe.length > length ? `${safe.slice(0, length - 1)}…` : safe;
}

interface EventLineParts extends OverTime {
  events: readonly TimelineEvent[];
  /** Whether those that are listed have their numbers above. */
  numbers?: boolean;
}

/** A line at each event. */
export function EventLines({ events, axis, top, bottom, numbers = false }: EventLineParts): VNode {
  // Numbers that would lie on the one before are not drawn a second time on it: two rows, then none.
  const ends = [-Infinity, -Infinity];
  return (
    <g>
      {events
        .filter(({ atSeconds }) => atSeconds >= axis.from && atSeconds <= axis.to)
        .map(({ atSeconds, kind, text }, index) => {
          const x = xOf(axis, atSeconds);
          const row = ends.findIndex((end) => x >= end + 14);
          const isNumbered = numbers && index < LISTED_EVENTS && row >= 0;
          if (isNumbered) ends[row] = x;
          const colour = `middle ${kind === 'fault' ? 'bad' : 'faint'}`;
          return (
            <g key={index}>
              <line class={`event ${kind}`} x1={x} x2={x} y1={top} y2={bottom}>
                <title>{`${shownNumber(atSeconds)} s, ${kind}: ${shortened(text, 200)}`}</title>
              </line>
              {isNumbered ? textAt(x, top - 4 - row * 12, index + 1, colour) : null}
            </g>
          );
        })}
    </g>
  );
}

/** A sign besides the colour. */
export const STATE_SIGNS: Record<FragmentFacts['state'], string> = {
  heard: '✔',
  wrong: '✘',
  unheard: '∅',
  'not measured': '–',
};

/** A fragment's state, in the words of the page. */
export function wordOf(state: FragmentFacts['state']): string {
  return state === 'unheard' ? 'not heard' : state;
}

/** What a row, a dot or a span of a fragment leads to: its row of the page's table. */
export function FragmentLink(parts: RenderableProps<{ fragment: FragmentFacts }>): VNode {
  const { sequence, state } = parts.fragment;
  return (
    <RowLink row={`fragment-${sequence}`} name={`fragment ${sequence}, ${wordOf(state)}`}>
      {parts.children}
    </RowLink>
  );
}

/** Leads to a row of the page's table; a chart that is a document of its own has none. */
export function RowLink(parts: RenderableProps<{ row: string; name: string }>): VNode {
  const isAlone = useContext(Alone);
  if (isAlone) return <g>{parts.children}</g>;
  return (
    <a href={`#${parts.row}`} aria-label={parts.name}>
      {parts.children}
    </a>
  );
}
