/** Answers of the STS, changed as the faults of their fragments say. */
import { messageOf } from '../base/errors';
import { type FaultDone, fieldsOf } from '../broadcast/events';
import type { AnswerFault } from '../broadcast/fault';
import { RETRYABLE_CODES } from '../contract/error-codes';
import { alteredAudio, resizedBy, softer } from './altered-audio';

interface FragmentAnswer {
  fragment_id?: string;
  dubbed_audio?: unknown;
  [key: string]: unknown;
}

/** An answer as it is passed on, and what was done to it. */
export interface Altered {
  text: string;
  done: FaultDone[];
}

/**
 * Does the faults of an answer one after the other; at once unless audio has to be encoded.
 *
 * @param prefix of the message, before the name of its event
 * @param delayMs for which it was held back
 */
export function alteredAnswer(
  prefix: string,
  text: string,
  faults: readonly AnswerFault[],
  delayMs: number,
): Altered | Promise<Altered> {
  return faults.reduce<Altered | Promise<Altered>>(
    (before, fault) => {
      const next = (one: Altered): Altered | Promise<Altered> =>
        withFault(prefix, one, fault, delayMs);
      return before instanceof Promise ? before.then(next) : next(before);
    },
    { text, done: [] },
  );
}

function withFault(
  prefix: string,
  { text, done }: Altered,
  fault: AnswerFault,
  delayMs: number,
): Altered | Promise<Altered> {
  if (fault.does === 'delay' || fault.does === 'take') {
    return { text, done: [...done, { fault, detail: `${Math.round(delayMs)} ms` }] };
  }
  // What cannot be altered is passed on unchanged: coping with it is media-service's task.
  const failed = (error: unknown): Altered => ({
    ...{ text, done: [...done, { fault, notDone: messageOf(error) }] },
  });
  const changed = (parts: unknown[] | undefined): Altered =>
    parts
      ? { text: prefix + JSON.stringify(parts), done: [...done, { fault }] }
      : { text, done: [...done, { fault, detail: 'the answer has no dub' }] };
  try {
    const parts = changedParts(prefix, text, fault);
    return parts instanceof Promise ? parts.then(changed, failed) : changed(parts);
  } catch (error) {
    return failed(error);
  }
}

/** Name and arguments of the event; undefined where there is nothing to change. */
function changedParts(
  prefix: string,
  text: string,
  fault: AnswerFault,
): unknown[] | undefined | Promise<unknown[] | undefined> {
  const [name, answer, ...rest] = JSON.parse(text.slice(prefix.length)) as [
    string,
    FragmentAnswer,
    ...unknown[],
  ];
  if (fault.does === 'error') return [name, failedAnswer(answer, fault.code), ...rest];
  const withDub = (dub: unknown): unknown[] | undefined =>
    dub === undefined ? undefined : [name, { ...answer, dubbed_audio: dub }, ...rest];
  const dub = changedDub(answer.dubbed_audio, fault);
  return dub instanceof Promise ? dub.then(withDub) : withDub(dub);
}

function failedAnswer(answer: FragmentAnswer, code: string): FragmentAnswer {
  const retryable = RETRYABLE_CODES.has(code);
  const error = { code, message: 'made by the scenario', stage: 'asr', retryable };
  return { ...answer, status: 'failed', dubbed_audio: null, error };
}

function changedDub(dub: unknown, fault: AnswerFault): unknown {
  switch (fault.does) {
    case 'resize':
      return alteredAudio(dub, resizedBy(fault.percent));
    case 'soften':
      return alteredAudio(dub, softer);
    case 'malform':
      return malformed(dub);
    default:
      return dub;
  }
}

/** Of the two forms that are in use: an object, and the bare Base64 string. */
function malformed(dub: unknown): unknown {
  const base64 = typeof dub === 'string' ? dub : fieldsOf(dub)['data_base64'];
  if (typeof base64 !== 'string' || base64 === '') return undefined;
  const text = `${base64.slice(0, 1000)}!${base64.slice(1000)}`;
  return typeof dub === 'string' ? text : { ...fieldsOf(dub), data_base64: text };
}
