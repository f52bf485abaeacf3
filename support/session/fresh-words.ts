/** Speaks the broadcast of words that are composed for this run, and keeps them to itself until it has been published. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { stringify } from 'yaml';

import { makeMediaFile, type Making } from '../../fixtures/media-file';
import { messageOf, SuiteError } from '../base/errors';
import { type Fixture, MADE_FOLDER, readFixture } from '../broadcast/fixture';
import { composeFreshWords, FRESH_WORDS, FRESH_WORDS_SECONDS } from '../broadcast/fresh-words';

/**
 * Words that nobody else knows yet. `fixture` names files of the results that are not there before `writeSpoken`: an STS on this
 * host could read them before it answers.
 */
export interface SpokenWords {
  seed: number;
  fixture: Fixture;
  description: string;
  media: Buffer;
}

/**
 * Makes the media file; nothing of it is left on disk.
 *
 * @param making its temporary folder is read by nobody else
 * @throws SuiteError when it cannot be made, or was ended before
 */
export async function speakFreshWords(
  seed: number,
  reportsFolder: string,
  making: Making,
): Promise<SpokenWords> {
  const folder = join(reportsFolder, MADE_FOLDER, String(seed));
  const yaml = join(making.temporary, `${FRESH_WORDS}.yaml`);
  try {
    const description = stringify(descriptionOf(seed));
    writeFileSync(yaml, description);
    const made = readFixture(yaml);
    await makeMediaFile(made, making);
    const media = readFileSync(made.path);
    rmSync(made.path);
    const paths = { yamlPath: join(folder, `${FRESH_WORDS}.yaml`), path: join(folder, made.file) };
    return { seed, fixture: { ...made, ...paths }, description, media };
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'the words of this run could not be spoken', where: folder },
        ...{ seen: messageOf(error), expected: 'a broadcast of two segments' },
        next: `npm run setup, then again with FRESH_WORDS_SEED=${seed}`,
      },
      { cause: error },
    );
  } finally {
    rmSync(yaml, { force: true });
  }
}

/**
 * Publishes them from a file that nobody else can find, by a title that does not name the seed. Afterwards both files lie in a
 * folder of the results that is called like the seed: there they stay, as evidence names them.
 *
 * @param privateFolder read by nobody else
 */
export async function publishSpoken<T>(
  words: SpokenWords,
  privateFolder: string,
  publish: (fixture: Fixture, publishedFrom: string) => Promise<T>,
): Promise<T> {
  const file = join(privateFolder, 'broadcast.mp4');
  writeFileSync(file, words.media);
  try {
    return await publish({ ...words.fixture, title: TITLE }, file);
  } finally {
    const { yamlPath, path } = words.fixture;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(yamlPath, words.description);
    writeFileSync(path, words.media);
  }
}

const TITLE = 'Words composed for this run';

/** As a YAML file in fixtures/. A small frame is made, sent and decoded fast. */
function descriptionOf(seed: number): Record<string, unknown> {
  return {
    id: FRESH_WORDS,
    title: `${TITLE} (FRESH_WORDS_SEED=${seed})`,
    file: `${FRESH_WORDS}.mp4`,
    ...{ durationSeconds: FRESH_WORDS_SECONDS, segmentSeconds: 6, speechMarginSeconds: 0.6 },
    ...{ language: 'en', targetLanguage: 'es', voice: 'en_US-joe-medium' },
    video: { width: 640, height: 360, framesPerSecond: 30, gopFrames: 6, frameStrip: true },
    audio: { sampleRateHz: 44_100, channels: 2 },
    ...composeFreshWords(seed),
  };
}
