/** How important each line of a log is, by what the line itself says. */
import { fieldsOfLine } from './log-fields';

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

/** By the numbers of syslog (RFC 5424, 6.2.1), which GELF has too. */
const SYSLOG: readonly Level[] = [
  ...(['CRITICAL', 'CRITICAL', 'CRITICAL', 'ERROR', 'WARNING', 'INFO', 'INFO', 'DEBUG'] as const),
];

/** Fields of JSON lines that hold it: of Python, Google's and Elastic's schemas, and of zap and pino. */
const FIELDS = ['level', 'levelname', 'severity', 'log.level', 'lvl', 'levelno'];

/** `level=info`, or the word in capitals, in brackets, or before a colon; the first in the line. */
const IN_TEXT =
  /\b(?:level(?:name)?|severity|lvl)\s*[=:]\s*"?([A-Za-z]+)|(?<![\w-])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)(?![\w-])|\[([A-Za-z]+)\]|(?:^|\s)(trace|debug|info|warn(?:ing)?|error):/;

/** The level of a line of a log, JSON or plain text; undefined where it says none. */
export function levelOf(line: string): Level | undefined {
  const fields = fieldsOfLine(line) ?? {};
  const field = FIELDS.find((name) => fields[name] !== undefined);
  if (field !== undefined) {
    const value = fields[field];
    const number = typeof value === 'number' || /^\d+$/.test(String(value)) ? Number(value) : NaN;
    if (!Number.isNaN(number)) return ofNumber(number, field);
    return typeof value === 'string' ? NAMES[value.toLowerCase()] : undefined;
  }
  // Of the groups, the one that has matched.
  const found = IN_TEXT.exec(line)?.slice(1).find(Boolean);
  return found === undefined ? undefined : NAMES[found.toLowerCase()];
}

/** Of Python (`levelno`): 10 is DEBUG; of pino and bunyan: 10 is TRACE; of syslog: 0, the worst, to 7. */
function ofNumber(level: number, field: string): Level | undefined {
  if (level < SYSLOG.length) return SYSLOG[level];
  return LEVELS[Math.trunc(level / 10) - (field === 'levelno' ? 0 : 1)];
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
