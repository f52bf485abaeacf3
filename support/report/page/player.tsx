import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { wordOf } from '../charts/chart';
import type { BroadcastFacts, PlayedSegment } from '../facts';
import { duration } from '../wording';
import { EvidenceLink, useEvidence } from './parts';

/** What browsers play. */
const PLAYABLE = /\.(?:mp4|m4v|webm)$/i;

export function isPlayable({ output }: Pick<BroadcastFacts, 'output'>): boolean {
  return output !== undefined && PLAYABLE.test(output.file);
}

/** What the script of a page shows while a segment is played, also of those that were never sent. */
export function segmentsOf(facts: BroadcastFacts): PlayedSegment[] {
  const { fragments, unsent, segmentSeconds } = facts;
  const all = [
    ...fragments.map((one) => ({
      ...{ row: `fragment-${one.sequence}`, name: `Fragment ${one.sequence}` },
      ...{ fromPts: one.shownAtPts ?? NaN, dub: one.translation ?? '' },
      original: one.script ?? one.transcript ?? '',
      state: [wordOf(one.state), ...one.remarks].join('; '),
    })),
    ...unsent.map(({ segment, shownAtPts = NaN, script = '', why }) => ({
      ...{ row: `segment-${segment}`, name: `Segment ${segment}`, fromPts: shownAtPts, dub: '' },
      ...{ original: script, state: `not sent: ${why}` },
    })),
  ]
    .filter(({ fromPts }) => Number.isFinite(fromPts))
    .sort((a, b) => a.fromPts - b.fromPts);
  return all.map((one, index) => {
    const whole = one.fromPts + segmentSeconds;
    const next = all[index + 1]?.fromPts ?? NaN;
    return { ...one, toPts: next > one.fromPts ? Math.min(next, whole) : whole };
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
          <PlayerTrouble>{link}</PlayerTrouble>
        </div>
        <div class="now" role="region" aria-label="The current fragment" tabindex={0}>
          <StepButtons what="fragment" />
          <p aria-live="off">
            <strong id="now-fragment">{`${file}, ${duration(output.seconds)}`}</strong>
          </p>
          <p lang={facts.language} id="now-original" aria-live="off" />
          <p lang={facts.translatedTo ?? facts.language} id="now-dub" aria-live="off" />
        </div>
      </div>
    </>
  );
}

/** Shown by the script where the browser cannot play the recording that is linked in it. */
export function PlayerTrouble({ children }: { children: VNode }): VNode {
  return (
    <p id="player-trouble" class="bad" role="status" hidden>
      The browser cannot play {children}: it has to be where this link leads, in a format that the
      browser knows.
    </p>
  );
}

/** From one segment or fragment to the next; shown by the script, as they do nothing without it. */
export function StepButtons({ what }: { what: string }): VNode {
  return (
    <p class="no-print needs-script" hidden>
      <button type="button" data-step="-1">
        {`previous ${what}`}
      </button>{' '}
      <button type="button" data-step="1">
        {`next ${what}`}
      </button>
    </p>
  );
}
