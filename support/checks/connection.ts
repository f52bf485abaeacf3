/** How media-service reaches the STS, and the media server its readers and publishers. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { fieldsOf } from '../broadcast/events';
import { outcomeText, whatWasSeen } from '../broadcast/record';
import { allRight, type AtLeast, inputOf, mediaServiceLogOf, ofBroadcast } from './builders';
import { ofSubject, outputOf, riseOf, seriesOf, streamOf, type Within } from './builders';
import { assessed, type Assessment, criterion } from './criterion';

/** The first Socket.IO connection of the stream: from the first attempt to the STS's `stream:ready`. */
export const connection = ofBroadcast<Within>('connection', {
  title: 'media-service is connected to the STS in time',
  failure: 'media-service was not connected to the STS in time',
  next: mediaServiceLogOf,
  assess: (broadcast, { withinMs }) => {
    const opened = broadcast.events('open');
    const attempts = [...opened, ...broadcast.events('refused')].sort((a, b) => a.at - b.at);
    const [ready] = broadcast.events('event', 'stream:ready');
    const [first] = attempts;
    const tookMs = first && ready && opened.length > 0 ? ready.at - first.at : undefined;
    const last = JSON.stringify(attempts.at(-1)?.payload);
    const inVain =
      attempts.length === 0
        ? `no attempt to connect: ${outcomeText(broadcast.record.outcome)}`
        : `${attempts.length} attempts, none answered with stream:ready; the last: ${last}`;
    return assessed(
      tookMs !== undefined && tookMs <= withinMs,
      tookMs === undefined ? inVain : `${tookMs} ms from the first attempt to stream:ready`,
      `at most ${withinMs} ms`,
    );
  },
});

/** Where media-service is told to find the STS. */
export interface StsAddress {
  /** The variable that says it. */
  variable: string;
  configured: string;
  /** Where the tap relays what arrives at it; undefined without a tap. */
  relayedTo: URL | undefined;
  /** The published ports and the services that publish them. */
  publishedPorts: ReadonlyMap<number, string>;
}

/** The limit is the name of the STS. */
export const publishedPort = ofSubject<StsAddress, string>('published-port', {
  title: "media-service is configured with the STS's published port",
  failure: 'media-service is configured with another address',
  where: ({ variable }) => variable,
  assess: ({ configured, relayedTo, publishedPorts }, sts) => {
    const url = relayedTo ?? (URL.canParse(configured) ? new URL(configured) : undefined);
    return assessed(
      publishedPorts.get(Number(url?.port)) === sts,
      relayedTo ? `${configured}, relayed to ${relayedTo.href}` : configured,
      `a port that ${sts} publishes: ${JSON.stringify([...publishedPorts])}`,
    );
  },
});

/** A broadcast, and the names by which services reach programs on the test host and published ports. */
export interface Reached {
  broadcast: BroadcastFindings;
  /** Undefined where media-service connects to the STS itself. */
  tap: { port: number } | undefined;
  runtime: { testHost: { name: string }; servicesHostForServices: string };
}

/** By the host name, not by a network that both share: of the first TCP connection, and of each Socket.IO request. */
export const throughPublishedPort = ofSubject<Reached>('through-published-port', {
  title: "media-service connects through the STS's published port",
  failure: "media-service does not connect through the STS's published port",
  where: ({ broadcast }) => streamOf(broadcast),
  next: ({ broadcast }) => mediaServiceLogOf(broadcast),
  assess: ({ broadcast, tap, runtime }) => {
    const name = tap ? runtime.testHost.name : runtime.servicesHostForServices;
    const host = tap && `${name}:${tap.port}`;
    const { stsConnection: seen } = broadcast.record;
    const told = seen
      ? `${seen.host} (${seen.hostAddress ?? 'no address'}), connected to ${seen.remoteAddress}:${seen.remotePort}`
      : `never connected: ${whatWasSeen(broadcast.record)}`;
    const isByName = seen?.host === name && seen.remoteAddress === seen.hostAddress;
    // What it asked for is in the request that arrived.
    const opened = tap ? broadcast.events('open') : [];
    const asked = opened.map(({ payload }) => String(fieldsOf(payload)['host']));
    const isAsked = !host || (asked.length > 0 && asked.every((one) => one === host));
    const askedText = `Socket.IO requests to: ${asked.join(', ') || 'none'}`;
    return allRight(
      [...(isByName ? [] : [told]), ...(isAsked ? [] : [askedText])],
      host ? `${told}; ${askedText}` : told,
      `${host ?? name}, connected to the address of that name`,
    );
  },
});

/** As the tap heard it; without it only the connection's own ends hear what is said, and media-service counts the answers. */
export const streamAccepted = ofBroadcast('stream-accepted', {
  title: 'The STS accepts the stream',
  failure: 'the STS did not accept the stream, once',
  assess: (broadcast) => {
    if (broadcast.record.monitor !== 'tap') {
      const [name, labels] = [broadcast.names.metrics.audioFragments, { status: 'processed' }];
      const rise = riseOf(broadcast, name, labels);
      return assessed(rise > 0, `${seriesOf(name, labels)}: ${rise}`, 'more than 0');
    }
    const [ready, opened] = [broadcast.events('event', 'stream:ready'), broadcast.events('open')];
    return assessed(
      ready.length === 1 && ready[0]?.connection === opened[0]?.connection,
      `${ready.length} stream:ready, ${opened.length} connections`,
      'one stream:ready on one connection',
    );
  },
});

export const connectionAttempts = ofBroadcast<AtLeast>('connection-attempts', {
  title: 'media-service attempts to connect again and again',
  failure: 'media-service did not keep attempting to connect',
  assess: (broadcast, { least }) => {
    const { length: refused } = broadcast.events('refused');
    return assessed(refused >= least, `${refused} refused attempts`, `at least ${least}`);
  },
});

export const growingBackoff = ofBroadcast<{ leastWaits: number }>('growing-backoff', {
  title: 'media-service waits longer before each further attempt',
  failure: 'media-service did not wait longer each time',
  // Two are the least that can grow.
  defaultLimit: { leastWaits: 2 },
  assess: (broadcast, { leastWaits }) => {
    const times = broadcast.events('refused').map(({ at }) => at);
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? at));
    const isGrowing = waits.every((wait, index) => wait > (waits[index - 1] ?? 0));
    return assessed(
      waits.length >= leastWaits && isGrowing,
      `between the attempts ${waits.map((ms) => `${ms} ms`).join(', ') || 'no wait'}`,
      `at least ${leastWaits} waits, each longer than the one before`,
    );
  },
});

/** By the kinds of connections that the media server listed for a path, as its API calls them: rtspSession … */
function assessKinds(
  { evidence }: BroadcastFindings,
  path: string,
  side: 'readers' | 'source',
  protocol: string,
): Assessment {
  const polls = evidence.mediamtx.flatMap(({ paths }) => paths).filter((one) => one.name === path);
  const kinds = new Set(polls.flatMap((poll) => poll[side] ?? []));
  return assessed(
    [...kinds].some((kind) => kind.startsWith(protocol.toLowerCase())),
    `${[...kinds].join(', ') || 'no connection'} in ${polls.length} polls`,
    `a connection by ${protocol}`,
  );
}

/** The limit is the name of the protocol. */
export const readBy = ofBroadcast<string>('read-by', {
  title: 'The broadcast is read by that protocol',
  failure: 'the broadcast was not seen to be read by that protocol',
  where: inputOf,
  assess: (broadcast, protocol) => assessKinds(broadcast, inputOf(broadcast), 'readers', protocol),
});

/** The limit is the name of the protocol. */
export const publishedBy = ofBroadcast<string>('published-by', {
  title: 'The output is published by that protocol',
  failure: 'the output was not seen to be published by that protocol',
  where: outputOf,
  assess: (broadcast, protocol) => assessKinds(broadcast, outputOf(broadcast), 'source', protocol),
});

/** A broadcast that has ended, and the paths that the media server then lists. */
export interface Served {
  stream: string;
  api: { paths: () => Promise<readonly { name: string }[]> };
  address: string;
}

export const pathsGone = criterion({
  id: 'paths-gone',
  title: 'The media server no longer lists the broadcast or its output',
  failure: 'paths of a broadcast that has ended are left',
  where: ({ address }: Served) => address,
  measure: async ({ stream, api }) =>
    (await api.paths()).map(({ name }) => name).filter((name) => name.includes(stream)),
  assess: (left) => assessed(left.length === 0, left.join(', ') || 'none', 'none'),
});
