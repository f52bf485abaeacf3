import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { FragmentTimeline, STAGES } from '../charts/timeline-chart';
import type { BroadcastFacts, FragmentFacts, TimelineEvent } from '../facts';
import { type Column, Table } from '../layout';
import { counted, shownNumber } from '../wording';
import { ChartBox, folded, some } from './parts';

const STAGE_COLUMNS: readonly Column<FragmentFacts>[] = [
  { head: 'fragment', kind: 'number', isHead: true, cell: ({ sequence }) => sequence },
  ...STAGES.map(({ stage }): Column<FragmentFacts> => ({
    ...{ head: stage, kind: 'number' },
    cell: ({ stages }) => {
      const { fromSeconds, toSeconds } = stages.find((one) => one.stage === stage) ?? {};
      if (fromSeconds === undefined) return '–';
      return `${shownNumber(fromSeconds, 2)} to ${shownNumber(toSeconds, 2)}`;
    },
  })),
  { head: 'ended', cell: ({ ended }) => safeText(ended ?? '–') },
];
const EVENT_COLUMNS: readonly Column<TimelineEvent>[] = [
  { head: 'second', kind: 'number', cell: ({ atSeconds }) => shownNumber(atSeconds, 2) },
  {
    head: 'kind',
    cell: ({ kind }) => <span class={kind === 'fault' ? 'bad' : undefined}>{kind}</span>,
  },
  { head: 'what happened', cell: ({ text }) => safeText(text) },
];

export function TimelineSection({ facts }: { facts: BroadcastFacts }): VNode {
  const { fragments, events } = facts;
  return (
    <>
      {some(fragments, 'No fragment was observed.', () => (
        <ChartBox label="Timeline of fragments">
          <FragmentTimeline facts={facts} />
        </ChartBox>
      ))}
      {folded(fragments, 'The same in numbers: seconds since publishing began', () => (
        <Table label="Timeline of fragments, in numbers" rows={fragments} columns={STAGE_COLUMNS} />
      ))}
      {folded(events, counted(events.length, 'event'), () => (
        <Table label="Events" rows={events} columns={EVENT_COLUMNS} />
      ))}
    </>
  );
}
