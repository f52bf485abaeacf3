/** A clip that is published in place of the one-minute broadcast, and that nobody has described. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { measuredOf } from '../analyze/clip';
import { DESCRIBED_FOLDER, type Fixture, readFixture } from '../broadcast/fixture';
import { descriptionOf } from '../broadcast/fixture-description';
import { clipOf } from '../checks/fixture-door';

/**
 * The fixture with a description of its own, where its file is another one than the description is of: what can be measured is,
 * and what is said in it is unknown. The description is kept in the results, as evidence names it.
 *
 * @param fixture the description of another file, with the clip as its file
 * @param reportsFolder of the run
 * @throws PrerequisiteMissing ('fixture') when the clip cannot be read
 */
export async function describedClip(fixture: Fixture, reportsFolder: string): Promise<Fixture> {
  if (await isSameFile(fixture.path, readFixture(fixture.yamlPath).path)) return fixture;
  const { segmentSeconds, language, targetLanguage } = fixture;
  const clip = await clipOf(fixture);
  const text = descriptionOf(measuredOf(clip, segmentSeconds), {
    ...{ segmentSeconds, language, targetLanguage },
  });
  const name = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const folder = join(reportsFolder, DESCRIBED_FOLDER, name);
  mkdirSync(folder, { recursive: true });
  const yaml = join(folder, 'clip.yaml');
  writeFileSync(yaml, text);
  return readFixture(yaml);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [size, otherSize] = [one, other].map(
    (path) => statSync(path, { throwIfNoEntry: false })?.size,
  );
  if (size === undefined || size !== otherSize) return false;
  return (await hashOf(one)) === (await hashOf(other));
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
