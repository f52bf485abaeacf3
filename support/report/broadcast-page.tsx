import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { safeText } from '../base/safe-text';
import { AudioChart } from './charts/audio-chart';
import { CHART_STYLE } from './charts/chart';
import { OffsetChart } from './charts/offset-chart';
import type { BroadcastFacts, CauseFacts } from './facts';
import { OnThisPage, page, type PageSection, section } from './layout';
import { FilesSection, LogSection, PRINTED_LOG_LINES } from './page/evidence-sections';
import { FragmentTable } from './page/fragment-table';
import { MetricsSection } from './page/metrics-section';
import { ChartBox, EvidenceUrl, Missing, some } from './page/parts';
import { isPlayable, Player, segmentsOf } from './page/player';
import { TimelineSection } from './page/timeline-section';
import { type Beside, VerdictSection, VerdictTable } from './page/verdict-section';
import type { ScenarioResult } from './scenario-results';

const STYLE = `${CHART_STYLE}
.player { background: var(--back); border-bottom: 1px solid var(--line); padding: .5rem 0; display: flex; gap: 1rem; flex-wrap: wrap; }
.player video { display: block; width: 100%; max-height: 60vh; background: #000; }
.player > * { flex: 1 1 20rem; min-width: 0; } .player p { margin: .3rem 0; }
.now { overflow-wrap: anywhere; }
@media (min-width: 60rem) and (min-height: 30rem) { .player { position: sticky; top: 0; z-index: 5; flex-wrap: nowrap; max-height: 32vh; }
  .player > .screen { flex: 0 0 auto; } .player video { width: auto; max-width: 50vw; height: calc(32vh - 1.1rem); aspect-ratio: 16 / 9; }
  .player > .now { overflow-y: auto; } .has-player [id] { scroll-margin-top: 34vh; } }
tr[aria-current] > * { background: #fff3cd; }
@media (prefers-color-scheme: dark) { tr[aria-current] > * { background: #332a0c; } }
.from-here { margin-right: .3rem; } .chart-box { overflow-x: auto; margin: .6rem 0; } .chart-box > svg { min-width: 46rem; }
.text { min-width: 12rem; max-width: 26rem; overflow-wrap: anywhere; } #fragments thead th { white-space: normal; vertical-align: bottom; }
.metrics { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; margin: .6rem 0; }
.metrics figure { margin: 0; min-width: 0; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
.log { max-height: 32rem; overflow: auto; border: 1px solid var(--line); }
.log table { font: .8125rem/1.4 ui-monospace, monospace; } .log td { padding: .15rem .5rem; } .log button { padding: 0 .3rem; }
.log td:last-child { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 20rem; }
.can-seek svg[data-from-pts] { cursor: crosshair; } .print-only { display: none; }
.wrong-ones { padding-left: 1.2rem; } .verdict .badge { white-space: normal; }
@media print { .print-only { display: block; } .player { display: none; } .log { max-height: none; overflow: visible; }
  .log tbody tr:nth-child(n + ${PRINTED_LOG_LINES + 1}) { display: none; } .chart-box { overflow: visible; } .chart-box > svg { min-width: 0; }
  figure, svg { break-inside: avoid; } }
`;

/** Where things are, relative to the page. */
export interface PageLinks {
  /** The page of the run. */
  run: string;
  /** The evidence folder: empty where the page lies in it, or a URL that ends in a slash. */
  evidence: string;
  /** Other broadcasts that were on the air at the same time. */
  beside: readonly Beside[];
}

/**
 * The page of one broadcast: what was wrong first, then everything that was seen of it.
 *
 * @param judged the scenarios that judged this broadcast
 * @param causes of those that failed
 */
export function broadcastPage(
  facts: BroadcastFacts,
  judged: readonly ScenarioResult[],
  links: PageLinks,
  causes: readonly CauseFacts[] = [],
): string {
  const sections = sectionsOf(facts);
  return page({
    title: safeText(facts.name),
    above: (
      <nav aria-label="Run">
        <a href={links.run}>← All scenarios of the run</a>
      </nav>
    ),
    style: STYLE,
    script: ['player-script.js', 'broadcast-page-script.js']
      .map((name) => readFileSync(join(__dirname, name), 'utf8'))
      .join('\n'),
    data: { segments: segmentsOf(facts) },
    body: (
      <EvidenceUrl.Provider value={links.evidence}>
        <div class={isPlayable(facts) ? 'has-player' : undefined}>
          <VerdictSection {...{ facts, judged, causes }} beside={links.beside} />
          <OnThisPage sections={sections} />
          {sections.map(({ id, title, content }) =>
            // Not within a section, which it would leave the screen with.
            id === 'player' ? (
              content
            ) : (
              <section key={id} id={id}>
                <h2>{title}</h2>
                {content}
              </section>
            ),
          )}
        </div>
      </EvidenceUrl.Provider>
    ),
  });
}

function sectionsOf(facts: BroadcastFacts): PageSection[] {
  const { fragments, images, output, verdicts } = facts;
  const offsets = some(fragments, 'No fragment was observed.', () => (
    <ChartBox label="A/V offset">
      <OffsetChart facts={facts} />
    </ChartBox>
  ));
  const audio = images ? (
    <ChartBox label="Audio of the original and of the output">
      <AudioChart {...{ images, fragments }} />
    </ChartBox>
  ) : (
    <Missing facts={facts} name="images" />
  );
  const checks = some(verdicts, 'Nothing of this broadcast was judged.', () => (
    <VerdictTable verdicts={verdicts} label="All checks" />
  ));
  return [
    ...(output ? [section('player', 'Player', <Player facts={facts} output={output} />)] : []),
    section('fragments', 'Fragments', <FragmentTable facts={facts} />),
    section('timeline', 'Timeline of fragments', <TimelineSection facts={facts} />),
    section('offset', 'A/V offset', offsets),
    section('audio', 'Audio', audio),
    section('metrics', 'Metrics', <MetricsSection facts={facts} />),
    section('checks', 'Checks', checks),
    section('files', 'Files', <FilesSection facts={facts} />),
    section('log', 'Log', <LogSection facts={facts} />),
  ];
}
