/**
 * Before a broadcast is published, or anything is judged against it: whether its file is what its description says. Whatever is
 * wrong there would otherwise be found in the output, and blamed on services.
 */
import { basename } from 'node:path';

import { type Clip, isCountedAt, isNumbered, readClip } from '../analyze/clip';
import type { Finding } from '../analyze/finding';
import { ofSource } from '../analyze/source-cache';
import { PrerequisiteMissing, seenOf, SuiteError } from '../base/errors';
import { isSameRate } from '../base/frame-rates';
import { shownPath } from '../base/yaml-file';
import type { Fixture } from '../broadcast/fixture';

/** What the file is, and what its description says instead. */
interface Contradiction {
  seen: string;
  expected: string;
}

/** A file may be shorter than said by so much: the limit of an output's own length is 1 s. */
const SHORTER_BY_SECONDS = 0.5;
/** Its audio may end so much before the broadcast does. */
const AUDIO_SHORTER_BY_SECONDS = 1;
/** The encoder's priming alone is 23 ms at 44.1 kHz, and 128 ms for HE-AAC at 16 kHz. */
const AUDIO_START_WITHIN_SECONDS = 0.15;

/**
 * Compares a fixture's file with its YAML. A file that is longer is fine: no more of it is published.
 *
 * @throws PrerequisiteMissing ('fixture') saying all that contradicts it, or that the file cannot be read
 */
export async function requireAsDescribed(fixture: Fixture): Promise<void> {
  const clip = await clipOf(fixture);
  const wrong = contradictionsOf(fixture, clip);
  if (wrong.length === 0) return;
  const description = shownPath(fixture.yamlPath);
  throw new PrerequisiteMissing(
    {
      what: 'the file of the broadcast is not what its description says',
      where: fixture.path,
      seen: wrong.map(({ seen }) => seen).join('; '),
      expected: `${wrong.map(({ expected }) => expected).join('; ')}, as ${description} says`,
      next: `correct ${description}, or set FIXTURE_FILE and FIXTURE_SCRIPT to a file and its own description`,
    },
    'fixture',
  );
}

/**
 * Whether a recorded broadcast is judged against what was published; by the names of descriptions, as evidence may have been moved.
 *
 * @param folder of its evidence
 * @throws PrerequisiteMissing ('fixture') when it was of another fixture than the one that is set
 */
export function requirePublished(
  { fixtureScript }: { fixtureScript: string },
  { yamlPath }: Pick<Fixture, 'yamlPath'>,
  folder: string,
): void {
  if (basename(fixtureScript) === basename(yamlPath)) return;
  throw new PrerequisiteMissing(
    {
      what: 'the recorded broadcast was of another fixture than the one that is set',
      where: folder,
      seen: shownPath(fixtureScript),
      expected: shownPath(yamlPath),
      next: 'set FIXTURE_SCRIPT and FIXTURE_FILE, or unset them, as in the run that has recorded it',
    },
    'fixture',
  );
}

/**
 * @throws PrerequisiteMissing ('fixture') when the file of a fixture cannot be read, or has no video
 */
export async function clipOf({ path, title }: Pick<Fixture, 'path' | 'title'>): Promise<Clip> {
  const read = ofSource(path, 'clip', readClip);
  const found = await read.catch((error: unknown): Finding<Clip> => {
    if (!(error instanceof SuiteError)) throw error;
    return { observed: false, reason: seenOf(error) };
  });
  if (found.observed) return found;
  throw new PrerequisiteMissing(
    {
      what: 'the file of the broadcast cannot be read',
      where: path,
      seen: found.reason,
      expected: `${title}: a media file with video`,
      next: 'npm run fixtures, or set FIXTURE_FILE to a file that ffprobe can read',
    },
    'fixture',
  );
}

/** All that is said of a clip and is not so. */
export function contradictionsOf(fixture: Fixture, clip: Clip): Contradiction[] {
  return [...wrongVideo(fixture, clip), ...wrongStrip(fixture, clip), ...wrongAudio(fixture, clip)];
}

/** Time in a clip is counted in frames. */
function evenly({ isConstantRate }: Clip): string {
  return isConstantRate ? '' : ', all for the same time: `npm run fixtures -- stamp` makes them so';
}

function wrongVideo({ video, durationSeconds }: Fixture, clip: Clip): Contradiction[] {
  const { framesPerSecond: fps, seconds, isConstantRate } = clip;
  const { width, height } = clip.video;
  const rate = `${Number(fps.toFixed(3))} frames per second${isConstantRate ? '' : ' on average, not evenly'}`;
  return [
    ...differing(`${width} x ${height} pixels`, `${video.width} x ${video.height} pixels`),
    ...(isSameRate(fps, video.framesPerSecond) && isConstantRate
      ? []
      : [{ seen: rate, expected: `${video.framesPerSecond} frames per second${evenly(clip)}` }]),
    ...(seconds >= durationSeconds - SHORTER_BY_SECONDS
      ? []
      : [{ seen: `${seconds.toFixed(2)} s of video`, expected: `${durationSeconds} s` }]),
  ];
}

/** Frame 0 is the first, and each frame has the next number: otherwise the strip tells another time than the clip's. */
function wrongStrip({ video }: Fixture, { numbers, framesPerSecond }: Clip): Contradiction[] {
  if (!video.frameStrip) return [];
  const { frames, readable, first, perSecond } = numbers;
  const expected = 'a frame strip that counts from 0';
  if (!isNumbered(numbers) || first === undefined) {
    return [{ seen: `${readable} of the first ${frames} frames have a frame strip`, expected }];
  }
  if (first !== 0) return [{ seen: `a frame strip that begins with ${first}`, expected }];
  const wanted = video.framesPerSecond;
  // One of the file's own rate is not at fault.
  if (isCountedAt(numbers, wanted) || isCountedAt(numbers, framesPerSecond)) return [];
  return [
    {
      seen: `a frame strip that counts ${(perSecond ?? NaN).toFixed(1)} frames per second`,
      expected: `one that counts ${wanted}`,
    },
  ];
}

function wrongAudio({ audio: said, durationSeconds }: Fixture, { audio }: Clip): Contradiction[] {
  if (!said || !audio) {
    return differing(audio ? 'an audio track' : 'no audio', said ? 'an audio track' : 'no audio');
  }
  const { startsAtSeconds: starts, endsAtSeconds: ends } = audio;
  const { sampleRateHz, channels } = audio.stream;
  const isLate = Math.abs(starts - said.startsAtSeconds) > AUDIO_START_WITHIN_SECONDS;
  return [
    ...differing(`audio of ${sampleRateHz} Hz`, `audio of ${said.sampleRateHz} Hz`),
    ...differing(`audio channels: ${channels}`, `audio channels: ${said.channels}`),
    ...(isLate
      ? [
          {
            seen: `audio that begins ${Math.abs(starts).toFixed(2)} s ${starts < 0 ? 'before' : 'after'} the video`,
            expected: `audio that begins ${said.startsAtSeconds} s after it`,
          },
        ]
      : []),
    ...(ends >= durationSeconds - AUDIO_SHORTER_BY_SECONDS
      ? []
      : [
          {
            seen: `audio until ${ends.toFixed(2)} s`,
            expected: `audio until ${durationSeconds} s`,
          },
        ]),
  ];
}

function differing(seen: string, expected: string): Contradiction[] {
  return seen === expected ? [] : [{ seen, expected }];
}
