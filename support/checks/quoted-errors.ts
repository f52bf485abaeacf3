/** What the STS has said to be wrong, in its own words: failed answers, `error` events, and connections that were refused. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { ranges } from '../analyze/finding';
import { fieldsOf, refusalText, type TapEvent } from '../broadcast/events';
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
  const { fragments } = broadcast.evidence.fragments;
  const answers = fragments.filter(({ answer }) => answer);
  const failed = fragments.flatMap((one) => failureOf(one) ?? []);
  const events = broadcast.events('event', 'error').map((one) => saidBy(one, fragments));
  const refused = refusalText(broadcast.evidence.tap);
  return [
    ...grouped(failed, (count) => `${count} of ${answers.length} answers failed`),
    ...grouped(events, (count) => (count === 1 ? '1 error event' : `${count} error events`)),
    ...(refused === '' ? [] : [refused]),
  ];
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

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
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
