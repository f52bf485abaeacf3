import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { evidenceFiles, readEvidence } from '../../../support/broadcast/evidence';
import type { TapEvent } from '../../../support/broadcast/events';
import { shifted } from '../altered-evidence';
import type { EvidenceFault } from '../fault';
import {
  audioUntil,
  BROKEN_VIDEO,
  COLOURLESS,
  cutAt,
  frozen,
  GAP_IN_THE_AUDIO,
  LATE_150_MS,
  louder,
  ORIGINAL_KEPT,
  ORIGINAL_UNDER_THE_DUB,
  RIGHT_SILENT,
  SILENT,
  silentBetween,
  SQUEEZED,
  stretches,
  TWO_AUDIO_TRACKS,
} from './recordings';
import {
  answerMissing,
  broadcastFile,
  BUCKET_OF_120_MS,
  DELTA,
  ofPaths,
  PROCESSED,
  SEGMENTS,
  withFields,
} from './words';

const NOT_WHAT_WAS_SAID =
  /the transcripts are not what was said[\s\S]*segment 3: word error rate 1/;
const UNDECODABLE =
  /fragment 3: the dub does not decode: format mp3 said, \d+ bytes that begin with 6e6f20617564696f/;
const broadcast = '021-US2-3';
const { inputHashes: INPUT_HASHES } = evidenceFiles;

/** Faults of the one-minute broadcast of speech. */
export const ONE_MINUTE: EvidenceFault[] = [
  {
    name: 'The broadcast is received by WebRTC',
    broadcast,
    alter: ofPaths(() => ({ source: 'webRTCSession' })),
    red: { '021-US2-1': /not seen to be received by that protocol[\s\S]*webRTCSession/ },
  },
  {
    name: 'The media server lists the broadcast 11 s late',
    broadcast,
    alter: (evidence) => evidence.timeAfter('inputReady', 'published', 11_000),
    red: { '021-US2-1': /listed too late[\s\S]*11000 ms/ },
    // The metrics of its worker are then there before it is.
    follows: ['021-US2-2'],
  },
  {
    name: 'The metrics of the worker come 11 s late',
    broadcast,
    alter: (evidence) => evidence.time('metricsSeen', 11_000),
    red: { '021-US2-2': /metrics appeared too late/ },
  },
  {
    name: 'One answer of ten is missing',
    broadcast,
    alter: answerMissing(4),
    red: {
      '021-US2-3': /9 fragment:processed for 10 fragment:data/,
      '021-US3-3': /fragment 4: no answer/,
      '021-US4-4 All ten': /seen: +9 fragment:processed/,
    },
    follows: [
      '021-US2-5',
      '021-US2-4',
      '021-US2-6',
      '021-US4-1 The dubbed audio',
      '021-US4-2 The transcript',
      '021-US4-3 The translation',
    ],
  },
  {
    name: 'Two answers come in the wrong order',
    broadcast,
    alter: (evidence) =>
      evidence.tap((events) => {
        const answers = events.filter(({ event }) => event === PROCESSED);
        const [a, b] = [answers[3], answers[4]];
        return events.map((one) => (one === a && b ? { ...one, at: b.at + 1 } : one));
      }),
    red: { '021-US2-3': /lost, repeated or out of order[\s\S]*2, 4, 3, 5/ },
  },
  {
    name: 'An answer has the sequence number of another fragment',
    broadcast,
    alter: (evidence) => evidence.payloads(PROCESSED, [3], withFields({ sequence_number: 4 })),
    red: {
      '021-US2-3': /the sequence number of another fragment[\s\S]*fragment 3: .* sequence_number 4/,
    },
  },
  {
    name: 'An answer has no transcript',
    broadcast,
    alter: (evidence) => evidence.payloads(PROCESSED, [3], withFields({ transcript: '' })),
    red: {
      '021-US2-4': /fragment 3: no transcript/,
      '021-US2-3': /an answer holds no dub[\s\S]*fragment 3: no transcript/,
      '021-US3-3': /an answer holds no dub[\s\S]*fragment 3: no transcript/,
      '021-US4-4 All ten': /an answer holds no dub[\s\S]*fragment 3: no transcript/,
      '021-US4-2 The transcript': NOT_WHAT_WAS_SAID,
      '021-US4-3 The translation': NOT_WHAT_WAS_SAID,
    },
  },
  {
    name: 'Processing took no time',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        undefined,
        withFields({
          ...{ processing_time_ms: 0, stage_timings: { asr_ms: 0, translation_ms: 0, tts_ms: 0 } },
        }),
      ),
    red: { '021-US2-4': /an answer took no time to process[\s\S]*0 ms/ },
  },
  {
    name: 'A viewer who watched live saw half of it',
    broadcast,
    alter: (evidence) =>
      evidence.record((record) => ({
        ...record,
        ...(record.viewer ? { viewer: { ...record.viewer, framesDecoded: 900 } } : {}),
      })),
    red: { '021-US2-5': /a viewer could not watch the output[\s\S]*900 frames/ },
  },
  {
    name: 'The output has the original audio in place of the dub',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', ORIGINAL_KEPT, [broadcastFile(evidence)]),
    red: { '021-US2-5': /the audio of the output is the original/ },
    follows: ['021-US2-6', '021-US4-1 The dubbed audio'],
  },
  {
    name: 'The original audio is heard under the dub, at -18 dB',
    broadcast,
    alter: (evidence) =>
      evidence.media('output.mp4', ORIGINAL_UNDER_THE_DUB, [broadcastFile(evidence)]),
    red: {
      '021-US4-1 The dubbed audio': /the original audio is heard\n[\s\S]*the original at -\d\d dB/,
    },
  },
  {
    name: 'The metrics count nine audio segments of ten',
    broadcast,
    alter: (evidence) =>
      evidence.samples(SEGMENTS, { type: 'audio' }, (one) => ({ ...one, value: one.value - 1 })),
    red: { '021-US2-6': /counts another number of processed audio segments/ },
  },
  {
    name: 'The dub plays 150 ms late',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', LATE_150_MS),
    red: { '021-US2-6': /audio and video are apart/ },
  },
  {
    name: 'Two dubs are swapped',
    broadcast,
    alter: (evidence) =>
      evidence.media('output.mp4', stretches([0, 18.2], [24.2, 30.2], [18.2, 24.2], [30.2, 70])),
    red: { '021-US4-1 The dubbed audio': /heard with other video[\s\S]*fragment [34]: / },
    follows: ['021-US2-5', '021-US2-6'],
  },
  {
    name: 'The output is silent',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', SILENT),
    red: {
      '021-US2-5': /the output is silent[\s\S]*LUFS/,
      '021-US4-1 The dubbed audio':
        /heard with other video[\s\S]*follows from: The output has audio/,
    },
    follows: ['021-US2-6'],
  },
  {
    name: 'Dubbing takes four minutes longer',
    broadcast,
    alter: (evidence) => evidence.timeAfter('outputEnded', 'published', 320_000),
    red: { '021-SC': /not dubbed to its end in time[\s\S]*after 320\.0 s/ },
  },
  {
    name: 'The connection to the STS takes six seconds',
    broadcast,
    // The first attempt is refused, the next one comes too late.
    alter: (evidence) =>
      evidence.tap((events) => {
        const open = events.find(({ kind }) => kind === 'open');
        const payload = { sts: 'http://sts', by: 'nobody', reason: 'ECONNREFUSED' };
        return open
          ? [{ ...open, kind: 'refused', at: open.at - 6000, payload }, ...events]
          : events;
      }),
    red: {
      '021-US3-2': /not connected to the STS in time[\s\S]*6[0-4]\d\d ms from its first attempt/,
    },
  },
  {
    name: 'The worker idles for six seconds before it connects to the STS',
    broadcast,
    alter: (evidence) =>
      evidence.tap((events) => {
        const { ingested = NaN, metricsSeen = NaN } = readEvidence(evidence.folder).record.times;
        const open = events.find(({ kind }) => kind === 'open')?.at ?? NaN;
        const byMs = Math.min(ingested, metricsSeen) + 6000 - open;
        const isLate = ({ kind, event }: TapEvent): boolean =>
          kind === 'open' || event === 'stream:ready' || event === 'stream:init';
        return events.map((one) => (isLate(one) ? shifted(one, byMs) : one));
      }),
    red: {
      '021-US3-2': /not connected to the STS in time[\s\S]*6000 ms from the first poll/,
    },
  },
  {
    name: 'The STS does not acknowledge a fragment',
    broadcast,
    alter: (evidence) =>
      evidence.tap((events) =>
        events.filter(
          ({ event, direction, payload }) =>
            event !== 'fragment:ack' ||
            direction !== 'from-sts' ||
            !String((payload as { fragment_id?: unknown }).fragment_id).endsWith('_0005'),
        ),
      ),
    red: { '021-US3-3': /not every fragment was acknowledged[\s\S]*_0005/ },
  },
  {
    name: 'The dub of one fragment is a second shorter than the fragment',
    broadcast,
    alter: (evidence) => evidence.media(evidence.audioOf(3).dubbed, ['-t', '5']),
    red: { '021-US4-1 The dubbed audio': /another length[\s\S]*fragment 3: 5\.00 s for 6\.00 s/ },
    follows: ['021-US2-3', '021-US3-3', '021-US4-4 All ten'],
  },
  {
    name: 'The dub of one fragment is silence',
    broadcast,
    alter: (evidence) => evidence.media(evidence.audioOf(3).dubbed, ['-af', 'volume=0']),
    red: { '021-US4-1 The dubbed audio': /the dubbed audio is silent[\s\S]*fragment 3/ },
    follows: ['021-US2-4', '021-US2-6'],
  },
  {
    name: 'The dub of one fragment is of a format that nobody can decode',
    broadcast,
    alter: (evidence) => {
      const file = 'audio/undecodable.bin';
      writeFileSync(join(evidence.folder, file), 'no audio at all');
      evidence.payloads(PROCESSED, [3], (payload) => ({
        ...payload,
        dubbed_audio: { ...(payload['dubbed_audio'] as object), format: 'mp3', file },
      }));
    },
    red: {
      '021-US4-1 The dubbed audio': UNDECODABLE,
      '021-US2-3': UNDECODABLE,
      '021-US3-3': UNDECODABLE,
      '021-US4-4 All ten': UNDECODABLE,
    },
    follows: ['021-US2-4', '021-US2-6'],
  },
  {
    name: 'The STS sends one fragment back as it was',
    broadcast,
    alter: (evidence) => evidence.replace(evidence.audioOf(3).dubbed, evidence.audioOf(3).original),
    red: { '021-US4-1 The dubbed audio': /the dubbed audio is the original[\s\S]*fragment 3/ },
    follows: ['021-US2-4', '021-US2-6', '021-US2-3', '021-US3-3', '021-US4-4 All ten'],
  },
  {
    name: 'The transcripts are what nobody said',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        undefined,
        withFields({ transcript: 'Thank you for watching.' }),
      ),
    red: {
      '021-US4-2 The transcript':
        /the transcripts are not what was said[\s\S]*mean word error rate/,
    },
    follows: ['021-US4-3 The translation'],
  },
  {
    name: 'The transcripts are Spanish',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, undefined, (payload) => ({
        ...payload,
        transcript: payload['translated_text'],
      })),
    red: { '021-US4-2 The transcript': /the transcripts are in another language[\s\S]*es, score/ },
    follows: ['021-US4-3 The translation'],
  },
  {
    name: 'The translations are English',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, undefined, (payload) => ({
        ...payload,
        translated_text: payload['transcript'],
      })),
    red: {
      '021-US4-3 The translation': /the translations are in another language[\s\S]*en, score/,
    },
    follows: ['021-US2-4', '021-US2-5', '021-US4-1 The dubbed audio'],
  },
  {
    name: 'One transcript is a sentence that nobody said',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, [8], withFields({ transcript: 'Buy our new car today.' })),
    red: {
      '021-US4-2 The transcript': /not what was said[\s\S]*segment 8: word error rate 1\.\d+/,
    },
    follows: ['021-US4-3 The translation'],
  },
  {
    name: 'One translation is an advertisement',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        [8],
        withFields({ translated_text: 'Compren ustedes hoy el nuevo coche de nuestra marca.' }),
      ),
    red: { '021-US4-3 The translation': /not what the script means[\s\S]*segment 8: chrF 0\.\d+/ },
    follows: ['021-US2-4', '021-US2-5', '021-US4-1 The dubbed audio'],
  },
  {
    name: 'One translation is the transcript',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, [2], (payload) => ({
        ...payload,
        translated_text: payload['transcript'],
      })),
    red: { '021-US4-3 The translation': /a translation is the transcript[\s\S]*fragment 2/ },
    follows: ['021-US2-4', '021-US2-5', '021-US4-1 The dubbed audio'],
  },
  {
    name: 'One fragment failed in speech synthesis',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        [7],
        withFields({ status: 'failed', error: { code: 'TTS_FAILED', message: 'no voice' } }),
      ),
    red: { '021-US4-4 All ten': /a fragment failed[\s\S]*fragment 7: failed .*TTS_FAILED/ },
    follows: ['021-US2-3', '021-US3-3'],
  },
  {
    name: 'Another file was published',
    broadcast,
    alter: (evidence) =>
      evidence.record((record) => ({ ...record, fixtureFile: `${record.fixtureFile}.old.mp4` })),
    red: { '021-US5-4': /another file was published[\s\S]*old\.mp4/ },
  },
  {
    name: 'The published bytes are those of another file of the same name',
    broadcast,
    alter: (evidence) =>
      evidence.text(INPUT_HASHES, (text) =>
        text.replace(
          /\b[0-9a-f]{31}([0-9a-f])$/gm,
          (hash, last: string) => last + hash.slice(0, 31),
        ),
      ),
    red: {
      '021-US5-4':
        /the media server received something else than the file[\s\S]*video: the first of \d+ packets/,
    },
  },
  {
    name: 'One packet of the audio arrived otherwise than it was sent',
    broadcast,
    alter: (evidence) => {
      let count = 0;
      evidence.text(INPUT_HASHES, (text) =>
        text.replace(/^(1,.*)[0-9a-f]{32}$/gm, (line, start: string) => {
          count += 1;
          return count === 1000 ? `${start}${'0'.repeat(32)}` : line;
        }),
      );
    },
    red: {
      '021-US5-4':
        /the media server received something else than the file[\s\S]*audio: number 1000 of \d+ packets/,
    },
  },
  {
    name: 'A second of the video did not arrive at its end',
    broadcast,
    alter: (evidence) =>
      evidence.text(INPUT_HASHES, (text) => {
        const lines = text.split('\n');
        const video = lines.filter((line) => line.startsWith('0,')).slice(-30);
        return lines.filter((line) => !video.includes(line)).join('\n');
      }),
    red: {
      '021-US5-4':
        /the media server received something else than the file[\s\S]*video: \d+ of 1800 packets, without \d+ ms at the start and 1000 ms/,
    },
  },
  {
    name: 'Nobody read the broadcast from the media server to compare it',
    broadcast,
    alter: (evidence) => evidence.remove(INPUT_HASHES),
    red: { '021-US5-4': /the received broadcast was not observed[\s\S]*nobody has read it/ },
  },
  {
    name: 'The publisher broke off with an error',
    broadcast,
    alter: (evidence) =>
      evidence.record((record) => ({
        ...record,
        publisher: { exitCode: 1, stderr: 'Broken pipe' },
      })),
    red: { '021-US5-4': /not published to its end, once[\s\S]*exit code 1 .*Broken pipe/ },
  },
  {
    name: 'The broadcast was published twice over',
    broadcast,
    alter: (evidence) => evidence.time('publisherEnded', 60_000),
    red: { '021-US5-4': /not published to its end, once[\s\S]*exit code 0 after 12\d/ },
  },
  {
    name: 'The video freezes for a second',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', frozen(330, 30)),
    red: { '021-US6-1': /frames are lost, frozen[\s\S]*frozen for 1\.\d+ s/ },
  },
  {
    name: 'The video loses its colours, while its frames keep their numbers',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', COLOURLESS),
    red: { '021-US6-1': /shows something else[\s\S]*without colour/ },
  },
  {
    name: 'The video is squeezed to 4:3',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', SQUEEZED),
    red: { '021-US6-1': /frames change their size, have another shape[\s\S]*aspect ratio 1\.333/ },
  },
  {
    name: 'The last 0.6 s of the audio are missing',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', audioUntil(59.4)),
    red: {
      '021-US6-3': /the end of the broadcast is missing[\s\S]*the last \d\.\d+ s of the audio/,
    },
  },
  {
    name: 'Frames of the output are damaged',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', BROKEN_VIDEO),
    red: { '021-US6-1': /the output does not decode\n +seen: +\S/ },
  },
  {
    name: 'A dub has a hole of 0.15 s',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', silentBetween(20, 20.15)),
    red: {
      '021-US4-1 The dubbed audio': /dropouts[\s\S]*fragment 3: .*\d\d0 ms .*at (19\.9|20\.)/,
    },
  },
  {
    name: 'The dub is 14 dB softer',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', louder(0.2)),
    red: {
      '021-US4-1 The dubbed audio': /louder or softer than the original was[\s\S]*-1\d\.\d dB/,
    },
  },
  {
    name: 'The right channel is silent',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', RIGHT_SILENT),
    red: { '021-US6-2': /a channel is silent[\s\S]*"right" is silent for \d\d\.\d s/ },
  },
  {
    name: 'The output has two audio tracks',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', TWO_AUDIO_TRACKS),
    red: {
      '021-US6-2': /other tracks[\s\S]*audio aac, audio aac, video h264/,
      '021-US2-5': /other tracks[\s\S]*audio aac, audio aac, video h264/,
    },
  },
  {
    name: 'The output ends after 50 seconds',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', cutAt(50)),
    red: {
      '021-US6-3': /the output has another length[\s\S]*50\.\d+ s/,
      '021-US2-5': /the output has another length[\s\S]*50\.\d+ s/,
    },
    follows: ['021-US6-1', '021-US2-6', '021-US4-1 The dubbed audio'],
  },
  {
    name: 'The audio has a gap of 0.3 s',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', GAP_IN_THE_AUDIO),
    red: { '021-US6-3': /timestamps[\s\S]*to the next packet/ },
    follows: ['021-US4-1 The dubbed audio'],
  },
  {
    name: 'media-service measured an A/V delta of 160 ms, once',
    broadcast,
    alter: (evidence) =>
      evidence.samples(`${DELTA}_bucket`, {}, (one) =>
        BUCKET_OF_120_MS(one) ? { ...one, value: one.value - 1 } : one,
      ),
    red: { '021-US6-4': /larger A\/V deltas[\s\S]*10 measured, 9 of them/ },
  },
];
