import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import pLimit from 'p-limit';
import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { besideBroadcasts, isInImage, toolPython } from '../platform/tool-python';
import { cached } from './answer-cache';
import { lastLines, runTool } from './ffmpeg';
import { type Finding, unobserved } from './finding';
import { bytePiecesOf, type Samples, SPEECH_RATE_HZ } from './samples';
import { normalizeWords, wordErrorRate } from './transcript';

/** The speech recognizer failed. */
export class ListenerFailed extends SuiteError {}

/** A stretch of audio, in seconds from its first sample. */
export interface Window {
  fromSeconds: number;
  toSeconds: number;
}

/** What somebody who speaks one language hears in a window. */
export interface Heard extends Window {
  /** Empty where nobody speaks, where what is spoken has no words that can be understood, and where it is `other`. */
  text: string;
  /** The same with numbers in words, where `text` has figures: of numbers one after the other, figures are often misheard. */
  spelled?: string;
  /** What is spoken in the other language, as the recognizer translates it, or writes its numbers down in figures. */
  other?: string;
  isSpoken: boolean;
  /** Undefined where nobody speaks, and of a recognizer with one language. */
  language?: HeardLanguage;
  /** The same of the up to 30 s of windows around this one: a few words, or numbers alone, do not tell a language. */
  languageAround?: HeardLanguage;
}

/** The recognizer's own probability of the language that was asked for, 0 to 1, and which one is the most probable. */
export interface HeardLanguage {
  probability: number;
  mostProbable: string;
}

const languageSchema = z
  .object({ probability: z.number(), language: z.string() })
  .transform(({ probability, language }) => ({ probability, mostProbable: language }))
  .nullable();

const answerSchema = z.object({
  known: z.boolean(),
  windows: z.array(
    z.object({
      text: z.string(),
      spelled: z.string(),
      spoken: z.boolean(),
      own: languageSchema,
      around: languageSchema,
    }),
  ),
});

const script = join(__dirname, 'listen.py');

/** Of Whisper; longer ones it hears one after the other. */
const ENGLISH_WINDOW_SECONDS = 30;

/**
 * Has glibc keep memory that was freed: a recognizer otherwise gives hundreds of MB back to the system and takes them
 * again with each step, a quarter of its time.
 */
const KEEP_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 32),
};

/** What set-up has put there: Whisper base, multilingual. */
let model = resolve(__dirname, '../../.tools/models/whisper-base');
/** The one that comes with the recognizer's packages. */
const ENGLISH_MODEL = 'tiny.en';
const MODEL_WEIGHTS = 'model.bin';
/** One at a time: each takes half a GB, and both cores. */
const oneAtATime = pLimit(1);

/**
 * Has {@link listenFor} use another model.
 *
 * @param folder of a multilingual Whisper, as faster-whisper reads it
 */
export function listenBy(folder: string): void {
  model = folder;
}

/**
 * What somebody hears in each window who speaks the language: by a multilingual speech recognizer (Whisper), where a voice
 * detector finds speech. Where a window begins or ends, the quietest moment within 0.2 s is taken.
 *
 * @param samples mono, at SPEECH_RATE_HZ
 * @param language ISO 639-1
 * @param other the language of the original: what is taken for it is no text in `language`, though a recognizer that expects
 *   `language` may well write down the translation of it
 * @returns unobserved where the recognizer does not know the language
 * @throws ListenerFailed
 */
export async function listenFor(
  language: string,
  samples: Samples,
  windows: readonly Window[],
  other = language,
): Promise<Finding<{ windows: Heard[] }>> {
  requireModel();
  const found = await oneAtATime(() => listen(model, language, samples, windows));
  return found
    ? { observed: true, windows: found.map((one) => withOther(one, other, language)) }
    : unobserved(`the speech recognizer does not know the language "${language}"`);
}

function withOther(heard: Heard, other: string, language: string): Heard {
  if (other === language || heard.language?.mostProbable !== other) return heard;
  const spoken: Heard = { ...heard, text: '', other: heard.text };
  delete spoken.spelled;
  return spoken;
}

/** All that was understood in a window, each with numbers written in its own way; the first one is what is shown. */
export function textsOf({ text, spelled }: Pick<Heard, 'text' | 'spelled'>): string[] {
  return spelled === undefined ? [text] : [text, spelled];
}

function requireModel(): void {
  const file = join(model, 'model.bin');
  if (existsSync(file) || isInImage(model)) return;
  throw new ListenerFailed({
    what: 'the listener has no model',
    where: model,
    seen: 'no such file: model.bin',
    expected: 'the folder of a multilingual Whisper for faster-whisper',
    next: 'npm run setup; LISTENER_MODEL names another folder (docs/reference.md)',
  });
}

/**
 * What somebody hears who speaks English only: of another language, hardly a word (Whisper tiny.en; a multilingual one that
 * is told to expect English translates what it hears).
 *
 * @param samples as of {@link listenFor}
 * @throws ListenerFailed
 */
export async function listenInEnglish(samples: Samples): Promise<string> {
  const seconds = samples.length / SPEECH_RATE_HZ;
  const windows = Array.from(
    { length: Math.ceil(seconds / ENGLISH_WINDOW_SECONDS) },
    (_, index): Window => ({
      fromSeconds: index * ENGLISH_WINDOW_SECONDS,
      toSeconds: Math.min(seconds, (index + 1) * ENGLISH_WINDOW_SECONDS),
    }),
  );
  const heard = (await listen(ENGLISH_MODEL, 'en', samples, windows)) ?? [];
  return heard
    .map(({ text }) => text)
    .join(' ')
    .trim();
}

/** Undefined where the model does not know the language. */
async function listen(
  by: string,
  language: string,
  samples: Samples,
  windows: readonly Window[],
): Promise<Heard[] | undefined> {
  // Before audio begins there is nothing to hear, even where video is shown already.
  const spans = windows.map((window) => {
    const [from, to] = [window.fromSeconds, window.toSeconds].map((time) => Math.max(0, time));
    return `${from?.toFixed(3)}-${to?.toFixed(3)}`;
  });
  const command = toolPython(script, [by, language, ...spans], {
    ...(by === ENGLISH_MODEL ? {} : { reads: by }),
    variables: Object.keys(KEEP_MEMORY),
  });
  // A folder has another time only where a file is added to it.
  const weights = join(by, MODEL_WEIGHTS);
  const run = await cached([command.program, command.args, weights, samples], () => {
    const { program, args } = besideBroadcasts(command);
    return runTool(program, args, bytePiecesOf(samples), KEEP_MEMORY);
  });
  if (run.exitCode !== 0) {
    throw new ListenerFailed({
      what: 'the speech recognizer failed',
      where: by,
      seen: lastLines(run.stderr),
      expected: 'its exit code 0',
      next: 'npm run setup',
    });
  }
  const { known, windows: understood } = answerSchema.parse(JSON.parse(run.stdout.toString()));
  if (!known) return undefined;
  return windows.map((window, index): Heard => {
    const { text = '', spelled = '', spoken = false, own, around } = understood[index] ?? {};
    return {
      ...{ ...window, text, isSpoken: spoken },
      ...(spelled === '' ? {} : { spelled }),
      ...(own ? { language: own } : {}),
      ...(around ? { languageAround: around } : {}),
    };
  });
}

/** How much of a line of the script the English recognizer understood. */
export interface LineHeard {
  sequence: number;
  line: string;
  /** The share of its words that was understood, 0 to 1. */
  share: number;
}

/**
 * How much of each line of the script was understood. All that was heard is aligned to the whole script, so a line counts
 * where its own words come in its own order; few of them match words of another language.
 *
 * @param script by fragment
 */
export function linesHeard(script: readonly string[], heard: string): LineHeard[] {
  const words = script.map((line) => normalizeWords(line).length);
  if (words.every((count) => count === 0)) return [];
  const { pairs } = wordErrorRate(script.join(' '), heard);
  const said = pairs.filter(({ ref }) => ref !== '');
  let from = 0;
  return script.map((line, sequence) => {
    const count = words[sequence] ?? 0;
    const understood = said.slice(from, from + count).filter(({ mark }) => mark === '').length;
    from += count;
    return { sequence, line, share: count === 0 ? 0 : understood / count };
  });
}
