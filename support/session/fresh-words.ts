/** Speaks the broadcast of words that are composed for this run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { makeMediaFile, type Making } from '../../fixtures/media-file';
import { messageOf, SuiteError } from '../base/errors';
import { type Fixture, MADE_FOLDER, readFixture } from '../broadcast/fixture';
import { composeFreshWords, FRESH_WORDS, FRESH_WORDS_SECONDS } from '../broadcast/fresh-words';

/**
 * Makes the description and the media file, in a folder of the results that is called like the seed: both stay there, as
 * evidence names them.
 *
 * @throws SuiteError when it cannot be made, or was ended before
 */
export async function speakFreshWords(
  seed: number,
  reportsFolder: string,
  making: Making,
): Promise<Fixture> {
  const folder = join(reportsFolder, MADE_FOLDER, String(seed));
  try {
    mkdirSync(folder, { recursive: true });
    const yamlPath = join(folder, `${FRESH_WORDS}.yaml`);
    writeFileSync(yamlPath, stringify(descriptionOf(seed)));
    const fixture = readFixture(yamlPath);
    await makeMediaFile(fixture, making);
    return fixture;
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'the words of this run could not be spoken', where: folder },
        ...{ seen: messageOf(error), expected: 'a broadcast of two segments' },
        next: `npm run setup, then again with FRESH_WORDS_SEED=${seed}`,
      },
      { cause: error },
    );
  }
}

/** As a YAML file in fixtures/. A small frame is made, sent and decoded fast. */
function descriptionOf(seed: number): Record<string, unknown> {
  return {
    id: FRESH_WORDS,
    title: `Words composed for this run (FRESH_WORDS_SEED=${seed})`,
    file: `${FRESH_WORDS}.mp4`,
    ...{ durationSeconds: FRESH_WORDS_SECONDS, segmentSeconds: 6, speechMarginSeconds: 0.6 },
    ...{ language: 'en', targetLanguage: 'es', voice: 'en_US-joe-medium' },
    video: { width: 640, height: 360, framesPerSecond: 30, gopFrames: 6, frameStrip: true },
    audio: { sampleRateHz: 44_100, channels: 2 },
    ...composeFreshWords(seed),
  };
}
