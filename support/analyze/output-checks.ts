import { messageOf } from '../base/errors';
import type { FragmentPlacement } from './dub-placement';
import { milliseconds } from './finding';
import type { Span } from './ffmpeg';
import type { OutputFindings } from './output-findings';
import { normalizeWords } from './transcript';
import type { JudgedText } from './translation';

/**
 * One judgement of an output. `follows`: what was expected is not there, but another check, named in `because`, has
 * found what explains it. `not asked`: it needs a source or dubs, which were not given.
 */
export interface Check {
  id: string;
  /** What must hold, in words. */
  title: string;
  state: 'passed' | 'failed' | 'follows' | 'not observed' | 'not asked';
  seen: string;
  expected: string;
  because?: string;
}

/**
 * The limits of the checks. Spec 019 and 021: 120 ms, and lengths; the others are this suite's own, wide of what a good
 * output shows and of what a viewer notices.
 */
export const LIMITS = {
  /** A/V delta, both ways, exclusive. */
  deltaMs: 120,
  /** Half of that over the whole stream: a stream twice as long would otherwise reach it. */
  driftMs: 60,
  /** Shorter than the source, or longer. */
  lengthSeconds: 1,
  /** At both ends, where a worker joins and encoders fill up (as CTA-WAVE's device tests leave out). */
  edgeSeconds: 1,
  /** One frame held for longer is a freeze that a viewer sees. */
  heldSeconds: 0.1,
  /** Of a dub's loud time. */
  heardShare: 0.85,
  /** Correlation with the original beside the dub: a good output shows at most 0.11, -18 dB of it 0.7 and more. */
  originalScore: 0.4,
  /** Chromaprint's bit error rate: the same audio encoded again 0.02 to 0.06, another one 0.33 and more. */
  sameBelow: 0.25,
  differentAbove: 0.3,
  /** Of a line's words, by an English listener: a Spanish dub shows at most 0.2, an English one 0.8 and more. */
  englishShare: 0.5,
  /** From one fragment to the next. */
  loudnessJumpDb: 12,
  repeatedMs: 30,
  /** Quieter than this, there is no dub. */
  loudnessLufs: -50,
  wordErrorRate: 0.25,
  /** chrF2 against the reference: rule-based translation shows 0.45 to 0.6, the English text below 0.25. */
  chrf: 0.35,
  /** Of the translation's words. */
  untranslatedShare: 0.1,
} as const;

interface Judgement {
  /** What is wrong, one item each; nothing when the check passes. */
  faults: string[];
  seen: string;
  /** Another check whose failure explains the faults. */
  because?: string | undefined;
}

/**
 * Judges an output by its content. The checks are ordered from causes to effects: a fault that one check explains is
 * not held against the next ones, so that the check that fails is the one to begin with.
 *
 * @param texts of the fragments, where they are known
 */
export async function checkOutput(
  output: OutputFindings,
  texts?: readonly JudgedText[],
): Promise<Check[]> {
  // What takes longest begins first; each is awaited, and its failure judged, where it is needed.
  await Promise.allSettled([
    output.englishHeard(),
    output.video(),
    output.placements(),
    output.likeOriginal(),
    output.span(),
  ]);

  const checks: Check[] = [];
  const failed = (id: string): boolean =>
    checks.some((check) => check.id === id && check.state === 'failed');
  const { fixture } = output;
  const isSpoken = fixture?.script.some((line) => line !== '') ?? true;
  const judge = async (
    id: string,
    title: string,
    expected: string,
    needs: 'file' | 'speech' | 'source' | 'sourceSpeech' | 'dubs' | 'texts',
    work: () => Promise<Judgement>,
  ): Promise<void> => {
    const base = { id, title, expected };
    const given = {
      file: true,
      speech: isSpoken,
      source: fixture,
      sourceSpeech: fixture && isSpoken,
      dubs: fixture && isSpoken && output.dubs.length,
      texts: texts && isSpoken,
    };
    if (!given[needs]) {
      const missing = needs === 'sourceSpeech' ? 'source' : needs;
      const why = isSpoken ? `no ${missing} given` : 'nobody speaks in the source';
      checks.push({ ...base, state: 'not asked', seen: why });
      return;
    }
    try {
      const { faults, seen, because } = await work();
      const state = faults.length === 0 ? 'passed' : because ? 'follows' : 'failed';
      checks.push({
        ...{ ...base, state, seen: faults.join('; ') || seen },
        ...(because && faults.length > 0 ? { because } : {}),
      });
    } catch (error) {
      checks.push({ ...base, state: 'not observed', seen: messageOf(error) });
    }
  };

  await judge('tracks', 'One video and one audio track', 'H.264 and AAC', 'file', async () => {
    const seen = (await output.streams()).map(({ kind, codec }) => `${kind} ${codec}`).sort();
    const isRight = seen.join() === 'audio aac,video h264';
    return { faults: isRight ? [] : [seen.join(', ') || 'none'], seen: seen.join(', ') };
  });

  await judge('decoding', 'It decodes to its end', 'no error', 'file', async () => {
    const [frames, audio] = [await output.video(), await output.audio()];
    const errors = [...frames.errorLines, ...audio.errorLines];
    const codes = [frames.exitCode, audio.exitCode].filter((code) => code !== 0);
    return {
      faults: [...codes.map((code) => `exit code ${code}`), ...errors.slice(0, 5)],
      seen: `${frames.frames.length} frames, ${(audio.decodedSamples / audio.rateHz).toFixed(2)} s of audio`,
    };
  });

  await judge(
    'timestamps',
    'Timestamps go on without gaps',
    'PTS and DTS in order, no gap',
    'file',
    () => judgeTimestamps(output),
  );

  await judge(
    'length',
    'It is as long as the source',
    `± ${LIMITS.lengthSeconds} s`,
    'source',
    async () => {
      const { video, audio } = await output.span();
      const wanted = fixture?.durationSeconds ?? NaN;
      const lengths = [video, audio].map((track) => (track.observed ? track.durationSeconds : 0));
      const seen = `frame ${lengths[0]?.toFixed(2)} s, audio ${lengths[1]?.toFixed(2)} s, source ${wanted} s`;
      const isRight = lengths.every(
        (seconds) => Math.abs(seconds - wanted) <= LIMITS.lengthSeconds,
      );
      return { faults: isRight ? [] : [seen], seen };
    },
  );

  await judge(
    'frames',
    'All frames of the source, once, in order',
    'none lost, held, or again',
    'source',
    () => judgePictures(output),
  );

  await judge(
    'audio',
    'There is audio',
    `louder than ${LIMITS.loudnessLufs} LUFS`,
    'speech',
    async () => {
      const { loudness, clipping, silences } = await output.audio();
      if (!loudness.observed) throw new Error(loudness.reason);
      const { integratedLufs, rangeLu, samplePeakDbfs } = loudness;
      const longest = Math.max(0, ...silences.map(({ seconds }) => seconds));
      const seen =
        `${integratedLufs} LUFS, range ${rangeLu} LU, peak ${samplePeakDbfs} dBFS, clipped in ` +
        `${clipping.places} places (${(1000 * clipping.seconds).toFixed(1)} ms), longest silence ${longest.toFixed(2)} s`;
      return { faults: integratedLufs > LIMITS.loudnessLufs ? [] : [seen], seen };
    },
  );

  await judge(
    'original',
    'The original audio is not heard',
    `correlation below ${LIMITS.originalScore}`,
    'dubs',
    async () => {
      const placements = await placementsOf(output);
      const heard = placements.filter(isOriginalHeard);
      const all = placements.flatMap(({ original }) => (original.observed ? [original.score] : []));
      return {
        faults: heard.map(({ sequence, original }) =>
          original.observed
            ? `fragment ${sequence}: the original at ${original.levelDb.toFixed(0)} dB, correlation ${original.score.toFixed(2)}`
            : '',
        ),
        seen:
          all.length > 0
            ? `correlation at most ${Math.max(...all).toFixed(2)}`
            : 'the original is not known',
      };
    },
  );

  await judge(
    'fragments',
    'Every dub is heard once, whole, at its video',
    'each fragment',
    'dubs',
    async () => {
      const placements = await placementsOf(output);
      const wrong = placements
        .map((one) => ({ one, what: whatIsWrong(one) }))
        .filter(({ what }) => what !== undefined);
      const causes = wrong.map(({ one }) => {
        if (failed('audio')) return 'audio';
        if (timesShown(one) === 0) return failed('frames') ? 'frames' : undefined;
        return isOriginalHeard(one) && failed('original') ? 'original' : undefined;
      });
      return {
        faults: wrong.map(({ one, what }) => `fragment ${one.sequence}: ${what}`),
        seen: `${placements.length} dubs`,
        because: causes.includes(undefined) ? undefined : causes[0],
      };
    },
  );

  await judge(
    'drift',
    'Audio and video do not drift apart',
    `at most ${LIMITS.driftMs} ms over the stream`,
    'dubs',
    async () => {
      const sync = await output.sync();
      if (!sync.observed) return unmeasured(sync.reason, failed);
      const seen = `${milliseconds(sync.driftMs)} from the first to the last of ${sync.measuredFragments} fragments`;
      return { faults: Math.abs(sync.driftMs) <= LIMITS.driftMs ? [] : [seen], seen };
    },
  );

  await judge(
    'offset',
    'Audio and video of every dub are together',
    `less than ${LIMITS.deltaMs} ms apart`,
    'dubs',
    async () => {
      const sync = await output.sync();
      if (!sync.observed) return unmeasured(sync.reason, failed);
      const late = (await output.placements()).flatMap(({ sequence, delta }) =>
        delta.observed && Math.abs(delta.deltaMs) >= LIMITS.deltaMs
          ? [`fragment ${sequence}: ${milliseconds(delta.deltaMs)}`]
          : [],
      );
      const isDrift = failed('drift') && Math.abs(sync.worstWithoutDriftMs) < LIMITS.deltaMs;
      return {
        faults: late,
        seen: `worst ${milliseconds(sync.worstMs)}, p95 ${milliseconds(sync.p95AbsoluteMs)}`,
        because: isDrift ? 'drift' : undefined,
      };
    },
  );

  await judge(
    'fingerprint',
    'It audio unlike the source',
    `bit error rate above ${LIMITS.differentAbove}`,
    'sourceSpeech',
    async () => {
      const [whole, parts] = [await output.likeOriginal(), await output.likeOriginalBySegment()];
      if (!whole.observed) throw new Error(whole.reason);
      if (!parts.observed) throw new Error(parts.reason);
      const same = parts.windows.filter((window) => window.bitErrorRate < LIMITS.sameBelow);
      const faults = [
        ...(whole.bitErrorRate > LIMITS.differentAbove
          ? []
          : [`overall ${whole.bitErrorRate.toFixed(2)}`]),
        ...same.map(
          (window) => `from ${window.fromSeconds.toFixed(0)} s: ${window.bitErrorRate.toFixed(2)}`,
        ),
      ];
      const rates = parts.windows.map((window) => window.bitErrorRate.toFixed(2));
      return {
        faults,
        seen: `overall ${whole.bitErrorRate.toFixed(2)}, by segment ${rates.join(' ')}`,
        because: failed('audio') ? 'audio' : failed('original') ? 'original' : undefined,
      };
    },
  );

  await judge(
    'language',
    'Nobody speaks English',
    'an English listener understands no line of the script',
    'sourceSpeech',
    async () => {
      const { lines, text } = await output.englishHeard();
      const understood = lines.filter(({ share }) => share >= LIMITS.englishShare);
      const most = Math.max(0, ...lines.map(({ share }) => share));
      return {
        faults: understood.map(
          ({ sequence, share, line }) =>
            `line ${sequence}, ${(100 * share).toFixed(0)} %: "${line}"`,
        ),
        seen: `at most ${(100 * most).toFixed(0)} % of a line's words, in "${text}"`,
        because: failed('original') ? 'original' : undefined,
      };
    },
  );

  await judge(
    'splices',
    'Nothing is heard where fragments meet',
    'no click, repetition, or loudness jump',
    'source',
    async () => {
      const found = await output.splices();
      if (!found.observed) throw new Error(found.reason);
      const faults = found.splices.flatMap(
        ({ atSeconds, isClick, step, repeatedMs, loudnessJump }) => {
          const at = `at ${atSeconds.toFixed(2)} s`;
          return [
            ...(isClick ? [`${at} a click (a step of ${step.toFixed(2)})`] : []),
            ...(repeatedMs >= LIMITS.repeatedMs
              ? [`${at} ${repeatedMs.toFixed(0)} ms are repeated`]
              : []),
            ...(loudnessJump.observed && Math.abs(loudnessJump.db) > LIMITS.loudnessJumpDb
              ? [`${at} the loudness jumps by ${loudnessJump.db.toFixed(1)} dB`]
              : []),
          ];
        },
      );
      return { faults, seen: `${found.splices.length} splices` };
    },
  );

  await judge(
    'texts',
    'Transcripts are what was said, translations what they mean',
    textsExpected,
    'texts',
    () =>
      Promise.resolve(
        judgeTexts(texts ?? [], fixture?.script.filter((line) => line !== '').length ?? 0),
      ),
  );
  return checks;
}

const textsExpected =
  `word error rate at most ${LIMITS.wordErrorRate}, chrF at least ${LIMITS.chrf}, at most ` +
  `${100 * LIMITS.untranslatedShare} % of the words left in the source's language`;

/** What was not measured is a failure of its own, unless something before it has failed. */
function unmeasured(reason: string, failed: (id: string) => boolean): Judgement {
  const because = ['audio', 'original', 'frames', 'fragments'].find(failed);
  if (!because) throw new Error(reason);
  return { faults: [reason], seen: reason, because };
}

async function placementsOf(output: OutputFindings): Promise<FragmentPlacement[]> {
  const placements = await output.placements();
  if (placements.length > 0) return placements;
  throw new Error('no dub could be looked for: see the clock of the video, and the dubs');
}

/** Whether the original audio of a fragment is heard beside its dub. */
export function isOriginalHeard({ original }: FragmentPlacement): boolean {
  return original.observed && original.score >= LIMITS.originalScore;
}

function timesShown({ presentations }: FragmentPlacement): number {
  return presentations.observed ? presentations.showings.length : 0;
}

/** What is wrong with where a dub is heard, in words. A fragment whose video are shown twice is heard twice. */
export function whatIsWrong(placement: FragmentPlacement): string | undefined {
  const { occurrences } = placement;
  if (!occurrences.observed) return occurrences.reason;
  const shown = timesShown(placement);
  if (shown === 0) return 'its video are not shown';
  const inPlace = occurrences.occurrences.filter(({ deltaMs }) => deltaMs !== undefined);
  const elsewhere = occurrences.occurrences.filter(({ deltaMs }) => deltaMs === undefined);
  const faults = [
    ...(inPlace.length < shown
      ? [`not heard at its video (best correlation ${occurrences.bestScore.toFixed(2)})`]
      : []),
    ...elsewhere.map(({ ptsSeconds }) => `heard at other frames, at ${ptsSeconds.toFixed(2)} s`),
    ...inPlace
      .filter(({ heardShare }) => heardShare < LIMITS.heardShare)
      .map(({ heardShare }) => `only ${(100 * heardShare).toFixed(0)} % of it are heard`),
  ];
  return faults.length > 0 ? faults.join(', ') : undefined;
}

async function judgeTimestamps(output: OutputFindings): Promise<Judgement> {
  const span = await output.span();
  const faults: string[] = [];
  const seen: string[] = [];
  for (const kind of ['video', 'audio'] as const) {
    const track = span[kind];
    if (!track.observed) throw new Error(track.reason);
    // A worker joins at the next key frame: before it, there is audio alone.
    const from = track.firstPtsSeconds + LIMITS.edgeSeconds;
    for (const { atSeconds, stepSeconds } of track.gaps.filter((gap) => gap.atSeconds > from)) {
      faults.push(
        `${kind}: ${stepSeconds.toFixed(3)} s to the next packet at ${atSeconds.toFixed(3)} s`,
      );
    }
    const { backwardDtsSeconds: backward, repeatedPtsSeconds: repeated, packetsWithoutPts } = track;
    if (backward.length > 0) faults.push(`${kind}: DTS goes back at ${backward[0]?.toFixed(3)} s`);
    if (repeated.length > 0) faults.push(`${kind}: two packets at ${repeated[0]?.toFixed(3)} s`);
    if (packetsWithoutPts > 0) faults.push(`${kind}: ${packetsWithoutPts} packets without PTS`);
    const { keyInterval: gop } = track;
    if (kind === 'video') {
      seen.push(
        gop.observed
          ? `GOP ${gop.medianSeconds.toFixed(2)} s, at most ${gop.maxSeconds.toFixed(2)} s`
          : gop.reason,
      );
    }
    seen.push(`${kind} ${track.packets} packets`);
  }
  return { faults, seen: seen.join(', ') };
}

async function judgePictures(output: OutputFindings): Promise<Judgement> {
  const [clock, { frames, black, frozen }] = [await output.clock(), await output.video()];
  if (!clock.observed) throw new Error(clock.reason);
  const [first, last] = [frames[0]?.ptsSeconds ?? 0, frames.at(-1)?.ptsSeconds ?? 0];
  const isInside = (seconds: number): boolean =>
    seconds > first + LIMITS.edgeSeconds && seconds < last - LIMITS.edgeSeconds;
  const spans = (what: string, found: Span[]): string[] =>
    found
      .filter(
        ({ fromSeconds, seconds }) => isInside(fromSeconds) || isInside(fromSeconds + seconds),
      )
      .map(
        ({ fromSeconds, seconds }) =>
          `${what} for ${seconds.toFixed(2)} s at ${fromSeconds.toFixed(2)} s`,
      );
  const held = clock.held.filter(({ seconds }) => seconds > LIMITS.heldSeconds);
  const lost = clock.lost.filter(
    ({ atSeconds, count }) =>
      isInside(atSeconds) || count / clock.framesPerSecond > LIMITS.edgeSeconds,
  );
  const unreadable = clock.kind === 'strip' ? clock.unreadable : 0;
  return {
    faults: [
      ...(clock.kind === 'strip' && clock.runs.length === 0
        ? ['no frame has a readable frame number']
        : []),
      ...(unreadable > 0 ? [`${unreadable} frames without a readable frame number`] : []),
      ...clock.backward.map(
        ({ fromFrame, toFrame, atSeconds }) =>
          `frame ${toFrame} after ${fromFrame} at ${atSeconds.toFixed(2)} s`,
      ),
      ...lost.map(
        ({ fromFrame, count, atSeconds }) =>
          `${count} frames from ${fromFrame} on lost at ${atSeconds.toFixed(2)} s`,
      ),
      ...spans('one frame held', held),
      ...spans('black', black),
      // A frame without strip can only be seen to stand still; sources may do so.
      ...(clock.kind === 'strip' ? spans('frozen', frozen) : []),
    ],
    seen: `${frames.length} frames, clock: ${clock.kind}`,
  };
}

function judgeTexts(texts: readonly JudgedText[], segments: number): Judgement {
  const rates = texts.map(({ words }) => words.wordErrorRate);
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
  const matches = texts.flatMap(({ match }) => match ?? []);
  const chrf = matches.reduce((sum, one) => sum + one.chrf, 0) / Math.max(1, matches.length);
  const left = matches.flatMap(({ leftUntranslated }) => leftUntranslated);
  const words = texts.reduce((sum, { translation }) => sum + normalizeWords(translation).length, 0);
  const share = left.length / Math.max(1, words);
  const seen =
    `word error rate ${mean.toFixed(3)} on average, chrF ${matches.length > 0 ? chrf.toFixed(2) : '–'}, ` +
    `${left.length} of ${words} words left (${left.join(', ') || 'none'})`;
  return {
    faults: [
      ...(texts.length < segments ? [`texts of ${texts.length} of ${segments} segments`] : []),
      ...(mean > LIMITS.wordErrorRate ? [`word error rate ${mean.toFixed(3)} on average`] : []),
      ...(matches.length > 0 && chrf < LIMITS.chrf ? [`chrF ${chrf.toFixed(2)}`] : []),
      ...(share > LIMITS.untranslatedShare ? [`left as they were: ${left.join(', ')}`] : []),
    ],
    seen,
  };
}
