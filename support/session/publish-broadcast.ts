import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { SuiteError } from '../base/errors';
import type { Track } from '../base/track';
import { type Fixture } from '../broadcast/fixture';
import { type BroadcastRequest, isEcho, isUndisturbed } from '../broadcast/request';
import type { Config } from '../config';
import { tellEcho } from '../observe/echo-control';
import { observeBroadcast } from '../observe/observe-broadcast';
import type { ObserveOptions } from '../observe/observe-options';
import { endProgress, showProgress } from '../report/progress';
import type { Services } from './services';

/** What a broadcast is published with, besides its request and its services. */
export interface PublishContext {
  config: Config;
  fixture: Fixture;
  /** Unique among all streams of the media server. */
  stream: string;
  track: Track;
  signal: AbortSignal;
  /** The worker has begun to read it, or it is over. */
  onIngested: () => void;
}

/**
 * Publishes a broadcast, lets what was asked for go wrong, and observes it to the end of its output.
 *
 * @returns the evidence folder
 * @throws SuiteError when the evidence could not be written, faults cannot be made, or the Echo STS does not do as told
 */
export async function publishBroadcast(
  services: Services,
  request: BroadcastRequest,
  context: PublishContext,
): Promise<string> {
  const { config, fixture, stream, track, signal, onIngested } = context;
  const { manager, settings, monitor, api, paths, metrics } = services;
  const { mediaServer } = settings.services;
  const folder = join(config.reportsFolder, 'evidence', stream);
  await prepareFaults(services, request, context);
  await observeBroadcast({
    ...{ fixture, request, stream, folder, monitor, api, paths, metrics, track, signal },
    faultSeed: config.faultSeed,
    ...{ rtspUrl: mediaServer.rtsp, rtmpUrl: mediaServer.rtmp },
    recording: recordingOf(services, stream),
    ...(isEcho(request) && request.faults.length === 0
      ? { fetchSegments: segmentsOf(services, stream) }
      : {}),
    network: networkOf(services),
    logs: () => manager.logs(),
    ...{ runtime: manager.runtime.name, monitorMode: services.tap ? 'tap' : 'direct' },
    withViewer: !isEcho(request),
    // That of the broadcast whose file is inspected.
    withInputReader: request.fixture === null && isUndisturbed(request) && !isEcho(request),
    onProgress: (progress) => showProgress(progress, fixture.title),
    onIngested,
  }).finally(() => endProgress(stream));
  return folder;
}

async function prepareFaults(
  { tap, settings }: Services,
  { faults, controls }: BroadcastRequest,
  { config, stream }: PublishContext,
): Promise<void> {
  if (faults.length > 0) {
    if (!tap) {
      throw new SuiteError({
        ...{ what: 'faults need the tap', where: 'STS_MONITOR', seen: config.monitor },
        ...{ expected: 'tap', next: 'unset STS_MONITOR' },
      });
    }
    tap.setPlan(stream, { faults, seed: config.faultSeed });
  }
  for (const control of controls) await tellEcho(settings.services.sts.url, stream, control);
}

/** The complete recording is made by the media server itself, in pieces where the output was interrupted. */
function recordingOf(
  { manager: { runtime, media }, settings }: Services,
  stream: string,
): ObserveOptions['recording'] {
  const { name: server, recordings } = settings.services.mediaServer;
  return {
    pattern: runtime.pathInService(media, server, `${recordings}/%path/%s-%f`),
    fetch: async (file) => {
      const ours = `${recordings}/live/${stream}/out`;
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
): (folder: string) => Promise<void> {
  const { name, segments } = settings.services.mediaService;
  return (folder) => runtime.copyOut(media, name, `${segments}/${stream}`, folder);
}

function networkOf({ manager, settings }: Services): ObserveOptions['network'] {
  const { runtime, media } = manager;
  const { name, stsUrlVariable } = settings.services.mediaService;
  return {
    stsUrl: media.variables[stsUrlVariable] ?? '',
    connections: () => runtime.connections(media, name),
    addressOf: (host) => runtime.addressOf(media, name, host),
  };
}
