import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { STATE_SIGNS, wordOf } from '../charts/chart';
import type { BroadcastFacts, FragmentFacts } from '../facts';
import { type Column, Table } from '../layout';
import { shownNumber } from '../wording';
import { EvidenceLink, some } from './parts';

const FIRST: readonly Column<FragmentFacts>[] = [
  {
    head: 'fragment',
    kind: 'number',
    isHead: true,
    cell: (fragment) => <Sequence {...fragment} />,
  },
  { head: 'state', kind: 'text', cell: (fragment) => <FragmentState {...fragment} /> },
];

/** Undefined where the fragment has none, – is shown then; a column without any is not shown at all. */
const COLUMNS: readonly Column<FragmentFacts>[] = [
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
  {
    head: 'script',
    kind: 'text',
    cell: ({ script }) => script && safeText(script),
  },
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

function audioLink(file: string | undefined, sequence: number, which: string): VNode | undefined {
  if (file === undefined) return undefined;
  return (
    <EvidenceLink file={file} label={`fragment ${sequence} ${which}`}>
      {which}
    </EvidenceLink>
  );
}

export function FragmentTable({ facts: { fragments } }: { facts: BroadcastFacts }): VNode {
  const columns = COLUMNS.filter(({ cell }) =>
    fragments.some((fragment) => cell(fragment) !== undefined),
  ).map((column) => ({ ...column, cell: (row: FragmentFacts) => column.cell(row) ?? '–' }));
  return some(fragments, 'No fragment was observed.', () => (
    <Table
      label="Fragments"
      rows={fragments}
      columns={[...FIRST, ...columns]}
      rowOf={({ sequence }) => ({ id: `fragment-${sequence}` })}
    />
  ));
}

function Sequence({ sequence, shownAtPts }: FragmentFacts): VNode {
  return (
    <>
      {Number.isFinite(shownAtPts) ? (
        <button
          type="button"
          class="from-here no-print needs-script"
          data-play={sequence}
          aria-label={`play from fragment ${sequence}`}
          hidden
        >
          ▶
        </button>
      ) : null}
      {sequence}
    </>
  );
}

function FragmentState({ state, remarks }: FragmentFacts): VNode {
  const className = { heard: 'good', wrong: 'bad', unheard: 'bad', 'not measured': 'faint' }[state];
  return (
    <>
      <span class={`badge ${className}`}>
        <span aria-hidden="true">{STATE_SIGNS[state]}</span> {wordOf(state)}
      </span>
      {remarks.map((remark, index) => (
        <div key={index}>{safeText(remark)}</div>
      ))}
    </>
  );
}
