import { jsonOf } from '../base/json';

/** A Socket.IO event without attachments, as Engine.IO text: `42["name",{…}]`. */
export const EVENT = /^42(?:\/[^,]*,)?\d*(?=\[")/;

/** Texts of a reasonable length, and numbers. */
const VALUE = /:\s{0,9}("(?:[^"\\]|\\.){0,500}"|-?\d[\d.eE+-]{0,30})/.source;
const FIELDS = {
  fragment_id: new RegExp(`"fragment_id"${VALUE}`),
  stream_id: new RegExp(`"stream_id"${VALUE}`),
};

/**
 * A text or a number of a message, as a text, without parsing the audio in it.
 *
 * @returns undefined where there is none, or an overlong one
 */
export function fieldIn(text: string, name: keyof typeof FIELDS): string | undefined {
  const found = FIELDS[name].exec(text);
  const value = jsonOf(found?.[1] ?? '');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
