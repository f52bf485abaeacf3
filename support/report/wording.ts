import { safeText } from '../base/safe-text';
import { projectRoot } from '../config';

/** A line of a stack trace; the group is where it is. */
const TRACE = /^\s+at (?:.*\()?((?:[^()]*:\d+:\d+)|<anonymous>|.*\[as \w+\])\)?$/;

const ANY_CLASS = /^(?:Error|[A-Z]\w*(?:Error|Expected|Observed|Missing))(?: \[\w+\])?: /;
const PLAIN_CLASS = /^(?:Assertion)?Error(?: \[\w+\])?: /;

/**
 * A failure's message as people read it: without the class of the error, and without where in the code it was thrown. A bug
 * of a step (an error without what was seen and expected) keeps its class, and the line of the project that it is in.
 */
export function shownMessage(message: string): string {
  const lines: string[] = [];
  const isOurs = /^ {2}expected: /m.test(message);
  // Messages of several errors may follow each other: one line for each.
  let isNext = true;
  for (const line of message.split('\n')) {
    const place = TRACE.exec(line)?.[1];
    if (place === undefined) {
      lines.push(line);
      isNext = true;
    } else if (!isOurs && isNext && isOfProject(place)) {
      lines.push(`  at ${place.replace(`${projectRoot}/`, '')}`);
      isNext = false;
    }
  }
  return lines
    .join('\n')
    .replace(isOurs ? ANY_CLASS : PLAIN_CLASS, '')
    .trim();
}

function isOfProject(place: string): boolean {
  return /^(?:file:\/\/)?\//.test(place) && !place.includes('/node_modules/');
}

/** How long something took, – where that is unknown: `0.4 s`, `12 s`, `6 min 32 s`. */
export function duration(seconds = NaN): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const rest = whole % 60;
  return rest === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${rest} s`;
}

/** By minute, in UTC, as whoever reads it may be anywhere. @param at ms since the epoch, or in the form of ISO 8601 */
export function moment(at: number | string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A number as people read it; – where there is none. */
export function shownNumber(value = NaN, digits = 1, unit = ''): string {
  if (!Number.isFinite(value)) return '–';
  const rounded = Number(value.toFixed(digits)) || 0;
  return `${rounded.toFixed(digits)}${unit}`;
}

/** A number that fits beside an axis: `12`, `0.035`, `1.2 M`. */
export function compact(value = NaN): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  return String(Number(value.toPrecision(4)));
}

/** `1 scenario`, `2 scenarios`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function oneLine(text: string): string {
  return safeText(text).replace(/\s+/g, ' ').trim();
}

/** At most so many characters of a text. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)} … (cut off)`;
}
