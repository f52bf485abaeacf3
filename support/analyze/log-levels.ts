/** How important each line of a log is, by what the line itself says. */
import { fieldsOfLine } from './service-log';

/** From the least important to the most. */
export const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type Level = (typeof LEVELS)[number];

/** What services call them. */
const NAMES: Readonly<Record<string, Level>> = {
  ...{
    trace: 'TRACE',
    silly: 'TRACE',
    debug: 'DEBUG',
    verbose: 'DEBUG',
    info: 'INFO',
    notice: 'INFO',
  },
  ...{ warn: 'WARNING', warning: 'WARNING', error: 'ERROR', err: 'ERROR', critical: 'CRITICAL' },
  ...{ fatal: 'CRITICAL', alert: 'CRITICAL', emergency: 'CRITICAL', panic: 'CRITICAL' },
};

/** Fields of JSON lines that hold it: of Python, Google's and Elastic's schemas, and of zap and pino. */
const FIELDS = ['level', 'levelname', 'severity', 'log.level', 'lvl'];

/** `level=info`, or the word in capitals, in brackets, or before a colon; the first in the line. */
const IN_TEXT =
  /\b(?:level(?:name)?|severity|lvl)\s*[=:]\s*"?([A-Za-z]+)|(?<![\w-])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)(?![\w-])|\[([A-Za-z]+)\]|(?:^|\s)(trace|debug|info|warn(?:ing)?|error):/;

/** The level of a line of a log, JSON or plain text; undefined where it says none. */
export function levelOf(line: string): Level | undefined {
  const fields = fieldsOfLine(line) ?? {};
  const ofField = FIELDS.map((name) => fields[name]).find((value) => value !== undefined);
  if (typeof ofField === 'number') return ofNumber(ofField);
  if (typeof ofField === 'string') return NAMES[ofField.toLowerCase()];
  // Of the groups, the one that has matched.
  const found = IN_TEXT.exec(line)?.slice(1).find(Boolean);
  return found === undefined ? undefined : NAMES[found.toLowerCase()];
}

/** Of pino and bunyan: 10, 20, … 60. */
function ofNumber(level: number): Level | undefined {
  return LEVELS[Math.trunc(level / 10) - 1];
}

/** How many lines a log has of each level that is in it, the least important first. */
export function countLevels(log: string): Map<Level, number> {
  const levels = log.split('\n').map(levelOf);
  return new Map(
    LEVELS.map((level): [Level, number] => [
      level,
      levels.filter((one) => one === level).length,
    ]).filter(([, count]) => count > 0),
  );
}
