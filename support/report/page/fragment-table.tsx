import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { STATE_SIGNS, wordOf } from '../charts/chart';
import type { BroadcastFacts, FragmentFacts, UnsentFacts } from '../facts';
import { type Column, Table } from '../layout';
import { shownNumber } from '../wording';
import { EvidenceLink, some } from './parts';

/** A fragment, or a segment that was never sent. */
interface SegmentRow extends Omit<Partial<FragmentFacts>, 'state'> {
  /** The id of its row. */
  row: string;
  segment: number;
  state: FragmentFacts['state'] | 'not sent';
  remarks: string[];
}

const FIRST: readonly Column<SegmentRow>[] = [
  { head: 'segment', kind: 'number', isHead: true, cell: (one) => <Segment {...one} /> },
  { head: 'fragment', kind: 'number', cell: ({ sequence }) => sequence ?? '–' },
  { head: 'state', kind: 'text', cell: (one) => <FragmentState {...one} /> },
];

/** Undefined where the fragment has none, – is shown then; a column without any is not shown at all. */
const COLUMNS: readonly Column<SegmentRow>[] = [
  { head: 'A/V offset, ms', kind: 'number', cell: ({ offsetMs }) => number(offsetMs) },
  { head: 'correlation', kind: 'number', cell: ({ correlation }) => number(correlation, 2) },
  {
    head: 'heard, %',
    kind: 'number',
    cell: ({ heardShare = NaN }) => number(100 * heardShare, 0),
  },
  {
    head: 'original beside it',
    kind: 'number',
    cell: ({ originalCorrelation }) => number(originalCorrelation, 2),
  },
  { head: 'answer, ms', kind: 'number', cell: ({ roundTripMs }) => number(roundTripMs, 0) },
  {
    head: 'word error rate',
    kind: 'number',
    cell: ({ wordErrorRate }) => number(wordErrorRate, 2),
  },
  { head: 'chrF', kind: 'number', cell: ({ chrf }) => number(chrf, 2) },
  { head: 'said', kind: 'text', cell: ({ script }) => script && safeText(script) },
  {
    head: 'transcript → translation',
    kind: 'text',
    cell: ({ transcript, translation }) =>
      transcript === undefined && translation === undefined ? undefined : (
        <>
          {safeText(transcript ?? '–')} → <span lang="es">{safeText(translation ?? '–')}</span>
        </>
      ),
  },
  {
    head: 'heard',
    kind: 'text',
    cell: ({ heard }) =>
      heard === undefined ? undefined : <span lang="es">{safeText(heard || '(no words)')}</span>,
  },
  {
    head: 'word error rate of what is heard',
    kind: 'number',
    cell: ({ spokenErrorRate }) => number(spokenErrorRate, 2),
  },
  {
    head: 'probability of the language',
    kind: 'number',
    cell: ({ languageProbability }) => number(languageProbability, 2),
  },
  {
    head: 'audio',
    kind: 'few',
    cell: ({ sequence, original, dubbed }) =>
      original === undefined && dubbed === undefined ? undefined : (
        <>
          {audioLink(original, sequence, 'before')} {audioLink(dubbed, sequence, 'after')}
        </>
      ),
  },
];

function number(value = NaN, digits = 1): string | undefined {
  return Number.isFinite(value) ? shownNumber(value, digits) : undefined;
}

function audioLink(
  file: string | undefined,
  sequence: number | undefined,
  which: string,
): VNode | undefined {
  if (file === undefined) return undefined;
  return (
    <EvidenceLink file={file} label={`fragment ${sequence} ${which}`}>
      {which}
    </EvidenceLink>
  );
}

export function FragmentTable({ facts: { fragments, unsent } }: { facts: BroadcastFacts }): VNode {
  const rows = [...fragments.map(rowOfFragment), ...unsent.map(rowOfUnsent)].sort(
    (a, b) => a.segment - b.segment,
  );
  const columns = COLUMNS.filter(({ cell }) => rows.some((row) => cell(row) !== undefined)).map(
    (column) => ({ ...column, cell: (row: SegmentRow) => column.cell(row) ?? '–' }),
  );
  return some(rows, 'No fragment was observed.', () => (
    <Table
      label="Fragments"
      rows={rows}
      columns={[...FIRST, ...columns]}
      rowOf={({ row }) => ({ id: row })}
    />
  ));
}

function rowOfFragment(fragment: FragmentFacts): SegmentRow {
  return { ...fragment, row: `fragment-${fragment.sequence}` };
}

function rowOfUnsent({ segment, why, script, shownAtPts }: UnsentFacts): SegmentRow {
  return {
    ...{ row: `segment-${segment}`, segment, state: 'not sent', remarks: [why] },
    ...{ script, shownAtPts },
  };
}

function Segment({ row, segment, shownAtPts }: SegmentRow): VNode {
  return (
    <>
      {Number.isFinite(shownAtPts) ? (
        <button
          type="button"
          class="from-here no-print needs-script"
          data-play={row}
          aria-label={`play from ${row.replace('-', ' ')}`}
          hidden
        >
          ▶
        </button>
      ) : null}
      {segment}
    </>
  );
}

const STATE_CLASSES: Record<SegmentRow['state'], string> = {
  ...{ heard: 'good', wrong: 'bad', unheard: 'bad', 'not measured': 'faint', 'not sent': 'bad' },
};

function FragmentState({ state, remarks }: SegmentRow): VNode {
  const [sign, word] =
    state === 'not sent' ? [STATE_SIGNS.unheard, state] : [STATE_SIGNS[state], wordOf(state)];
  return (
    <>
      <span class={`badge ${STATE_CLASSES[state]}`}>
        <span aria-hidden="true">{sign}</span> {word}
      </span>
      {remarks.map((remark, index) => (
        <div key={index}>{safeText(remark)}</div>
      ))}
    </>
  );
}
