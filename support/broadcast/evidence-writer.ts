import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { messageOf, SuiteError } from '../base/errors';
import { hidingSecrets, safeText, withoutSecrets } from '../base/safe-text';
import { audioFormatOf, EXTENSIONS, UNKNOWN_EXTENSION } from './audio-format';
import type { TapEvent, UndecodableMessage } from './events';
import { evidenceFiles, type MediaMtxRecord, type MetricsRecord } from './evidence';
import { type BroadcastRecord, inItsFile } from './record';

/** A file beside the event log. */
interface StoredFile {
  file: string;
  bytes: number;
}

/** Of a malformed message, the evidence's line shows so many characters; the whole of it is in a file. */
const SHOWN_CHARACTERS = 200;

const pcmSchema = z.looseObject({
  sample_rate_hz: z.int().min(1).max(1_000_000),
  channels: z.int().min(1).max(64).default(1),
});

/**
 * Writes an evidence folder while a broadcast is running; keeps nothing in memory. Secrets are not written.
 *
 * What cannot be written (disk full, no permission) must not disturb the broadcast, which others watch as well: `finish`
 * throws it.
 */
export class EvidenceWriter {
  #failure: SuiteError | undefined;
  #files = 0;
  /** Of the newest audio that has said it. */
  #sentFormat: Record<string, unknown> = {};

  /** @throws SuiteError when the folder cannot be made */
  constructor(readonly folder: string) {
    this.#write('audio', () => mkdirSync(this.path('audio'), { recursive: true }));
    // A file that is empty says that nothing was seen; one that is missing says nothing.
    for (const name of [evidenceFiles.tap, evidenceFiles.metrics, evidenceFiles.mediamtx]) {
      this.#write(name, () => appendFileSync(this.path(name), ''));
    }
    if (this.#failure) throw this.#failure;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Appends an event; audio goes to a WAV or M4A file of its own, which a person can listen to. */
  addTapEvent(event: TapEvent): void {
    this.#write(evidenceFiles.tap, () => {
      const payload =
        event.kind === 'undecodable'
          ? this.#withoutMessage(event.payload as UndecodableMessage)
          : this.#withoutAudio(event);
      this.#append(evidenceFiles.tap, { ...event, payload });
    });
  }

  addMetrics(record: MetricsRecord): void {
    this.#write(evidenceFiles.metrics, () => this.#append(evidenceFiles.metrics, record));
  }

  addMediaMtx(record: MediaMtxRecord): void {
    this.#write(evidenceFiles.mediamtx, () => this.#append(evidenceFiles.mediamtx, record));
  }

  addLog(service: string, text: string): void {
    this.#write(`${service}.log`, () => {
      writeFileSync(this.path(`${service}.log`), safeText(text));
    });
  }

  /** @throws SuiteError when anything could not be written: what is missing cannot be judged */
  finish(record: BroadcastRecord): void {
    this.#write(evidenceFiles.record, () => {
      writeFileSync(
        this.path(evidenceFiles.record),
        JSON.stringify(inItsFile(record), hidingSecrets, 2),
      );
    });
    if (this.#failure) throw this.#failure;
  }

  #write(name: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failure ??= new SuiteError(
        {
          what: 'the evidence cannot be written',
          where: join(this.folder, name),
          seen: messageOf(error),
          expected: 'a folder that can be written to, with space on its disk',
          next: 'free some space, or set REPORTS_DIR to another folder',
        },
        { cause: error },
      );
    }
  }

  #append(file: string, line: unknown): void {
    let text: string;
    try {
      text = JSON.stringify(line, writable);
    } catch (error) {
      // JSON that is nested too deeply to be written can be read: the rest of such an event is kept.
      if (!(error instanceof RangeError)) throw error;
      text = JSON.stringify({ ...(line as object), payload: { unwritable: messageOf(error) } });
    }
    appendFileSync(this.path(file), `${text}\n`);
  }

  /** Writes bytes to a file of its own. Two messages may say the same of themselves: each has its file. */
  #store(name: string, extension: string, bytes: Buffer | string): StoredFile {
    const taken = existsSync(this.path(`${name}.${extension}`));
    if (taken) this.#files += 1;
    const file = `${taken ? `${name}-again-${this.#files}` : name}.${extension}`;
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), bytes);
    return { file, bytes: bytes.length };
  }

  #withoutMessage({ message, ...what }: UndecodableMessage): unknown {
    if (message === undefined) return what;
    this.#files += 1;
    const name = `undecodable/${this.#files}`;
    if (typeof message !== 'string') return { ...what, ...this.#store(name, 'bin', message) };
    const begins = message.slice(0, SHOWN_CHARACTERS);
    return { ...what, begins, ...this.#store(name, 'txt', withoutSecrets(message)) };
  }

  #withoutAudio({ event, payload, connection }: TapEvent): unknown {
    const key = event === 'fragment:data' ? 'audio' : 'dubbed_audio';
    // Two forms are in use: an object with data_base64, and the bare Base64 string.
    const audio: unknown = isObject(payload) ? payload[key] : undefined;
    const fields = typeof audio === 'string' ? { data_base64: audio } : audio;
    if (!isObject(payload) || !isObject(fields)) return this.#withoutBytes(payload);
    const kept = this.#withoutBytes({ ...payload, [key]: undefined }) as object;
    const { data_base64: base64, file, bytes, ...format } = fields;
    // These two names are the evidence's own: whoever says them does not choose what is read.
    const said = file === undefined && bytes === undefined ? {} : { said: { file, bytes } };
    if (typeof base64 !== 'string') {
      const rest = this.#withoutBytes({ ...format, data_base64: base64 }) as object;
      return { ...kept, [key]: { ...rest, ...said } };
    }
    const sequence = payload['sequence_number'];
    const shown = typeof sequence === 'number' ? String(sequence) : 'x';
    const name = `audio/${connection}-${shown.padStart(4, '0')}-${key === 'audio' ? 'original' : 'dubbed'}`;
    const decoded = Buffer.from(base64, 'base64');
    const stored = this.#storeAudio(name, decoded, format);
    // What is not Base64 is decoded as far as it goes; as it was seen it is kept beside that.
    const isBase64 = decoded.toString('base64').length === base64.length;
    const invalid = isBase64 ? {} : { not_base64: this.#store(name, 'txt', base64).file };
    return {
      ...kept,
      [key]: { ...format, ...said, ...stored, bytes: decoded.length, ...invalid },
    };
  }

  /** With the extension of what it is; PCM with a header, so that it can be read. */
  #storeAudio(name: string, audio: Buffer, said: Record<string, unknown>): StoredFile {
    const format = audioFormatOf(audio, said['format']);
    const extension = format ? EXTENSIONS[format] : UNKNOWN_EXTENSION;
    if (format !== 'pcm') return this.#store(name, extension, audio);
    // A bare string does not say its rate: then it is that of what was sent.
    const { data: pcm } = pcmSchema.safeParse('sample_rate_hz' in said ? said : this.#sentFormat);
    if (!pcm) return this.#store(name, UNKNOWN_EXTENSION, audio);
    if (said['format'] !== undefined) this.#sentFormat = said;
    const header = wavHeader(audio.length, pcm.sample_rate_hz, pcm.channels);
    return this.#store(name, EXTENSIONS.pcm, Buffer.concat([header, audio]));
  }

  /** A value whose binary attachments are in files. */
  #withoutBytes(value: unknown, depth = 0): unknown {
    // Attachments are what Socket.IO puts in place of a mark; deeper than this nobody puts them.
    if (depth > 20) return value;
    if (Buffer.isBuffer(value)) {
      this.#files += 1;
      return this.#store(`attachments/${this.#files}`, 'bin', value);
    }
    if (Array.isArray(value)) return value.map((item) => this.#withoutBytes(item, depth + 1));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#withoutBytes(item, depth + 1)]),
    );
  }
}

/** For JSON.stringify: no secrets, and numbers that JSON does not have as words. */
function writable(key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value)
    ? String(value)
    : hidingSecrets(key, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RIFF header for 16 bit PCM. */
function wavHeader(dataBytes: number, sampleRateHz: number, channels: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
