/** What is sent, written and heard of each segment, of broadcasts of tones and of silence. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readAudio } from '../analyze/audio';
import { audioLevels, type AudioLevels } from '../analyze/audio-levels';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { ResilienceFindings, type SegmentAudio } from '../analyze/resilience-findings';
import { normalizeWords } from '../analyze/transcript';
import { evidenceFiles } from '../broadcast/evidence';
import { mediaServiceLogOf, observed, streamOf } from './builders';
import { assessed, type Assessment, criterion, type Deviation } from './criterion';
import { mediaTimeOf } from './media-time';
import { recordingOf } from './output-subject';

const inOutput = (broadcast: BroadcastFindings): string => recordingOf(broadcast);

async function heardIn(broadcast: BroadcastFindings): Promise<readonly SegmentAudio[]> {
  const heard = await new ResilienceFindings(broadcast).segmentAudio();
  return observed(broadcast.outputFile, 'what is heard in each segment', heard).segments;
}

function assessSegments(
  segments: readonly SegmentAudio[],
  isOriginal: (segment: number) => boolean,
): Assessment {
  const wanted = segments.map((_, segment) => (isOriginal(segment) ? 'original' : 'dub'));
  const deviations = segments.flatMap((kind, fragment): Deviation[] => {
    const text = `segment ${fragment}: ${kind}, not ${wanted[fragment]}`;
    return kind === wanted[fragment] ? [] : [{ text, fragment }];
  });
  const shown = (kinds: readonly SegmentAudio[]): string =>
    kinds.map((kind, segment) => `${segment}: ${kind}`).join(', ');
  return {
    deviations: segments.length > 0 ? deviations : [{ text: 'no segment' }],
    ...{ seen: shown(segments), expected: shown(wanted) },
  };
}

/**
 * The limit: which segments play their original audio; all others have to play their dub. Told by the level of the tones:
 * a dub is half as loud as the original.
 */
export const segmentAudio = criterion({
  id: 'segment-audio',
  title: 'Every segment plays its dub, or the original audio where it has to',
  failure: 'other segments play the original audio',
  ...{ where: inOutput, next: mediaServiceLogOf, measure: heardIn },
  assess: (heard, { segments }: { segments: readonly number[] | 'all' }) =>
    assessSegments(heard, (segment) => segments === 'all' || segments.includes(segment)),
});

/** Until the first segment that is sent on the second connection, by its time since that of the first fragment. */
export const segmentAudioOverLoss = criterion({
  id: 'segment-audio-over-loss',
  title: 'From the loss to the reconnection segments play the original audio, all others their dub',
  failure: 'other segments play the original audio',
  ...{ where: inOutput, next: mediaServiceLogOf },
  measure: async (broadcast) => ({
    ...{ segments: await heardIn(broadcast), fragments: broadcast.fragments },
  }),
  assess: ({ segments, fragments }, { first }: { first: number }, { fixture }) => {
    const [before, again] = new Set(fragments.map(({ connection }) => connection));
    const next = fragments.find(({ connection }) => connection === again);
    const [begin] = fragments;
    const ms = next && begin ? mediaTimeOf(next) - mediaTimeOf(begin) : NaN;
    const after = (begin?.segment ?? 0) + Math.round(ms / 1000 / fixture.segmentSeconds);
    if (after > first) {
      return assessSegments(segments, (segment) => segment >= first && segment < after);
    }
    const sent = fragments.filter(({ connection }) => connection === before).length;
    const expected = `those of segment ${first + 1} or later on the second`;
    return {
      ...assessed(false, `${sent} on the first connection, then none`, expected),
      failure: 'no fragment was sent after the reconnection',
    };
  },
});

/** How many files of each kind, and how long each but the last lasts. */
export interface SegmentFilesLimit {
  count: number;
  eachMs: number;
  toleranceMs: number;
}

/** By the packets of each track. The worker may have joined a little late: that is missing from the last segment. */
export const segmentFiles = criterion({
  id: 'segment-files',
  title: 'Every segment is written to disk, with its video and its audio',
  failure: 'the segments on disk are others',
  where: ({ evidence }: BroadcastFindings) => join(evidence.folder, evidenceFiles.segments),
  measure: async (broadcast) => {
    const found = await new ResilienceFindings(broadcast).segmentFiles();
    return observed(broadcast.evidence.folder, 'segments on disk', found).files;
  },
  assess: (files, { count, eachMs, toleranceMs }: SegmentFilesLimit) => {
    const isRight = ['video', 'audio'].every((kind) => {
      const ours = files.filter((one) => one.kind === kind);
      const whole = ours.filter(({ seconds }) => Math.abs(1000 * seconds - eachMs) <= toleranceMs);
      return ours.length === count && whole.length >= count - 1;
    });
    const shown = files.map(
      ({ file, kind, seconds }) => `${file}: ${kind}, ${seconds.toFixed(2)} s`,
    );
    return assessed(
      isRight,
      shown.join('; ') || 'none',
      `video of ${count} segments and audio of ${count}, ${eachMs / 1000} s each but the last`,
    );
  },
});

/** Byte by byte, as both were recorded between the services. */
export const answersAreEchoes = criterion({
  id: 'answers-are-echoes',
  title: 'Every answer holds the very audio that was sent',
  failure: 'an answer is no echo',
  where: ({ evidence }: BroadcastFindings) => join(evidence.folder, 'audio'),
  measure: ({ fragments, evidence }) =>
    fragments.map(({ audio, answer, segment, fragmentId }) => {
      const [sent, answered] = [audio, answer?.audio].map(
        (one) => one && readFileSync(join(evidence.folder, one.file)),
      );
      const isEcho = sent !== undefined && answered !== undefined && answered.equals(sent);
      return { segment, fragmentId, isEcho };
    }),
  assess: (answers) => {
    const wrong = answers
      .filter(({ isEcho }) => !isEcho)
      .map(({ segment, fragmentId }) => ({ text: fragmentId, fragment: segment }));
    return {
      deviations: answers.length > 0 ? wrong : [{ text: 'no fragment was sent' }],
      ...{ seen: `${answers.length} fragments`, expected: 'the same audio, byte by byte' },
    };
  },
});

/** Every segment is answered, and in none are more words heard. */
export const noWordsHeard = criterion({
  id: 'no-words-heard',
  title: 'No transcript has more words than that',
  failure: 'words were heard that nobody said, or not every segment was answered',
  where: streamOf,
  measure: ({ fragments, answers }: BroadcastFindings) => ({
    answers: answers.length,
    transcripts: fragments.map(({ answer }) => answer?.transcript ?? ''),
  }),
  assess: ({ answers, transcripts }, { most }: { most: number }, { fixture }) => {
    const segments = fixture.script.length;
    const isFine = transcripts.every((text) => normalizeWords(text).length <= most);
    return assessed(
      answers === segments && isFine,
      `${answers} answers: ${transcripts.map((text) => `"${text}"`).join(', ')}`,
      `${segments} answers, each of at most ${most} words`,
    );
  },
});

/** Enough to tell audio from silence. */
const LEVEL_RATE_HZ = 8000;

/** Windows of 20 ms that are louder than -50 dBFS, together. */
export const outputIsQuiet = criterion({
  id: 'output-is-quiet',
  title: 'The output has no more audible audio than that',
  failure: 'there is audible audio where nobody spoke',
  where: inOutput,
  measure: async ({ outputFile }): Promise<AudioLevels> => {
    const levels = audioLevels(await readAudio(outputFile, LEVEL_RATE_HZ), LEVEL_RATE_HZ);
    return observed(outputFile, 'the loudness', levels);
  },
  assess: ({ nonSilentSeconds: seconds, peakDbfs }, { mostMs }: { mostMs: number }) => {
    const seen = `${seconds.toFixed(2)} s of audible audio, peak ${peakDbfs.toFixed(1)} dBFS`;
    return assessed(seconds * 1000 <= mostMs, seen, `at most ${mostMs / 1000} s`);
  },
});
