import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

import { execa } from 'execa';

import { messageOf, SuiteError } from '../base/errors';
import {
  besideServices,
  decoderPriority,
  measuringPriority,
  yieldToServices,
} from '../platform/priority';
import { cached } from './answer-cache';

/** A media file is missing, empty, or cannot be opened by ffprobe or ffmpeg. */
export class MediaUnreadable extends SuiteError {}

/** The media tool itself cannot be run on this machine. */
export class MediaToolMissing extends SuiteError {}

export interface ProbeTool {
  path: string;
  /** As the tool says it, e.g. `5.1.9-0+deb12u1`. */
  version: string;
  source: 'system' | 'ffprobe-static';
}

type TakePiece = (piece: Buffer) => void;

type ToolInput = Uint8Array | Iterable<Uint8Array>;

export interface ToolOutput {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
}

/** A stretch of a file's own timeline. */
export interface Span {
  fromSeconds: number;
  seconds: number;
}

let chosenProbe: Promise<ProbeTool> | undefined;

/**
 * The ffprobe that this suite uses: the system's, else the one of the npm package ffprobe-static (4.0.2).
 * Chosen once per process.
 *
 * @throws MediaToolMissing when neither runs
 */
export function probeTool(): Promise<ProbeTool> {
  chosenProbe ??= chooseProbe();
  return chosenProbe;
}

async function chooseProbe(): Promise<ProbeTool> {
  const system = await versionOf('ffprobe');
  if (system.version) return { path: 'ffprobe', version: system.version, source: 'system' };
  const { path } = await import('ffprobe-static');
  const bundled = await versionOf(path);
  if (bundled.version) return { path, version: bundled.version, source: 'ffprobe-static' };
  throw new MediaToolMissing({
    what: 'no ffprobe runs on this machine',
    where: `ffprobe, ${path}`,
    seen: `${system.problem}; ${bundled.problem}`,
    expected: 'ffprobe 4 or newer on the PATH',
    next: 'install ffmpeg (Debian: apt-get install ffmpeg)',
  });
}

async function versionOf(path: string): Promise<{ version?: string; problem: string }> {
  try {
    const { stdout } = await execa(path, ['-version']);
    const version = /^ffprobe version (\S+)/.exec(stdout)?.[1];
    return version
      ? { version, problem: '' }
      : { problem: `unknown version: ${stdout.slice(0, 80)}` };
  } catch (error) {
    return { problem: messageOf(error).split('\n')[0] ?? '' };
  }
}

/** By the system's ffprobe, which most have: which one runs is asked, and waited for, only where that one does not. */
async function byProbe<T>(does: (path: string) => Promise<T>): Promise<T> {
  try {
    return await does('ffprobe');
  } catch (error) {
    if (!(error instanceof MediaToolMissing)) throw error;
    const { path, source } = await probeTool();
    if (source === 'system') throw error;
    return does(path);
  }
}

/**
 * Runs a media tool to its end. A non-zero exit is part of the answer, not an exception.
 *
 * @param input bytes for its standard input; piece by piece where they are too many to be held in memory
 * @param env added to this process's environment
 * @throws MediaToolMissing when the program cannot be started
 */
export async function runTool(
  program: string,
  args: readonly string[],
  input?: ToolInput,
  env: Record<string, string> = {},
): Promise<ToolOutput> {
  // What comes piece by piece is read once: who has it all may make a key of it.
  if (input && !(input instanceof Uint8Array)) return startTool(program, args, input, env);
  return cached([program, args, input], () => startTool(program, args, input, env));
}

async function startTool(
  program: string,
  args: readonly string[],
  input: ToolInput | undefined,
  env: Record<string, string>,
): Promise<ToolOutput> {
  const running = execa(program, [...args], {
    env,
    encoding: 'buffer',
    reject: false,
    maxBuffer: 2 ** 30,
    stripFinalNewline: false,
    stdin: stdinFor(input),
    ...inputOf(input),
  });
  yieldToServices(running.pid, measuringPriority());
  const result = await running;
  const stderr = textOf(result.stderr);
  const exitCode = exitCodeOf(program, args, result, stderr);
  return { exitCode, stdout: Buffer.from(result.stdout), stderr };
}

function stdinFor(input: ToolInput | undefined): 'pipe' | 'ignore' {
  return input ? 'pipe' : 'ignore';
}

function inputOf(input: ToolInput | undefined): { input?: Uint8Array | Readable } {
  if (!input) return {};
  return { input: input instanceof Uint8Array ? input : Readable.from(input) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** @throws MediaToolMissing when it has none */
function exitCodeOf(
  program: string,
  args: readonly string[],
  result: { exitCode?: number; failed: boolean },
  stderr: string,
): number {
  if (result.exitCode !== undefined) return result.exitCode;
  throw new MediaToolMissing({
    what: 'the program did not run to its end',
    where: `${program} ${args.join(' ')}`,
    seen: result.failed ? messageOf(result) : stderr,
    expected: `${program} on the PATH`,
  });
}

/** Filters of small frames and of audio lose more by sharing their work among threads than they gain. */
const QUIETLY = ['-hide_banner', '-nostats', '-filter_complex_threads', '1'];

/** Runs the system's ffmpeg without banner and statistics; see {@link runTool}. */
export function runFfmpeg(args: readonly string[], input?: Uint8Array): Promise<ToolOutput> {
  return runTool('ffmpeg', [...QUIETLY, ...args], input);
}

/**
 * Runs the system's ffmpeg as {@link runFfmpeg} does, and gives away its standard output piece by piece as it comes: that of a
 * long video is larger than memory.
 *
 * @param take is given its standard output; of a list, each further one what it writes to pipe:3, pipe:4, …
 * @param takeLine is given each line of its log as it comes; one of which it returns true is not kept
 * @param input as of {@link runTool}
 * @throws MediaToolMissing when the program cannot be started
 */
export async function streamFfmpeg(
  args: readonly string[],
  take: TakePiece | readonly TakePiece[],
  takeLine: (line: string) => boolean = () => false,
  input?: ToolInput,
): Promise<Omit<ToolOutput, 'stdout'>> {
  return streamTool('ffmpeg', [...QUIETLY, ...args], [take].flat(), takeLine, input);
}

async function streamTool(
  program: string,
  args: readonly string[],
  [take, ...others]: readonly TakePiece[],
  takeLine: (line: string) => boolean,
  input?: ToolInput,
): Promise<Omit<ToolOutput, 'stdout'>> {
  const aside = besideServices({ program, args: [...args] });
  const running = execa(aside.program, aside.args, {
    ...{ reject: false, buffer: false, encoding: 'buffer' },
    ...{ stdio: [stdinFor(input), 'pipe', 'pipe', ...others.map(() => 'pipe' as const)] },
    ...inputOf(input),
  });
  yieldToServices(running.pid, decoderPriority());
  if (take) running.stdout.on('data', take);
  others.forEach((one, i) => running.stdio[3 + i]?.on('data', one));
  const kept: string[] = [];
  const log = lineSplitter((line) => {
    if (!takeLine(line)) kept.push(line);
  });
  running.stderr.on('data', log.take);
  const result = await running;
  log.end();
  const stderr = kept.join('\n');
  return { exitCode: exitCodeOf(program, args, result, stderr), stderr };
}

/** Gives away the lines of a text that comes piece by piece; the last one, where it does not end, at its end. */
function lineSplitter(takeLine: (line: string) => void): {
  take: (piece: Buffer) => void;
  end: () => void;
} {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  return {
    take: (piece) => {
      const lines = (pending + decoder.write(piece)).split('\n');
      pending = lines.pop() ?? '';
      lines.forEach(takeLine);
    },
    end: () => {
      const rest = pending + decoder.end();
      if (rest !== '') takeLine(rest);
    },
  };
}

/**
 * Runs ffprobe on a file and returns its JSON as text.
 *
 * @throws MediaUnreadable when the file is missing or empty, or ffprobe cannot open it
 */
export async function runFfprobe(file: string, args: readonly string[]): Promise<string> {
  await requireFile(file);
  const all = ['-v', 'error', ...args, '-of', 'json', '-i', file];
  const run = await byProbe((path) => runTool(path, all));
  if (run.exitCode !== 0) throw unreadable(file, run.stderr, await probeWitness());
  return run.stdout.toString('utf8');
}

/**
 * Runs ffprobe on a file and gives away what it says line by line, as it comes: a line for each item, `name=value|name=value`. Of the
 * packets of an hour, the text is 20 MB.
 *
 * @throws MediaUnreadable as {@link runFfprobe}
 */
export async function readFfprobe(
  file: string,
  args: readonly string[],
  takeLine: (line: string) => void,
): Promise<void> {
  await requireFile(file);
  const all = ['-v', 'error', ...args, '-of', 'compact=print_section=0', '-i', file];
  const lines = lineSplitter(takeLine);
  const run = await byProbe((path) => streamTool(path, all, [lines.take], () => false));
  lines.end();
  if (run.exitCode !== 0) throw unreadable(file, run.stderr, await probeWitness());
}

async function probeWitness(): Promise<string> {
  return `ffprobe ${(await probeTool()).version}`;
}

/** @throws MediaUnreadable unless `file` is a file with at least one byte */
export async function requireFile(file: string): Promise<void> {
  const seen = await stat(file).catch((error: unknown) => messageOf(error));
  if (typeof seen === 'string') throw unreadable(file, seen, 'file system');
  if (!seen.isFile()) throw unreadable(file, 'not a regular file', 'file system');
  if (seen.size === 0) throw unreadable(file, 'the file is empty (0 bytes)', 'file system');
}

/** @param witness who says so, e.g. `ffprobe 5.1` */
export function unreadable(file: string, said: string, witness: string): MediaUnreadable {
  return new MediaUnreadable({
    what: 'the media file cannot be read',
    where: file,
    seen: `${witness}: ${said.trim() || 'no message'}`,
    expected: 'a media file with at least one stream',
  });
}

/** The errors in the log of an ffmpeg that prints levels (`-v repeat+level+…`). */
export function errorLinesOf(log: string): string[] {
  return log.split('\n').filter((line) => /\[(error|fatal|panic)\]/.test(line));
}

/** The last three lines of a program's log, as one. */
export function lastLines(log: string): string {
  return log.trim().split('\n').slice(-3).join(' | ');
}
