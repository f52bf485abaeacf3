/** Compositions and their services: started, asked, reached and stopped. */
import { parsePrometheus } from '../base/prometheus';
import type { StartRecord } from '../environment/dual-compose-manager';
import type { Composition } from '../environment/runtime';
import type { HttpOutcome, HttpOutcomes } from '../observe/http-outcome';
import type { RtmpHandshake } from '../observe/rtmp-handshake';
import { ofSubject, type Within } from './builders';
import { assessed } from './criterion';

type Starts = readonly StartRecord[];

// -- starting

/** By its compose files. */
export const compositionHas = ofSubject<Composition, { services: readonly string[] }>(
  'composition-has',
  {
    title: 'A composition has the services that it has to have',
    failure: 'the composition has other services',
    where: ({ compose }) => compose.files.join(', '),
    assess: ({ compose }, { services }) => {
      const found = compose.services.map(({ name }) => name);
      const isThere = services.every((service) => found.includes(service));
      return assessed(isThere, found.join(', '), services.join(', '));
    },
  },
);

/** 12:34:56.789 */
function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** When processes and containers were started is what the kernel or the engine says, not the suite. */
export const stsStartsFirst = ofSubject<Starts>('sts-starts-first', {
  title: 'The STS composition is healthy before the media composition starts',
  failure: 'the compositions were started in another order',
  where: () => 'startAll',
  assess: (starts) => {
    const [sts, media] = ['sts', 'media'].map((name) =>
      starts.find(({ composition }) => composition === name),
    );
    const [stsStarts = [], mediaStarts = []] = [sts, media].map((start) =>
      start?.services.map(({ startedAt }) => startedAt),
    );
    const stsReadyAt = Math.max(sts?.healthyAt ?? Infinity, ...stsStarts);
    const isInOrder =
      stsStarts.length > 0 &&
      mediaStarts.length > 1 &&
      mediaStarts.every((startedAt) => startedAt >= stsReadyAt);
    const table = starts.map(({ composition, services, healthyAt }) => {
      const each = services.map((one) => `${one.service} started ${clock(one.startedAt)}`);
      return `${composition}: ${each.join(', ')}, healthy ${clock(healthyAt)}`;
    });
    return assessed(
      isInOrder,
      table.join('\n') || 'nothing was started',
      'the STS started and healthy, then each service of the media composition started',
    );
  },
});

/** From the start of the first service of a composition to the health of its last; of both compositions. */
export const compositionsHealthy = ofSubject<Starts, Within>('compositions-healthy', {
  title: 'Each composition is healthy in time',
  failure: 'a composition was not healthy in time',
  where: () => 'startAll',
  assess: (starts, { withinMs }) => {
    const times = starts.map(({ startedAt, healthyAt }) => healthyAt - startedAt);
    return assessed(
      times.length === 2 && times.every((tookMs) => tookMs >= 0 && tookMs <= withinMs),
      starts.map(({ composition }, i) => `${composition} after ${times[i]} ms`).join(', '),
      `both within ${withinMs} ms`,
    );
  },
});

/** Two compositions that were started. */
export interface Started {
  starts: Starts;
  media: Composition;
  sts: Composition;
}

/** A service was healthy when its composition was, or before. */
export const servicesHealthy = ofSubject<Started, Within>('services-healthy', {
  title: 'Every service is healthy in time after its start',
  failure: 'a service was not healthy in time',
  where: ({ media, sts }) => [sts.project, media.project].join(', '),
  assess: ({ starts, media, sts }, { withinMs }) => {
    const times = starts.flatMap(({ services, healthyAt }) =>
      services.map(({ service, startedAt }) => ({ service, tookMs: healthyAt - startedAt })),
    );
    const all = [...media.compose.services, ...sts.compose.services].map(({ name }) => name);
    const isSeen = all.every((name) => times.some(({ service }) => service === name));
    const shown = times.map(({ service, tookMs }) => `${service}: ${tookMs} ms`);
    return assessed(
      isSeen && times.every(({ tookMs }) => tookMs >= 0 && tookMs <= withinMs),
      shown.join(', ') || 'nothing was started',
      `${all.join(', ')}: each within ${withinMs} ms`,
    );
  },
});

/** All services of both compositions that run. */
export interface RunningServices {
  projects: readonly string[];
  running: readonly string[];
}

/** No other STS beside them, and none of them missing. */
export const runTogether = ofSubject<RunningServices, { services: readonly string[] }>(
  'run-together',
  {
    title: 'The media composition and the Echo STS run, and nothing else',
    failure: 'other services are running than the media composition and the Echo STS',
    where: ({ projects }) => projects.join(', '),
    assess: ({ running }, { services }) =>
      assessed(
        [...running].sort().join() === [...services].sort().join(),
        running.join(', ') || 'none',
        `${services.join(', ')}, and no other`,
      ),
  },
);

// -- asking

/** A service, and what it has answered. */
export interface Answer {
  service: string;
  answer: HttpOutcome | undefined;
}

const addressOf = ({ service, answer }: Answer): string => answer?.url ?? service;

/** What of an answer's body is enough in a message. */
const SHOWN_CHARACTERS = 300;

function shownAnswer(answer: HttpOutcome | undefined): string {
  const { status, body } = answer ?? {};
  return `${status ?? 'no answer'}: ${body?.slice(0, SHOWN_CHARACTERS) || 'nothing'}`;
}

export const answersWithStatus = ofSubject<Answer, { status: number }>('answers-with-status', {
  title: 'A service answers with that status',
  failure: 'the service is not healthy',
  where: addressOf,
  assess: ({ answer }, { status }) =>
    assessed(answer?.status === status, shownAnswer(answer), `status ${status}`),
});

export const answersWithMetrics = ofSubject<Answer>('answers-with-metrics', {
  title: 'media-service answers with metrics',
  failure: 'media-service does not show metrics',
  where: addressOf,
  assess: ({ answer }) => {
    const text = answer?.status === 200 ? answer.body : '';
    const { length } = parsePrometheus(text, answer?.url).samples;
    const seen = length > 0 ? `${length} samples` : shownAnswer(answer);
    return assessed(length > 0, seen, 'status 200 and at least one Prometheus sample');
  },
});

/** The media server, media-service and the STS. */
const SERVICES = 3;

export const everyServiceAnswers = ofSubject<HttpOutcomes, Within & { status: number }>(
  'every-service-answers',
  {
    title: 'Every service answers with that status, in time',
    failure: 'a service is not healthy, or slow to say so',
    where: (answers) => [...answers.values()].map(({ url }) => url).join(', '),
    assess: (answers, { status, withinMs }) => {
      const all = [...answers.values()];
      const shown = [...answers].map(
        ([name, one]) => `${name}: ${one.status ?? 'no answer'} after ${one.tookMs.toFixed(0)} ms`,
      );
      return assessed(
        all.length === SERVICES &&
          all.every((one) => one.status === status && one.tookMs <= withinMs),
        shown.join('; '),
        `three services, status ${status} within ${withinMs} ms`,
      );
    },
  },
);

// -- what ports are for

/** By the first half of the handshake: the server's version, and what was sent at random, sent back. */
export const rtmpHandshakes = ofSubject<RtmpHandshake>('rtmp-handshake', {
  title: 'The media server completes the RTMP handshake',
  failure: 'the port for RTMP does not speak RTMP',
  where: ({ url }) => url,
  assess: ({ version, bytes, isEcho, problem }) =>
    assessed(
      version === 3 && isEcho && problem === '',
      `version ${version ?? 'unknown'}, ${bytes} bytes, ${isEcho ? 'with' : 'without'} what was sent${problem ? `: ${problem}` : ''}`,
      'version 3 and 3073 bytes, with what was sent',
    ),
});

/** A page of MediaMTX's by which a browser plays a stream: it opens a WebRTC connection by WHEP. */
export const webRtcPage = ofSubject<HttpOutcome>('webrtc-page', {
  title: 'The media server serves the page by which viewers watch in a browser',
  failure: 'the port for WebRTC does not serve its page',
  where: ({ url }) => url,
  assess: (answer) => {
    const { status, body } = answer;
    const isPage =
      /<html/i.test(body) && /<video/i.test(body) && /whep|RTCPeerConnection/i.test(body);
    const seen = isPage ? `${status}: a page of ${body.length} characters` : shownAnswer(answer);
    return assessed(status === 200 && isPage, seen, 'status 200, and a page that plays by WebRTC');
  },
});

// -- reaching

export const handshakeInTime = ofSubject<{ tookMs: number }, Within>('handshake-in-time', {
  title: 'The Socket.IO handshake completes in time',
  failure: 'the Socket.IO handshake took too long',
  where: () => 'STS',
  assess: ({ tookMs }, { withinMs }) =>
    assessed(tookMs <= withinMs, `${tookMs.toFixed(0)} ms`, `at most ${withinMs} ms`),
});

/** Addresses (http://…, rtsp://…, with a port), and whether something accepts connections there. */
export type Addresses = readonly { address: string; isOpen: boolean }[];

export const portsOpen = ofSubject<Addresses, { open: boolean }>('ports-open', {
  title: 'Ports are open, or closed, as they have to be',
  failure: 'a port is open that should be closed, or closed that should be open',
  where: (addresses) => addresses.map(({ address }) => address).join(', '),
  assess: (addresses, { open }) => {
    const word = (isOpen: boolean): string => (isOpen ? 'open' : 'closed');
    return assessed(
      addresses.length > 0 && addresses.every(({ isOpen }) => isOpen === open),
      addresses.map(({ address, isOpen }) => `${address}: ${word(isOpen)}`).join(', '),
      `all ${word(open)}`,
    );
  },
});

/** The ports that services publish, and the ports that variables set. */
export interface PublishedPorts {
  project: string;
  published: readonly number[];
  variables: Readonly<Record<string, number>>;
}

export const portsAreVariables = ofSubject<PublishedPorts>('ports-are-variables', {
  title: 'Every published port can be set by a variable',
  failure: 'a published port is not one of the variables',
  where: ({ project }) => project,
  assess: ({ published, variables }) => {
    const set = new Set(Object.values(variables));
    return assessed(
      published.length > 0 && published.every((port) => set.has(port)),
      published.join(', ') || 'none',
      JSON.stringify(variables),
    );
  },
});

/** The ends of the TCP connections of a service. */
export interface Peers {
  service: string;
  /** When the STS was found among them, or the last that was seen of them. */
  isReached: boolean;
  seen: string;
  /** On which the STS is published. */
  port: number;
}

export const reachesSts = ofSubject<Peers>('reaches-sts', {
  title: 'media-service reaches the STS of its own set',
  failure: 'media-service does not reach the STS',
  where: ({ service }) => `${service}, its TCP connections`,
  assess: ({ isReached, seen, port }) =>
    assessed(isReached, seen, `one to port ${port}, on which the STS of its set is published`),
});

/** Two compositions, and the networks that each service is attached to: their names and IDs. */
export interface SharedNetworks {
  /** What both compose files call the network. */
  network: string;
  compositions: readonly {
    project: string;
    services: readonly { service: string; networks: readonly { name: string; id: string }[] }[];
  }[];
}

/** Compose puts the project's name before the network's, so that there are two. */
export const networksOfSameName = ofSubject<SharedNetworks>('networks-of-same-name', {
  title: 'Each composition has a network of its own of that name',
  failure: 'the compositions have not each a network of that name',
  where: ({ compositions }) => compositions.map(({ project }) => project).join(', '),
  assess: ({ network, compositions }) => {
    const found = compositions.map(({ project, services }) => {
      const ids = services.map(
        ({ networks }) => networks.find(({ name }) => name === `${project}_${network}`)?.id,
      );
      return { project, services, ids: new Set(ids) };
    });
    const all = new Set(found.flatMap(({ ids }) => [...ids]));
    const isRight = found.every(({ ids, services }) => services.length > 0 && ids.size === 1);
    const shown = found.flatMap(({ services }) =>
      services.map(
        ({ service, networks }) =>
          `${service}: ${networks.map(({ name, id }) => `${name} (${id.slice(0, 12)})`).join(', ') || 'none'}`,
      ),
    );
    return assessed(
      isRight && !all.has(undefined) && all.size === compositions.length,
      shown.join('; ') || 'no service',
      found.map(({ project }) => `all services of ${project} on ${project}_${network}`).join(', '),
    );
  },
});

// -- stopping

/** What exists of two compositions, running or not: services, networks, volumes. */
export interface Leftovers {
  projects: readonly string[];
  /** Of each project. */
  found: readonly (readonly string[])[];
}

const projectsOf = ({ projects }: { projects: readonly string[] }): string => projects.join(', ');

/** What is gone afterwards must have been there: of each composition anything, a service or a volume. */
export const servicesLeaveTraces = ofSubject<Leftovers>('services-leave-traces', {
  title: 'Of services that run one can see that they are there',
  failure: 'the services have no trace by which one could see that they are gone',
  where: projectsOf,
  assess: ({ found }) => {
    const isThere = found.length > 0 && found.every((traces) => traces.length > 0);
    return assessed(isThere, found.flat().join(', ') || 'nothing', 'something of each');
  },
});

export const nothingLeft = ofSubject<Leftovers>('nothing-left', {
  title: 'No process, container, network or volume is left',
  failure: 'something is left',
  where: projectsOf,
  assess: ({ found }) => {
    const left = found.flat();
    return assessed(left.length === 0, left.join(', ') || 'nothing', 'nothing');
  },
});

/** Ports that somebody listens on, as `DualComposeManager.takenPorts` says them, of the ports of these projects. */
export interface TakenPorts {
  projects: readonly string[];
  taken: readonly string[];
}

export const portsFree = ofSubject<TakenPorts>('ports-free', {
  title: 'The ports are free again',
  failure: 'a port is still taken',
  where: projectsOf,
  assess: ({ taken }) =>
    assessed(taken.length === 0, taken.join('; ') || 'all ports free', 'all ports free'),
});
