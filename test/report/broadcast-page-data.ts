import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { BroadcastFacts } from '../../support/report/facts';
import type { ScenarioResult } from '../../support/report/scenario-results';
import { ffmpeg } from '../analyze/make-media';

/** What a service might say. */
export const NASTY = `</script><script>window.hacked = true</script><img src=x onerror="window.hacked = true"> & "`;

/** 8 s of video and tones as `output.mp4` in a folder. */
export function makeOutput(folder: string): void {
  ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=8', '-f', 'lavfi', '-i', 'sine=440:d=8'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '25',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
    ],
    join(folder, 'output.mp4'),
  );
}

/** An image of the audio of `output.mp4`, as a data URI. */
function makeImage(folder: string, filter: string): string {
  const file = join(folder, 'image.png');
  const input = join(folder, 'output.mp4');
  ffmpeg('-i', input, '-filter_complex', filter, '-frames:v', '1', file);
  return `data:image/png;base64,${readFileSync(file).toString('base64')}`;
}

/** A broadcast of which nothing was seen. */
export const NOTHING: BroadcastFacts = {
  stream: 'test_nothing_1_1',
  name: 'Nothing',
  title: 'Nothing',
  language: 'en',
  clip: '/nowhere.mp4',
  startedAt: '2026-11-22T06:49:04.000Z',
  endedAt: '2026-11-22T06:49:24.000Z',
  waits: { count: 0, longestMs: 0 },
  durationSeconds: 8,
  segmentSeconds: 2,
  audio: 'speech',
  runtime: 'host',
  monitor: 'tap',
  outcome: 'there was no output',
  isComplete: false,
  faults: [],
  isDisturbed: false,
  seed: 1,
  problems: ['the output was not listed by the media server'],
  figures: { fragmentsSent: 0, fragmentsAnswered: 0, driftMs: NaN },
  missing: { output: 'nothing was recorded' },
  fragments: [],
  unsent: [],
  coverage: { segments: 4, heard: 0, dubbed: 0, lost: [] },
  exchange: { breaker: [], lostAtSeconds: [], fallbacks: [] },
  verdicts: [],
  events: [],
  series: [],
  histograms: [],
  log: [],
  files: [],
};

const SCENARIO = { name: 'every dub is heard', place: 'features/a.feature:9' };

/** 8 s in four fragments, the third is not heard and the last is far too late; 600 lines of log. */
export function dubbedFacts(folder: string): BroadcastFacts {
  const levels = Array.from({ length: 100 }, (_, index) => (index % 10) / 10);
  const spectrogram = makeImage(folder, 'showspectrumpic=s=640x100:legend=0');
  const audio = { levels, spectrogram };
  return {
    ...NOTHING,
    stream: 'test_8-s_1_2',
    name: 'Eight seconds, Echo STS',
    title: 'Eight seconds',
    translatedTo: 'es',
    outcome: 'the output ended',
    isComplete: true,
    faults: ['fragment 2: the answer is dropped'],
    isDisturbed: true,
    unsent: [
      {
        ...{ segment: 4, why: 'the breaker was open', dueSeconds: 14, script: 'This is line 4.' },
        shownAtPts: 7.5,
      },
    ],
    coverage: {
      ...{ segments: 5, heard: 2, dubbed: 3 },
      lost: [
        { why: 'not sent (the breaker was open)', segments: [4], fromSeconds: 8 },
        { why: 'the answer timed out', segments: [2], fromSeconds: 4 },
      ],
    },
    exchange: {
      breaker: [{ fromSeconds: 10.2, failures: 5 }],
      lostAtSeconds: [9],
      fallbacks: [{ value: 'timeout', delta: 2 }],
    },
    problems: [],
    missing: {},
    figures: {
      ...{ fragmentsSent: 4, fragmentsAnswered: 3, tookSeconds: 16.4, endToEndSeconds: 5.2 },
      ...{ offsetWorstMs: 800, driftMs: 3.2, answerP50Ms: 480, answerP95Ms: 900, answerMaxMs: 900 },
    },
    output: { file: 'output.mp4', seconds: 8 },
    sourceAtZero: 0,
    ptsZeroAtSeconds: 5,
    fragments: [0, 1, 2, 3].map((sequence) => ({
      ...{ sequence, segment: sequence },
      state: sequence === 2 ? 'unheard' : sequence === 3 ? 'wrong' : 'heard',
      isHeard: sequence !== 2,
      remarks:
        sequence === 2
          ? ['the dub is not heard at its video']
          : sequence === 3
            ? ['the dub is 800.0 ms late']
            : [],
      stages: [
        { stage: 'waiting', fromSeconds: 2 * sequence + 2, toSeconds: 2 * sequence + 2.1 },
        { stage: 'queued', fromSeconds: 2 * sequence + 2.1, toSeconds: 2 * sequence + 2.3 },
        { stage: 'asr', fromSeconds: 2 * sequence + 2.3, toSeconds: 2 * sequence + 3.1 },
        { stage: 'translation', fromSeconds: 2 * sequence + 3.1, toSeconds: 2 * sequence + 3.3 },
        { stage: 'tts', fromSeconds: 2 * sequence + 3.3, toSeconds: 2 * sequence + 3.7 },
        { stage: 'returned', fromSeconds: 2 * sequence + 3.7, toSeconds: 2 * sequence + 5 },
        {
          stage: sequence === 2 ? 'unheard' : 'played',
          ...{ fromSeconds: 2 * sequence + 5, toSeconds: 2 * sequence + 7 },
        },
      ],
      ended: sequence === 2 ? 'timed out' : 'answered',
      roundTripMs: 480,
      script: `This is line ${sequence}.`,
      transcript: sequence === 1 ? NASTY : `this is line ${sequence}`,
      translation: sequence === 1 ? NASTY : `esta es la línea ${sequence}`,
      wordErrorRate: 0,
      chrf: 0.52,
      reference: `esta es la línea ${sequence}`,
      heard: sequence === 1 ? NASTY : `esta es la línea ${sequence}`,
      ...{ spokenErrorRate: 0.25, languageProbability: 0.97 },
      ...(sequence === 2
        ? {}
        : { offsetMs: sequence === 3 ? 800 : 12.5 * sequence, correlation: 0.93 }),
      heardShare: sequence === 2 ? 0 : 0.98,
      originalCorrelation: NaN,
      shownAtPts: 2 * sequence,
      original: `audio/1-000${sequence}-original.wav`,
      dubbed: `audio/1-000${sequence}-dubbed.wav`,
    })),
    verdicts: [
      {
        ...{ criterion: 'duration', title: 'The output is as long as the source', limit: 1 },
        ...{ state: 'passed', where: 'output.mp4', what: '', seen: '8.0 s' },
        ...{ expected: '7.0 to 9.0 s', deviations: [], judgedBy: [SCENARIO] },
        figure: { name: 'length', value: 8, limit: 9, unit: 's', holds: 'at most' },
      },
      {
        ...{ criterion: 'dubs', title: 'Each dub is heard at its video', limit: {} },
        ...{ state: 'failed', where: 'output.mp4', what: 'dubs are missing' },
        ...{ seen: `fragment 2 is not heard ${NASTY}`, expected: 'all are heard' },
        ...{ deviations: [{ text: 'not heard', fragment: 2 }], judgedBy: [] },
      },
      {
        ...{ criterion: 'av-offset', title: 'Audio and video are together' },
        ...{ limit: { limitMs: 110 }, state: 'follows', where: 'output.mp4', what: 'apart' },
        ...{ seen: '800.0 ms', expected: 'below 110 ms', judgedBy: [SCENARIO] },
        deviations: [{ text: 'fragment 3: 800.0 ms', fragment: 3 }],
        because: {
          criterion: 'dubs',
          title: 'Each dub is heard at its video',
          what: 'a dub is not heard',
          seen: 'not heard',
        },
      },
    ],
    events: [
      { atSeconds: 5, kind: 'pipeline', text: 'the output is there' },
      { atSeconds: 8.1, kind: 'fault', text: `there is no answer to fragment 2 ${NASTY}` },
      { atSeconds: 9, kind: 'connection', text: 'the connection to the STS is lost' },
      { atSeconds: NaN, kind: 'pipeline', text: 'at no time' },
    ],
    series: [
      {
        ...{ name: 'worker_fragments_total', labels: 'state="sent"', type: 'counter' },
        points: [0, 1, 2, 3, 4].map((value) => ({ atSeconds: 2 * value, value })),
      },
      {
        ...{ name: 'worker_queue', labels: NASTY, type: 'gauge' },
        points: [0, NaN, 2, Infinity, 1].map((value, index) => ({ atSeconds: 2 * index, value })),
      },
      {
        ...{ name: 'worker_up', labels: '', type: 'gauge' },
        points: [1, 1, 1].map((value, index) => ({ atSeconds: index, value })),
      },
    ],
    histograms: [{ name: 'worker_round_trip_ms', labels: '', count: 3, mean: 480.25 }],
    log: Array.from({ length: 600 }, (_, line) => ({
      service: line % 3 === 0 ? 'media-service' : 'sts-service',
      atSeconds: (line + 0.5) / 50,
      level: line === 350 ? 'ERROR' : 'INFO',
      text: line === 350 ? `no answer ${NASTY}` : `line ${line} of the log`,
    })),
    images: {
      ...{ fromPts: 0, toPts: 8, output: audio },
      original: { ...audio, fromPts: 0.1, toPts: 8.1 },
    },
    files: [
      { name: 'output.mp4', bytes: 1_234_567 },
      { name: 'audio/1-0000-dubbed.wav', bytes: 64_044 },
    ],
  };
}

const STEP = { keyword: 'Then', table: undefined };

/** One that passed, and one that did not. */
export const JUDGED: ScenarioResult[] = [
  {
    name: 'the output decodes',
    tags: ['@021-US6-1', '@P1'],
    place: 'features/full-services/6-output.feature:4',
    feature: 'Output',
    steps: [{ ...STEP, text: 'it decodes', status: 'PASSED', message: '' }],
    ...{ status: 'PASSED', message: '', skipReason: undefined, judgedBy: [], seconds: 1 },
  },
  {
    name: 'every dub is heard',
    tags: ['@021-US4-2', '@P1'],
    place: 'features/full-services/4-real-processing.feature:9',
    feature: 'Real processing',
    steps: [{ ...STEP, text: 'every dub is heard at its video', status: 'FAILED', message: '' }],
    ...{ status: 'FAILED', skipReason: undefined, judgedBy: [], seconds: 2 },
    message: `NotAsExpected: a dub is not heard\n  where: the output\n  seen: fragment 2 is not heard ${NASTY}\n  expected: all four are heard\n    at Object.x (file.ts:1:2)`,
  },
];
