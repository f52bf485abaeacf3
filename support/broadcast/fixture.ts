import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { readYamlFile } from '../base/yaml-file';

const forms = z.array(z.string().regex(/[\p{L}\p{N}]/u, 'a word, or a number in figures')).min(1);

/** A word by which a segment can be told: any one of its forms, in each language. Numbers are in figures. */
const keyword = z.strictObject({ said: forms, translated: forms });

export type Keyword = z.infer<typeof keyword>;

const fixtureSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string(),
  /** What features call it: "short broadcast". Not there where no feature speaks of it. */
  called: z
    .string()
    .regex(
      /^(?:[a-z0-9-]+ )+broadcast$/,
      'small letters, digits, hyphens and spaces, ending in "broadcast"',
    )
    .optional(),
  /** The media file, relative to the YAML file. */
  file: z.string(),
  durationSeconds: z
    .number()
    .positive()
    .max(24 * 3600),
  segmentSeconds: z.number().min(0.1),
  /** Silence between the speech of a segment and the segment's borders. */
  speechMarginSeconds: z.number().nonnegative().default(0),
  /** The words of a line, divided by commas, are spoken one by one, each beginning a margin after its mark. */
  wordEverySeconds: z.number().positive().optional(),
  language: z.string().length(2),
  targetLanguage: z.string().length(2),
  /** The Piper voice that speaks the script; absent for media that is not generated. */
  voice: z.string().optional(),
  video: z.strictObject({
    width: z.int().positive(),
    height: z.int().positive(),
    framesPerSecond: z.number().positive(),
    /** A rate at which the output may show the frames as well, where services convert it: 25, 29.97. */
    outputFramesPerSecond: z.number().positive().optional(),
    gopFrames: z.int().positive().optional(),
    /** At most so many B-frames between two others; none where not given. */
    bFrames: z.int().min(0).max(16).optional(),
    /** Whether the frame carries the frame number as a machine-readable strip. */
    frameStrip: z.boolean().default(false),
  }),
  /** The audio track; null for frames alone. */
  audio: z
    .strictObject({
      sampleRateHz: z.int().positive(),
      channels: z.int().positive(),
      /** How much later than the video the track begins. */
      startsAtSeconds: z.number().nonnegative().default(0),
      /** White noise under the whole track, this much below the loudness of the speech. */
      noiseBelowSpeechDb: z.number().optional(),
      /** The noise of a crowd under the whole track, this much below the loudness of the speech. */
      crowdBelowSpeechDb: z.number().optional(),
      /** In place of speech a tone a second, whose frequency tells the second (support/analyze/tones.ts). */
      tones: z.boolean().default(false),
      /** Under the tones a quiet chord, which tells at every moment how the audio advances (support/analyze/pilot.ts). */
      pilot: z.boolean().default(false),
      /** The timestamps of the audio go on this much faster than its samples: the clock of its source is slow. */
      clockSlowPercent: z.number().nonnegative().default(0),
    })
    .nullable(),
  /** What is said in each segment, in order; an empty text where nobody speaks. `unknown`: nobody has written it down. */
  script: z.union([z.array(z.string()).min(1), z.literal('unknown')]),
  /** What is said, line after line, whatever the segments are: which of them has which words is not known then. */
  commentary: z.array(z.string().min(1)).min(1).optional(),
  /** The same lines in the target language, by somebody who knows both; what translations are compared with. */
  translation: z.array(z.string()).optional(),
  /** The words of each segment that its transcript, its translation and its dub must have. */
  keywords: z.array(z.array(keyword)).optional(),
  /** Words of the target language that deny what is said: where its translation has none, one of the STS may have none. */
  denials: z.array(z.string().min(1)).optional(),
});

/** A broadcast to publish: a media file and what is said in it. `path` and `yamlPath` are absolute. */
export type Fixture = Omit<z.infer<typeof fixtureSchema>, 'script'> & {
  path: string;
  yamlPath: string;
  /** A line for each segment; where the script is unknown, {@link UNKNOWN_LINE}: in each of them somebody may speak. */
  script: string[];
  /** False where nobody has written down what is said: what needs it is not shown. Known where not given. */
  isScriptKnown?: boolean;
};

/** In place of a line that nobody knows; a word, as transcripts are compared with lines that have some. */
export const UNKNOWN_LINE = 'unknown';

/** Whether it is written down what is said in a broadcast. */
export function isScriptKnown({ isScriptKnown: isKnown = true }: Fixture): boolean {
  return isKnown;
}

/**
 * Reads a fixture's YAML. The media file itself may be missing: that is what the fixture scenarios find out.
 *
 * @param mediaFile replaces the media file named in the YAML (FIXTURE_FILE)
 * @throws SuiteError when the YAML is missing or does not describe a fixture
 */
export function readFixture(yamlPath: string, mediaFile?: string): Fixture {
  const parsed = fixtureSchema.safeParse(valuesOf(yamlPath));
  if (!parsed.success) {
    throw new SuiteError({
      what: 'the description of the fixture is not valid',
      where: yamlPath,
      seen: z.prettifyError(parsed.error),
      expected: 'the fields of fixtures/1-min-nfl.yaml',
      next: 'correct the fields named above',
    });
  }
  const { durationSeconds, segmentSeconds, keywords, translation, ...rest } = parsed.data;
  const segments = Math.ceil(durationSeconds / segmentSeconds - 1e-9);
  const isKnown = rest.script !== 'unknown';
  const script =
    rest.script === 'unknown' ? Array.from({ length: segments }, () => UNKNOWN_LINE) : rest.script;
  if (!isKnown && (translation ?? keywords)) {
    throw new SuiteError({
      what: 'the description of the fixture has words of a script that is not known',
      where: yamlPath,
      seen: `script: unknown, and ${translation ? 'translation' : 'keywords'}`,
      expected: 'a line for each segment, or neither translation nor keywords',
    });
  }
  if (translation && translation.length !== script.length) {
    throw new SuiteError({
      what: 'the description of the fixture has not as many translations as lines',
      where: yamlPath,
      seen: `${script.length} lines, ${translation.length} translations`,
      expected: 'a translation of each line, or none at all',
    });
  }
  if (keywords && keywords.length !== script.length) {
    throw new SuiteError({
      what: 'the description of the fixture has not keywords for each line',
      where: yamlPath,
      seen: `${script.length} lines, keywords of ${keywords.length}`,
      expected: 'a list of each line, an empty one where nobody speaks, or none at all',
    });
  }
  if (script.length !== segments) {
    throw new SuiteError({
      what: 'the description of the fixture has not a line for each segment',
      where: yamlPath,
      seen: `${script.length} lines; ${durationSeconds} s in segments of ${segmentSeconds} s`,
      expected: `${segments} lines, an empty one where nobody speaks`,
    });
  }
  const path = mediaFile ? resolve(mediaFile) : resolve(dirname(yamlPath), parsed.data.file);
  return { ...parsed.data, script, path, yamlPath, ...(isKnown ? {} : { isScriptKnown: false }) };
}

/** Where the fixtures are that features speak of by name. */
const FOLDER = resolve(__dirname, '../../fixtures');
/**
 * The YAML file of a fixture.
 *
 * @param name of a YAML file in fixtures/; null: the configured fixture
 */
export function scriptOf(name: string | null, configured: string): string {
  return name === null ? configured : join(FOLDER, `${name}.yaml`);
}

/** What features call the configured broadcast (FIXTURE_SCRIPT, FIXTURE_FILE), whatever it is. */
const CONFIGURED = 'one-minute broadcast';
let byName: Map<string, string> | undefined;

/**
 * The fixture that features call by a name.
 *
 * @param words as a YAML file's `called` has them: "short broadcast"
 * @returns the name of that file, without its ending; null for the configured fixture
 * @throws SuiteError naming all that there are, when there is none
 */
export function fixtureCalled(words: string): string | null {
  if (words === CONFIGURED) return null;
  byName ??= new Map(
    readdirSync(FOLDER)
      .filter((name) => name.endsWith('.yaml'))
      .flatMap((name): [string, string][] => {
        const { called } = readFixture(join(FOLDER, name));
        return called === undefined ? [] : [[called, name.replace(/\.yaml$/, '')]];
      }),
  );
  const found = byName.get(words);
  if (found !== undefined) return found;
  throw new SuiteError({
    what: 'unknown broadcast',
    where: FOLDER,
    seen: words,
    expected: [CONFIGURED, ...byName.keys()].join(', '),
    next: `write \`called: ${words}\` into the YAML file of a fixture`,
  });
}

function valuesOf(yamlPath: string): unknown {
  try {
    return readYamlFile(yamlPath, 'description of the fixture').values;
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    const next = 'set FIXTURE_SCRIPT to a file like fixtures/1-min-nfl.yaml, of your media file';
    throw new SuiteError({ ...error.problem, next }, { cause: error });
  }
}

/**
 * The beginning of a broadcast, and cut into segments of another length. What is said is known for the same segments
 * only: other segments are those of a broadcast in which nobody speaks.
 *
 * @throws SuiteError when the broadcast is shorter, or somebody speaks and the segments are others
 */
export function beginningOf(
  fixture: Fixture,
  seconds = fixture.durationSeconds,
  segmentSeconds = fixture.segmentSeconds,
): Fixture {
  const { durationSeconds, script, translation, keywords, yamlPath: where } = fixture;
  const isOther = segmentSeconds !== fixture.segmentSeconds;
  const isSpoken = script.some((line) => line !== '') && isScriptKnown(fixture);
  if (seconds > durationSeconds || (isOther && isSpoken)) {
    throw new SuiteError({
      what: 'the broadcast cannot be cut like that',
      where,
      seen: `${durationSeconds} s, segments of ${fixture.segmentSeconds} s${isSpoken ? ', spoken' : ''}`,
      expected: `at least ${seconds} s, segments of ${segmentSeconds} s`,
    });
  }
  const count = Math.ceil(seconds / segmentSeconds);
  return {
    ...{ ...fixture, durationSeconds: seconds, segmentSeconds },
    script: isOther
      ? Array.from({ length: count }, () => (isScriptKnown(fixture) ? '' : UNKNOWN_LINE))
      : script.slice(0, count),
    ...(translation ? { translation: translation.slice(0, count) } : {}),
    ...(keywords ? { keywords: keywords.slice(0, count) } : {}),
  };
}

/** Of a results folder: broadcasts that its runs have made, a folder each, beside `evidence`. */
export const MADE_FOLDER = 'fresh-words';
/** Of a results folder: descriptions that its runs have made of clips that had none, a folder each. */
export const DESCRIBED_FOLDER = 'described-clips';

/**
 * The fixture that a broadcast has published, as its record says.
 *
 * @param folder of its evidence: what its run has made lies beside it, wherever both have been moved
 * @throws SuiteError as readFixture and beginningOf
 */
export function publishedFixture(
  record: {
    fixtureScript: string;
    fixtureFile: string;
    durationSeconds: number;
    segmentSeconds: number;
  },
  folder: string,
): Fixture {
  const placeOf = (path: string): string => {
    if (existsSync(path)) return path;
    const moved = [MADE_FOLDER, DESCRIBED_FOLDER].map((name) =>
      join(folder, '../..', name, basename(dirname(path)), basename(path)),
    );
    return moved.find((one) => existsSync(one)) ?? path;
  };
  const whole = readFixture(placeOf(record.fixtureScript), placeOf(record.fixtureFile));
  return beginningOf(whole, record.durationSeconds, record.segmentSeconds);
}
