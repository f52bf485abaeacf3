/** What scenarios ask of services from the test host, besides broadcasts. */
import { readdirSync, statSync } from 'node:fs';

import { packetSpan, probeStreams } from '../analyze/media';
import type { Fixture } from '../broadcast/fixture';
import { clipOf } from '../checks/fixture-door';
import type { InspectedFile } from '../checks/fixture-file';
import { observed } from '../checks/builders';
import type { Addresses, Peers, PublishedPorts, RunningServices } from '../checks/services';
import type { SharedNetworks } from '../checks/services';
import type { Answer, Leftovers, TakenPorts } from '../checks/services';
import type { CollectedLogs } from '../checks/logs';
import type { Publishing } from '../checks/publishing';
import { CannotBeShown, messageOf } from '../base/errors';
import { pathOf } from '../broadcast/stream-paths';
import { eventually } from '../base/eventually';
import type { Settings } from '../config';
import type { DualComposeManager } from '../environment/dual-compose-manager';
import { acceptsConnections } from '../environment/ports';
import { get, getAll, type HttpOutcome } from '../observe/http-outcome';
import { handshake } from '../observe/handshake';
import { rtmpHandshake, type RtmpHandshake } from '../observe/rtmp-handshake';
import type { Publication } from '../observe/publication';
import { NO_WEBRTC } from './capabilities';

/** How long media-service may take to connect once there is something to dub. */
const CONNECTS_MS = 10_000;

/**
 * The tracks of a fixture's file, how long its video lasts by its packets, and its size.
 *
 * @throws PrerequisiteMissing ('fixture') when it cannot be read, or has no video
 */
export async function inspect(fixture: Fixture): Promise<InspectedFile> {
  const { path } = fixture;
  await clipOf(fixture);
  const [streams, span] = await Promise.all([probeStreams(path), packetSpan(path)]);
  const { durationSeconds: seconds } = observed(path, 'a video track', span.video);
  return { fixture, streams, seconds, bytes: statSync(path).size };
}

/** The health of every service, by what features call them: two compositions may call theirs alike. */
export function healthOfAll({ services }: Settings): Promise<Map<string, HttpOutcome>> {
  const { mediaServer, mediaService, sts } = services;
  return getAll({
    'media server': mediaServer.health,
    ...{ 'media-service': mediaService.health, STS: sts.health },
  });
}

/** The health of media-service and the STS, by what features call them. */
export function healthOfBoth({ services }: Settings): Promise<Map<string, HttpOutcome>> {
  return getAll({ 'media-service': services.mediaService.health, STS: services.sts.health });
}

/** The metrics of media-service and the health of the STS. */
export function metricsAndHealth({ services }: Settings): Promise<Map<string, HttpOutcome>> {
  return getAll({ 'media-service': services.mediaService.metrics, STS: services.sts.health });
}

/** The health of one service. @param service "media-service" or "STS" */
export async function healthOf(
  { services }: Settings,
  service: 'media-service' | 'STS',
): Promise<Map<string, HttpOutcome>> {
  const { mediaService, sts } = services;
  return new Map([[service, await get((service === 'STS' ? sts : mediaService).health)]]);
}

/** What a service has answered. @param service what features call it */
export function answerOf(answers: ReadonlyMap<string, HttpOutcome>, service: string): Answer {
  return { service, answer: answers.get(service) };
}

/**
 * How long the Socket.IO handshake with the STS takes, in ms. On ports of its own it is asked where its health is: its
 * address may be set for the configured services.
 *
 * @throws NotObserved as `handshake`
 */
export function handshakeWithSts({ services }: Settings, isOnOwnPorts = false): Promise<number> {
  const { url, health } = services.sts;
  return handshake(isOnOwnPorts ? `http://${new URL(health).host}` : url);
}

/** Whether something accepts connections at addresses: http://…, rtsp://…, with a port. */
export function knock(addresses: readonly string[]): Promise<Addresses> {
  return Promise.all(
    addresses.map(async (address) => {
      const { hostname, port } = new URL(address);
      return { address, isOpen: await acceptsConnections(hostname, Number(port)) };
    }),
  );
}

/** The ports that compositions publish, and those that variables set. */
export function publishedPortsOf(manager: DualComposeManager, { ports }: Settings): PublishedPorts {
  const published = [...manager.publishedPorts().keys()];
  return { project: manager.media.project, published, variables: ports };
}

/** As `knock`, at all ports that compositions publish. */
export function knockAtPublished(
  manager: DualComposeManager,
  { services }: Settings,
): Promise<Addresses> {
  const { hostname } = new URL(services.sts.health);
  return knock([...manager.publishedPorts().keys()].map((port) => `http://${hostname}:${port}`));
}

/** What the media server serves at the ports by which it is reached from outside. */
export interface ServedPorts {
  rtmp: RtmpHandshake;
  /** Undefined where the media server has none. */
  webrtc: HttpOutcome | undefined;
}

export async function servedPorts({ services }: Settings): Promise<ServedPorts> {
  const { rtmp, webrtc, paths } = services.mediaServer;
  // The page of a stream, also of one that nobody publishes yet.
  const page =
    webrtc === undefined ? undefined : get(`${webrtc}/${pathOf(paths.output, 'test_page')}/`);
  return { rtmp: await rtmpHandshake(rtmp), webrtc: await page };
}

/** @throws CannotBeShown where the media server has none */
export function webRtcPageOf({ webrtc }: ServedPorts): HttpOutcome {
  if (webrtc) return webrtc;
  throw new CannotBeShown(NO_WEBRTC);
}

/** Which networks the services of both compositions are attached to. */
export async function networksOf(
  { runtime, media, sts }: DualComposeManager,
  network: string,
): Promise<SharedNetworks> {
  const compositions = [media, sts].map(async (composition) => {
    const networks = (await runtime.networks(composition)) ?? [];
    return { project: composition.project, services: networks };
  });
  return { network, compositions: await Promise.all(compositions) };
}

/** All services of both compositions that run. */
export async function runningServices({
  runtime,
  media,
  sts,
}: DualComposeManager): Promise<RunningServices> {
  // Both may be one composition, and services of two may have the same name.
  const found = [...new Set([media, sts])].map(async (composition) => {
    const running = (await runtime.ps(composition)).filter(({ state }) => state === 'running');
    return running.map(({ service }) => runningName(composition, service));
  });
  return {
    projects: [...new Set([media.project, sts.project])],
    running: (await Promise.all(found)).flat(),
  };
}

/** What a service of a composition is called among those that run. */
export function runningName({ project }: { project: string }, service: string): string {
  return `${project}/${service}`;
}

/**
 * What exists of both compositions, running or not.
 *
 * @param temporaryFolder of whoever has started them; what is in it is left as well
 */
export async function leftoversOf(
  { runtime, media, sts }: DualComposeManager,
  temporaryFolder?: string,
): Promise<Leftovers> {
  const found = await Promise.all([runtime.leftovers(sts), runtime.leftovers(media)]);
  const files = temporaryFolder === undefined ? [] : readdirSync(temporaryFolder);
  return {
    projects: [sts.project, media.project],
    found: [...found, ...(files.length > 0 ? [files.map((name) => `temporary file ${name}`)] : [])],
  };
}

/** The ports of both compositions that somebody listens on. */
export async function takenPortsOf(manager: DualComposeManager): Promise<TakenPorts> {
  const projects = [manager.sts.project, manager.media.project];
  return { projects, taken: await manager.takenPorts() };
}

/** The services whose logs are collected to a folder. */
export function collectedLogs({ sts, media }: DualComposeManager, folder: string): CollectedLogs {
  const services = [sts, media].flatMap(({ project, compose }) =>
    compose.services.map(({ name }) => ({ project, service: name })),
  );
  return { folder, services };
}

/** Waits until media-service is connected to the STS of its set. */
export async function peersOf(
  { runtime, media }: DualComposeManager,
  { services }: Settings,
): Promise<Peers> {
  const { name } = services.mediaService;
  const port = Number(new URL(services.sts.health).port);
  const peers = async (): Promise<string> => {
    const open = await runtime.connections(media, name);
    const seen = open.map(({ remoteAddress, remotePort }) => `${remoteAddress}:${remotePort}`);
    if (!open.some(({ remotePort }) => remotePort === port)) throw new Error(seen.join(', '));
    return seen.join(', ');
  };
  const options = { withinMs: CONNECTS_MS };
  const reached = await eventually('a connection to the STS', peers, options).then(
    (seen) => ({ isReached: true, seen }),
    (error: unknown) => ({ isReached: false, seen: messageOf(error) }),
  );
  return { service: `${media.project}/${name}`, port, ...reached };
}

/** Ends a publisher before its broadcast is over. */
export async function stopped(publication: Publication): Promise<void> {
  publication.stop();
  await publication.result;
}

/** How publishing ends, and after how many seconds. */
export async function publishingOf(publication: Publication): Promise<Publishing> {
  const started = performance.now();
  const result = await publication.result;
  return { ...result, url: publication.url, seconds: (performance.now() - started) / 1000 };
}
