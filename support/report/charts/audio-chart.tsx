import type { VNode } from 'preact';

import type { AudioImages, BroadcastFacts, FragmentFacts } from '../facts';
import { Chart, type OverTime, round, SecondsAxis, STATE_SIGNS, textAt, WIDTH, xOf } from './chart';

const TOP = 46;
const GAP = 8;
const WAVEFORM_HEIGHT = 80;
const SPECTROGRAM_HEIGHT = 100;

interface Panel {
  /** Of the original or of the output. */
  name: string;
  kind: string;
  /** What the image shows, in the output's time. */
  span: { fromPts: number; toPts: number };
  height: number;
  /** What it shows, as wide as its span. */
  drawn: (width: number) => VNode;
}

interface AudioParts extends Pick<BroadcastFacts, 'fragments'> {
  images: NonNullable<BroadcastFacts['images']>;
}

/** The audio of the original and of the output, one above the other, over the output's time (PTS). */
export function AudioChart({ images, fragments }: AudioParts): VNode {
  const { fromPts, toPts, original, output } = images;
  const axis = { left: 76, right: WIDTH - 16, from: fromPts, to: toPts };
  const panels = [
    ...(original ? panelsOf('original', original, original) : []),
    ...panelsOf('output', output, images),
  ];
  const tops = panels.map((_, index) =>
    panels.slice(0, index).reduce((sum, { height }) => sum + height + GAP, TOP),
  );
  const bottom = (tops.at(-1) ?? TOP) + (panels.at(-1)?.height ?? 0);
  const boundaries = fragments.filter(
    ({ shownAtPts = NaN }) => shownAtPts >= fromPts - 0.001 && shownAtPts < toPts,
  );
  const above = original
    ? 'the original, as it would be heard at its video, and below it of the output'
    : 'the output; there are none of the original';
  return (
    <Chart
      title="Audio of the original and of the output"
      description={`Waveform and spectrogram of ${above}, over the time of the output.`}
      height={bottom + 26}
      axis={axis}
      span={[TOP, bottom]}
      ptsOffset={0}
    >
      {panels.map((panel, index) => (
        <PanelImage key={index} {...{ panel, axis, bottom }} top={tops[index] ?? TOP} />
      ))}
      <SecondsAxis {...{ axis, bottom }} top={bottom} />
      {boundaries.map((fragment) => (
        <Boundary key={fragment.sequence} {...{ fragment, axis, bottom }} top={TOP - 4} />
      ))}
    </Chart>
  );
}

function panelsOf(
  name: string,
  { levels, spectrogram }: AudioImages,
  span: Panel['span'],
): Panel[] {
  return [
    { name, span, kind: 'waveform', height: WAVEFORM_HEIGHT, drawn: waveformOf(levels) },
    { name, span, kind: 'spectrogram', height: SPECTROGRAM_HEIGHT, drawn: imageOf(spectrogram) },
  ];
}

/** Loudness by its square root: speech peaks at a quarter of full scale. */
const waveformOf =
  (levels: readonly number[]): Panel['drawn'] =>
  (width) => {
    const middle = WAVEFORM_HEIGHT / 2;
    const bars = levels.map((level, index) => {
      const half = Math.round(middle * Math.sqrt(level));
      return half === 0 ? '' : `M${index} ${middle - half}v${2 * half}`;
    });
    // Each bar in the middle of its stretch.
    const stretch = `scale(${width / Math.max(1, levels.length)} 1) translate(0.5 0)`;
    return (
      <g transform={stretch}>
        <path class="wave" d={`M0 ${middle}H${levels.length}${bars.join('')}`} />
      </g>
    );
  };

const imageOf =
  (image: string): Panel['drawn'] =>
  (width) => (
    <image href={image} {...{ width, height: SPECTROGRAM_HEIGHT }} preserveAspectRatio="none" />
  );

function PanelImage({ panel, axis, top }: OverTime & { panel: Panel }): VNode {
  const { name, kind, drawn, height, span } = panel;
  const place = { x: axis.left, y: top, width: axis.right - axis.left, height };
  const pixelsPerSecond = place.width / (axis.to - axis.from);
  const x = round((span.fromPts - axis.from) * pixelsPerSecond);
  const width = round((span.toPts - span.fromPts) * pixelsPerSecond);
  return (
    <g>
      <rect class="paper" {...place} />
      {/* What is beyond the axis is cut off. */}
      <svg {...place}>
        <g transform={`translate(${x} 0)`}>{drawn(width)}</g>
      </svg>
      {textAt(axis.left - 6, top + 16, name, 'end')}
      <text class="end faint" x={axis.left - 6} y={top + 32} font-size={10}>
        {kind}
      </text>
    </g>
  );
}

/** Where the video of a fragment begins. */
function Boundary(parts: OverTime & { fragment: FragmentFacts }): VNode {
  const { fragment, axis, top, bottom } = parts;
  const { sequence, state, shownAtPts = 0 } = fragment;
  const x = xOf(axis, shownAtPts);
  return (
    <g>
      <line class="boundary" x1={x} x2={x} y1={top} y2={bottom} />
      {textAt(x + 2, top - 4, `${sequence} ${STATE_SIGNS[state]}`, state === 'heard' ? '' : 'bad')}
    </g>
  );
}
