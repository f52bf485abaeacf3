/** What somebody hears who speaks the target language: in each segment of an output, and in each dub. */
import type { Fixture } from '../broadcast/fixture';
import { eachAudioFile, sinkOfFiles } from './audio';
import type { AudioTimeline } from './audio-track';
import { type Finding, unobserved } from './finding';
import { type FrameClock, presentationsOf } from './frame-clock';
import { type Heard, listenFor, textsOf, type Window } from './listening';
import { bytesOf, type Samples, SPEECH_RATE_HZ } from './samples';
import { spokenWordErrors, spokenWords } from './spoken-words';
import type { WordErrors } from './transcript';

/** What is heard in one segment; unobserved where the segment is not in the output, or has no dub. */
export interface SegmentHeard {
  sequence: number;
  heard: Finding<Heard>;
}

/** One segment: what should be heard, and what is. */
export interface SegmentSpoken extends SegmentHeard {
  /** What the STS has translated; empty where nobody speaks in the source. Undefined: it is not known. */
  translation: string | undefined;
  /** Of what is heard against the translation; undefined where there are no words to compare. */
  words: WordErrors | undefined;
}

/** A segment, and where in the audio that is listened to it is. */
interface SegmentWindow {
  sequence: number;
  window: Finding<Window>;
}

/** ISO 639-1, as the fixture's YAML has them. */
type Languages = Pick<Fixture, 'language' | 'targetLanguage'>;

/** Between dubs that are listened to one after the other. */
const PAUSE_SECONDS = 1;

/**
 * What is heard in each segment of an output, from where its video is shown to where that of the next one would be: in its
 * first presentation, where it is shown more than once.
 *
 * @param output mono, at SPEECH_RATE_HZ
 * @param starts of fragments in the source, in seconds; a segment that is not in it begins at its boundary
 */
export function segmentsHeardIn(
  output: AudioTimeline<Samples>,
  clock: Finding<FrameClock>,
  starts: ReadonlyMap<number, number>,
  fixture: Fixture,
): Promise<Finding<{ segments: SegmentHeard[] }>> {
  const { segmentSeconds, durationSeconds, script } = fixture;
  const begins = script.map((_, index) => starts.get(index) ?? index * segmentSeconds);
  const windows = begins.map((start, sequence): SegmentWindow => {
    const seconds = (begins[sequence + 1] ?? durationSeconds) - start;
    const shown = clock.observed ? presentationsOf(clock, start, seconds) : clock;
    if (!shown.observed) return { sequence, window: shown };
    const fromSeconds = (shown.presentations[0]?.ptsSeconds ?? NaN) - output.firstPtsSeconds;
    return {
      sequence,
      window: { observed: true, fromSeconds, toSeconds: fromSeconds + seconds },
    };
  });
  return heardIn(output.samples, windows, fixture);
}

/**
 * What is heard in each dub, as the STS returned it.
 *
 * @param dubs files, by sequence number
 * @param languages of the source, and of the dubs
 */
export async function dubsHeardIn(
  dubs: readonly { sequence: number; dubbed: string | undefined }[],
  languages: Languages,
): Promise<Finding<{ segments: SegmentHeard[] }>> {
  const there = dubs.flatMap(({ sequence, dubbed: file }) =>
    file === undefined ? [] : [{ sequence, file }],
  );
  const { samples, places } = await oneAfterTheOther(there);
  const windows = dubs.map(({ sequence }): SegmentWindow => {
    const place = places.get(sequence);
    return { sequence, window: place ? { observed: true, ...place } : unobserved('no dub') };
  });
  return heardIn(samples, windows, languages);
}

/** The audio of dubs in one, at SPEECH_RATE_HZ, and where in it each is; that of many dubs is in a file. */
async function oneAfterTheOther(
  dubs: readonly { sequence: number; file: string }[],
): Promise<{ samples: Samples; places: Map<number, Window> }> {
  const files = dubs.map(({ file }) => file);
  const sink = sinkOfFiles(dubs.length);
  const pause = new Float32Array(PAUSE_SECONDS * SPEECH_RATE_HZ);
  sink.take(bytesOf(pause));
  const places = new Map<number, Window>();
  let [index, at] = [0, pause.length];
  for await (const dub of eachAudioFile(files, SPEECH_RATE_HZ)) {
    sink.take(bytesOf(dub));
    sink.take(bytesOf(pause));
    const fromSeconds = at / SPEECH_RATE_HZ;
    const toSeconds = fromSeconds + dub.length / SPEECH_RATE_HZ;
    places.set(dubs[index]?.sequence ?? NaN, { fromSeconds, toSeconds });
    index += 1;
    at += dub.length + pause.length;
  }
  return { samples: sink.samples(), places };
}

async function heardIn(
  samples: Samples,
  segments: readonly SegmentWindow[],
  { language, targetLanguage }: Languages,
): Promise<Finding<{ segments: SegmentHeard[] }>> {
  const windows = segments.flatMap(({ window }) => (window.observed ? window : []));
  const found = await listenFor(targetLanguage, samples, windows, language);
  if (!found.observed) return found;
  const heard = found.windows.values();
  return {
    observed: true,
    segments: segments.map(({ sequence, window }): SegmentHeard => {
      const one = window.observed ? heard.next().value : undefined;
      if (!window.observed) return { sequence, heard: window };
      return { sequence, heard: one ? { observed: true, ...one } : unobserved('not heard') };
    }),
  };
}

/**
 * What is heard against what should be.
 *
 * @param script by segment; nobody speaks in those with an empty one
 * @param texts translations of segments
 * @param language of the translations, ISO 639-1
 */
export function spokenAgainst(
  script: readonly string[],
  texts: readonly { sequence: number; translation: string }[],
  segments: readonly SegmentHeard[],
  language: string,
): Promise<SegmentSpoken[]> {
  return Promise.all(
    script.map(async (line, sequence): Promise<SegmentSpoken> => {
      const found = segments.find((one) => one.sequence === sequence);
      const heard = found?.heard ?? unobserved('no dub');
      const text = texts.find((one) => one.sequence === sequence)?.translation;
      const translation = line === '' ? '' : text;
      const said = translation === undefined ? [] : await spokenWords(translation, language);
      const words =
        translation !== undefined && said.length > 0 && heard.observed
          ? await spokenWordErrors(translation, textsOf(heard), language)
          : undefined;
      return { sequence, translation, heard, words };
    }),
  );
}
