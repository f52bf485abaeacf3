/** The YAML file of a clip that nobody has described yet: what can be measured of it, and that its words are not known. */
import { basename, extname } from 'node:path';

import { stringify } from 'yaml';

/** What is measured of a clip. */
export interface Measured {
  /** Absolute, or relative to where the description will be. */
  file: string;
  seconds: number;
  width: number;
  height: number;
  framesPerSecond: number;
  frameStrip: boolean;
  /** Null for a clip without audio. */
  audio: { sampleRateHz: number; channels: number; startsAtSeconds: number } | null;
}

/** What cannot be measured: it is taken from another description. */
export interface Assumed {
  segmentSeconds: number;
  language: string;
  targetLanguage: string;
}

const COMMENT = `# What was measured of the clip. What is said in it is not known, so that what needs it is not shown: in place of
# "unknown" write a line for each segment, '' where nobody speaks, and the same under "translation" in the target language
# (docs/your-own-services.md, A clip of your own).
`;

/** The text of its YAML file, as {@link readFixture} reads it. */
export function descriptionOf(clip: Measured, assumed: Assumed): string {
  const { file, seconds, width, height, framesPerSecond, frameStrip, audio } = clip;
  const name = basename(file, extname(file));
  const description = {
    id: idOf(name),
    title: name,
    file,
    durationSeconds: rounded(seconds, 3),
    ...assumed,
    video: { width, height, framesPerSecond: rounded(framesPerSecond, 5), frameStrip },
    audio: audio && {
      ...{ sampleRateHz: audio.sampleRateHz, channels: audio.channels },
      ...(audio.startsAtSeconds > 0 ? { startsAtSeconds: rounded(audio.startsAtSeconds, 3) } : {}),
    },
    script: 'unknown',
  };
  return COMMENT + stringify(description, { lineWidth: 0 });
}

/** Part of the names of streams: small letters, digits and hyphens, whatever the file is called. */
function idOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return plain === '' ? 'clip' : plain;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
