/** What lies in the evidence folder of a broadcast: its files, and what services have logged. */
import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import type { BroadcastFacts, LogEntry } from '../facts';
import { Table } from '../layout';
import { counted, shownNumber } from '../wording';
import { EvidenceLink, some } from './parts';

/** More lines than this make a page that takes too long to open; all of them are in the evidence folder. */
const MOST_LOG_LINES = 10_000;
export const PRINTED_LOG_LINES = 100;

export function FilesSection({ facts: { files } }: { facts: BroadcastFacts }): VNode {
  return some(files, 'There are none.', () => (
    <details open={files.length <= 20}>
      <summary>{counted(files.length, 'file')} of evidence</summary>
      <Table
        label="Files"
        rows={files}
        columns={[
          {
            head: 'file',
            cell: ({ name }) => <EvidenceLink file={name}>{safeText(name)}</EvidenceLink>,
          },
          { head: 'size', kind: 'number', cell: ({ bytes }) => size(bytes) },
        ]}
      />
    </details>
  ));
}

function size(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function LogSection({ facts }: { facts: BroadcastFacts }): VNode {
  const lines = facts.log.slice(0, MOST_LOG_LINES);
  const left = facts.log.length - lines.length;
  return some(lines, 'Nothing was logged.', () => (
    <>
      <Filters lines={lines} />
      <p role="status" id="log-count" class="no-print" />
      <p class="print-only">
        {`The first ${PRINTED_LOG_LINES} lines at most are printed; all of them are on the page, and in the evidence folder.`}
      </p>
      {left > 0 ? <p>{`${left} later lines are in the evidence folder only.`}</p> : null}
      <Table
        frame="log"
        label="Log"
        rows={lines}
        columns={[
          { head: 'second', kind: 'number', cell: (line) => <Moment line={line} facts={facts} /> },
          { head: 'service', cell: ({ service }) => safeText(service) },
          {
            head: 'level',
            cell: ({ level }) => <span class={colourOf(level)}>{safeText(level)}</span>,
          },
          { head: 'message', cell: ({ text }) => safeText(text) },
        ]}
      />
    </>
  ));
}

/** The script of the page makes a button of it, where the player can show that moment. */
function Moment({ line, facts }: { line: LogEntry; facts: BroadcastFacts }): VNode {
  const { output, ptsZeroAtSeconds = NaN } = facts;
  const { atSeconds = NaN } = line;
  const pts = atSeconds - ptsZeroAtSeconds;
  const isInOutput = output !== undefined && pts >= 0 && pts <= output.seconds;
  return (
    <span data-seek={isInOutput ? pts.toFixed(2) : undefined}>{shownNumber(atSeconds, 2)}</span>
  );
}

function colourOf(level: string): string | undefined {
  return /err|fatal|crit|panic/i.test(level) ? 'bad' : undefined;
}

/** Shown by the script of the page, as they do nothing without it. */
function Filters({ lines }: { lines: readonly LogEntry[] }): VNode {
  const choice = (label: string, key: 'service' | 'level'): VNode => (
    <label>
      {label}
      <select id={`log-${key}`}>
        <option value="">all</option>
        {[...new Set(lines.map((line) => safeText(line[key])))]
          .filter(Boolean)
          .sort()
          .map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
      </select>
    </label>
  );
  return (
    <form class="filters no-print needs-script" hidden>
      <label>
        Search
        <input type="search" id="log-search" autocomplete="off" />
      </label>
      {choice('Service', 'service')}
      {choice('Level', 'level')}
      <button type="button" id="log-all" hidden>
        show all
      </button>
    </form>
  );
}
