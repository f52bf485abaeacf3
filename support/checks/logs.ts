/** What media-service logs, and which logs of services are collected. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { isError, type LogLine } from '../analyze/service-log';
import { CannotBeShown } from '../base/errors';
import { type AtLeast, ofBroadcast, ofSubject, type Text } from './builders';
import { assessed, type Assessment } from './criterion';

/** What a line of that level is, whatever its format. */
const IS_OF = {
  'an error': isError,
  'a warning': ({ level }: LogLine): boolean => level === 'WARNING',
};

/**
 * What media-service has logged about the broadcast, with levels.
 *
 * @throws CannotBeShown where no line says how important it is, or none is about this stream
 */
function leveledLines(broadcast: BroadcastFindings): LogLine[] {
  const lines = new ResilienceFindings(broadcast).logLines;
  if (lines.some(({ level }) => level !== undefined)) return lines;
  throw new CannotBeShown({
    what: 'the log does not say which of its lines are errors',
    where: `${broadcast.names.mediaService}.log, stream ${broadcast.stream}`,
    seen: lines.length > 0 ? `${lines.length} lines without a level` : 'no line about the stream',
    expected: 'lines that name the stream, each with its level',
  });
}

/** In the words of a spec, where one has them: in any case, and without the escapes of JSON. */
function says(line: LogLine, words: string): boolean {
  return [line.message, asJson(line)].some((text) =>
    text.toLowerCase().includes(words.toLowerCase()),
  );
}

/** The words of the spec; none where what a service calls it is its own affair. */
interface Words {
  words?: string;
}

/** A line of that level that is about the stream. */
function logsAbout(id: string, level: keyof typeof IS_OF) {
  return ofBroadcast<Words>(id, {
    title: `media-service logs ${level} that says what is wrong`,
    failure: `media-service did not log ${level} that says so`,
    where: ({ stream, names }) => `${names.mediaService}.log, stream ${stream}`,
    assess: (broadcast, { words = '' }) => {
      const lines = leveledLines(broadcast);
      const found = lines.find((line) => IS_OF[level](line) && says(line, words));
      const seen = [`${lines.length} lines about it:`, ...lines.slice(-10).map(asShown)].join('\n');
      const expected = words === '' ? level : `${level} with "${words}"`;
      return assessed(found !== undefined, found ? asShown(found) : seen, expected);
    },
  });
}

export const logsErrorAbout = logsAbout('logs-error-about', 'an error');
export const logsWarningAbout = logsAbout('logs-warning-about', 'a warning');

const asJson = ({ fields }: LogLine): string => JSON.stringify(fields);
/** With the text that has its fields behind it, as zap's console has. */
function asShown(line: LogLine): string {
  const values = Object.values(line.fields);
  if (values.length === 0) return line.message;
  return values.includes(line.message) ? asJson(line) : `${line.message} ${asJson(line)}`.trim();
}

export const logsNoError = ofBroadcast('logs-no-error', {
  title: 'media-service logs no error about the broadcast',
  failure: 'media-service logged errors',
  assess: (broadcast) => {
    const lines = leveledLines(broadcast);
    const errors = lines.filter(isError);
    return assessed(
      errors.length === 0,
      `${lines.length} lines; errors: ${errors.map(asShown).join('; ') || 'none'}`,
      'lines of which none is an error',
    );
  },
});

/** Lines about the stream that have a word of the spec. */
export const reports = ofBroadcast<Text & AtLeast>('reports', {
  title: 'media-service reports that at least so often',
  failure: 'media-service did not report that',
  assess: (broadcast, { text, least }) => {
    const lines = new ResilienceFindings(broadcast).logLines;
    const found = lines.filter((line) => says(line, text));
    const seen = [`${found.length} times among ${lines.length} lines`, ...found.map(asShown)];
    return assessed(found.length >= least, seen.join('\n'), `"${text}" at least ${least} times`);
  },
});

/** Of a stream that was never a broadcast: its source could not be read. */
export const logsErrorNaming = ofSubject<readonly LogLine[]>('logs-error-naming', {
  title: 'media-service logs an error about a source that it cannot read',
  failure: 'it did not say that the broadcast could not be read',
  where: () => 'log of media-service',
  assess: (lines) => {
    const error = lines.find(isError);
    const seen = error ? asShown(error) : lines.slice(-5).map(asShown).join('\n');
    return assessed(error !== undefined, seen || 'nothing logged', 'an error about the stream');
  },
});

/** The folder to which logs of services that were stopped are collected, and those services. */
export interface CollectedLogs {
  folder: string;
  services: readonly { project: string; service: string }[];
}

/** One log a service, none of them empty; or none at all. */
export const logsCollected = ofSubject<CollectedLogs, { collected: boolean }>('logs-collected', {
  title: 'The logs of services are collected when they are needed, and only then',
  failure: 'a log was not collected, or without need',
  where: ({ folder }) => folder,
  assess: ({ folder, services }, { collected }): Assessment => {
    const files = services.map(({ project, service }) => {
      const file = join(folder, project, `${service}.log`);
      const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
      return { file, lines: text === undefined ? 0 : text.split('\n').length };
    });
    const wrong = files.filter(({ lines }) => lines > 0 !== collected);
    const shown = (some: typeof files): string =>
      some.map(({ file, lines }) => `${file}: ${lines} lines`).join('; ');
    const expected = collected ? 'what each service wrote' : 'no file';
    const isFine = files.length > 0 && wrong.length === 0;
    return { ...assessed(isFine, shown(wrong) || 'no service', expected), seen: shown(files) };
  },
});
