import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { CannotBeShown, problemOf, SuiteError } from '../base/errors';
import type { Track } from '../base/track';
import { type Fixture } from '../broadcast/fixture';
import type { BroadcastRecord } from '../broadcast/record';
import { type BroadcastRequest, isEcho, isUndisturbed } from '../broadcast/request';
import { pathOf } from '../broadcast/stream-paths';
import type { Config, Settings } from '../config';
import { tellEcho } from '../observe/echo-control';
import { observeBroadcast } from '../observe/observe-broadcast';
import type { ObserveOptions } from '../observe/observe-options';
import type { RtspServer } from '../observe/rtsp-relay';
import { endProgress, showProgress } from '../report/progress';
import { EXTERNAL, NO_TAP } from './capabilities';
import type { Services } from './services';

/** What a broadcast is published with, besides its request and its services. */
export interface PublishContext {
  config: Config;
  fixture: Fixture;
  /** As in ObserveOptions. */
  publishedFrom?: string;
  /** Unique among all streams of the media server. */
  stream: string;
  track: Track;
  signal: AbortSignal;
  /** As in ObserveOptions. */
  on: Pick<ObserveOptions, 'onIngested' | 'onPublished'>;
}

/**
 * Publishes a broadcast, lets what was asked for go wrong, and observes it to the end of its output.
 *
 * @returns the evidence folder
 * @throws SuiteError when the evidence could not be written
 * @throws CouldNotBeDone when the Echo STS does not do as told
 * @throws CannotBeShown when faults cannot be made, or the media server cannot be told to refuse the output
 */
export async function publishBroadcast(
  services: Services,
  request: BroadcastRequest,
  context: PublishContext,
): Promise<string> {
  const { config, fixture, stream, track, signal, on } = context;
  const { manager, settings, monitor, api, paths, metrics } = services;
  const { mediaServer } = settings.services;
  const folder = join(config.reportsFolder, 'evidence', stream);
  const checks = await prepareFaults(services, request, context);
  await observeBroadcast({
    ...{ fixture, request, stream, folder, monitor, api, paths, metrics, track, signal },
    faultSeed: config.faultSeed,
    ...(context.publishedFrom === undefined ? {} : { publishedFrom: context.publishedFrom }),
    mediaServer: mediaServerOf(settings, config),
    ...{ rtmpUrl: mediaServer.rtmp, streamPaths: mediaServer.paths },
    publishing: publishingOf(request, settings, config),
    recording: recordingOf(services, stream),
    ...(isEcho(request) && request.faults.length === 0 ? segmentsOf(services, stream) : {}),
    stsUrl: manager.media.variables[settings.services.mediaService.stsUrlVariable] ?? '',
    network: networkOf(services),
    notOffered: notOfferedBy(services),
    logs: () => manager.logs(),
    states: statesOf(services),
    ...{ runtime: manager.runtime.name, monitorMode: services.tap ? 'tap' : 'direct' },
    withViewer: !isEcho(request),
    // That of the broadcast whose file is inspected.
    withInputReader: request.fixture === null && isUndisturbed(request) && !isEcho(request),
    onProgress: (progress) => showProgress(progress, fixture.title),
    ...on,
  }).finally(() => {
    services.tap?.endPlan(stream);
    endProgress(stream);
  });
  checks.forEach((check) => check());
  return folder;
}

/** @returns what is called when it is over, and throws CouldNotBeDone */
async function prepareFaults(
  { tap, settings }: Services,
  { faults, controls }: BroadcastRequest,
  { config, stream }: PublishContext,
): Promise<(() => void)[]> {
  if (faults.length > 0 && !tap) throw new CannotBeShown(NO_TAP);
  tap?.setPlan(stream, { faults, seed: config.faultSeed });
  const checks: (() => void)[] = [];
  for (const control of controls) {
    checks.push(await tellEcho({ url: settings.services.sts.url, stream, control }, tap));
  }
  return checks;
}

/** Where ffmpeg finds the media server, and what it logs in with. */
export function mediaServerOf({ services }: Settings, config: Config): RtspServer {
  return { url: services.mediaServer.rtsp, ...config.mediaServerLogin };
}

/** Whether this host can publish by RTMP: ffmpeg would show a login on its command line, and trusts no authorities of one's own. */
function isRtmpOpen(
  { services }: Settings,
  { mediaServerLogin }: Pick<Config, 'mediaServerLogin'>,
): boolean {
  return mediaServerLogin === undefined && services.mediaServer.rtmp.startsWith('rtmp://');
}

/** By which protocol broadcasts are published whatever their spec says; undefined where it says so. */
export function configuredProtocol(
  settings: Settings,
  config: Pick<Config, 'mediaServerLogin'>,
): 'rtsp' | 'rtmp' | undefined {
  const { publishing } = settings.services.mediaServer;
  if (publishing !== 'as-specified') return publishing;
  return isRtmpOpen(settings, config) ? undefined : 'rtsp';
}

/**
 * How a broadcast gets to the media server: as its scenario says, or acceptance.yaml; where neither does, that of spec 021 by
 * RTMP and all others by RTSP. Its content begins when it is read, that of an encoder at once.
 *
 * @throws CannotBeShown where it shall be RTMP, and the media server wants a login or TLS
 */
export function publishingOf(
  { publishedBy, fixture }: Pick<BroadcastRequest, 'publishedBy' | 'fixture'>,
  settings: Settings,
  config: Pick<Config, 'mediaServerLogin'>,
): ObserveOptions['publishing'] {
  const specified = fixture === null ? 'rtmp' : 'rtsp';
  const how = publishedBy ?? configuredProtocol(settings, config) ?? specified;
  if (how === 'rtsp') return { protocol: 'rtsp', holds: true };
  if (isRtmpOpen(settings, config)) return { protocol: 'rtmp', holds: how === 'rtmp' };
  const { rtmp } = settings.services.mediaServer;
  throw new CannotBeShown({
    what: 'nothing can be published by RTMP with a login or TLS',
    ...{ where: rtmp, seen: config.mediaServerLogin ? 'MEDIA_SERVER_USER is set' : rtmp },
    expected: 'rtmp://…, without a login: everybody on the machine could read it',
    next: 'PUBLISH_PROTOCOL=rtsp, or let this host publish by RTMP without either',
  });
}

/** The complete recording is made by the media server itself, in pieces where the output was interrupted. */
function recordingOf(
  { manager: { runtime, media }, settings }: Services,
  stream: string,
): ObserveOptions['recording'] {
  const { name: server, recordings, paths } = settings.services.mediaServer;
  if (recordings === undefined) return { whyNot: 'services.mediaServer.recordings is absent' };
  let pattern: string;
  try {
    pattern = runtime.pathInService(media, server, `${recordings}/%path/%s-%f`);
  } catch (error) {
    // Its files cannot be had: services run elsewhere, or keep them on no volume.
    if (!(error instanceof SuiteError)) throw error;
    return { whyNot: problemOf(error)?.what ?? '' };
  }
  return {
    pattern,
    fetch: async (file) => {
      const ours = `${recordings}/${pathOf(paths.output, stream)}`;
      const copies = `${file}.pieces`;
      await runtime.copyOut(media, server, ours, copies);
      const pieces = readdirSync(copies).sort(
        (a, b) => statSync(join(copies, b)).size - statSync(join(copies, a)).size,
      );
      if (pieces[0] === undefined) throw new Error(`${server} made no file in ${ours}`);
      cpSync(join(copies, pieces[0]), file);
      if (pieces.length === 1) rmSync(copies, { recursive: true });
      return pieces.length;
    },
  };
}

function segmentsOf(
  { manager: { runtime, media }, settings }: Services,
  stream: string,
): Pick<ObserveOptions, 'fetchSegments'> {
  const { name, segments } = settings.services.mediaService;
  if (segments === undefined || runtime.name === 'external') return {};
  const fetchSegments = (folder: string): Promise<void> =>
    runtime.copyOut(media, name, `${segments}/${stream}`, folder);
  return { fetchSegments };
}

function notOfferedBy({ manager, settings }: Services): BroadcastRecord['notOffered'] {
  if (manager.runtime.name === 'external') return { logs: EXTERNAL, segments: EXTERNAL };
  if (settings.services.mediaService.segments !== undefined) return undefined;
  return { segments: 'services.mediaService.segments is absent' };
}

function statesOf({ manager: { runtime, media } }: Services): ObserveOptions['states'] {
  return runtime.name === 'external' ? undefined : () => runtime.ps(media);
}

function networkOf({ manager, settings }: Services): ObserveOptions['network'] {
  const { runtime, media } = manager;
  if (runtime.name === 'external') return undefined;
  const { name } = settings.services.mediaService;
  return {
    connections: () => runtime.connections(media, name),
    addressOf: (host) => runtime.addressOf(media, name, host),
  };
}
