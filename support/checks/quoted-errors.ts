/**
 * What services have said to be wrong, in their own words: the STS by failed answers, `error` events and refused connections, and
 * media-service, where it has sent nothing or has ended before its time, by its log.
 */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { ranges } from '../analyze/finding';
import { textOf } from '../analyze/log-fields';
import { isError, linesAbout, type LogLine } from '../analyze/service-log';
import { fieldsOf, foreignText, refusalText, type TapEvent } from '../broadcast/events';
import type { Fragment } from '../broadcast/fragment';

/** Longer ones are cut: a verdict is not the log. */
const LONGEST_QUOTE = 300;

/** One thing that was said; of a fragment where `segment` is given. */
interface Said {
  text: string;
  segment?: number | undefined;
}

/**
 * Each thing that was said once, with how often and of which fragments: `5 of 5 answers failed: MODEL_ERROR: CUDA out of
 * memory (fragments 0 to 4)`; empty where nothing was.
 */
export function quotedErrors(broadcast: BroadcastFindings): string[] {
  const { record } = broadcast;
  const { fragments } = broadcast.evidence.fragments;
  const answers = fragments.filter(({ answer }) => answer);
  const failed = fragments.flatMap((one) => failureOf(one) ?? []);
  const events = broadcast.events('event', 'error').map((one) => saidBy(one, fragments));
  const { tap } = broadcast.evidence;
  return [
    ...grouped(failed, (count) => `${count} of ${answers.length} answers failed`),
    ...grouped(events, (count) => (count === 1 ? '1 error event' : `${count} error events`)),
    ...[refusalText(tap), foreignText(tap)].filter((text) => text !== ''),
    ...(fragments.length === 0 || record.outcome.kind === 'worker gone'
      ? workersWords(broadcast)
      : []),
  ];
}

/** Of what media-service has logged: more lines are no quotation. */
const MOST_LINES = 2;
/** Fields of lines in JSON by which loggers add the reason to a message. */
const REASONS = ['error', 'err', 'reason', 'exception', 'exc_info', 'detail'];

/**
 * Why media-service does not dub a broadcast, as it has logged it: the first errors about the stream; where no line is one, by its level or
 * because lines have none, the last line about it. Empty where logs are not offered, or say nothing about the stream.
 */
function workersWords(broadcast: BroadcastFindings): string[] {
  const { names, stream, record } = broadcast;
  if (record.notOffered?.logs !== undefined || !broadcast.hasLog(names.mediaService)) return [];
  const lines = linesAbout(broadcast.log(names.mediaService), stream, record);
  const errors = lines.filter(isError);
  const said = errors.length > 0 ? errors : lines.slice(-1);
  const texts = [...new Set(said.map(wordsOf).filter((text) => text !== ''))];
  if (texts.length === 0) return [];
  const quoted = texts.slice(0, MOST_LINES).map((text) => `"${cut(text)}"`);
  return [`${names.mediaService} has logged: ${quoted.join(', ')}`];
}

function wordsOf({ message, fields }: LogLine): string {
  const reasons = REASONS.map((name) => textOf(fields[name])).filter(
    (text) => text !== '' && !message.includes(text),
  );
  return [message, ...reasons].filter((text) => text !== '').join(': ');
}

/** A verdict's `seen`, and after it what was said to be wrong. */
export function withErrors(seen: string, broadcast: BroadcastFindings): string {
  return [seen, ...quotedErrors(broadcast)].join('; ');
}

/** Code and message of a failed answer, or of the `error` event in its place; undefined for a success. */
export function errorTextOf({ errorCode, answer }: Fragment): string | undefined {
  if (errorCode === undefined) return undefined;
  return said(errorCode, answer?.error?.message ?? '');
}

function failureOf(fragment: Fragment): Said | undefined {
  const { answer, segment } = fragment;
  const text = errorTextOf(fragment);
  return answer && text !== undefined ? { text, segment } : undefined;
}

function saidBy({ payload }: TapEvent, fragments: readonly Fragment[]): Said {
  const { code, message, fragment_id: id } = fieldsOf(payload);
  const segment = fragments.find(({ fragmentId }) => fragmentId === String(id))?.segment;
  return { text: said(textOf(code) || 'no code', textOf(message)), segment };
}

function said(code: string, message: string): string {
  return cut([code, message].filter((part) => part !== '').join(': '));
}

function cut(text: string): string {
  return text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE)} …`;
}

function grouped(all: readonly Said[], counted: (count: number) => string): string[] {
  const texts = [...new Set(all.map(({ text }) => text))];
  return texts.map((text) => {
    const same = all.filter((one) => one.text === text);
    const segments = [...new Set(same.flatMap(({ segment }) => segment ?? []))];
    const which = segments.length === 1 ? 'fragment' : 'fragments';
    const where = segments.length > 0 ? ` (${which} ${ranges(segments)})` : '';
    return `${counted(same.length)}: ${text}${where}`;
  });
}
