import type { VNode } from 'preact';

import type { BroadcastFacts, FragmentFacts, Stage, TimelineEvent } from '../facts';
import { shownNumber } from '../wording';
import { Chart, EventLines, eventsInOrder, finite, FragmentLink, LISTED_EVENTS } from './chart';
import { round, SecondsAxis, shortened, STATE_SIGNS, textAt, type TimeAxis } from './chart';
import { WIDTH, xOf } from './chart';

/** In the order of time; `x` is where its entry of the legend begins, in pixels. */
export const STAGES: readonly { stage: Stage; meaning: string; x: number }[] = [
  { stage: 'waiting', meaning: 'waiting to be sent', x: 10 },
  { stage: 'queued', meaning: 'queued at the STS', x: 190 },
  { stage: 'asr', meaning: 'speech to text', x: 332 },
  { stage: 'translation', meaning: 'translation', x: 448 },
  { stage: 'tts', meaning: 'text to speech', x: 546 },
  { stage: 'returned', meaning: 'returned, not played yet', x: 666 },
  { stage: 'played', meaning: 'played', x: 846 },
];

const ROW_HEIGHT = 22;
/** Above the rows: the title of a chart that is alone, the legend, the numbers of the events. */
const TOP = 76;

/** Each fragment's way through the pipeline, over seconds since publishing. */
export function FragmentTimeline({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, ptsZeroAtSeconds } = facts;
  const events = eventsInOrder(facts.events);
  const times = finite([
    ...fragments.flatMap(({ stages }) => stages.map(({ toSeconds }) => toSeconds)),
    ...events.map(({ atSeconds }) => atSeconds),
  ]);
  const axis = { left: 76, right: WIDTH - 16, from: 0, to: Math.max(1, ...times) };
  const bottom = TOP + Math.max(1, fragments.length) * ROW_HEIGHT;
  const lines = Math.min(events.length, LISTED_EVENTS + 1);
  return (
    <Chart
      title="Timeline of fragments"
      description="A row for each fragment, from being complete to being played, over seconds since publishing began."
      {...{ height: bottom + 34 + lines * 16, axis }}
      span={[TOP, bottom]}
      ptsOffset={ptsZeroAtSeconds === undefined ? undefined : -ptsZeroAtSeconds}
    >
      <StagePatterns />
      {STAGES.map(({ stage, meaning, x }) => (
        <g key={stage} transform={`translate(${x} 30)`}>
          <rect width={14} height={12} fill={`url(#stage-${stage})`} />
          {textAt(19, 10, meaning)}
        </g>
      ))}
      <SecondsAxis {...{ axis, bottom }} top={TOP} />
      {fragments.map((fragment, index) => (
        <FragmentRow
          key={fragment.sequence}
          {...{ fragment, axis }}
          top={TOP + index * ROW_HEIGHT}
        />
      ))}
      <EventLines {...{ events, axis, bottom }} top={TOP - 4} numbers={true} />
      <EventList {...{ events }} x={axis.left} y={bottom + 36} />
    </Chart>
  );
}

function FragmentRow(parts: { fragment: FragmentFacts; axis: TimeAxis; top: number }): VNode {
  const { fragment, axis, top } = parts;
  const { sequence, state, stages } = fragment;
  return (
    <FragmentLink fragment={fragment}>
      <rect
        class="hit"
        {...{ x: 0, y: top, width: WIDTH, height: ROW_HEIGHT }}
        data-fragment={sequence}
      />
      {textAt(40, top + 15, sequence, 'end')}
      {textAt(56, top + 15, STATE_SIGNS[state], `middle ${state === 'heard' ? '' : 'bad'}`)}
      {stages
        .filter(({ fromSeconds, toSeconds }) => toSeconds > fromSeconds)
        .map(({ stage, fromSeconds, toSeconds }, at) => (
          <rect
            key={at}
            x={xOf(axis, fromSeconds)}
            // What took next to no time can still be seen.
            width={Math.max(1.5, round(xOf(axis, toSeconds) - xOf(axis, fromSeconds)))}
            y={top + 4}
            height={ROW_HEIGHT - 8}
            fill={`url(#stage-${stage})`}
          >
            <title>{`fragment ${sequence}, ${stage}: ${shownNumber(fromSeconds, 2)} s to ${shownNumber(toSeconds, 2, ' s')}`}</title>
          </rect>
        ))}
    </FragmentLink>
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
    </defs>
  );
}
