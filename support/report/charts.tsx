import { createContext } from 'preact';
import type { ComponentChildren, VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { renderToString } from 'preact-render-to-string';

import { LIMITS } from '../analyze/output-checks';
import { safeText } from '../base/safe-text';
import type {
  FragmentFacts,
  Mark,
  MetricSeries,
  AudioImages,
  Stage,
  BroadcastFacts,
} from './facts';

/** EBU R 37: what audio and image may be apart where they reach the viewer, in ms. */
const EBU_R37 = { soundEarlyMs: 40, soundLateMs: 60 } as const;

/** In the order of time. */
export const STAGES: readonly { stage: Stage; meaning: string }[] = [
  { stage: 'waiting', meaning: 'waiting: cut, not sent yet' },
  { stage: 'queued', meaning: 'queued at the STS' },
  { stage: 'asr', meaning: 'speech to text' },
  { stage: 'translation', meaning: 'translation' },
  { stage: 'tts', meaning: 'text to speech' },
  { stage: 'returned', meaning: 'returned, not played yet' },
  { stage: 'played', meaning: 'played' },
];

/** A sign besides the colour. */
export const STATE_SIGNS: Record<FragmentFacts['state'], string> = {
  fine: '✔',
  wrong: '✘',
  unheard: '∅',
  'not looked at': '–',
};

/** A number as people read it; – where there is none. */
export function shownNumber(value: number | undefined, digits = 1, unit = ''): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const rounded = Number(value.toFixed(digits)) || 0;
  return `${rounded.toFixed(digits)}${unit}`;
}

/** Colours, and how charts look; the names of the page's own colours are those of the common style. */
export const CHART_STYLE = `
:root { --waiting: #8c959f; --queued: #9a6700; --asr: #0969da; --translation: #8250df; --tts: #bf3989; --returned: #6e7781;
  --played: #1a7f37; --band: #d8f0dc; --strict: #a9dcb3; }
@media (prefers-color-scheme: dark) { :root { --waiting: #8b949e; --queued: #d29922; --asr: #58a6ff; --translation: #bc8cff;
  --tts: #f778ba; --returned: #9aa4ae; --played: #3fb950; --band: #16301d; --strict: #24562f; } }
svg.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: var(--fore); } svg.chart text.faint { fill: var(--faint); } svg.chart text.bad { fill: var(--bad); }
svg.chart text.end { text-anchor: end; } svg.chart text.middle { text-anchor: middle; }
svg.chart .grid { stroke: var(--line); } svg.chart .axis { stroke: var(--faint); }
svg.chart .mark { stroke: var(--faint); } svg.chart .mark.connection { stroke: var(--queued); stroke-dasharray: 2 3; }
svg.chart .mark.fault { stroke: var(--bad); stroke-dasharray: 5 3; }
svg.chart .border { stroke: var(--fore); stroke-dasharray: 1 3; opacity: .7; }
svg.chart .line { fill: none; stroke: var(--asr); stroke-width: 1.6; }
svg.chart .playhead { stroke: var(--bad); stroke-width: 2; visibility: hidden; }
svg.chart .limit { stroke: var(--bad); }
svg.chart .band { fill: var(--band); } svg.chart .strict { fill: var(--strict); }
svg.chart .fine { fill: var(--good); } svg.chart .wrong { fill: var(--bad); } svg.chart .paper { fill: var(--soft); }
svg.chart .hit { fill: transparent; } svg.chart a { cursor: pointer; text-decoration: none; }
svg.chart a:hover .hit, svg.chart a:focus .hit { fill: var(--mark); opacity: .5; }
`;

/** For a chart that is shown alone: on light ground, whatever is around it. */
const ALONE_STYLE = `:root { color-scheme: light; --back: #ffffff; --fore: #1b1f24; --soft: #f3f5f7; --line: #cdd4db;
  --faint: #57606a; --good: #116329; --bad: #b3121d; --mark: #ffe9a8; }
${CHART_STYLE.replace(/@media[^}]*\} \}/, '')}`;

const Alone = createContext(false);

/** A chart as a document of its own (SVG): for attachments. */
export function svgText(node: VNode): string {
  const svg = renderToString(<Alone.Provider value={true}>{node}</Alone.Provider>);
  // HTML allows what XML does not.
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replaceAll(']]>', ']]&gt;')}\n`;
}

const WIDTH = 960;
/** Above each chart, for its title when it is alone. */
const TITLE_HEIGHT = 20;

/** The part of a chart that time is drawn in: pixels of the drawing, seconds of its axis. */
interface TimeAxis {
  left: number;
  right: number;
  from: number;
  to: number;
}

/** Where on the axis a time is, in pixels; at its ends when it is outside. */
function placeOf(axis: TimeAxis, seconds: number): number {
  const share = (seconds - axis.from) / Math.max(1e-9, axis.to - axis.from);
  return round(axis.left + Math.min(1, Math.max(0, share)) * (axis.right - axis.left));
}

function round(pixels: number): number {
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
  children: ComponentChildren;
}

function Chart({
  title,
  description,
  width = WIDTH,
  height,
  axis,
  span = [0, height],
  ptsOffset,
  children,
}: ChartParts): VNode {
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
      data-left={together ? axis.left : undefined}
      data-right={together ? axis.right : undefined}
      data-from-pts={together ? axis.from + ptsOffset : undefined}
      data-to-pts={together ? axis.to + ptsOffset : undefined}
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
      {together ? <line class="playhead" y1={span[0]} y2={span[1]} /> : null}
    </svg>
  );
}

/** Round numbers between two others, at most about `count` of them. */
function ticks(from: number, to: number, count: number): number[] {
  const rough = (to - from) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  const amount = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: amount }, (_, index) => Number(((first + index) * step).toFixed(6)));
}

function SecondsAxis({
  axis,
  top,
  bottom,
}: {
  axis: TimeAxis;
  top: number;
  bottom: number;
}): VNode {
  return (
    <g>
      {ticks(axis.from, axis.to, (axis.right - axis.left) / 70).map((seconds) => (
        <g key={seconds}>
          <line
            class="grid"
            x1={placeOf(axis, seconds)}
            x2={placeOf(axis, seconds)}
            y1={top}
            y2={bottom}
          />
          <text class="faint middle" x={placeOf(axis, seconds)} y={bottom + 14}>
            {`${seconds} s`}
          </text>
        </g>
      ))}
    </g>
  );
}

/** What a row, a dot or a span of a fragment leads to: its row of the page's table. */
function FragmentLink({
  fragment,
  children,
}: {
  fragment: FragmentFacts;
  children: ComponentChildren;
}): VNode {
  const isAlone = useContext(Alone);
  if (isAlone) return <g>{children}</g>;
  const { sequence, state } = fragment;
  return (
    <a href={`#fragment-${sequence}`} aria-label={`fragment ${sequence}, ${wordOf(state)}`}>
      {children}
    </a>
  );
}

/** A fragment's state, in the words of the page. */
export function wordOf(state: FragmentFacts['state']): string {
  return state === 'unheard' ? 'not heard' : state;
}

/** All times are to be drawn in; whatever is no number is left out. */
function finite(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined && Number.isFinite(value)) as number[];
}

/** More marks than this are not told beside the drawing, in a table they are. */
const MARKS_IN_WORDS = 10;

/** Marks that have a time, in its order. */
function marksInOrder(marks: readonly Mark[]): Mark[] {
  return marks
    .filter(({ atSeconds }) => Number.isFinite(atSeconds))
    .sort((a, b) => a.atSeconds - b.atSeconds);
}

function cut(text: string, length: number): string {
  const safe = safeText(text).replaceAll('\n', ' ');
  return safe.length > length ? `${safe.slice(0, length - 1)}…` : safe;
}

/** Each fragment's way through the pipeline, over seconds since publishing. */
export function FragmentTimeLine({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, ptsZeroAtSeconds } = facts;
  const marks = marksInOrder(facts.marks);
  const times = finite([
    ...fragments.flatMap(({ stages }) => stages.map(({ toSeconds }) => toSeconds)),
    ...marks.map(({ atSeconds }) => atSeconds),
  ]);
  const axis = { left: 76, right: WIDTH - 16, from: 0, to: Math.max(1, ...times) };
  const rowHeight = 22;
  // The title of a chart that is alone, the legend, the numbers of the marks.
  const top = 76;
  const bottom = top + Math.max(1, fragments.length) * rowHeight;
  const told = marks.slice(0, MARKS_IN_WORDS);
  const left = marks.length - told.length;
  const height = bottom + 34 + (told.length + (left > 0 ? 1 : 0)) * 16;
  return (
    <Chart
      title="Time line of fragments"
      description="A row for each fragment, from being cut to being played, over seconds since publishing began."
      {...{ height, axis }}
      span={[top, bottom]}
      ptsOffset={ptsZeroAtSeconds === undefined ? undefined : -ptsZeroAtSeconds}
    >
      <StagePatterns />
      {STAGES.map(({ stage, meaning }, index) => (
        <g key={stage} transform={`translate(${LEGEND_PLACES[index] ?? 0} 30)`}>
          <rect width={14} height={12} fill={`url(#stage-${stage})`} />
          <text x={19} y={10}>
            {meaning}
          </text>
        </g>
      ))}
      <SecondsAxis {...{ axis, top, bottom }} />
      {fragments.map((fragment, index) => (
        <FragmentLink key={fragment.sequence} fragment={fragment}>
          <rect
            class="hit"
            x={0}
            y={top + index * rowHeight}
            width={WIDTH}
            height={rowHeight}
            data-fragment={fragment.sequence}
          />
          <text class="end" x={40} y={top + index * rowHeight + 15}>
            {fragment.sequence}
          </text>
          <text
            class={`middle ${fragment.state === 'fine' ? '' : 'bad'}`}
            x={56}
            y={top + index * rowHeight + 15}
          >
            {STATE_SIGNS[fragment.state]}
          </text>
          {fragment.stages
            .filter(({ fromSeconds, toSeconds }) => toSeconds > fromSeconds)
            .map(({ stage, fromSeconds, toSeconds }, at) => (
              <rect
                key={at}
                x={placeOf(axis, fromSeconds)}
                // What took no time to speak of can still be seen.
                width={Math.max(1.5, round(placeOf(axis, toSeconds) - placeOf(axis, fromSeconds)))}
                y={top + index * rowHeight + 4}
                height={rowHeight - 8}
                fill={`url(#stage-${stage})`}
              >
                <title>{`fragment ${fragment.sequence}, ${stage}: ${shownNumber(fromSeconds, 2)} s to ${shownNumber(toSeconds, 2, ' s')}`}</title>
              </rect>
            ))}
        </FragmentLink>
      ))}
      <MarkLines {...{ marks, axis, bottom }} top={top - 4} numbers={true} />
      {told.map(({ atSeconds, kind, text }, index) => (
        <text
          key={index}
          class={kind === 'fault' ? 'bad' : undefined}
          x={axis.left}
          y={bottom + 36 + index * 16}
        >
          {`${index + 1}: ${shownNumber(atSeconds)} s, ${kind}: ${cut(text, 120)}`}
        </text>
      ))}
      {left > 0 ? (
        <text class="faint" x={axis.left} y={bottom + 36 + told.length * 16}>
          {`… and ${left} later marks`}
        </text>
      ) : null}
    </Chart>
  );
}

/** Where the seven entries of the legend begin, in pixels. */
const LEGEND_PLACES = [10, 190, 332, 448, 546, 666, 846];

/** Stages differ by pattern as well as by colour. */
function StagePatterns(): VNode {
  const pattern = (stage: Stage, drawn: VNode | null, isPale = false): VNode => (
    <pattern id={`stage-${stage}`} width={6} height={6} patternUnits="userSpaceOnUse">
      <rect
        width={6}
        height={6}
        style={`fill: var(--${stage})`}
        {...(isPale ? { opacity: 0.35 } : {})}
      />
      {drawn}
    </pattern>
  );
  const dark = (stage: Stage): { style: string } => ({ style: `stroke: var(--${stage})` });
  const light = { style: 'stroke: var(--back)' };
  return (
    <defs>
      {pattern('waiting', null, true)}
      {pattern('queued', <path d="M0 6L6 0" {...dark('queued')} />, true)}
      {pattern('asr', null)}
      {pattern('translation', <path d="M0 3H6" {...light} />)}
      {pattern('tts', <path d="M3 0V6" {...light} />)}
      {pattern('returned', <path d="M0 3H6" {...dark('returned')} />, true)}
      {pattern('played', null)}
    </defs>
  );
}

interface MarkLineParts {
  marks: readonly Mark[];
  axis: TimeAxis;
  top: number;
  bottom: number;
  /** Whether those that are told in words have their numbers above. */
  numbers?: boolean;
}

function MarkLines({ marks, axis, top, bottom, numbers = false }: MarkLineParts): VNode {
  // Numbers that would lie on the one before are not drawn a second time on it: two rows, then none.
  const ends = [-Infinity, -Infinity];
  return (
    <g>
      {marks
        .filter(({ atSeconds }) => atSeconds >= axis.from && atSeconds <= axis.to)
        .map(({ atSeconds, kind, text }, index) => {
          const x = placeOf(axis, atSeconds);
          const row = ends.findIndex((end) => x >= end + 14);
          const isNumbered = numbers && index < MARKS_IN_WORDS && row >= 0;
          if (isNumbered) ends[row] = x;
          return (
            <g key={index}>
              <line class={`mark ${kind}`} x1={x} x2={x} y1={top} y2={bottom}>
                <title>{`${shownNumber(atSeconds)} s, ${kind}: ${cut(text, 200)}`}</title>
              </line>
              {isNumbered ? (
                <text
                  class={`middle ${kind === 'fault' ? 'bad' : 'faint'}`}
                  {...{ x, y: top - 4 - row * 12 }}
                >
                  {index + 1}
                </text>
              ) : null}
            </g>
          );
        })}
    </g>
  );
}

/** How far audio and image are apart, fragment by fragment, with what is allowed. */
export function OffsetChart({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments } = facts;
  const { deltaMs, driftMs } = LIMITS;
  const offsets = finite(fragments.map(({ offsetMs }) => offsetMs));
  // A single one that is seconds away is not to squeeze all the others onto one line.
  const worst = Math.max(0, ...offsets.map(Math.abs));
  const reach = Math.max(1.3 * deltaMs, Math.min(1.15 * worst, 2.5 * deltaMs));
  const [left, right, top, bottom] = [76, WIDTH - 226, 30, 250];
  const y = (ms: number): number =>
    round(top + ((reach - Math.min(reach, Math.max(-reach, ms))) / (2 * reach)) * (bottom - top));
  const step = (right - left) / Math.max(1, fragments.length);
  const every = Math.max(1, Math.ceil(28 / step));
  const rightText = right + 10;
  return (
    <Chart
      title="Audio against image"
      description={`Audio minus video of each fragment in ms, within ${deltaMs} ms both ways; ${offsets.length} of ${fragments.length} fragments were measured, the farthest ${shownNumber(facts.figures.offsetWorstMs)} ms.`}
      height={bottom + 42}
    >
      <rect
        class="band"
        x={left}
        y={y(deltaMs)}
        width={right - left}
        height={y(-deltaMs) - y(deltaMs)}
      />
      <rect
        class="strict"
        x={left}
        y={y(EBU_R37.soundLateMs)}
        width={right - left}
        height={y(-EBU_R37.soundEarlyMs) - y(EBU_R37.soundLateMs)}
      />
      {[deltaMs, -deltaMs].map((ms) => (
        <line key={ms} class="limit" x1={left} x2={right} y1={y(ms)} y2={y(ms)} />
      ))}
      <line class="axis" x1={left} x2={right} y1={y(0)} y2={y(0)} />
      {[deltaMs, EBU_R37.soundLateMs, 0, -EBU_R37.soundEarlyMs, -deltaMs].map((ms) => (
        <text key={ms} class="faint end" x={left - 6} y={y(ms) + 4}>
          {`${ms > 0 ? '+' : ''}${ms} ms`}
        </text>
      ))}
      <text class="faint" x={rightText} y={y(deltaMs) + 4}>
        {`limit of the suite, audio late`}
      </text>
      <text class="faint" x={rightText} y={y(EBU_R37.soundLateMs) + 4}>
        EBU R 37, audio late
      </text>
      <text x={rightText} y={y(0) + 4}>
        {`drift ${shownNumber(facts.figures.driftMs, 1, ' ms')} (limit ${driftMs} ms)`}
      </text>
      <text class="faint" x={rightText} y={y(-EBU_R37.soundEarlyMs) + 4}>
        EBU R 37, audio early
      </text>
      <text class="faint" x={rightText} y={y(-deltaMs) + 4}>
        {`limit of the suite, audio early`}
      </text>
      {fragments.map((fragment, index) => {
        const x = round(left + (index + 0.5) * step);
        return (
          <FragmentLink key={fragment.sequence} fragment={fragment}>
            <rect
              class="hit"
              x={round(x - step / 2)}
              y={top - 6}
              width={round(step)}
              height={bottom - top + 30}
              data-fragment={fragment.sequence}
            >
              <title>{`fragment ${fragment.sequence}, ${wordOf(fragment.state)}: ${shownNumber(fragment.offsetMs, 1, ' ms')}`}</title>
            </rect>
            <OffsetDot {...{ fragment, x, y, bottom }} />
            {index % every === 0 ? (
              <text class="middle" x={x} y={bottom + 18}>
                {fragment.sequence}
              </text>
            ) : null}
          </FragmentLink>
        );
      })}
      {fragments.map(({ sequence, state, offsetMs = 0 }, index) =>
        Math.abs(offsetMs) >= deltaMs && state !== 'unheard' && step > 40 ? (
          <text
            key={sequence}
            class="middle bad"
            x={round(left + (index + 0.5) * step)}
            // Away from the limit; of one that is beyond the chart, into it.
            y={y(offsetMs) + (offsetMs < 0 === Math.abs(offsetMs) > reach ? -12 : 20)}
          >
            {Math.abs(offsetMs) > reach ? (offsetMs < 0 ? '↓ ' : '↑ ') : ''}
            {shownNumber(offsetMs, 0, ' ms')}
          </text>
        ) : null,
      )}
      <text class="faint" x={left} y={bottom + 36}>
        fragment: ● fine, ◆ something is wrong with it, ∅ not heard, – not looked at
      </text>
    </Chart>
  );
}

interface DotParts {
  fragment: FragmentFacts;
  x: number;
  y: (ms: number) => number;
  bottom: number;
}

function OffsetDot({ fragment, x, y, bottom }: DotParts): VNode {
  const { offsetMs, state } = fragment;
  if (offsetMs === undefined || !Number.isFinite(offsetMs) || state === 'unheard') {
    return (
      <text class={`middle ${state === 'unheard' ? 'bad' : 'faint'}`} x={x} y={bottom - 4}>
        {STATE_SIGNS[state === 'unheard' ? state : 'not looked at']}
      </text>
    );
  }
  if (state === 'wrong') {
    return <path class="wrong" d={`M${x} ${y(offsetMs) - 7}l7 7l-7 7l-7 -7z`} />;
  }
  return <circle class="fine" cx={x} cy={y(offsetMs)} r={4.5} />;
}

/** The audio of the original and of the output, one above the other, over the output's time (PTS). */
export function AudioChart({
  images,
  fragments,
}: {
  images: NonNullable<BroadcastFacts['images']>;
  fragments: readonly FragmentFacts[];
}): VNode {
  const { fromPts, toPts, original, output } = images;
  const axis = { left: 76, right: WIDTH - 16, from: fromPts, to: toPts };
  const [waveHeight, spectrumHeight, gap] = [80, 100, 8];
  const top = 46;
  const panels = [
    ...(original ? panelsOf('original', original) : []),
    ...panelsOf('output', output),
  ].map((panel) => ({ ...panel, height: panel.isWave ? waveHeight : spectrumHeight }));
  const tops = panels.map((_, index) =>
    panels.slice(0, index).reduce((sum, { height }) => sum + height + gap, top),
  );
  const bottom = (tops.at(-1) ?? top) + spectrumHeight;
  const borders = fragments.filter(
    ({ shownAtPts }) =>
      shownAtPts !== undefined && shownAtPts >= fromPts - 0.001 && shownAtPts < toPts,
  );
  return (
    <Chart
      title="Audio of the original and of the output"
      description={`Waveform and spectrogram of ${original ? 'the original, as it would be heard at its images, and below it of the output' : 'the output; there are none of the original'}, over the time of the output.`}
      height={bottom + 26}
      axis={axis}
      span={[top, bottom]}
      ptsOffset={0}
    >
      {panels.map(({ name, kind, image, height }, index) => (
        <g key={index}>
          <rect
            class="paper"
            x={axis.left}
            y={tops[index]}
            width={axis.right - axis.left}
            height={height}
          />
          <image
            href={image}
            x={axis.left}
            y={tops[index]}
            width={axis.right - axis.left}
            height={height}
            preserveAspectRatio="none"
          />
          <text class="end" x={axis.left - 6} y={(tops[index] ?? 0) + 16}>
            {name}
          </text>
          <text class="end faint" x={axis.left - 6} y={(tops[index] ?? 0) + 32} font-size={10}>
            {kind}
          </text>
        </g>
      ))}
      <SecondsAxis {...{ axis, bottom }} top={bottom} />
      {borders.map((fragment) => {
        const x = placeOf(axis, fragment.shownAtPts ?? 0);
        return (
          <g key={fragment.sequence}>
            <line class="border" x1={x} x2={x} y1={top - 4} y2={bottom} />
            <text class={fragment.state === 'fine' ? undefined : 'bad'} x={x + 2} y={top - 8}>
              {`${fragment.sequence} ${STATE_SIGNS[fragment.state]}`}
            </text>
          </g>
        );
      })}
    </Chart>
  );
}

function panelsOf(
  name: string,
  { waveform, spectrogram }: AudioImages,
): { name: string; kind: string; image: string; isWave: boolean }[] {
  return [
    { name, kind: 'waveform', image: waveform, isWave: true },
    { name, kind: 'spectrogram', image: spectrogram, isWave: false },
  ];
}

/** One metric over seconds since publishing, with faults and lost connections marked. */
export function MetricChart({
  series,
  marks,
  toSeconds,
  ptsZeroAtSeconds,
}: {
  series: MetricSeries;
  marks: readonly Mark[];
  toSeconds: number;
  ptsZeroAtSeconds?: number | undefined;
}): VNode {
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
      index === 0
        ? `M${placeOf(axis, atSeconds)} ${y(value)}`
        : `H${placeOf(axis, atSeconds)}V${y(value)}`,
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
      {[...new Set([least, most])].map((value) => (
        <text key={value} class="faint end" x={left - 5} y={y(value) + 4}>
          {compact(value)}
        </text>
      ))}
      <line class="axis" x1={left} x2={right} y1={bottom} y2={bottom} />
      <MarkLines
        marks={marks.filter(({ kind }) => kind !== 'pipeline')}
        {...{ axis, top, bottom }}
      />
      <path class="line" d={path || 'M0 0'} />
    </Chart>
  );
}

/** A number that fits beside an axis: `12`, `0.035`, `1.2 M`. */
export function compact(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  return String(Number(value.toPrecision(4)));
}
