/** Other dubs in the place of those that the STS has returned. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { SuiteError } from '../../support/base/errors';
import { readEvidence } from '../../support/broadcast/evidence';
import { publishedFixture } from '../../support/broadcast/fixture';
import { readConfig, serviceNames } from '../../support/config';
import type { AlteredEvidence } from './altered-evidence';

/** The files of a fragment's audio, as they are before anything is altered. */
export interface FragmentFiles {
  original: string;
  dubbed: string;
}

/** How ffmpeg makes a dub: an audio filter from `[0:a]`, the dub as it is, and the other inputs. */
export interface NewDub {
  filter: string;
  inputs?: readonly string[];
}

/**
 * Replaces all dubs of a broadcast, in the STS's answers and in the output alike: nothing else of the two differs.
 *
 * @param dubOf gives the new dub of a fragment, by its index and the files of all
 * @throws SuiteError when a dub is not heard in the output as it is
 */
export async function redub(
  evidence: AlteredEvidence,
  dubOf: (index: number, files: readonly FragmentFiles[]) => NewDub,
): Promise<void> {
  const starts = await startsInOutput(evidence);
  const files = starts.map((_, index) => {
    const { original, dubbed } = evidence.audioOf(index);
    return { name: dubbed, original: realOf(evidence, original), dubbed: realOf(evidence, dubbed) };
  });
  for (const [index, { name }] of files.entries()) {
    const { filter, inputs = [] } = dubOf(index, files);
    await evidence.media(name, ['-filter_complex', `${filter}[out]`, '-map', '[out]'], inputs);
  }
  const placed = starts.map(
    (seconds, i) => `[${i + 1}:a]adelay=${Math.round(seconds * 1000)}:all=1[d${i}];`,
  );
  const dubs = starts.map((_, i) => `[d${i}]`).join('');
  const graph =
    `${placed.join('')}[0:a]volume=0[silence];` +
    `[silence]${dubs}amix=inputs=${starts.length + 1}:normalize=0:duration=first[out]`;
  const kept = ['-map', '0:v', '-map', '[out]', '-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k'];
  const inputs = files.map(({ name }) => join(evidence.folder, name));
  await evidence.media('output.mp4', ['-filter_complex', graph, ...kept], inputs);
}

/** Where each dub begins in the output, in seconds. */
async function startsInOutput({ folder }: AlteredEvidence): Promise<number[]> {
  const read = readEvidence(folder);
  const names = serviceNames(readConfig().settings('127.0.0.1'));
  const broadcast = new BroadcastFindings(read, publishedFixture(read.record, folder), names);
  const placements = await broadcast.output.placements();
  return placements.map(({ sequence, avOffset }) => {
    if (avOffset.observed) return avOffset.ptsSeconds;
    throw new SuiteError({
      ...{ what: 'a dub cannot be replaced where it is not heard', where: folder },
      ...{ seen: `fragment ${sequence}: ${avOffset.reason}`, expected: 'a dub in the output' },
    });
  });
}

function realOf({ folder }: AlteredEvidence, name: string): string {
  return realpathSync(join(folder, name));
}
