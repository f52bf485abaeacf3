import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { runFfmpeg } from '../../support/analyze/ffmpeg';
import type { Sample } from '../../support/base/prometheus';
import { SuiteError } from '../../support/base/errors';
import {
  evidenceFiles,
  readEvidence,
  type MediaMtxRecord,
  type MetricsRecord,
} from '../../support/broadcast/evidence';
import type { TapEvent } from '../../support/broadcast/events';
import type { BroadcastRecord } from '../../support/broadcast/record';

/** Fields of an event's payload. */
export type Fields = Record<string, unknown>;

/**
 * Makes a folder of evidence that is the same as another, but for one broadcast, which is a copy that can be altered.
 *
 * @param baseline folder of evidence; nothing in it is ever written to
 * @param stream of the broadcast
 */
export function alterable(baseline: string, stream: string, folder: string): AlteredEvidence {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(baseline)) {
    if (name !== stream) symlinkSync(realpathSync(join(baseline, name)), join(folder, name));
  }
  link(join(baseline, stream), join(folder, stream));
  return new AlteredEvidence(join(folder, stream));
}

/** Links to all files, in folders of its own. */
function link(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) link(source, target);
    else symlinkSync(realpathSync(source), target);
  }
}

/** An event some ms later; earlier for a negative time. */
export function shifted({ begunAt, ...event }: TapEvent, byMs: number): TapEvent {
  const begun = begunAt === undefined ? {} : { begunAt: begunAt + byMs };
  return { ...event, at: event.at + byMs, ...begun };
}

/** The evidence of one broadcast, to be altered in one place. What would change nothing is an error. */
export class AlteredEvidence {
  constructor(readonly folder: string) {}

  /** The events between media-service and the STS, in the order of their times. */
  tap(change: (events: TapEvent[]) => TapEvent[]): void {
    this.#lines<TapEvent>(evidenceFiles.tap, (events) =>
      change(events).sort((a, b) => a.at - b.at),
    );
  }

  /**
   * The payloads of one kind of event.
   *
   * @param which of them, from 0; all when not given
   * @param change gives the new payload, or nothing where the event did not happen
   */
  payloads(
    event: string,
    which: readonly number[] | undefined,
    change: (payload: Fields) => Fields | undefined,
  ): void {
    this.tap((events) => {
      let count = -1;
      return events.flatMap((one) => {
        if (one.event !== event) return [one];
        count += 1;
        if (which && !which.includes(count)) return [one];
        const payload = change(structuredClone(one.payload as Fields));
        return payload ? [{ ...one, payload }] : [];
      });
    });
  }

  /** When some events happened, in ms later. */
  later(fits: (event: TapEvent) => boolean, byMs: number): void {
    this.tap((events) => events.map((one) => (fits(one) ? shifted(one, byMs) : one)));
  }

  /** The polls of the metrics. */
  metrics(change: (polls: MetricsRecord[]) => MetricsRecord[]): void {
    this.#lines(evidenceFiles.metrics, change);
  }

  /** Each sample of some metrics, by name and labels. */
  samples(
    name: string,
    labels: Record<string, string>,
    change: (sample: Sample) => Sample | undefined,
  ): void {
    const fits = (one: Sample): boolean =>
      one.name === name &&
      Object.entries(labels).every(([label, value]) => one.labels[label] === value);
    this.metrics((polls) =>
      polls.map((poll) => ({
        ...poll,
        samples: poll.samples.flatMap((one) => (fits(one) ? (change({ ...one }) ?? []) : [one])),
      })),
    );
  }

  /** The polls of the media server's paths. */
  mediamtx(change: (polls: MediaMtxRecord[]) => MediaMtxRecord[]): void {
    this.#lines(evidenceFiles.mediamtx, change);
  }

  record(change: (record: BroadcastRecord) => BroadcastRecord): void {
    this.text(evidenceFiles.record, (text) =>
      JSON.stringify(change(JSON.parse(text) as BroadcastRecord), null, 2),
    );
  }

  /** One of the record's times, in ms later. */
  time(name: keyof BroadcastRecord['times'], byMs: number): void {
    this.record((record) => ({
      ...record,
      times: { ...record.times, [name]: (record.times[name] ?? NaN) + byMs },
    }));
  }

  /**
   * One of the record's times, so many ms after a moment, whenever that was.
   *
   * @param since another of the record's times, or ms since the epoch
   */
  timeAfter(
    name: keyof BroadcastRecord['times'],
    since: keyof BroadcastRecord['times'] | number,
    ms: number,
  ): void {
    this.record((record) => {
      const from = typeof since === 'number' ? since : (record.times[since] ?? NaN);
      return { ...record, times: { ...record.times, [name]: from + ms } };
    });
  }

  /** What a service has logged, line by line; undefined leaves a line out. */
  log(service: string, change: (line: string) => string | undefined): void {
    this.text(`${service}.log`, (text) =>
      text
        .split('\n')
        .flatMap((line) => change(line) ?? [])
        .join('\n'),
    );
  }

  /** A text file. */
  text(name: string, change: (text: string) => string): void {
    const before = readFileSync(join(this.folder, name), 'utf8');
    const after = change(before);
    if (after === before) throw this.#unchanged(name);
    this.#write(name, after);
  }

  /** The files of a fragment's audio, before and after dubbing, relative to the folder. @param index as Fragment.index */
  audioOf(index: number): { original: string; dubbed: string } {
    const fragment = readEvidence(this.folder).fragments.fragments.find(
      (one) => one.index === index,
    );
    const [original, dubbed] = [fragment?.audio?.file, fragment?.answer?.audio?.file];
    if (original !== undefined && dubbed !== undefined) return { original, dubbed };
    throw new SuiteError({
      ...{ what: 'the fragment has no audio, or no dub', where: this.folder },
      ...{ seen: `fragment ${index}: ${original}, ${dubbed}`, expected: 'a file of each' },
    });
  }

  /** Puts a copy of one file in the place of another. */
  replace(name: string, by: string): void {
    const [before, after] = [name, by].map((one) => readFileSync(join(this.folder, one)));
    if (after === undefined || before?.equals(after)) throw this.#unchanged(name);
    this.#write(name, after);
  }

  remove(name: string): void {
    if (!existsSync(join(this.folder, name))) throw this.#unchanged(name);
    rmSync(join(this.folder, name), { recursive: true });
  }

  files(folder: string): string[] {
    return readdirSync(join(this.folder, folder)).map((name) => `${folder}/${name}`);
  }

  /**
   * Makes a media file anew by ffmpeg: input 0 is the file, the others follow.
   *
   * @param args ffmpeg's arguments between the inputs and the output
   */
  async media(
    name: string,
    args: readonly string[],
    inputs: readonly string[] = [],
  ): Promise<void> {
    const file = join(this.folder, name);
    const source = realpathSync(file);
    rmSync(file);
    const all = [source, ...inputs].flatMap((input) => ['-i', input]);
    const { exitCode, stderr } = await runFfmpeg(['-v', 'error', '-y', ...all, ...args, file]);
    if (exitCode === 0) return;
    throw new SuiteError({
      what: 'the recording could not be altered',
      where: file,
      seen: stderr,
      expected: `ffmpeg ${args.join(' ')}`,
    });
  }

  #lines<T>(name: string, change: (records: T[]) => T[]): void {
    this.text(name, (text) => {
      const records = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as T);
      return change(records)
        .map((record) => `${JSON.stringify(record)}\n`)
        .join('');
    });
  }

  #write(name: string, content: string | Buffer): void {
    const file = join(this.folder, name);
    if (lstatSync(file).isSymbolicLink()) rmSync(file);
    writeFileSync(file, content);
  }

  #unchanged(name: string): SuiteError {
    return new SuiteError({
      what: 'the fault changes nothing',
      where: join(this.folder, name),
      seen: 'the same as before, or no such file',
      expected: 'another content',
      next: 'see whether the evidence is still written as the fault expects',
    });
  }
}
