import { join, resolve } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { lastLines, runTool } from './ffmpeg';
import { normalizeWords, wordErrorRate } from './transcript';

/** The speech recognizer failed. */
export class ListenerFailed extends SuiteError {}

/** What an English speech recognizer understands of a file; of another language, hardly a word. */
export interface Heard {
  /** Times are seconds from the first sample. The text is empty where there is no speech. */
  windows: { fromSeconds: number; toSeconds: number; text: string }[];
}

const answerSchema = z.array(z.object({ from: z.number(), to: z.number(), text: z.string() }));

const python = resolve(__dirname, '../../.venv/bin/python');

/**
 * Has glibc keep memory that was freed: a recognizer otherwise gives hundreds of MB back to the system and takes them
 * again with each step, a quarter of its time.
 */
const KEEP_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 32),
};

/**
 * Listens by an English speech recognizer (Whisper tiny.en), where a voice detector finds speech.
 *
 * @throws ListenerFailed
 */
export async function listen(file: string): Promise<Heard> {
  const run = await runTool(python, [join(__dirname, 'listen.py'), file], undefined, KEEP_MEMORY);
  if (run.exitCode !== 0) {
    throw new ListenerFailed({
      what: 'the speech recognizer failed',
      where: file,
      seen: lastLines(run.stderr),
      expected: 'its exit code 0',
      next: 'npm run setup',
    });
  }
  const windows = answerSchema.parse(JSON.parse(run.stdout.toString('utf8')));
  return {
    windows: windows.map(({ from, to, text }) => ({ fromSeconds: from, toSeconds: to, text })),
  };
}

/** How much of a line of the script the English recognizer understood. */
export interface LineHeard {
  sequence: number;
  line: string;
  /** The share of its words that was understood, 0 to 1. */
  share: number;
}

/**
 * How much of each line of the script was understood. All windows are aligned to the whole script, so a line counts
 * where its own words come in its own order; few of them match words of another language.
 *
 * @param script by fragment
 */
export function linesHeard(script: readonly string[], heard: Heard): LineHeard[] {
  const text = heard.windows.map((window) => window.text).join(' ');
  const words = script.map((line) => normalizeWords(line).length);
  if (words.every((count) => count === 0)) return [];
  const { pairs } = wordErrorRate(script.join(' '), text);
  const said = pairs.filter(({ ref }) => ref !== '');
  let from = 0;
  return script.map((line, sequence) => {
    const count = words[sequence] ?? 0;
    const understood = said.slice(from, from + count).filter(({ mark }) => mark === '').length;
    from += count;
    return { sequence, line, share: count === 0 ? 0 : understood / count };
  });
}
