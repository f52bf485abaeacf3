/**
 * What the pages, the summary and `npm run compare` are made of: plain data, as it lies in the results folder. Times of a
 * stream are seconds since its publisher was started, unless they are said to be of the output's own timeline (PTS).
 */
import type { Check } from '../analyze/output-checks';
import type { ScenarioResult } from './scenario-results';

/** The names of what reports write. */
export const reportFiles = {
  /** The page of the run, in the results folder. */
  index: 'index.html',
  /** For a CI job's page (Markdown). */
  summary: 'summary.md',
  /** What of a run is not in Cucumber's messages: a `RunPart`. */
  part: 'part.json',
  /** In the evidence folder of each stream: its page, and the `StreamFacts` that it is made of. */
  broadcastPage: 'index.html',
  broadcastFacts: 'facts.json',
} as const;

/** The numbers of one stream that two runs can be compared by. Not there: not looked at, or not observed. */
export interface BroadcastFigures {
  fragmentsSent: number;
  fragmentsAnswered: number;
  /** From publishing to the end of the output. */
  tookSeconds?: number;
  /** From publishing to the output being listed by the media server. */
  outputReadySeconds?: number;
  /** How much later than it is published a frame is shown. */
  endToEndSeconds?: number;
  answerP50Ms?: number;
  answerP95Ms?: number;
  answerMaxMs?: number;
  /** Audio minus video; of the fragment farthest from 0, with its sign. */
  offsetWorstMs?: number;
  /** Without sign. */
  offsetP50Ms?: number;
  offsetP95Ms?: number;
  driftMs?: number;
  /** Of all fragments' dubs, the smallest correlation, and the smallest part that is heard (0 to 1). */
  leastCorrelation?: number;
  leastHeardShare?: number;
  /** Of all fragments, the greatest correlation with the original beside the dub. */
  mostOriginal?: number;
  /** Means over all fragments in which somebody speaks. */
  wordErrorRate?: number;
  chrf?: number;
  loudnessLufs?: number;
}

/** A fragment's way through the pipeline; stages that nobody saw are not there. */
export interface FragmentFacts {
  sequence: number;
  /** What was heard of it in the output, in a word; `wrong` and `unheard` are failures of a check. */
  state: 'fine' | 'wrong' | 'unheard' | 'not looked at';
  /** What is wrong with it, in words. */
  faults: string[];
  /** Where it begins in the broadcast, in seconds of the source. */
  sourceSeconds?: number;
  /** In the order of time: when (seconds since publishing) and what. A stage lasts to the next one. */
  stages: { stage: Stage; fromSeconds: number; toSeconds: number }[];
  /** The end of its wait at the STS: answered, given up … */
  ended?: string;
  roundTripMs?: number;
  asrMs?: number;
  translationMs?: number;
  ttsMs?: number;
  script?: string;
  transcript?: string;
  translation?: string;
  wordErrorRate?: number;
  chrf?: number;
  /** Audio minus video, in ms, where its dub is heard at its video. */
  offsetMs?: number;
  correlation?: number;
  heardShare?: number;
  originalCorrelation?: number;
  /** When its video, and its dub, begin in the output (PTS). */
  shownAtPts?: number;
  heardAtPts?: number;
  /** Files in the evidence folder. */
  original?: string;
  dubbed?: string;
}

/**
 * `waiting`: cut, not sent yet; `queued`: at the STS, before its work; `asr`, `translation`, `tts`: the STS's own times,
 * laid to the end of the wait; `returned`: answered, not played yet; `played`: its video and dub are shown.
 */
export type Stage = 'waiting' | 'queued' | 'asr' | 'translation' | 'tts' | 'returned' | 'played';

/** One metric over time, one label set of it. */
export interface MetricSeries {
  name: string;
  /** Label set without the stream, as text; empty for none. */
  labels: string;
  type: 'counter' | 'gauge';
  points: { atSeconds: number; value: number }[];
}

/** A histogram at the end of the stream. */
export interface HistogramFacts {
  name: string;
  labels: string;
  count: number;
  mean: number;
}

export interface LogEntry {
  service: string;
  /** Not there where the line has no time. */
  atSeconds?: number;
  level: string;
  text: string;
}

/** A moment of the stream: the output being ready, a fault being made, a connection being lost. */
export interface Mark {
  atSeconds: number;
  kind: 'pipeline' | 'fault' | 'connection';
  text: string;
}

/** Frames of a audio, as PNG data URIs, all over the same span of the output's timeline. */
export interface AudioImages {
  waveform: string;
  spectrogram: string;
}

/** Everything that the page of one stream shows. */
export interface BroadcastFacts {
  stream: string;
  /** The broadcast's name. */
  title: string;
  startedAt: string;
  /** How much was published, and into what it was cut, in seconds. */
  durationSeconds: number;
  segmentSeconds: number;
  /** `speech` is translated; `tones` go through the Echo STS. */
  audio: 'speech' | 'tones' | 'none';
  runtime: string;
  /** `tap` or `direct`. */
  monitor: string;
  /** What ended it, in words; `isWhole` when that is the end of the output. */
  outcome: string;
  isWhole: boolean;
  /** What was made to go wrong, in the scenario's words; empty for none. */
  plan: string[];
  seed: number;
  /** What could not be observed, and why. */
  problems: string[];
  figures: BroadcastFigures;
  /** The recording, in the evidence folder; not there when there is none. */
  output?: { file: string; seconds: number };
  /** What was not looked at or observed, and why; by the name of what is missing. */
  missing: Record<string, string>;
  /** When in the output (PTS) the broadcast's time 0 is shown, or would be. */
  sourceAtZero?: number;
  /** When (seconds since publishing) the output's PTS 0 was there to be watched. */
  ptsZeroAtSeconds?: number;
  fragments: FragmentFacts[];
  /** Empty when the checks were not asked for. */
  checks: Check[];
  marks: Mark[];
  series: MetricSeries[];
  histograms: HistogramFacts[];
  log: LogEntry[];
  /** Both over the same span of the output's timeline. */
  images?: { fromPts: number; toPts: number; output: AudioImages; original?: AudioImages };
  /** Everything in the evidence folder, with its size. */
  files: { name: string; bytes: number }[];
}

/** Where and with what a run was made. */
export interface RunEnvironment {
  /** host, docker … and why. */
  runtime: string;
  node: string;
  system: string;
  processors: number;
  memoryBytes: number;
  suite: string;
  commit: string;
  /** What was set in the environment of what the README lists, without secrets. */
  settings: Record<string, string>;
  /** `--shard i/n`, where it was one. */
  shard?: { index: number; count: number };
}

/** What of a run is not in Cucumber's messages; `part.json`. */
export interface RunPart {
  environment: RunEnvironment;
  /** Evidence folders of the run's streams, relative to the results folder. */
  evidence: string[];
  /** What went wrong besides the scenarios: a service that could not be stopped, a page that could not be made. */
  problems: string[];
  /** How long pages and facts took to make. */
  reportSeconds: number;
}

/** A stream, as the page of the run lists it. */
export interface BroadcastSummary {
  stream: string;
  title: string;
  /** Its page, relative to the page of the run; not there when it could not be made. */
  page?: string;
  figures: BroadcastFigures;
  isWhole: boolean;
  plan: string[];
}

/** Everything that the page of a run shows; of several shards together, too. */
export interface RunFacts {
  startedAtMs?: number;
  /** Of shards, which run at the same time, the longest. */
  seconds?: number;
  scenarios: ScenarioResult[];
  /** Of a shard's own report, which says nothing of the others. */
  shard?: { index: number; count: number };
  /** One for each part: a run has one, several shards as many as there were. */
  environments: RunEnvironment[];
  streams: BroadcastSummary[];
  problems: string[];
  reportSeconds: number;
}
