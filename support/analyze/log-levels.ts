/** How important each line of a log is, by what the line itself says. */
import { fieldsOfLine, textBeside, textOf } from './log-fields';

/** From the least important to the most. */
export const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type Level = (typeof LEVELS)[number];

/** What services call them; the short forms are those of logrus, zerolog, klog and .NET. */
const CALLED: Readonly<Record<Level, string>> = {
  TRACE: 'trace silly trac trce trc',
  DEBUG: 'debug verbose debu dbug dbg',
  INFO: 'info information informational notice inf i',
  WARNING: 'warning warn wrn w',
  ERROR: 'error err severe erro fail e',
  CRITICAL: 'critical crit fatal alert emergency emerg panic fata pani ftl pnc f',
};
const NAMES = new Map(
  LEVELS.flatMap((level) => CALLED[level].split(' ').map((name) => [name, level] as const)),
);

/** By the numbers of syslog (RFC 5424, 6.2.1), which GELF has too. */
const SYSLOG: readonly Level[] = [
  ...(['CRITICAL', 'CRITICAL', 'CRITICAL', 'ERROR', 'WARNING', 'INFO', 'INFO', 'DEBUG'] as const),
];

/** Fields of JSON lines that hold it: of Python, Google's, Elastic's and OpenTelemetry's schemas, of zap, pino, monolog, Serilog. */
const FIELDS = [
  ...['level_name', 'level', 'levelname', 'severity', 'severity_text', 'SeverityText'],
  ...['log.level', 'lvl', '@l', 'levelno'],
];

/**
 * Where text says it: `level=info`, the word in capitals, in brackets or before a colon, and the short forms of logrus
 * (`ERRO[0003]`), zerolog (`9:00PM ERR`) and klog (`E1126 21:00:00`).
 */
const IN_TEXT =
  /\b(?:level(?:_?name)?|severity|lvl)\s*[=:]\s*"?([A-Za-z]+)|(?<![\w-])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|CRITICAL|FATAL)(?![\w-])|\[\s*([A-Za-z]{3,})\s*\]|(?:^|\s)(trace|debug|info|warn(?:ing)?|error|fatal|trce|dbug|fail|crit):|^(TRAC|DEBU|ERRO|FATA|PANI)\[|^(?:\S+\s){0,2}(TRC|DBG|INF|WRN|ERR|FTL|PNC)\s|^([IWEF])\d{4} \d\d:\d\d:/g;

/** The priority with which a line of syslog begins (RFC 5424, 6.2.1). */
const PRIORITY = /^<(\d{1,3})>/;

/** The level of a line of a log, JSON or plain text; undefined where it says none. */
export function levelOf(line: string): Level | undefined {
  const fields = fieldsOfLine(line);
  return (fields && ofFields(fields)) ?? ofText(textBeside(line));
}

/** Elastic's schema and loguru have the field in another one. */
function ofFields(fields: Record<string, unknown>): Level | undefined {
  const all = [fields, ...['log', 'record'].map((name) => asFields(fields[name]))];
  for (const name of FIELDS) {
    for (const some of all) {
      const level = ofValue(some[name], name);
      if (level !== undefined) return level;
    }
  }
  return undefined;
}

/** Log4j and loguru have it as an object with a name. */
function ofValue(value: unknown, field: string): Level | undefined {
  const said = typeof value === 'object' ? asFields(value)['name'] : value;
  const isNumber = typeof said === 'number' || (typeof said === 'string' && /^\d+$/.test(said));
  return isNumber ? ofNumber(Number(said), field) : NAMES.get(textOf(said).toLowerCase());
}

function asFields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The first that is the name of a level: `[main] ERROR`. */
function ofText(text: string): Level | undefined {
  const [, priority] = PRIORITY.exec(text) ?? [];
  if (priority !== undefined) return SYSLOG[Number(priority) % SYSLOG.length];
  for (const [, ...groups] of text.matchAll(IN_TEXT)) {
    const level = NAMES.get(groups.find(Boolean)?.toLowerCase() ?? '');
    if (level !== undefined) return level;
  }
  return undefined;
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
