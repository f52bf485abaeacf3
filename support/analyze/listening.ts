import { join, resolve } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../errors';
import { lastLines, runTool } from './ffmpeg';
import { normalizeWords, wordErrorRate } from './transcript';

/** Nobody could listen to the sound. */
export class ListenerFailed extends SuiteError {}

/** What somebody who knows English only hears in a file. Times are seconds from its first sample. */
export interface Heard {
  /** When somebody speaks, whatever the language. */
  speech: { fromSeconds: number; toSeconds: number }[];
  /** What is understood; of another language, hardly a word. */
  windows: { fromSeconds: number; toSeconds: number; text: string }[];
}

const answerSchema = z.array(
  z.object({
    speech: z.array(z.tuple([z.number(), z.number()])),
    windows: z.array(z.object({ from: z.number(), to: z.number(), text: z.string() })),
  }),
);

const python = resolve(__dirname, '../../.venv/bin/python');

/**
 * Listens by a voice detector and, where wanted, by an English speech recognizer (Whisper tiny.en).
 *
 * @throws ListenerFailed
 */
export async function listen(files: { path: string; transcribe: boolean }[]): Promise<Heard[]> {
  const script = join(__dirname, 'listen.py');
  const run = await runTool(python, [script], Buffer.from(JSON.stringify({ files })));
  if (run.exitCode !== 0) {
    throw new ListenerFailed({
      what: 'the sound could not be listened to',
      where: files.map(({ path }) => path).join(', '),
      seen: lastLines(run.stderr),
      expected: 'speech and words',
      next: 'npm run setup',
    });
  }
  return answerSchema.parse(JSON.parse(run.stdout.toString('utf8'))).map((one) => ({
    speech: one.speech.map(([fromSeconds, toSeconds]) => ({ fromSeconds, toSeconds })),
    windows: one.windows.map(({ from, to, text }) => ({ fromSeconds: from, toSeconds: to, text })),
  }));
}

/** How much of a line of the script an English listener understood. */
export interface LineHeard {
  sequence: number;
  line: string;
  /** The part of its words that was understood, 0 to 1. */
  share: number;
}

/**
 * How much of each line of the script was understood. All windows are aligned to the whole script, so a line counts
 * where its own words come in its own order; short words that a foreign language happens to sound like are few.
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

/** Seconds of speech within a stretch. */
export function speechWithin(heard: Heard, fromSeconds: number, toSeconds: number): number {
  return heard.speech.reduce((sum, one) => {
    const [from, to] = [Math.max(fromSeconds, one.fromSeconds), Math.min(toSeconds, one.toSeconds)];
    return sum + Math.max(0, to - from);
  }, 0);
}
