/**
 * What scenarios may need that not every system or configuration offers: the one place that says so. What is not offered is
 * not shown, with this reason; what is offered and is not there is a failure.
 */
import type { Problem } from '../base/errors';
import { type BroadcastRequest, isEcho } from '../broadcast/request';
import { mappingOf, METRIC_KEYS } from '../broadcast/service-names';
import type { Config, Settings } from '../config';
import { ELSEWHERE } from '../environment/external-runtime';
import type { Runtime } from '../environment/runtime';

/**
 * `faults`: that the suite makes between media-service and the STS. `compositions`: that it starts, stops and reads itself.
 * `streams`: two at a time; `many streams`: nine. `source`: that media-service is told to read from another server.
 */
export type Capability =
  | 'compositions'
  | 'networks'
  | 'faults'
  | 'echo'
  | 'streams'
  | 'many streams'
  | 'segments'
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
  config: Pick<Config, 'monitor'>;
  settings: Settings;
  runtime: Runtime['name'] | undefined;
}

/** What a broadcast needs. */
export function neededBy(request: BroadcastRequest): Capability[] {
  const { faults, composition } = request;
  const isOwn = typeof composition === 'string' && composition !== 'dual';
  return [
    ...(faults.length > 0 ? ['faults' as const] : []),
    ...(isEcho(request) ? ['echo' as const] : []),
    ...(isOwn ? ['compositions' as const] : []),
  ];
}

/** What is not offered, with the reason; from the configuration alone. */
export function notOffered({ config, settings, runtime }: Offering): Map<Capability, Problem> {
  const { services, maxStreams } = settings;
  const isExternal = runtime === 'external';
  const hasTap = config.monitor === 'tap' && (!isExternal || services.sts.tap.port !== 0);
  const hasEcho = isExternal
    ? services.sts.url === services.echoSts.url
    : settings.compositions.echo !== undefined;
  const missing: [Capability, Problem | false][] = [
    ['compositions', isExternal && NO_COMPOSITIONS],
    ['networks', runtime === 'host' && NO_NETWORKS],
    ['faults', !hasTap && NO_TAP],
    ['echo', !hasEcho && NO_ECHO],
    ['streams', maxStreams < 2 && tooFewStreams(maxStreams, 2)],
    ['many streams', maxStreams < 9 && tooFewStreams(maxStreams, 9)],
    ['segments', (isExternal || services.mediaService.segments === undefined) && NO_SEGMENTS],
    ['webrtc', services.mediaServer.webrtc === undefined && NO_WEBRTC],
    ['source', services.mediaService.sourceUrlVariable === undefined && NO_SOURCE],
  ];
  return new Map(missing.flatMap(([what, problem]) => (problem ? [[what, problem]] : [])));
}

/** What single steps would need of any scenario, and why it is not told; what scenarios need as a whole is no part of it. */
export function untold({ settings, runtime }: Offering): string[] {
  const absent = METRIC_KEYS.filter((key) => !mappingOf(settings.metrics, key));
  const metrics = `what only metrics tell: ${absent.join(', ')} (acceptance.yaml, metrics: absent)`;
  return [
    ...(absent.length > 0 ? [metrics] : []),
    ...(runtime === 'external' ? ['what only logs tell (RUNTIME=external)'] : []),
  ];
}

/** Of an entry of acceptance.yaml that says that the system has none. */
function absent(what: string, entry: string, next = 'docs/your-own-services.md'): Problem {
  const where = `acceptance.yaml, ${entry}`;
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

function tooFewStreams(maxStreams: number, least: number): Problem {
  return {
    what: `fewer than ${least} broadcasts are dubbed at a time`,
    ...{ where: 'MAX_STREAMS', seen: String(maxStreams), expected: `${least} or more` },
    next: 'unset MAX_STREAMS where media-service takes as many',
  };
}

const NO_SEGMENTS = absent('no segments can be read', 'services.mediaService.segments');

export const NO_SOURCE = absent(
  'media-service cannot be told to read from another server',
  'services.mediaService.sourceUrlVariable',
);

export const NO_WEBRTC = absent(
  'the media server serves no page for browsers',
  'services.mediaServer.webrtc',
);
