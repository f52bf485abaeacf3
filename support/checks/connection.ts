/** How media-service reaches the STS, and the media server its readers and publishers. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { clientOf, fieldsOf, type TcpEnd, upstreamOf } from '../broadcast/events';
import type { BroadcastRecord, BroadcastTimes, TcpConnection } from '../broadcast/record';
import { outcomeText, whatWasSeen } from '../broadcast/record';
import { allRight, type AtLeast, inputOf, mediaServiceLogOf, ofBroadcast } from './builders';
import { ofSubject, outputOf, riseOf, streamOf, type Within } from './builders';
import { assessed, type Assessment, criterion } from './criterion';
import { withErrors } from './quoted-errors';

/**
 * The first Socket.IO connection of the stream: from the first sign of its worker until it is open. How long the STS then
 * takes to say `stream:ready` does not count, only that it says it. A worker that idles before it connects, or whose first
 * attempts never arrive, has started to connect all the same: so it counts from whatever is seen first, that it reads the
 * broadcast, that its metrics are there, or that it connects.
 */
export const connection = ofBroadcast<Within>('connection', {
  title: 'media-service is connected to the STS in time',
  failure: 'media-service was not connected to the STS in time',
  next: mediaServiceLogOf,
  assess: (broadcast, { withinMs }) => {
    const expected = `at most ${withinMs} ms, and stream:ready`;
    const opened = broadcast.events('open');
    const attempts = [...opened, ...broadcast.events('refused')].sort((a, b) => a.at - b.at);
    const [ready] = broadcast.events('event', 'stream:ready');
    const [first] = attempts;
    const inVain =
      attempts.length === 0
        ? withErrors(`no attempt to connect: ${outcomeText(broadcast.record.outcome)}`, broadcast)
        : withErrors(`${attempts.length} attempts, none answered with stream:ready`, broadcast);
    const [begin] = signsOfWorker(broadcast.record.times, first?.at);
    const [open] = opened;
    if (!first || !begin || !ready || !open) return assessed(false, inVain, expected);
    const tookMs = open.at - begin.at;
    const seen = `${tookMs} ms from ${begin.sign} to the open connection; first attempt after ${first.at - begin.at} ms, stream:ready after ${ready.at - begin.at} ms`;
    return assessed(tookMs >= 0 && tookMs <= withinMs, seen, expected);
  },
});

/** What shows that there is a worker of the stream, the earliest first. */
function signsOfWorker(
  { ingested, metricsSeen }: BroadcastTimes,
  attemptedAt: number | undefined,
): { sign: string; at: number }[] {
  const signs = [
    { sign: 'the first poll in which the broadcast was read', at: ingested },
    { sign: 'the first poll of its metrics', at: metricsSeen },
    { sign: 'its first attempt', at: attemptedAt },
  ];
  return signs
    .flatMap(({ sign, at }) => (at === undefined ? [] : [{ sign, at }]))
    .sort((a, b) => a.at - b.at);
}

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

/** A broadcast, and by which names and ports its services reach each other. */
export interface Reached {
  broadcast: BroadcastFindings;
  /** Undefined where media-service connects to the STS itself. */
  tap: { port: number } | undefined;
  runtime: { testHost: { name: string }; servicesHostForServices: string };
  /** The published ports and the services that publish them. */
  publishedPorts: ReadonlyMap<number, string>;
}

/**
 * The stream's own connection, not one of another stream: with the tap, the TCP connection in media-service's own table whose
 * end is the one that the tap was connected from for this stream, and the end at the STS to which the tap has relayed it;
 * without it, one that was opened after the broadcast was published. By the host name, not by a network that both share. The
 * limit is the name of the STS.
 */
export const throughPublishedPort = ofSubject<Reached, string>('through-published-port', {
  title: "media-service connects through the STS's published port",
  failure: "media-service does not connect through the STS's published port",
  where: ({ broadcast }) => streamOf(broadcast),
  next: ({ broadcast }) => mediaServiceLogOf(broadcast),
  assess: (reached, sts) => (reached.tap ? assessTapped : assessDirect)(reached, sts),
});

type Connections = NonNullable<BroadcastRecord['stsConnections']>;

const endOf = ({ address, port }: TcpEnd): string => `${address}:${port}`;
const farEndOf = ({ remoteAddress: address, remotePort: port }: TcpConnection): string =>
  endOf({ address, port });

function neverConnected(broadcast: BroadcastFindings, expected: string): Assessment {
  const seen = withErrors(`never connected: ${whatWasSeen(broadcast.record)}`, broadcast);
  return assessed(false, seen, expected);
}

function assessTapped(
  { broadcast, tap, runtime, publishedPorts }: Reached,
  sts: string,
): Assessment {
  const host = `${runtime.testHost.name}:${tap?.port ?? ''}`;
  const expected = `each request to ${host}; a connection of its own there, relayed to a port that ${sts} publishes: ${JSON.stringify([...publishedPorts])}`;
  const opened = broadcast.events('open');
  const [first] = opened;
  const { stsConnections: seen } = broadcast.record;
  if (!first || !seen) return neverConnected(broadcast, expected);
  const client = clientOf(first);
  const own = seen.seen
    .flatMap(({ open }) => open)
    .find(({ localPort, remotePort }) => localPort === client?.port && remotePort === tap?.port);
  const asked = opened.map(({ payload }) => String(fieldsOf(payload)['host']));
  const relayed = opened.map(upstreamOf);
  const toSts = relayed.every((end) => end && publishedPorts.get(end.port) === sts);
  const relayedText = `relayed to ${relayed.map((end) => (end ? endOf(end) : 'nothing')).join(', ')}`;
  const ownText = own
    ? `connected from port ${own.localPort} to ${farEndOf(own)}; ${seen.host} is ${seen.hostAddress ?? 'no address'}`
    : `the connection from ${client ? endOf(client) : 'an unknown end'} is none of media-service's: ${connectionsText(seen)}`;
  const askedText = `requests to ${asked.join(', ')}`;
  const isByName = own !== undefined && own.remoteAddress === seen.hostAddress;
  return allRight(
    [
      ...(isByName && seen.host === runtime.testHost.name ? [] : [ownText]),
      ...(asked.every((one) => one === host) ? [] : [askedText]),
      ...(toSts ? [] : [relayedText]),
    ],
    [askedText, ownText, relayedText].join('; '),
    expected,
  );
}

function assessDirect({ broadcast, runtime, publishedPorts }: Reached, sts: string): Assessment {
  const name = runtime.servicesHostForServices;
  const expected = `a connection that is opened after publishing, to the address of ${name}, on a port that ${sts} publishes: ${JSON.stringify([...publishedPorts])}`;
  const { stsConnections: connections } = broadcast.record;
  if (!connections) return neverConnected(broadcast, expected);
  const { host, hostAddress, seen } = connections;
  const before = seen[0]?.open.map(({ localPort }) => localPort) ?? [];
  const own = seen
    .flatMap(({ open }) => open)
    .filter(({ localPort }) => !before.includes(localPort));
  const isThere = own.some(
    ({ remoteAddress, remotePort }) =>
      remoteAddress === hostAddress && publishedPorts.get(remotePort) === sts,
  );
  const seenText = `${host} is ${hostAddress ?? 'no address'}; ${connectionsText(connections)}`;
  return assessed(isThere && host === name, seenText, expected);
}

function connectionsText({ seen }: Connections): string {
  const texts = seen.map(({ open }) => open.map(farEndOf).join(' and ') || 'none');
  return `connections, one after the other: ${texts.join(', ') || 'never looked for'}`;
}

/**
 * Of media-service alone, which dubs nothing else: by its own TCP table, looked at before publishing, while the broadcast is
 * dubbed, and after it.
 */
export const ownConnection = ofBroadcast('own-connection', {
  title: 'media-service opens one connection to the STS for a broadcast, and closes it again',
  failure: 'media-service has other connections to the STS than one for the broadcast',
  next: mediaServiceLogOf,
  assess: (broadcast) => {
    const expected = 'none before publishing, one while it is dubbed, none afterwards';
    const { stsConnections: connections, times } = broadcast.record;
    if (!connections) return neverConnected(broadcast, expected);
    const { seen } = connections;
    const [first, last] = [seen[0], seen.at(-1)];
    const all = new Set(seen.flatMap(({ open }) => open.map(({ localPort }) => localPort)));
    const { published = -Infinity, outputReady = -Infinity } = times;
    const isOwn =
      all.size === 1 &&
      first?.open.length === 0 &&
      first.at <= published &&
      last?.open.length === 0 &&
      last.at > outputReady;
    return assessed(isOwn, connectionsText(connections), expected);
  },
});

/** As the tap heard it; without it only the connection's own ends hear what is said, and media-service counts the answers. */
export const streamAccepted = ofBroadcast('stream-accepted', {
  title: 'The STS accepts the stream',
  failure: 'the STS did not accept the stream, once',
  explainedBy: [{ criterion: connection, limit: { withinMs: Infinity } }],
  assess: (broadcast) => {
    if (broadcast.record.monitor !== 'tap') {
      const rise = riseOf(broadcast, 'audioFragments', { status: 'processed' });
      return assessed(rise > 0, `${rise} fragments counted as processed`, 'more than 0');
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

/** The limit is the name of the protocol. */
export const receivedBy = ofBroadcast<string>('received-by', {
  title: 'The media server receives the broadcast by that protocol',
  failure: 'the broadcast was not seen to be received by that protocol',
  where: inputOf,
  assess: (broadcast, protocol) => assessKinds(broadcast, inputOf(broadcast), 'source', protocol),
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
