import type { VNode } from 'preact';

import type { BroadcastFacts, FragmentFacts, Stage, TimelineEvent, UnsentFacts } from '../facts';
import { shownNumber } from '../wording';
import { Chart, EventLines, eventsInOrder, finite, FragmentLink, LISTED_EVENTS } from './chart';
import {
  round,
  RowLink,
  SecondsAxis,
  shortened,
  STATE_SIGNS,
  textAt,
  type TimeAxis,
} from './chart';
import { WIDTH, xOf } from './chart';

/** In the order of time; `x` and `y` are where its entry of the legend begins, in pixels. */
export const STAGES: readonly { stage: Stage; meaning: string; x: number; y: number }[] = [
  { stage: 'waiting', meaning: 'waiting to be sent', x: 10, y: 30 },
  { stage: 'queued', meaning: 'waiting at the STS', x: 190, y: 30 },
  { stage: 'asr', meaning: 'speech to text', x: 332, y: 30 },
  { stage: 'translation', meaning: 'translation', x: 448, y: 30 },
  { stage: 'tts', meaning: 'text to speech', x: 546, y: 30 },
  { stage: 'returned', meaning: 'returned, not played yet', x: 666, y: 30 },
  { stage: 'played', meaning: 'played (by its PTS)', x: 10, y: 48 },
  { stage: 'unheard', meaning: 'shown, its dub is not heard', x: 190, y: 48 },
  { stage: 'unmeasured', meaning: 'shown, what is heard was not measured', x: 448, y: 48 },
];

const ROW_HEIGHT = 22;
/** Above the rows: the title of a chart that is alone, the legend, the numbers of the events. */
const TOP = 94;

/** Each fragment's way through the pipeline, over seconds since publishing. */
export function FragmentTimeline({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, unsent, ptsZeroAtSeconds } = facts;
  const rows = [
    ...fragments.map((fragment) => ({ at: fragment.stages[0]?.fromSeconds ?? NaN, fragment })),
    ...unsent.map((one) => ({ at: one.dueSeconds, unsent: one })),
  ].sort((a, b) => a.at - b.at);
  const events = eventsInOrder(facts.events);
  const times = finite([
    ...fragments.flatMap(({ stages }) => stages.map(({ toSeconds }) => toSeconds)),
    ...unsent.map(({ dueSeconds }) => dueSeconds),
    ...events.map(({ atSeconds }) => atSeconds),
  ]);
  const axis = { left: 76, right: WIDTH - 16, from: 0, to: Math.max(1, ...times) };
  const bottom = TOP + Math.max(1, rows.length) * ROW_HEIGHT;
  const lines = Math.min(events.length, LISTED_EVENTS + 1);
  return (
    <Chart
      title="Timeline of fragments"
      description="A row for each fragment, from being complete to being played, and for each segment that was not sent, over seconds since publishing began."
      {...{ height: bottom + 34 + lines * 16, axis }}
      span={[TOP, bottom]}
      ptsOffset={ptsZeroAtSeconds === undefined ? undefined : -ptsZeroAtSeconds}
    >
      <StagePatterns />
      {STAGES.map(({ stage, meaning, x, y }) => (
        <g key={stage} transform={`translate(${x} ${y})`}>
          <rect width={14} height={12} fill={`url(#stage-${stage})`} />
          {textAt(19, 10, meaning)}
        </g>
      ))}
      <SecondsAxis {...{ axis, bottom }} top={TOP} />
      {rows.map((row, index) => {
        const place = { axis, top: TOP + index * ROW_HEIGHT };
        return 'fragment' in row ? (
          <FragmentRow key={index} fragment={row.fragment} {...place} />
        ) : (
          <UnsentRow key={index} unsent={row.unsent} {...place} />
        );
      })}
      <EventLines {...{ events, axis, bottom }} top={TOP - 4} numbers={true} />
      <EventList {...{ events }} x={axis.left} y={bottom + 36} />
    </Chart>
  );
}

const BAR_HEIGHT = ROW_HEIGHT - 8;
const WHOLE = (top: number): { y: number; height: number } => ({ y: top + 4, height: BAR_HEIGHT });
const LOWER_HALF: typeof WHOLE = (top) => ({
  ...{ y: top + 4 + BAR_HEIGHT / 2, height: BAR_HEIGHT / 2 },
});

/** A segment that is shown while the STS still works on it leaves room for that. */
function isBesideAnother(stages: FragmentFacts['stages'], at: number): boolean {
  const own = stages[at];
  const before = stages.slice(0, at);
  return own !== undefined && before.some(({ toSeconds }) => toSeconds > own.fromSeconds + 0.0005);
}

function FragmentRow(parts: { fragment: FragmentFacts; axis: TimeAxis; top: number }): VNode {
  const { fragment, axis, top } = parts;
  const { sequence, state } = fragment;
  const stages = fragment.stages.filter(({ fromSeconds, toSeconds }) => toSeconds > fromSeconds);
  return (
    <FragmentLink fragment={fragment}>
      <rect
        class="hit"
        {...{ x: 0, y: top, width: WIDTH, height: ROW_HEIGHT }}
        data-fragment={sequence}
      />
      {textAt(40, top + 15, sequence, 'end')}
      {textAt(56, top + 15, STATE_SIGNS[state], `middle ${state === 'heard' ? '' : 'bad'}`)}
      {stages.map(({ stage, fromSeconds, toSeconds }, at) => (
        <rect
          key={at}
          x={xOf(axis, fromSeconds)}
          // What took next to no time can still be seen.
          width={Math.max(1.5, round(xOf(axis, toSeconds) - xOf(axis, fromSeconds)))}
          {...(isBesideAnother(stages, at) ? LOWER_HALF : WHOLE)(top)}
          fill={`url(#stage-${stage})`}
        >
          <title>{`fragment ${sequence}, ${stage}: ${shownNumber(fromSeconds, 2)} s to ${shownNumber(toSeconds, 2, ' s')}`}</title>
        </rect>
      ))}
    </FragmentLink>
  );
}

/** When it would have been sent, and why it was not. */
function UnsentRow(parts: { unsent: UnsentFacts; axis: TimeAxis; top: number }): VNode {
  const { unsent, axis, top } = parts;
  const { segment, why, dueSeconds } = unsent;
  const x = xOf(axis, dueSeconds);
  const text = `segment ${segment} is not sent: ${why}`;
  const isLeft = x < (axis.left + axis.right) / 2;
  return (
    <RowLink row={`segment-${segment}`} name={text}>
      {textAt(56, top + 15, '∅', 'middle bad')}
      <line class="event fault" x1={x} x2={x} y1={top + 3} y2={top + ROW_HEIGHT - 3} />
      {textAt(x + (isLeft ? 6 : -6), top + 15, text, isLeft ? 'bad' : 'bad end')}
    </RowLink>
  );
}

/** The first events in words, below the chart. */
function EventList({ events, x, y }: { events: TimelineEvent[]; x: number; y: number }): VNode {
  const listed = events.slice(0, LISTED_EVENTS);
  const left = events.length - listed.length;
  return (
    <>
      {listed.map(({ atSeconds, kind, text }, index) => {
        const shown = `${index + 1}: ${shownNumber(atSeconds)} s, ${kind}: ${shortened(text, 120)}`;
        return textAt(x, y + index * 16, shown, kind === 'fault' ? 'bad' : undefined);
      })}
      {left > 0 ? textAt(x, y + listed.length * 16, `… and ${left} later events`, 'faint') : null}
    </>
  );
}

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
      {pattern('unheard', <path d="M0 0L6 6M0 6L6 0" {...dark('unheard')} />, true)}
      {pattern('unmeasured', <path d="M3 0V6" {...dark('unmeasured')} />, true)}
    </defs>
  );
}
