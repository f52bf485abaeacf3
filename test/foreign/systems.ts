/** The stand-in systems: each conforms to the specs in other clothes, and can be broken (docs/foreign-systems.md). */
import type { Clothes, Fields, Side } from './clothes';
import { flawed } from './clothes';
import * as flaw from './flaws';
import * as media from './media-clothes';
import * as sts from './sts-clothes';

/** What a broken system does wrong, and the words by which a run has to begin. */
export interface Flaw {
  /** The service that has it. */
  side: Side;
  clothes: () => Clothes;
  /** What the first failure on the console says. */
  cause: RegExp;
}

export interface System {
  /** What is different about it, in a line. */
  is: string;
  /** The clothes of its services. */
  clothes: Partial<Record<Side, () => Clothes>>;
  /** The compositions in which its services stand in for those of the reference. */
  compositions: readonly ('echo' | 'sts')[];
  /** The scenarios that cover it, as cucumber-js takes them: it can show them all. */
  tags: string;
  /** Laid over the values of acceptance.yaml. */
  settings?: Fields;
  /** By name. */
  flaws: Record<string, Flaw>;
}

/** One broadcast each, which the scenarios share. */
const MINUTE = '(@018-US1-3 or @018-US1-4 or @018-US1-6) and not @edge-case';
const BREAKER = '(@018-US3-1 or @018-US3-2 or @018-US3-3 or @018-US3-4) and not @edge-case';
/** Of a metric that does not tell streams apart. */
const labels = { stream: 'none' };

export const SYSTEMS: Record<string, System> = {
  'no-headers': {
    is: 'the worker sends no X-Stream-ID, and numbers as IDs of fragments',
    clothes: { 'media-service': media.noHeaders },
    compositions: ['echo'],
    tags: `(${MINUTE} or @018-US3-5 or @018-US6-1) and not @edge-case`,
    flaws: {
      'loses a fragment': {
        side: 'media-service',
        clothes: () => flaw.losesFragment(4),
        // Those after it are numbered without a gap: their time tells which it was.
        cause: /segment 4\b[^\n]*: not sent.*another number of fragments was sent/s,
      },
      'falls back to silence': {
        side: 'media-service',
        clothes: flaw.fallsBackToSilence,
        cause: /segments? 0\b.*(silen|original|neither)/s,
      },
    },
  },
  m4a: {
    is: 'fragments and dubs are AAC in MP4',
    clothes: { 'media-service': media.sendsM4a, sts: sts.echoesFormat },
    compositions: ['echo'],
    tags: `(${MINUTE} or @018-US3-5) and not @edge-case`,
    flaws: {
      'answers late': {
        side: 'sts',
        clothes: () => flaw.answersLate(2000),
        cause: /fragment 0: 2\d{3} ms/,
      },
    },
  },
  'minimal-answers': {
    is: 'the STS answers with the six fields of spec 019 and acknowledges nothing',
    clothes: { sts: sts.minimalAnswers },
    compositions: ['sts'],
    tags: '@019-US3-1 or @019-US3-2 or @019-US3-3 or @019-US3-4 or @021-US3-3',
    flaws: {
      'does not listen': {
        side: 'sts',
        clothes: () => flaw.saysTranscript('[ECHO] Original audio'),
        cause: /\[ECHO\] Original audio/,
      },
      'refuses every stream': {
        side: 'sts',
        clothes: () => flaw.refusesStreams('INVALID_CONFIG', 'voice_profile is required'),
        cause: /INVALID_CONFIG.*voice_profile is required/s,
      },
    },
  },
  'label-free-metrics': {
    is: 'metrics without stream_id, under other names; the A/V delta is a gauge, the processing time absent',
    clothes: { 'media-service': media.labelFreeMetrics },
    compositions: ['echo'],
    tags: MINUTE,
    settings: {
      maxStreams: 1,
      metrics: {
        segmentsProcessed: { name: 'dubber_segments_total', labels },
        audioFragments: { name: 'worker_audio_fragments_total', labels },
        avSyncDelta: { name: media.OFFSET_GAUGE, kind: 'gauge', labels },
        stsProcessingTime: 'absent',
        fallbacks: { name: 'dubber_original_audio_total', labels },
        inflight: { name: 'worker_inflight_fragments', labels },
        breakerState: { name: 'worker_sts_breaker_state', labels },
        backpressureEvents: { name: 'worker_backpressure_events_total', labels },
        reconnections: { name: 'worker_reconnection_total', labels },
      },
    },
    flaws: {
      'A/V delta of 253 ms': {
        side: 'media-service',
        clothes: () => flaw.alwaysSays(media.OFFSET_GAUGE, 253),
        cause: /253/,
      },
    },
  },
  'own-breaker': {
    is: 'the breaker metric is 0 closed, 2 open, 1 half-open, and the log says it in other words',
    clothes: { 'media-service': media.ownBreaker },
    compositions: ['echo'],
    tags: BREAKER,
    settings: {
      metrics: {
        breakerState: { name: media.OWN_BREAKER, values: { closed: 0, open: 2, 'half-open': 1 } },
      },
    },
    flaws: {
      'opens after 4': {
        side: 'media-service',
        clothes: () => flaw.opensAfter(4),
        cause: /nothing was sent after 4 failures in a row/,
      },
      'metric never moves': {
        side: 'media-service',
        clothes: () => flaw.alwaysSays(media.OWN_BREAKER, 0),
        cause: /the metric or the log of the breaker contradicts/,
      },
    },
  },
  'silent-breaker': {
    is: 'neither metric nor log says anything of the breaker',
    clothes: { 'media-service': media.silentBreaker },
    compositions: ['echo'],
    tags: BREAKER,
    settings: { metrics: { breakerState: 'absent' } },
    flaws: {
      'probes twice': {
        side: 'media-service',
        clothes: () => flaw.probesTwice(),
        cause: /another number of probes was sent.*seen: +2:/s,
      },
    },
  },
  'plain-logs': {
    is: 'plain-text logs, any health, UUIDs as IDs of fragments, wall-clock timestamps, nothing optional',
    clothes: { 'media-service': media.plainLogs },
    compositions: ['echo'],
    tags: `@018-US1-1 or @018-US1-2 or @018-US1-5 or (${MINUTE})`,
    flaws: {
      'logs an error': {
        side: 'media-service',
        clothes: flaw.logsAnError,
        cause: /encoder overrun/,
      },
    },
  },
  'per-session-echo': {
    is: 'controls of the Echo STS are for the stream of their own connection',
    clothes: { sts: sts.perSessionControls },
    compositions: ['echo'],
    tags: '@018-US3-1 and @edge-case',
    flaws: {
      'answers with MODEL_ERROR': {
        side: 'sts',
        clothes: () => flaw.failsWith('MODEL_ERROR', 5),
        cause: /another number of fallbacks.*answers failed: MODEL_ERROR/s,
      },
      'forgets its controls': {
        side: 'sts',
        clothes: flaw.forgetsControls,
        cause: /another number of fallbacks.*reason="error"\}: 0/s,
      },
    },
  },
  'origin-check': {
    is: 'the STS accepts connections from its own origin only, as python-socketio does by default',
    clothes: { sts: sts.checksOrigin },
    compositions: ['echo'],
    tags: '@018-US1-3',
    flaws: {
      'refuses every origin': {
        side: 'sts',
        clothes: flaw.refusesOrigins,
        cause: /400.*is not an accepted origin/s,
      },
      'dubs of neighbours': {
        side: 'sts',
        clothes: flaw.dubsOfNeighbours,
        cause: /an answer is no echo.*_0001/s,
      },
    },
  },
};

/**
 * What a service of a system wears.
 *
 * @param flawName empty for the conforming system
 * @throws TypeError when there is no such system or flaw
 */
export function clothesOf(side: Side, systemName: string, flawName: string): Clothes {
  const system = SYSTEMS[systemName];
  const wrong = system?.flaws[flawName];
  if (!system || (flawName !== '' && !wrong)) {
    throw new TypeError(`there is no stand-in system ${systemName} ${flawName}`);
  }
  const clothes = system.clothes[side]?.() ?? {};
  return wrong?.side === side ? flawed(side, wrong.clothes(), clothes) : clothes;
}
