import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { wordOf } from '../charts/chart';
import type { BroadcastFacts } from '../facts';
import { duration } from '../wording';
import { EvidenceLink, useEvidence } from './parts';

/** What browsers play. */
const PLAYABLE = /\.(?:mp4|m4v|webm)$/i;

export function isPlayable({ output }: BroadcastFacts): boolean {
  return output !== undefined && PLAYABLE.test(output.file);
}

/** What the script of the page shows while a fragment is played. */
export function segmentsOf({ fragments, segmentSeconds }: BroadcastFacts): unknown[] {
  const shown = fragments.filter(({ shownAtPts }) => Number.isFinite(shownAtPts));
  return shown.map((fragment, index) => {
    const from = fragment.shownAtPts ?? 0;
    const next = shown[index + 1]?.shownAtPts ?? NaN;
    return {
      sequence: fragment.sequence,
      fromPts: from,
      toPts: next > from ? Math.min(next, from + segmentSeconds) : from + segmentSeconds,
      original: fragment.script ?? fragment.transcript ?? '',
      dub: fragment.translation ?? '',
      state: [wordOf(fragment.state), ...fragment.remarks].join('; '),
    };
  });
}

interface PlayerParts {
  facts: BroadcastFacts;
  output: NonNullable<BroadcastFacts['output']>;
}

export function Player({ facts, output }: PlayerParts): VNode {
  const file = safeText(output.file);
  const url = useEvidence(output.file);
  const link = <EvidenceLink file={output.file}>{file}</EvidenceLink>;
  if (!isPlayable(facts)) {
    return (
      <section id="player">
        <h2>Player</h2>
        <p>
          Browsers do not play this recording: open {link} ({duration(output.seconds)}) with a media
          player.
        </p>
      </section>
    );
  }
  return (
    <>
      <h2 id="player">Player</h2>
      <p class="print-only">The recording is {file}.</p>
      <div class="player">
        <div class="screen">
          <video controls preload="metadata" src={url} aria-label="The recording of the output" />
          <p id="player-trouble" class="bad" role="status" hidden>
            The browser cannot play {link}: it has to be where this link leads, in a format that the
            browser knows.
          </p>
        </div>
        <CurrentFragment recording={`${file}, ${duration(output.seconds)}`} />
      </div>
    </>
  );
}

/** Filled by the script of the page. */
function CurrentFragment({ recording }: { recording: string }): VNode {
  return (
    <div class="now" role="region" aria-label="The current fragment" tabindex={0}>
      <p class="no-print needs-script" hidden>
        <button type="button" data-step="-1">
          previous fragment
        </button>{' '}
        <button type="button" data-step="1">
          next fragment
        </button>
      </p>
      <p aria-live="off">
        <strong id="now-fragment">{recording}</strong>
      </p>
      <p lang="en" id="now-original" aria-live="off" />
      <p lang="es" id="now-dub" aria-live="off" />
    </div>
  );
}
