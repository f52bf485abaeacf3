import type { EvidenceFault } from '../fault';
import {
  BROKEN_VIDEO,
  CLICKS,
  cutAt,
  ENGLISH_OVER_THE_DUB,
  drifting,
  frozen,
  GAP_IN_THE_AUDIO,
  LATE_150_MS,
  louder,
  ORIGINAL_KEPT,
  RIGHT_SILENT,
  stretches,
  TWO_AUDIO_TRACKS,
} from './recordings';
import {
  answerMissing,
  broadcastFile,
  BUCKET_OF_120_MS,
  DELTA,
  ofPaths,
  outputAfterAnswer,
  PROCESSED,
  SENT,
  withFields,
} from './words';

const broadcast = '019-US1-1';
const THIRTEEN = 'Thirteen, fourteen, fifteen, sixteen, seventeen, eighteen';

/** Faults of the counting broadcast. */
export const COUNTING: EvidenceFault[] = [
  {
    name: 'The worker starts ingesting the counting 6 s late',
    broadcast,
    alter: (evidence) => evidence.timeAfter('ingested', 'published', 6000),
    red: { '019-US1-1': /started ingesting too late[\s\S]*6000 ms/ },
  },
  {
    name: 'The first fragment is sent 9 s after ingest',
    broadcast,
    alter: (evidence) => evidence.time('ingested', -2500),
    red: { '019-US1-2': /the first fragment came too late/ },
    // It then begins to ingest before it is published.
    follows: ['019-US1-1'],
  },
  {
    name: 'A fragment holds five seconds of audio',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(SENT, [1], (payload) => ({
        ...payload,
        audio: { ...(payload['audio'] as object), duration_ms: 5000 },
      })),
    red: { '019-US1-2': /holds more or less audio[\s\S]*fragment 1: 5000 ms/ },
    // Its dub is then longer than it.
    follows: ['019-US1-6'],
  },
  {
    name: 'The last answer takes 16 seconds',
    broadcast,
    alter: (evidence) =>
      evidence.later(
        ({ event, payload }) =>
          event === PROCESSED && (payload as { sequence_number?: unknown }).sequence_number === 4,
        16_000,
      ),
    red: { '019-US1-3': /an answer took too long[\s\S]*fragment 4: [12]\d{4} ms/ },
  },
  {
    name: 'The answers say that they are English',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, undefined, withFields({ target_language: 'en' })),
    red: {
      '019-US1-3': /an answer is in another language[\s\S]*fragments 0 to 4: en/,
      '019-US6-3': /an answer is in another language[\s\S]*fragments 0 to 4: en/,
    },
  },
  {
    name: 'Audio and video drift 200 ms apart',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', drifting(30, 200)),
    red: {
      '019-US1-4 Audio and video': /audio and video are apart[\s\S]*fragment 4: -?[12]\d\d\.\d ms/,
    },
  },
  {
    name: 'Audio and video drift 100 ms apart, never 120 ms',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', drifting(30, 100)),
    red: { '019-US1-4 Audio and video': /audio and video drift apart/ },
  },
  {
    name: 'The dub of the counting plays 150 ms late',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', LATE_150_MS),
    red: { '019-US1-4 Audio and video': /audio and video are apart/ },
  },
  {
    name: 'media-service has measured no A/V delta for one segment of the counting',
    broadcast,
    alter: (evidence) =>
      evidence.samples(`${DELTA}_bucket`, {}, (one) =>
        BUCKET_OF_120_MS(one) ? { ...one, value: one.value - 1 } : one,
      ),
    red: {
      '019-US1-4 Audio and video':
        /media-service measures larger A\/V deltas, or not for every segment/,
    },
  },
  {
    name: 'The output is available 1.5 s after the first answer',
    broadcast,
    alter: outputAfterAnswer(1500),
    red: { '019-US1-5': /the output was not available in time[\s\S]*seen: +1500 ms/ },
  },
  {
    name: 'The output of the counting is there before its first answer',
    broadcast,
    alter: (evidence) => evidence.time('outputReady', -2000),
    red: { '019-US1-5': /the output was not available in time[\s\S]*1\d{3} ms too early/ },
  },
  {
    name: 'The log of the STS lacks a text',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        [2],
        withFields({ transcript: `${THIRTEEN}, and nothing else` }),
      ),
    red: { '019-US1-6': /the log lacks a text[\s\S]*fragment 2: "Thirteen/ },
  },
  {
    name: 'Dubbing the counting takes 200 seconds',
    broadcast,
    alter: (evidence) => evidence.time('outputEnded', 150_000),
    red: { '019-US1-6': /not dubbed to its end in time/ },
  },
  {
    name: 'One answer of five is missing',
    broadcast,
    alter: answerMissing(3),
    red: { '019-US1-6': /4 fragment:processed for 5/ },
    follows: ['019-US1-3', '019-US1-4 Audio and video', '019-SC The dub', '019-US4-4', '019-US6-3'],
  },
  {
    name: 'A fragment of the counting failed',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        [1],
        withFields({ status: 'failed', error: { code: 'TIMEOUT', message: 'too slow' } }),
      ),
    red: { '019-SC The dub': /a fragment failed[\s\S]*fragment 1: failed .*TIMEOUT/ },
    follows: ['019-US1-6'],
  },
  {
    name: 'The output has the original counting in place of the dub',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', ORIGINAL_KEPT, [broadcastFile(evidence)]),
    red: { '019-SC The dub': /the audio of the output is the original/ },
    follows: ['019-US1-4 Audio and video', '019-US6-3', '019-US6-4'],
  },
  {
    name: 'The broadcast is not read by RTSP',
    broadcast,
    alter: ofPaths(() => ({ readers: ['hlsMuxer'] })),
    red: { '019-US2-3': /not seen to be read by that protocol[\s\S]*hlsMuxer/ },
  },
  {
    name: 'The counting is received by WebRTC',
    broadcast,
    alter: ofPaths(({ name }) => (name.endsWith('/in') ? { source: 'webRTCSession' } : {})),
    red: { '019-US2-3': /not seen to be received by that protocol[\s\S]*webRTCSession/ },
  },
  {
    name: 'The output is published by RTSP',
    broadcast,
    alter: ofPaths(() => ({ source: 'rtspSession' })),
    red: { '019-US2-3': /not seen to be published by that protocol/ },
  },
  {
    name: 'The media server lists the counting 3 s late',
    broadcast,
    alter: (evidence) => evidence.time('inputReady', 3000),
    red: { '019-US4-1': /listed too late/ },
  },
  {
    name: 'The publisher of the counting fails',
    broadcast,
    alter: (evidence) =>
      evidence.record((record) => ({
        ...record,
        publisher: { exitCode: 1, stderr: 'Broken pipe' },
      })),
    red: { '019-US4-2': /not published to its end, once[\s\S]*Broken pipe/ },
  },
  {
    name: 'One of two broadcasts at the same time gets an answer of the other',
    broadcast: '019-US4-3',
    which: 1,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, [1], withFields({ fragment_id: 'test_another_0001' })),
    red: { '019-US4-3': /got in each other's way/ },
  },
  {
    name: 'Some numbers are transcribed wrongly',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(PROCESSED, [0, 1], withFields({ transcript: 'Thank you for watching.' })),
    red: {
      '019-US4-4': /the transcripts are not what was said[\s\S]*mean word error rate 0\.[3-9]/,
    },
    follows: ['019-US1-6'],
  },
  {
    name: 'The dubbed counting has two audio tracks',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', TWO_AUDIO_TRACKS),
    red: { '019-US6-1': /other tracks[\s\S]*audio aac, audio aac, video h264/ },
  },
  {
    name: 'The dubbed counting ends after 24 s',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', cutAt(24)),
    red: {
      '019-US6-2': /another length[\s\S]*24\.\d+ s/,
      '019-US1-6': /another length[\s\S]*24\.\d+ s/,
    },
    follows: ['019-SC The dub', '019-US1-4 Audio and video', '019-US6-3', '019-US6-4'],
  },
  {
    name: 'English is spoken beside the dub',
    broadcast,
    alter: (evidence) =>
      evidence.media('output.mp4', ENGLISH_OVER_THE_DUB, [broadcastFile(evidence)]),
    red: { '019-US6-3': /an English listener understands lines of the script/ },
    follows: ['019-SC The dub', '019-US6-4'],
  },
  {
    name: 'A dub of the counting is heard twice, another not at all',
    broadcast,
    alter: (evidence) =>
      evidence.media('output.mp4', stretches([0, 12.2], [6.2, 12.2], [18.2, 40])),
    red: { '019-US6-3': /heard with other video[\s\S]*fragment 2: not heard/ },
    follows: ['019-SC The dub', '019-US1-4 Audio and video', '019-US6-4'],
  },
  {
    name: 'The video of the counting freezes for a second',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', frozen(330, 30)),
    red: { '019-US6-4': /frames are lost, frozen[\s\S]*frozen for 1\.\d+ s/ },
  },
  {
    name: 'Frames of the counting are damaged',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', BROKEN_VIDEO),
    red: { '019-US6-4': /the output does not decode\n +seen: +\S/ },
  },
  {
    name: 'The audio of the counting has a gap of 0.3 s',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', GAP_IN_THE_AUDIO),
    red: { '019-US6-4': /timestamps[\s\S]*to the next packet/ },
  },
  {
    name: 'A dub of the counting has clicks',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', CLICKS),
    red: { '019-US6-4': /dropouts, clicks[\s\S]*fragment 1: .*clicks? / },
  },
  {
    name: 'The right channel of the counting is silent',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', RIGHT_SILENT),
    red: { '019-US6-4': /a channel is silent[\s\S]*"right" is silent for \d\d\.\d s/ },
  },
  {
    name: 'From 18 s on, the dub is 20 dB softer',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', louder(0.1, 18.2)),
    red: { '019-US6-4': /splices are heard where segments meet[\s\S]*the loudness jumps/ },
  },
];
