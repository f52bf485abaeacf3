import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { OutputFindings } from '../../support/analyze/output-findings';
import { type Fixture, readFixture } from '../../support/broadcast/fixture';
import { judge, type Verdict } from '../../support/checks/criterion';
import {
  type AnyOutputCriterion,
  type OutputSubject,
  recordingSubject,
} from '../../support/checks/output-subject';
import { ffmpeg, stripMovie } from './make-media';

export const CLIP_SECONDS = 12;
export const CLIP_FPS = 30;
/** Of a clip, unless told otherwise. */
const SIZE = { width: 320, height: 180 };
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '15'];

/**
 * A source of 12 s in two segments, frames alone: the test card with a frame strip, or what a filter of ffmpeg makes, without
 * one.
 *
 * @param size of what the filter makes
 */
export function videoClip(folder: string, name: string, filter?: string, size = SIZE): Fixture {
  const file = join(folder, `${name}.mp4`);
  if (filter === undefined) {
    stripMovie(file, { fps: CLIP_FPS, durationSeconds: CLIP_SECONDS, output: ['-g', '15'] });
  } else {
    ffmpeg('-f', 'lavfi', '-i', filter, '-t', String(CLIP_SECONDS), ...H264, '-crf', '20', file);
  }
  const yaml = join(folder, `${name}.yaml`);
  writeFileSync(
    yaml,
    stringify({
      ...{ id: name, title: 'A clip', file: `${name}.mp4`, durationSeconds: CLIP_SECONDS },
      ...{ segmentSeconds: 6, language: 'en', targetLanguage: 'es', script: ['', ''], audio: null },
      video: {
        ...{ ...size, framesPerSecond: CLIP_FPS, gopFrames: 15 },
        frameStrip: filter === undefined,
      },
    }),
  );
  return readFixture(yaml);
}

/** An output of that source. @param graph from `[0:v]` (input 1 on: `others`) to `[out]` */
export function altered(
  fixture: Fixture,
  file: string,
  graph: string,
  given: { others?: string[]; options?: string[] } = {},
): string {
  const { others = [], options = [] } = given;
  ffmpeg(
    ...['-i', fixture.path, ...others, '-filter_complex', graph, '-map', '[out]'],
    ...[...H264, ...options, file],
  );
  return file;
}

export function judged(
  criterion: AnyOutputCriterion,
  file: string,
  fixture: Fixture,
): Promise<Verdict> {
  return judge(criterion, subjectOf(file, fixture), criterion.defaultLimit as unknown);
}

export function subjectOf(file: string, fixture: Fixture): OutputSubject {
  return recordingSubject(new OutputFindings(file, fixture, []));
}
