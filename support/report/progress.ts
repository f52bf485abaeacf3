import type { Progress } from '../observe/pipeline-run';
import { safeText } from '../safe-text';

/** A line that stays. */
export function showLine(text: string): void {
  process.stderr.write(`  … ${safeText(text)}\n`);
}

/** One line on how far a running stream is. On a terminal it stays in place. */
export function showProgress(progress: Progress): void {
  const { stream, elapsedSeconds, durationSeconds, fragmentsProcessed } = progress;
  const line =
    `  … ${stream}: ${Math.min(Math.round(elapsedSeconds), durationSeconds)} s of ${durationSeconds} s, ` +
    `${fragmentsProcessed} fragments dubbed`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}\r`);
  else process.stderr.write(`${line}\n`);
}
