/** The broadcast by which the page of a run says what viewers get. */
import { copyFileSync, existsSync, linkSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';

import { isWithin, roomOf } from '../checks/criterion';
import { reportFiles } from './facts';
import type { BroadcastFacts, BroadcastSummary, Showcase, VerdictFacts } from './facts';
import { isPlayable, segmentsOf } from './page/player';

/** A broadcast, and where what was recorded of it lies relative to the page of the run: empty, or ending in a slash. */
export interface Shown {
  facts: BroadcastFacts;
  summary: BroadcastSummary;
  evidenceUrl: string;
}

/**
 * Of the broadcasts that an STS translates, and with which nothing was made to go wrong, the longest; of several, the one of
 * which viewers lost most: no other may hide it.
 *
 * @param originalOf puts the clip that was published beside the page, and says its URL
 */
export function showcaseOf(
  broadcasts: readonly Shown[],
  originalOf: (clip: string) => string | undefined,
): Showcase | undefined {
  const [longest] = broadcasts
    .filter(({ facts }) => facts.translatedTo !== undefined && !facts.isDisturbed)
    .sort(
      (a, b) =>
        b.facts.durationSeconds - a.facts.durationSeconds ||
        shareHeard(a.summary) - shareHeard(b.summary),
    );
  if (!longest) return undefined;
  const { facts, summary, evidenceUrl } = longest;
  const { output, translatedTo = '', language, sourceAtZero, fragments } = facts;
  const isPlayed = output !== undefined && isPlayable(facts);
  return {
    ...{ summary, from: language, to: translatedTo },
    output: isPlayed ? evidenceUrl + encodeURIComponent(output.file) : undefined,
    original: isPlayed ? originalOf(facts.clip) : undefined,
    ...{ sourceAtZero: sourceAtZero ?? 0, segments: segmentsOf(facts) },
    figures: tightest(facts.verdicts),
    lines: fragments
      .filter(({ reference, chrf }) => reference !== undefined && chrf !== undefined)
      .sort((a, b) => (a.chrf ?? 0) - (b.chrf ?? 0))
      .map(({ segment, script, translation, reference, chrf }) => ({
        ...{ segment, script, translation, reference, chrf },
      })),
  };
}

/** Of the segments of a broadcast, those whose dub viewers hear; more than all where nobody has measured it. */
function shareHeard({ coverage: { heard, segments } }: BroadcastSummary): number {
  return heard === undefined ? 2 : heard / Math.max(1, segments);
}

/** Each figure once: as the strictest limit judged it. */
function tightest(verdicts: readonly VerdictFacts[]): Showcase['figures'] {
  const figures = new Map<string, Showcase['figures'][number]>();
  for (const { figure } of verdicts) {
    const known = figure && figures.get(figure.name);
    if (!figure || (known && roomOf(known) <= roomOf(figure))) continue;
    figures.set(figure.name, { ...figure, isWithin: isWithin(figure) });
  }
  return [...figures.values()];
}

/**
 * Puts a clip beside the page of a run, as a link to the same file where the disk allows it.
 *
 * @returns its name; that of an earlier report where the clip is no longer there; undefined where there is neither
 */
export function besidePage(clip: string, folder: string): string | undefined {
  const name = `${reportFiles.original}${extname(clip)}`;
  const file = join(folder, name);
  if (!existsSync(clip)) return existsSync(file) ? name : undefined;
  rmSync(file, { force: true });
  try {
    linkSync(clip, file);
  } catch {
    // Another disk, or one without links.
    copyFileSync(clip, file);
  }
  return name;
}
