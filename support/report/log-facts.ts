import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { fieldsOfLine, textOf } from '../analyze/log-fields';
import { lineOf, type LogLine } from '../analyze/service-log';
import { safeText } from '../base/safe-text';
import type { LogEntry } from './facts';
import { cut } from './wording';

/** Of one stream; more than anybody reads. */
const MOST_ENTRIES = 5000;
const LONGEST_TEXT = 2000;

/** A stream of the suite, wherever a line names one; a fragment's name begins with that of its stream. */
const STREAM = /\btest_[\w.-]*\w/g;
/** What an engine of containers puts before each line. */
const CONTAINER_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;
/** ISO 8601, or as MediaMTX and Go programs write it, in the time zone of the machine. */
const LINE_TIME =
  /^\[?(\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?\s+/;
const LEVEL = /^\[?(DEB(?:UG)?|INFO?|WARN?(?:ING)?|ERR(?:OR)?|CRITICAL|FATAL)\b\]?:?\s*/i;
/** Told by the entry itself, or the same for all lines. */
const KNOWN_FIELDS = 'timestamp level message msg service stream_id logger'.split(' ');

/** Lines that belong together: one with a time, and those without that follow it. */
interface Group {
  atSeconds: number;
  entries: LogEntry[];
}

/**
 * What the services have logged of a stream, and of no stream at all, in the order of time.
 *
 * @param folder of evidence
 * @param secondsAt a moment in ms since the epoch as seconds of the stream
 * @returns the newest entries, and how many older ones were left out
 */
export function logOf(
  folder: string,
  stream: string,
  secondsAt: (ms: number) => number,
): { entries: LogEntry[]; leftOut: number } {
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const entries = files
    .sort()
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return groupsOf(text, basename(name, '.log'), stream, secondsAt);
    })
    .sort((a, b) => Number(a.atSeconds > b.atSeconds) - Number(a.atSeconds < b.atSeconds))
    .flatMap((group) => group.entries);
  const leftOut = Math.max(0, entries.length - MOST_ENTRIES);
  return { entries: entries.slice(leftOut), leftOut };
}

function groupsOf(
  log: string,
  service: string,
  stream: string,
  secondsAt: (ms: number) => number,
): Group[] {
  const groups: Group[] = [];
  // What follows without a time belongs to the line before, also where that is of another stream.
  let isOthers = false;
  for (const line of log.split('\n')) {
    if (line.trim() === '') continue;
    const isNamed = ofStream(line, stream);
    if (isNamed === false) {
      isOthers = true;
      continue;
    }
    const { at, ...entry } = entryOf(line);
    if (at !== undefined) {
      const atSeconds = secondsAt(at);
      groups.push({ atSeconds, entries: [{ service, atSeconds, ...entry }] });
    } else if (isNamed === true || !isOthers) {
      const last = groups.at(-1) ?? { atSeconds: -Infinity, entries: [] };
      if (groups.length === 0) groups.push(last);
      last.entries.push({ service, ...entry });
    }
    if (at !== undefined || isNamed === true) isOthers = false;
  }
  return groups;
}

/** Whether a line is of the stream; undefined for one that names none. */
function ofStream(line: string, stream: string): boolean | undefined {
  const names = line.match(STREAM);
  if (line.includes(stream) && !names) return true;
  return names?.some((name) => name === stream || name.startsWith(`${stream}_`));
}

function entryOf(line: string): { at: number | undefined; level: string; text: string } {
  const json = fieldsOfLine(line) ? lineOf(line) : undefined;
  const containerTime = CONTAINER_TIME.exec(line)?.[0] ?? '';
  const fromContainer = timeOf(containerTime.trim());
  // One without a message is shown as it is.
  if (json?.message) {
    return {
      at: json.at ?? fromContainer,
      level: levelOf(textOf(json.fields['level'])),
      text: shown(textOfJson(json)),
    };
  }
  const plain = line.slice(containerTime.length);
  const [lineTime = '', ownTime = ''] = LINE_TIME.exec(plain) ?? [];
  const rest = plain.slice(lineTime.length);
  const [levelText = '', level = ''] = LEVEL.exec(rest) ?? [];
  return {
    // The engine's is more exact, and its time zone is known.
    at: json?.at ?? fromContainer ?? timeOf(ownTime.replace(',', '.')),
    level: levelOf(level),
    text: shown(rest.slice(levelText.length)),
  };
}

function textOfJson({ message, fields }: LogLine): string {
  const others = Object.entries(fields)
    .filter(([name]) => !KNOWN_FIELDS.includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [message, ...others].join(' ');
}

function timeOf(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isFinite(at) ? at : undefined;
}

/** MediaMTX shortens them. */
function levelOf(level: string): string {
  const known = ['debug', 'info', 'warning', 'error'];
  const word = level.toLowerCase();
  return known.find((one) => word.length >= 3 && one.startsWith(word.slice(0, 3))) ?? word;
}

function shown(text: string): string {
  return safeText(cut(text, LONGEST_TEXT).trimEnd());
}
