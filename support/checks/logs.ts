/** What media-service logs, and which logs of services are collected. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ResilienceFindings } from '../analyze/resilience-findings';
import { isError, type LogLine } from '../analyze/service-log';
import { type AtLeast, ofBroadcast, ofSubject, type Text } from './builders';
import { assessed, type Assessment } from './criterion';

/** Levels as services log them: `"level": "ERROR"`, `level=error`, or the word in capitals. */
const LEVELS = {
  'an error': /\b[Ll]evel(?:name)?"?\s*[:=]\s*"?(?:[Ee]rror|[Ff]atal)|\b(?:ERROR|CRITICAL|FATAL)\b/,
  'a warning': /\b[Ll]evel(?:name)?"?\s*[:=]\s*"?[Ww]arn|\bWARN(?:ING)?\b/,
};

/** A line of that level that names the stream and has the text. */
function logsAbout(id: string, level: keyof typeof LEVELS) {
  return ofBroadcast<Text>(id, {
    title: `media-service logs ${level} that says what is wrong`,
    failure: `media-service did not log ${level} that says so`,
    where: ({ stream, names }) => `${names.mediaService}.log, stream ${stream}`,
    assess: (broadcast, { text }) => {
      const lines = broadcast.log(broadcast.names.mediaService).split('\n');
      const ours = lines.filter((line) => line.includes(broadcast.stream));
      const found = ours.find((line) => LEVELS[level].test(line) && line.includes(text));
      const seen = [`${lines.length} lines, of this stream:`, ...ours.slice(-10)].join('\n');
      return assessed(found !== undefined, found ?? seen, `${level} with "${text}"`);
    },
  });
}

export const logsErrorAbout = logsAbout('logs-error-about', 'an error');
export const logsWarningAbout = logsAbout('logs-warning-about', 'a warning');

const asJson = ({ fields }: LogLine): string => JSON.stringify(fields);

export const logsNoError = ofBroadcast('logs-no-error', {
  title: 'media-service logs no error about the broadcast',
  failure: 'media-service logged errors, or nothing at all',
  assess: (broadcast) => {
    const lines = new ResilienceFindings(broadcast).logLines;
    const errors = lines.filter(isError);
    return assessed(
      lines.length > 0 && errors.length === 0,
      `${lines.length} lines; errors: ${errors.map(asJson).join('; ') || 'none'}`,
      'lines of which none is an error',
    );
  },
});

/** Lines about the stream whose message has the text. */
export const reports = ofBroadcast<Text & AtLeast>('reports', {
  title: 'media-service reports that at least so often',
  failure: 'media-service did not report that',
  assess: (broadcast, { text, least }) => {
    const lines = new ResilienceFindings(broadcast).logLines;
    const found = lines.filter(({ message }) => message.includes(text));
    const seen = [`${found.length} times among ${lines.length} lines`, ...found.map(asJson)];
    return assessed(found.length >= least, seen.join('\n'), `"${text}" at least ${least} times`);
  },
});

/** Of a stream that was never a broadcast: its source could not be read. */
export const logsErrorNaming = ofSubject<readonly LogLine[], Text>('logs-error-naming', {
  title: 'media-service logs an error that names the reason',
  failure: 'it did not say that the broadcast could not be read',
  where: () => 'log of media-service',
  assess: (lines, { text }) => {
    const error = lines.find((line) => isError(line) && line.message.includes(text));
    const seen = error ? asJson(error) : lines.slice(-5).map(asJson).join('\n');
    return assessed(error !== undefined, seen || 'nothing logged', `an error with "${text}"`);
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
