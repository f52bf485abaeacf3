import type { VNode } from 'preact';

import type { BroadcastFacts, FragmentFacts } from '../facts';
import { offsetLimits } from '../verdict-facts';
import { shownNumber } from '../wording';
import { Chart, finite, FragmentLink, round, STATE_SIGNS, textAt, WIDTH, wordOf } from './chart';

/** EBU R 37: how far audio may be off its video where it reaches the viewer, in ms. For reference; nothing is judged by it. */
const EBU_R37 = { earlyMs: 40, lateMs: 60 } as const;
/** How much is drawn where nothing has been judged, in ms both ways. */
const REACH_MS = 120;

const [LEFT, RIGHT, TOP, BOTTOM] = [76, WIDTH - 226, 30, 250];

const LEGEND = 'fragment: ● heard, ◆ a verdict deviates at it, ∅ not heard, – not measured';

/** From ms to pixels; what is beyond the chart, at its edge. */
interface OffsetAxis {
  reachMs: number;
  y: (ms: number) => number;
}

/** The A/V offset of each fragment, with the limit that it was judged by. */
export function OffsetChart({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, figures } = facts;
  const { offsetMs: limitMs, driftMs } = offsetLimits(facts);
  const offsets = finite(fragments.map(({ offsetMs }) => offsetMs));
  const axis = axisOf(limitMs ?? REACH_MS, offsets);
  const limit =
    limitMs === undefined ? 'no verdict on it' : `judged with a limit of ±${limitMs} ms`;
  const step = (RIGHT - LEFT) / Math.max(1, fragments.length);
  const drift = shownNumber(figures.driftMs, 1, ' ms');
  const driftLimit = driftMs === undefined ? '' : ` (limit ${driftMs} ms)`;
  return (
    <Chart
      title="A/V offset"
      description={`A/V offset (audio minus video) of each fragment in ms, ${limit}; ${offsets.length} of ${fragments.length} fragments were measured, the farthest ${shownNumber(figures.offsetWorstMs)} ms.`}
      height={BOTTOM + 42}
    >
      <Limits y={axis.y} limitMs={limitMs} />
      <line class="axis" x1={LEFT} x2={RIGHT} y1={axis.y(0)} y2={axis.y(0)} />
      {textAt(RIGHT + 10, BOTTOM + 18, `drift ${drift}${driftLimit}`)}
      {fragments.map((fragment, index) => (
        <FragmentColumn key={fragment.sequence} {...{ fragment, index, step, axis }} />
      ))}
      {textAt(LEFT, BOTTOM + 36, LEGEND, 'faint')}
    </Chart>
  );
}

/** A single fragment that is seconds away is not to squeeze all the others onto one line. */
function axisOf(limitMs: number, offsets: readonly number[]): OffsetAxis {
  const worst = Math.max(0, ...offsets.map(Math.abs));
  const least = Math.max(limitMs, EBU_R37.lateMs);
  const reachMs = Math.max(1.3 * least, Math.min(1.15 * worst, 2.5 * Math.max(least, REACH_MS)));
  const y = (ms: number): number => {
    const inside = Math.min(reachMs, Math.max(-reachMs, ms));
    return round(TOP + ((reachMs - inside) / (2 * reachMs)) * (BOTTOM - TOP));
  };
  return { reachMs, y };
}

function Limits({ y, limitMs }: { y: OffsetAxis['y']; limitMs: number | undefined }): VNode {
  const band = (className: string, from: number, to: number): VNode => (
    <rect class={className} x={LEFT} y={y(to)} width={RIGHT - LEFT} height={y(from) - y(to)} />
  );
  const limits = limitMs === undefined ? [] : [limitMs, -limitMs];
  const lines = [
    ...limits.map((ms) => ({ ms, text: `limit, audio ${ms > 0 ? 'late' : 'early'}` })),
    { ms: EBU_R37.lateMs, text: 'EBU R 37, audio late' },
    { ms: -EBU_R37.earlyMs, text: 'EBU R 37, audio early' },
    { ms: 0, text: '' },
  ];
  // Those that would lie on one before are left out: the limit comes first.
  const apart = lines.filter(
    ({ ms }, at) => !lines.slice(0, at).some((one) => Math.abs(y(one.ms) - y(ms)) < 13),
  );
  return (
    <g>
      {limitMs === undefined ? null : band('band', -limitMs, limitMs)}
      {band('strict', -EBU_R37.earlyMs, EBU_R37.lateMs)}
      {limits.map((ms) => (
        <line key={ms} class="limit" x1={LEFT} x2={RIGHT} y1={y(ms)} y2={y(ms)} />
      ))}
      {apart.map(({ ms, text }) => (
        <g key={ms}>
          {textAt(LEFT - 6, y(ms) + 4, `${ms > 0 ? '+' : ''}${ms} ms`, 'faint end')}
          {ms === 0 ? null : textAt(RIGHT + 10, y(ms) + 4, text, 'faint')}
        </g>
      ))}
    </g>
  );
}

interface ColumnParts {
  fragment: FragmentFacts;
  index: number;
  /** Pixels from one fragment to the next. */
  step: number;
  axis: OffsetAxis;
}

function FragmentColumn({ fragment, index, step, axis: { y, reachMs } }: ColumnParts): VNode {
  const { sequence, state, offsetMs = NaN } = fragment;
  const x = round(LEFT + (index + 0.5) * step);
  const every = Math.max(1, Math.ceil(28 / step));
  const isBeyond = Math.abs(offsetMs) > reachMs;
  const isNamed = Number.isFinite(offsetMs) && (state === 'wrong' || isBeyond) && step > 40;
  const isLow = offsetMs < 0;
  const arrow = isBeyond ? (isLow ? '↓ ' : '↑ ') : '';
  const shown = shownNumber(offsetMs, 0, ' ms');
  return (
    <>
      <FragmentLink fragment={fragment}>
        <rect
          class="hit"
          x={round(x - step / 2)}
          y={TOP - 6}
          width={round(step)}
          height={BOTTOM - TOP + 30}
          data-fragment={sequence}
        >
          <title>{`fragment ${sequence}, ${wordOf(state)}: ${shownNumber(offsetMs, 1, ' ms')}`}</title>
        </rect>
        {dotAt(x, y, fragment)}
        {index % every === 0 ? textAt(x, BOTTOM + 18, sequence, 'middle') : null}
      </FragmentLink>
      {/* Away from 0; of one that is beyond the chart, into it. */}
      {isNamed
        ? textAt(x, y(offsetMs) + (isLow === isBeyond ? -12 : 20), `${arrow}${shown}`, 'middle bad')
        : null}
    </>
  );
}

function dotAt(x: number, y: OffsetAxis['y'], { offsetMs = NaN, state }: FragmentFacts): VNode {
  if (state === 'unheard') return textAt(x, BOTTOM - 4, STATE_SIGNS[state], 'middle bad');
  if (!Number.isFinite(offsetMs)) {
    return textAt(x, BOTTOM - 4, STATE_SIGNS['not measured'], 'middle faint');
  }
  if (state === 'wrong') {
    return <path class="wrong" d={`M${x} ${y(offsetMs) - 7}l7 7l-7 7l-7 -7z`} />;
  }
  return <circle class="heard" cx={x} cy={y(offsetMs)} r={4.5} />;
}
