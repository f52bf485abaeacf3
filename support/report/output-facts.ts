import { join } from 'node:path';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { FragmentPlacement } from '../analyze/dub-placement';
import { unreadable } from '../analyze/ffmpeg';
import type { Finding } from '../analyze/finding';
import { type FrameClock, presentationsOf } from '../analyze/frame-clock';
import { secondsOf, startOf } from '../analyze/media';
import { OutputFindings } from '../analyze/output-findings';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { tonesInside } from '../analyze/tones';
import type { Fragment } from '../broadcast/fragment';
import type { TonesHeard } from './fragment-facts';

/** What `measure` returns; undefined where it throws, and why is then noted under the name of what is missing. */
export type Attempt = <T>(name: string, measure: () => T | Promise<T>) => Promise<T | undefined>;

/** What the recording says; undefined: not measured, or not observed. */
export interface OutputFacts {
  findings: OutputFindings;
  file: string;
  seconds: number;
  firstPtsSeconds: number;
  /** When in the output (PTS) the broadcast's time 0 is shown. */
  sourceAtZero: number | undefined;
  clock: FrameClock | undefined;
  placements: FragmentPlacement[] | undefined;
  sourceStarts: ReadonlyMap<number, number> | undefined;
  tones: TonesHeard | undefined;
}

/** Throws with its reason where nothing was observed. */
export function observedIn<T>(finding: Finding<T>): T {
  if (finding.observed) return finding;
  throw new Error(finding.reason);
}

/** What the recording of a broadcast says; undefined where there is none that can be read. */
export async function outputFacts(
  broadcast: BroadcastFindings,
  attempt: Attempt,
): Promise<OutputFacts | undefined> {
  const file = await attempt('output', () => broadcast.outputFile);
  if (file === undefined) return undefined;
  const format = await attempt('output', () => formatOf(file));
  if (!format) return undefined;
  const findings = findingsOf(broadcast, file);
  const clock = await attempt('clock', async () => observedIn(await findings.clock()));
  const isTones = broadcast.fixture.audio?.tones ?? false;
  const shown = clock && presentationsOf(clock, 0, broadcast.fixture.durationSeconds / 2);
  return {
    ...{ findings, file, clock, ...format },
    sourceAtZero: shown?.observed ? shown.presentations[0]?.ptsSeconds : undefined,
    placements: isTones ? undefined : await attempt('offsets', () => findings.placements()),
    sourceStarts: isTones ? undefined : await attempt('offsets', () => findings.sourceStarts()),
    tones: await (isTones && clock
      ? attempt('offsets', () => tonesOf(broadcast, findings, clock))
      : undefined),
  };
}

/**
 * The findings that scenarios have shared. Where the events do not fit the contract, or were not heard, there are none:
 * then those of the dubs that can be told.
 */
function findingsOf(broadcast: BroadcastFindings, file: string): OutputFindings {
  try {
    return broadcast.dubFiles.length > 0
      ? broadcast.output
      : new OutputFindings(file, broadcast.fixture, []);
  } catch {
    const { folder } = broadcast.evidence;
    const path = (audio: { file: string } | undefined): string | undefined =>
      audio && join(folder, audio.file);
    const dubs = fragmentsIn(broadcast).map(({ segment, audio, answer }) => ({
      ...{ sequence: segment, dubbed: path(answer?.audio), original: path(audio) },
    }));
    return new OutputFindings(file, broadcast.fixture, dubs);
  }
}

/** Every fragment that was heard of, whether all events fit the contract or not. */
export function fragmentsIn({ evidence }: BroadcastFindings): readonly Fragment[] {
  try {
    return evidence.fragments.fragments;
  } catch {
    // Why there are none is noted where the events are read.
    return [];
  }
}

/** As the container says it: nothing is decoded. */
async function formatOf(file: string): Promise<{ firstPtsSeconds: number; seconds: number }> {
  const seconds = await secondsOf(file);
  if (seconds === 0) throw unreadable(file, 'no duration', 'ffprobe');
  return { firstPtsSeconds: await startOf(file), seconds };
}

async function tonesOf(
  broadcast: BroadcastFindings,
  findings: OutputFindings,
  clock: FrameClock,
): Promise<TonesHeard> {
  const resilience = new ResilienceFindings(broadcast);
  const { tones } = observedIn(await findings.tones());
  const audio = observedIn((await findings.span()).audio);
  const segments = await resilience.segmentAudio().catch(() => undefined);
  return {
    heard: tonesInside(tones, clock, audio),
    joinedSeconds: await resilience.joinedSeconds(clock),
    segments: segments?.observed ? segments.segments : undefined,
  };
}
