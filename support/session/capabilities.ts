/**
 * What scenarios may need that not every system or configuration offers: the one place that says so. What is not offered is
 * not shown, with this reason; what is offered and is not there is a failure.
 */
import type { Problem } from '../base/errors';
import { shownPath } from '../base/yaml-file';
import { type BroadcastRequest, isEcho } from '../broadcast/request';
import { mappingOf, METRIC_KEYS } from '../broadcast/service-names';
import type { Config, Settings } from '../config';
import { ELSEWHERE } from '../environment/external-runtime';
import type { Runtime } from '../environment/runtime';

/**
 * `faults`: that the suite makes between media-service and the STS. `compositions`: that it starts, stops and reads itself.
 * `streams`: two at a time; `many streams`: nine. `source`: that media-service is told to read from another server. `speech`:
 * that the STS translates what is said.
 */
export type Capability =
  | 'compositions'
  | 'networks'
  | 'faults'
  | 'echo'
  | 'streams'
  | 'many streams'
  | 'segments'
  | 'logs'
  | 'speech'
  | 'webrtc'
  | 'source';

/** What a scenario needs. */
export interface Needs {
  /** Without one of these, nothing of it can be done. */
  whole: ReadonlySet<Capability>;
  /** Without one of these, a step of it cannot judge. */
  part: ReadonlySet<Capability>;
}

/** What a run goes by; the runtime is not known where nothing has asked for it. */
export interface Offering {
  config: Pick<Config, 'monitor' | 'settingsFile'>;
  settings: Settings;
  runtime: Runtime['name'] | undefined;
}

/** What a broadcast needs. */
export function neededBy(request: BroadcastRequest): Capability[] {
  const { faults, composition } = request;
  return [
    ...(faults.length > 0 ? ['faults' as const] : []),
    isEcho(request) ? 'echo' : 'speech',
    ...(isStarted(composition) ? ['compositions' as const] : []),
  ];
}

/** Of every spec. */
export const USUAL_SEGMENT_SECONDS = 6;

/** Whether services are started for it: those that somebody else has started have the usual segments. */
function isStarted(composition: BroadcastRequest['composition']): boolean {
  if (typeof composition === 'string') return composition !== 'dual';
  const { echoSegmentSeconds, oneAtATime = false } = composition;
  return oneAtATime || echoSegmentSeconds !== USUAL_SEGMENT_SECONDS;
}

/** Whether services that run elsewhere have an Echo STS in place of one that translates: ECHO_STS_URL is its address. */
export function isEchoSts({ services }: Settings, runtime: Config['runtime'] | undefined): boolean {
  return runtime === 'external' && services.sts.url === services.echoSts.url;
}

/** What is not offered, with the reason; from the configuration alone. */
export function notOffered({ config, settings, runtime }: Offering): Map<Capability, Problem> {
  const { services, maxStreams } = settings;
  const isExternal = runtime === 'external';
  const isEchoed = isEchoSts(settings, runtime);
  const hasEcho = isExternal ? isEchoed : settings.compositions.echo !== undefined;
  const missing: [Capability, Problem | false][] = [
    ['compositions', isExternal && NO_COMPOSITIONS],
    ['networks', runtime === 'host' && NO_NETWORKS],
    ['faults', !hasTap({ config, settings, runtime }) && NO_TAP],
    ['echo', !hasEcho && (isExternal ? NO_ECHO_ELSEWHERE : NO_ECHO)],
    ['speech', isEchoed && STS_IS_ECHO],
    ['streams', maxStreams < 2 && tooFewStreams(maxStreams, 2)],
    ['many streams', maxStreams < 9 && tooFewStreams(maxStreams, 9)],
    ['segments', isExternal ? NO_SEGMENTS_ELSEWHERE : noSegments(settings)],
    ['logs', isExternal && NO_LOGS],
    ['webrtc', services.mediaServer.webrtc === undefined && NO_WEBRTC],
    ['source', services.mediaService.sourceUrlVariable === undefined && NO_SOURCE],
  ];
  const file = shownPath(config.settingsFile);
  const named = (problem: Problem): Problem => ({
    ...problem,
    where: problem.where.replace(SHIPPED_FILE, file),
  });
  return new Map(missing.flatMap(([what, problem]) => (problem ? [[what, named(problem)]] : [])));
}

function hasTap({ config, settings, runtime }: Offering): boolean {
  return config.monitor === 'tap' && (runtime !== 'external' || settings.services.sts.tap.port > 0);
}

/** What single steps would need of any scenario, and why it is not told; what scenarios need as a whole is no part of it. */
export function untold(offering: Offering): string[] {
  const { config, settings, runtime } = offering;
  const absent = METRIC_KEYS.filter((key) => !mappingOf(settings.metrics, key));
  const file = shownPath(config.settingsFile);
  const isRead = runtime === 'external' || settings.services.mediaServer.recordings === undefined;
  const said = 'what media-service and the STS say to each other';
  return [
    ...(absent.length > 0
      ? [`what only metrics tell: ${absent.join(', ')} (${file}, metrics: absent)`]
      : []),
    ...(hasTap(offering) ? [] : [`${said}, where the STS tells it to nobody else (no tap)`]),
    ...(isRead ? ['what a reader that records the output may have missed'] : []),
  ];
}

/** As it is named where nobody knows which file is used. */
const SHIPPED_FILE = 'acceptance.yaml';

/** Of an entry of acceptance.yaml that says that the system has none. */
function absent(what: string, entry: string, next = 'docs/your-own-services.md'): Problem {
  const where = `${SHIPPED_FILE}, ${entry}`;
  return { what, where, seen: 'absent', expected: 'where it is', next };
}

const NO_COMPOSITIONS: Problem = { ...ELSEWHERE, expected: 'services that the suite starts' };

export const NO_NETWORKS: Problem = {
  ...{ what: 'there are no networks', where: 'services as processes of this host' },
  seen: 'services that have the network of this host',
  expected: 'containers, on networks that Docker Compose has made',
  next: 'RUNTIME=docker, where a Docker engine answers',
};

export const NO_TAP: Problem = {
  ...{ what: 'faults are made by the tap, and there is none', where: 'STS_MONITOR, TAP_PORT' },
  ...{ seen: 'nothing between media-service and the STS', expected: 'the tap' },
  next: 'unset STS_MONITOR; with RUNTIME=external, set TAP_PORT (docs/your-own-services.md)',
};

export const NO_ECHO = absent(
  'there is no Echo STS',
  'compositions.echo, services.echoSts',
  'name an STS that answers with the audio that it was sent',
);

/** An Echo STS is started with the echo composition only; one that runs already is the STS. */
const NO_ECHO_ELSEWHERE: Problem = {
  ...{ what: 'there is no Echo STS', where: 'ECHO_STS_URL', seen: 'not the address of the STS' },
  expected: 'the address of the STS, where that answers with the audio that it was sent',
  next: 'run these services with an Echo STS for spec 018 (docs/your-own-services.md)',
};

const STS_IS_ECHO: Problem = {
  ...{ what: 'the STS is an Echo STS', where: 'ECHO_STS_URL', seen: 'the address of the STS' },
  expected: 'an STS that translates what is said',
  next: 'with an Echo STS: npm run acceptance -- --tags @018',
};

function tooFewStreams(maxStreams: number, least: number): Problem {
  return {
    what: `fewer than ${least} broadcasts are dubbed at a time`,
    where: `${SHIPPED_FILE}, maxStreams (MAX_STREAMS)`,
    ...{ seen: String(maxStreams), expected: `${least} or more` },
    next: `say ${least} or more there, where media-service takes as many`,
  };
}

/** Why the logs and files of services that somebody else has started cannot be read. */
export const EXTERNAL = 'RUNTIME=external';

const NO_LOGS: Problem = {
  ...{ ...ELSEWHERE, where: EXTERNAL, what: 'no logs can be read' },
  expected: 'the logs of the services',
};

const NO_SEGMENTS_ELSEWHERE: Problem = {
  ...{ ...ELSEWHERE, where: EXTERNAL, what: 'no segments can be read' },
  expected: 'the segments that media-service has written',
};

function noSegments({ services }: Settings): Problem | false {
  const entry = 'services.mediaService.segments';
  return services.mediaService.segments === undefined && absent('no segments can be read', entry);
}

export const NO_SOURCE = absent(
  'media-service cannot be told to read from another server',
  'services.mediaService.sourceUrlVariable',
);

export const NO_WEBRTC = absent(
  'the media server serves no page for browsers',
  'services.mediaServer.webrtc',
);
