/**
 * What the pages, the summary and `npm run compare` are made of: plain data, as it lies in the results folder. Times of a
 * broadcast are seconds since its publisher was started, unless they are said to be of the output's own timeline (PTS).
 */
import { z } from 'zod';

import type { Figure, Verdict } from '../checks/criterion';
import type { ScenarioResult } from './scenario-results';
import type { SoakVerdict } from './soak-record';

/** The names of what reports write. */
export const reportFiles = {
  /** The page of the run, in the results folder. */
  index: 'index.html',
  /** For a CI job's page (Markdown). */
  summary: 'summary.md',
  /** Which streams each scenario has used. */
  streams: 'streams.json',
  /** What of a run is not in Cucumber's messages: a `RunPart`. */
  part: 'part.json',
  /** All runs so far (support/history), and the page of them. */
  history: 'history.ndjson',
  historyPage: 'history.html',
  /** The clip of the page of a run, without the ending of its name. */
  original: 'original',
  /** Of a replay: a folder for each broadcast, as the evidence is that of another run. */
  replayed: 'broadcasts',
  /** For each broadcast: its page, and the `BroadcastFacts` that it is made of. */
  broadcastPage: 'index.html',
  broadcastFacts: 'facts.json',
} as const;

/** The numbers of one broadcast that two runs can be compared by. Not there: not measured, or not observed. */
export interface BroadcastFigures {
  fragmentsSent: number;
  fragmentsAnswered: number;
  /** Of the broadcast's segments, how many viewers hear dubbed. */
  segmentsHeard?: number | undefined;
  /** From publishing to the end of the output. */
  tookSeconds?: number | undefined;
  /** From publishing to the output being listed by the media server. */
  outputReadySeconds?: number | undefined;
  /** How much later than it is published the first frame is shown. */
  endToEndSeconds?: number | undefined;
  /** How much later than its publisher the output ends: where the pipeline falls behind, more than at first. */
  lateAtEndSeconds?: number | undefined;
  answerP50Ms?: number | undefined;
  answerP95Ms?: number | undefined;
  answerMaxMs?: number | undefined;
  /** Audio minus video; of the fragment farthest from 0, with its sign. */
  offsetWorstMs?: number | undefined;
  /** Without sign. */
  offsetP50Ms?: number | undefined;
  offsetP95Ms?: number | undefined;
  driftMs?: number | undefined;
  /** The largest jump of the A/V offset, with its sign; 0 where it does not jump. */
  jumpMs?: number | undefined;
  /** Of all fragments' dubs, the smallest correlation, and the smallest part that is heard (0 to 1). */
  leastCorrelation?: number | undefined;
  leastHeardShare?: number | undefined;
  /** Of all fragments, the greatest correlation with the original beside the dub. */
  mostOriginal?: number | undefined;
  /** Means over all fragments in which somebody speaks. */
  wordErrorRate?: number | undefined;
  chrf?: number | undefined;
  /** Of what is heard in the output against the translation, and the least probability of the target language. */
  spokenErrorRate?: number | undefined;
  leastLanguageProbability?: number | undefined;
  loudnessLufs?: number | undefined;
}

/** A fragment's way through the pipeline; stages that were not observed are not there. */
export interface FragmentFacts {
  /** From 0 in the order sent, over all connections, as faults count. */
  sequence: number;
  /** The segment of the broadcast whose audio it is; deviations of verdicts name it. */
  segment: number;
  /**
   * `heard`: its dub is in the output, and no verdict deviates at it; `wrong`: a verdict does; `unheard`: its dub is not
   * in the output.
   */
  state: 'heard' | 'wrong' | 'unheard' | 'not measured';
  /** Whether its dub is heard in the output, whatever verdicts say of it; not there where that was not measured. */
  isHeard?: boolean | undefined;
  /** Why the STS has given no dub of it in time, in words that are the same for all such fragments; not there where it has. */
  withoutDub?: string | undefined;
  /** What became of it where that is not a dub that is heard, and the deviations of verdicts at it. */
  remarks: string[];
  /** Where it begins in the broadcast, in seconds of the source. */
  sourceSeconds?: number | undefined;
  /** In the order of time: when (seconds since publishing) and what. A stage lasts to the next one. */
  stages: { stage: Stage; fromSeconds: number; toSeconds: number }[];
  /** How its wait for the STS ended: answered, timed out … */
  ended?: string | undefined;
  roundTripMs?: number | undefined;
  script?: string | undefined;
  transcript?: string | undefined;
  translation?: string | undefined;
  /** The same line translated by somebody who knows both languages. */
  reference?: string | undefined;
  wordErrorRate?: number | undefined;
  chrf?: number | undefined;
  /** What somebody hears at its video who speaks the target language; its word error rate against the translation. */
  heard?: string | undefined;
  spokenErrorRate?: number | undefined;
  /** The listener's own probability of the target language. */
  languageProbability?: number | undefined;
  /** Audio minus video, in ms, where its dub is heard at its video. */
  offsetMs?: number | undefined;
  correlation?: number | undefined;
  heardShare?: number | undefined;
  originalCorrelation?: number | undefined;
  /** When its video begins in the output (PTS). */
  shownAtPts?: number | undefined;
  /** Files in the evidence folder. */
  original?: string | undefined;
  dubbed?: string | undefined;
}

/**
 * `waiting`: complete, not sent yet; `queued`: at the STS, not worked on; `asr`, `translation`, `tts`: the STS's own
 * times, laid to the moment of its answer; `returned`: answered, not played yet. Then its video is shown: `played` with its dub,
 * `unheard` without it, `unmeasured` where nobody has measured what is heard.
 */
export type Stage =
  | 'waiting'
  | 'queued'
  | 'asr'
  | 'translation'
  | 'tts'
  | 'returned'
  | 'played'
  | 'unheard'
  | 'unmeasured';

/** A segment that media-service never sent. */
export interface UnsentFacts {
  segment: number;
  why: string;
  /** When it would have been sent, in seconds since publishing. */
  dueSeconds: number;
  script?: string | undefined;
  /** When its video begins in the output (PTS). */
  shownAtPts?: number | undefined;
}

/** How many segments of a broadcast viewers hear dubbed, of all that should be. */
export interface Coverage {
  /** In which there is something to dub: where there is a script, those in which somebody speaks. */
  segments: number;
  /** Their dub is heard in the output, and no verdict deviates at them; not there where that was not measured. */
  heard?: number | undefined;
  /** Their dub is heard in the output, whatever verdicts say of it. Facts of earlier runs do not say it. */
  audible?: number | undefined;
  /** The STS has given a dub of them in time; not there where the exchange was not heard. */
  dubbed?: number | undefined;
  /** Those that are not heard as they should be, by the reason; segments in their order; where in the source the first begins. */
  lost: { why: string; segments: number[]; fromSeconds?: number }[];
}

/** What happened between media-service and the STS. */
export interface ExchangeFacts {
  /** Each time that the circuit breaker was open, in seconds since publishing; without an end where it stayed so. */
  breaker: { fromSeconds: number; toSeconds?: number | undefined; failures: number }[];
  /** When a connection to the STS was lost, not closed: seconds since publishing. */
  lostAtSeconds: number[];
  /** Fallbacks to the original audio by the reason, as the metrics of media-service count them, in its own words. */
  fallbacks: { value: string; delta: number }[];
}

/** A recorded verdict on a broadcast. */
export interface VerdictFacts extends Verdict {
  /** The scenarios that asked for it with this limit; none where it was judged by the default limit. */
  judgedBy: { name: string; place: string }[];
}

/** One metric over time, one label set of it. */
export interface MetricSeries {
  name: string;
  /** Label set without the stream, as text; empty for none. */
  labels: string;
  type: 'counter' | 'gauge';
  points: { atSeconds: number; value: number }[];
}

/** A histogram at the end of the broadcast. */
export interface HistogramFacts {
  name: string;
  labels: string;
  count: number;
  mean: number;
}

export interface LogEntry {
  service: string;
  /** Not there where the line has no time. */
  atSeconds?: number | undefined;
  level: string;
  text: string;
}

/** Something that happened: the output was ready, a fault was injected, a connection was lost. */
export interface TimelineEvent {
  atSeconds: number;
  kind: 'pipeline' | 'fault' | 'connection';
  text: string;
}

/** A span of the output's timeline. */
interface ImageSpan {
  fromPts: number;
  toPts: number;
}

/** What of audio is drawn. */
export interface AudioImages {
  /** The loudest sample of each of some hundred equal stretches, 0 to 1: its waveform. */
  levels: number[];
  /** A PNG, as a data URI. */
  spectrogram: string;
}

/** Everything that the page of one broadcast shows. */
export interface BroadcastFacts {
  stream: string;
  /** The clip, with what tells this broadcast from others of it. */
  name: string;
  title: string;
  /** Into which the real STS translates it, ISO 639-1; not there where the Echo STS answers, or nobody speaks. */
  translatedTo?: string | undefined;
  /** Of what is said, ISO 639-1. */
  language: string;
  /** The clip that was published, as a path of the machine that has made the facts. */
  clip: string;
  startedAt: string;
  /** When its output had ended, or was no longer waited for; ISO 8601. Facts of earlier runs do not say it, nor what follows. */
  endedAt?: string | undefined;
  /** Which part of the time of all processors of the suite's machine was used meanwhile, 0 to 1; not there where unknown. */
  busyShare?: number | undefined;
  /** How often the suite itself was kept waiting meanwhile, and how long at most, as the machine was busy. */
  waits?: { count: number; longestMs: number };
  /** How much was published, and into what it was cut, in seconds. */
  durationSeconds: number;
  segmentSeconds: number;
  /** Of its video. */
  framesPerSecond?: number | undefined;
  /** `speech` is translated; `tones` go through the Echo STS. */
  audio: 'speech' | 'tones' | 'none';
  runtime: string;
  /** `tap` or `direct`. */
  monitor: string;
  /** What ended it, in words; `isComplete` when that is the end of the output. */
  outcome: string;
  isComplete: boolean;
  /** Everything that was made to go wrong on purpose, a line each. */
  faults: string[];
  /** Whether anything was: then what is wrong with the output may be the services' answer to it. */
  isDisturbed: boolean;
  seed: number;
  /** What could not be observed, and why. */
  problems: string[];
  figures: BroadcastFigures;
  /** The recording, in the evidence folder; not there when there is none. */
  output?: { file: string; seconds: number } | undefined;
  /** What was not measured or observed, and why; by the name of what is missing. */
  missing: Record<string, string>;
  /** When in the output (PTS) the broadcast's time 0 is shown, or would be. */
  sourceAtZero?: number | undefined;
  /** When (seconds since publishing) the output's PTS 0 was there to be watched. */
  ptsZeroAtSeconds?: number | undefined;
  fragments: FragmentFacts[];
  /** Segments without a fragment, as far as that is known. */
  unsent: UnsentFacts[];
  coverage: Coverage;
  exchange: ExchangeFacts;
  /** Everything that was judged of it, in the order in which it was judged first. */
  verdicts: VerdictFacts[];
  events: TimelineEvent[];
  series: MetricSeries[];
  histograms: HistogramFacts[];
  log: LogEntry[];
  /** Of the output, and of the original's audio over all its length, each with its span of the output's timeline. */
  images?: (ImageSpan & { output: AudioImages; original?: AudioImages & ImageSpan }) | undefined;
  /** Everything in the evidence folder, with its size. */
  files: { name: string; bytes: number }[];
}

/** Where and with what a run was made. */
const environmentSchema = z.object({
  /** host, docker … and why. */
  runtime: z.string(),
  /** host, docker or external; not there where no services were needed. */
  runsOn: z.string().exactOptional(),
  /** By service: the digest of the image that its container was made of. */
  images: z.record(z.string(), z.string()).exactOptional(),
  ...{ node: z.string(), system: z.string(), processors: z.number(), memoryBytes: z.number() },
  /** How fast the processors were at the start, where 1 is those by which the schedule reckons; not there where it had none. */
  speed: z.number().exactOptional(),
  ...{ suite: z.string(), commit: z.string() },
  /** Every variable that differs from its default, without secrets. */
  settings: z.record(z.string(), z.string()),
  /** `--shard i/n`, where it was one. */
  shard: z.object({ index: z.number(), count: z.number() }).optional(),
});

export type RunEnvironment = z.infer<typeof environmentSchema>;

/** What a configuration can show, worked out before anything was started, and what of the rest fails the run. */
const scopeSchema = z.object({
  /** How many scenarios were asked for. */
  scenarios: z.number(),
  /** Those that cannot be shown, by the reason; `titles` are the IDs of their requirements, or their names. */
  notShown: z.array(z.object({ reason: z.string(), titles: z.array(z.string()) })),
  /** What is not told of any scenario, and why: single steps of those that are shown cannot judge without it. */
  untold: z.array(z.string()),
  /** `notShown` of acceptance.yaml, as far as it holds in the runtime of the run. */
  policy: z.object({
    fails: z.enum(['required', 'all', 'none']),
    excluded: z.array(z.object({ id: z.string(), because: z.string() })),
  }),
});

export type Scope = z.infer<typeof scopeSchema>;

/** What of a run is not in Cucumber's messages; `part.json`. */
export const partSchema = z.object({
  environment: environmentSchema,
  /** Not there where no scenario has begun that the suite's own hooks know of. */
  scope: scopeSchema.optional(),
  /** Evidence folders of the run's broadcasts, relative to the results folder. */
  evidence: z.array(z.string()),
  /** Whether another run has recorded them. */
  isReplay: z.boolean(),
  /** What went wrong besides the scenarios: a service that could not be stopped, a page that could not be made. */
  problems: z.array(z.string()),
  /** How long pages and facts took to make. */
  reportSeconds: z.number(),
});

export type RunPart = z.infer<typeof partSchema>;

/** A broadcast, as the page of the run lists it. */
export interface BroadcastSummary {
  stream: string;
  name: string;
  /** Its page, relative to the page of the run; not there when it could not be made. */
  page?: string | undefined;
  figures: BroadcastFigures;
  coverage: Coverage;
  isComplete: boolean;
  isTranslated: boolean;
  faults: string[];
}

/** The broadcast by which the page of a run says what viewers get: the longest that is translated and not disturbed. */
export interface Showcase {
  summary: BroadcastSummary;
  /** ISO 639-1. */
  from: string;
  to: string;
  /** Relative to the page of the run; not there where browsers do not play it, or it is not there. */
  output?: string | undefined;
  original?: string | undefined;
  /** When in the output (PTS) the original begins. */
  sourceAtZero: number;
  /** In the order of time, for the player. */
  segments: PlayedSegment[];
  /** What was measured beside its limit, each figure once, and whether the verdict passed. */
  figures: (Figure & { isWithin: boolean })[];
  /** Of which there is a chrF, the worst first. */
  lines: Pick<FragmentFacts, 'segment' | 'script' | 'translation' | 'reference' | 'chrf'>[];
}

/** What a player shows while a segment is played; times are of the output (PTS), in seconds. */
export interface PlayedSegment {
  /** As its row of the page is called: `fragment-3`, `segment-3`. */
  row: string;
  name: string;
  fromPts: number;
  toPts: number;
  original: string;
  dub: string;
  state: string;
}

/** What a scenario has judged by a criterion. */
export interface Judged extends Pick<Verdict, 'criterion' | 'title' | 'seen' | 'expected'> {
  place: string;
  isPassed: boolean;
}

/** Everything that the page of a run shows; of several shards together, too. */
export interface RunFacts {
  startedAtMs?: number | undefined;
  /** Of shards, which run at the same time, the longest. */
  seconds?: number | undefined;
  scenarios: ScenarioResult[];
  /** What its scenarios have judged, with their place (file:line). */
  judged: Judged[];
  /** IDs of the requirements that the features it has read have scenarios of. */
  asked: string[];
  /** Those of them of which a scenario has not begun: it was not asked for, or the run ended before. */
  leftOut: string[];
  /** How many scenarios were asked for and have not begun: the run ended before. */
  notRun: number;
  /** Whether broadcasts that were recorded before were judged again. */
  isReplay: boolean;
  /** What was judged by repeated runs: those of the history, or of a record of `npm run soak`. */
  soak?: readonly SoakVerdict[] | undefined;
  /** Whether there is a page of all runs beside its own. */
  hasHistory?: boolean;
  /** Of a shard's own report, which says nothing of the others. */
  shard?: RunEnvironment['shard'];
  /** One for each part: a run has one, several shards as many as there were. */
  environments: RunEnvironment[];
  /** One for each part that knows what it could show. */
  scopes: Scope[];
  broadcasts: BroadcastSummary[];
  /** Not there where no broadcast was translated without being disturbed. */
  showcase?: Showcase | undefined;
  /** What its failures have in common, the one that explains most of them first; not there where nothing failed. */
  causes?: CauseFacts[];
  problems: string[];
  reportSeconds: number;
}

/** One cause, with what it has turned red. Scenarios are told by their place (file:line). */
export interface Cause {
  /** What is wrong, as half a sentence, and where. */
  what: string;
  where: string;
  seen: string;
  expected?: string | undefined;
  next?: string | undefined;
  /** Of the first broadcast in which it was found. */
  stream?: string | undefined;
  /** The segments that deviate, each once. */
  segments: number[];
  /** Scenarios that have found it themselves, and those whose failure follows from it. */
  scenarios: string[];
  followers: string[];
}

/** A cause with what else is known of its moment. */
export interface CauseFacts extends Cause {
  /** What docs/troubleshooting.md says of `what`. */
  meaning?: string | undefined;
  /** Segments and frames of the source, in words; not there where it is none of a segment. */
  place?: string | undefined;
  /** Why its segments are not heard as they should be, a line for each reason. */
  lost: string[];
  /** Whether it is about such segments alone. */
  isAllLost: boolean;
  /** What services have logged then, level warning and worse, as it is. */
  log: Pick<LogEntry, 'service' | 'text'>[];
}
