import type { Writable } from 'node:stream';

import { safeText } from '../base/safe-text';
import { counted, duration, oneLine } from './wording';

/** A step that takes no longer is not worth a line. */
const SHOWN_AFTER_MS = 3000;
/** Where nothing stays in place: so that a log shows life, and stays short. */
const PLAIN_EVERY_MS = 15_000;
const REFRESH_MS = 1000;
/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80;
/** Of what was seen last of what is waited for. */
const LONGEST_SEEN = 120;
/** Shorter, a text says nothing. */
const LEAST_CHARACTERS = 10;

/** How far a broadcast is; in seconds since its publisher was started. */
export interface Progress {
  stream: string;
  elapsedSeconds: number;
  durationSeconds: number;
  fragmentsProcessed: number;
}

/** A broadcast that is running; `atMs` is when it was so far. */
interface Running extends Progress {
  title: string;
  atMs: number;
}

interface Wait {
  what: string;
  sinceMs: number;
  seen?: string;
}

/** What the run is at; times are those of performance.now(), in ms. */
export interface Waiting {
  scenario?: { ids: readonly string[]; name: string } | undefined;
  step?: { text: string; sinceMs: number } | undefined;
  /** What is waited for, and what was seen of it last; the one that was added last is shown. */
  waits: ReadonlySet<Wait>;
  /** By stream. */
  broadcasts: ReadonlyMap<string, Running>;
}

/**
 * What is waited for, and for how long, in one line.
 *
 * @param width in characters; names are shortened, and left out, until the line is no longer
 * @returns undefined when nothing takes long
 */
export function waitingText(
  { scenario, step, waits, broadcasts }: Waiting,
  nowMs: number,
  width = Infinity,
): string | undefined {
  const wait = [...waits].at(-1);
  const begunMs = step?.sinceMs ?? wait?.sinceMs;
  if (begunMs === undefined || nowMs - begunMs < SHOWN_AFTER_MS) return undefined;

  const seconds = Math.floor((nowMs - Math.max(begunMs, wait?.sinceMs ?? begunMs)) / 1000);
  const time = seconds < 10 ? `${seconds} s` : duration(seconds);
  const seen = wait?.seen === undefined ? '' : ` (${shortened(oneLine(wait.seen), LONGEST_SEEN)})`;
  const waiting = wait
    ? `waiting for ${oneLine(wait.what)} for ${time}${seen}`
    : `waiting for ${time}`;
  const [id = '', ...moreIds] = scenario?.ids ?? [];
  const ids = moreIds.length > 0 ? `${id} +${moreIds.length}` : id;
  const name = oneLine(scenario?.name ?? '');
  const doing = oneLine(step?.text ?? '');
  const { title, full, brief } = howFar([...broadcasts.values()], nowMs);

  const line = (longest: number, parts: readonly string[], isBrief: boolean): string => {
    const part = (text: string): string => (parts.includes(text) ? shortened(text, longest) : '');
    const waited = isBrief && !wait ? time : waiting;
    const head = [ids, part(name)].filter(Boolean).join(' ');
    const tail = [part(title), isBrief ? brief : full].filter(Boolean).join(': ');
    return `… ${[head, part(doing), waited, tail].filter(Boolean).join(' · ')}`;
  };
  // The title of the broadcast first: the scenario's name tells more, and the step what it is that takes so long.
  const candidates: [parts: string[], isBrief: boolean][] = [
    [[name, doing, title], false],
    [[name, doing], false],
    [[doing], false],
    [[doing], true],
  ];
  for (const [parts, isBrief] of candidates) {
    const longest = Math.max(...parts.map((part) => part.length));
    for (let length = longest; length >= Math.min(longest, LEAST_CHARACTERS); length -= 1) {
      const text = line(length, parts, isBrief);
      if (text.length <= width) return text;
    }
  }
  return shortened(line(0, [], true), width);
}

/**
 * How far the broadcasts are: the title of the only one, or how many there are and the longest of them; and the same in few
 * words.
 */
function howFar(broadcasts: Running[], nowMs: number): Record<'title' | 'full' | 'brief', string> {
  const running = broadcasts
    .map((one) => ({
      ...one,
      // It is reported now and then only; what comes after its end is the way through the pipeline.
      elapsed: Math.min(one.elapsedSeconds + (nowMs - one.atMs) / 1000, one.durationSeconds),
    }))
    .sort((a, b) => b.durationSeconds - a.durationSeconds || a.elapsed - b.elapsed);
  const [longest] = running;
  if (!longest) return { title: '', full: '', brief: '' };
  const far = `${Math.floor(longest.elapsed)} s of ${Math.round(longest.durationSeconds)} s`;
  if (running.length > 1) {
    const count = `${running.length} broadcasts`;
    return { title: '', full: `${count}, the longest ${far}`, brief: `${count}, longest ${far}` };
  }
  const { fragmentsProcessed: dubbed } = longest;
  const full = `${far}, ${counted(dubbed, 'fragment')} dubbed`;
  return { title: oneLine(longest.title), full, brief: `${far}, ${dubbed} dubbed` };
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1)).trimEnd()}…`;
}

/** A stream that may be a terminal. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/**
 * A line that says what is waited for: at the bottom of a terminal, where it stays in place and what others write goes
 * above it; otherwise a plain line now and then, when nothing else is written.
 *
 * @param out where the results are written to
 * @param err where the line is shown
 * @param textOf the line, at most so many characters wide; undefined for none
 */
export function liveLine(
  out: Output,
  err: Output,
  textOf: (width?: number) => string | undefined,
  nowMs = (): number => performance.now(),
): { refresh: () => void; stop: () => void } {
  // With one of them elsewhere (`| tee`), what is written there arrives in the middle of a line that stays in place.
  const staysInPlace = out.isTTY === true && err.isTTY === true;
  const write = err.write.bind(err) as (text: string) => boolean;
  let shown = '';
  let isAtLineStart = true;
  let writtenMs = nowMs();

  const clear = (): void => {
    if (shown !== '') write('\r\x1b[2K');
    shown = '';
  };
  const refresh = (): void => {
    if (!staysInPlace) {
      const text = nowMs() - writtenMs < PLAIN_EVERY_MS ? undefined : textOf();
      if (text === undefined) return;
      write(`${text}\n`);
      writtenMs = nowMs();
      return;
    }
    // In the last column some terminals begin a new line.
    const text = textOf((err.columns || COLUMNS) - 1);
    if (text === undefined) clear();
    if (text === undefined || text === shown || !isAtLineStart) return;
    write(`${shown === '' ? '' : '\r\x1b[2K'}${text}`);
    shown = text;
  };

  const outputs = [...new Set([out, err])];
  for (const output of outputs) {
    const writeThere = output.write.bind(output) as (...args: unknown[]) => boolean;
    // Whoever writes, knows nothing of the line.
    output.write = (...args: unknown[]): boolean => {
      clear();
      const isTaken = writeThere(...args);
      isAtLineStart = String(args[0]).endsWith('\n');
      writtenMs = nowMs();
      if (staysInPlace) refresh();
      return isTaken;
    };
  }
  return {
    refresh,
    stop: () => {
      clear();
      // What was laid over the stream's own method.
      outputs.forEach((output) => Reflect.deleteProperty(output, 'write'));
    },
  };
}

const waits = new Set<Wait>();
const broadcasts = new Map<string, Running>();
const current: Waiting = { waits, broadcasts };
let stopLine: (() => void) | undefined;

/** From now on what is waited for is shown; until {@link stopProgress}. */
export function startProgress(out: Output, err: Output): void {
  stopProgress();
  const line = liveLine(out, err, (width) => waitingText(current, performance.now(), width));
  const timer = setInterval(line.refresh, REFRESH_MS).unref();
  const stop = (): void => {
    clearInterval(timer);
    process.off('exit', stop);
    line.stop();
  };
  // However the run ends, the shell's prompt does not begin in the middle of the line.
  process.on('exit', stop);
  stopLine = stop;
}

export function stopProgress(): void {
  stopLine?.();
  stopLine = undefined;
}

/** The scenario that runs; undefined when none does. */
export function noteScenario(scenario: Waiting['scenario']): void {
  current.scenario = scenario;
  current.step = undefined;
}

/** The step that begins. */
export function noteStep(text: string): void {
  current.step = { text, sinceMs: performance.now() };
}

/**
 * Does something that may take long.
 *
 * @param what is waited for: completes the sentence "waiting for …"
 * @param work may say what it has seen last: why it has to go on waiting
 */
export async function waitingFor<T>(
  what: string,
  work: (onSeen: (seen: string) => void) => Promise<T>,
): Promise<T> {
  const wait: Wait = { what, sinceMs: performance.now() };
  waits.add(wait);
  try {
    return await work((seen) => (wait.seen = seen));
  } finally {
    waits.delete(wait);
  }
}

export function showProgress(progress: Progress, title = progress.stream): void {
  broadcasts.set(progress.stream, { ...progress, title, atMs: performance.now() });
}

export function endProgress(stream: string): void {
  broadcasts.delete(stream);
}

/** A line that stays. */
export function showLine(text: string): void {
  process.stderr.write(`  … ${safeText(text)}\n`);
}
