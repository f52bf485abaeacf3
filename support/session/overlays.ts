/** Compose files that scenarios lay over those of a second set of services. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { type EndedWorker, exitCodeIn, linesOf } from '../analyze/service-log';
import { now } from '../base/clock';
import { CannotBeShown } from '../base/errors';
import { eventually } from '../base/eventually';
import type { Settings } from '../config';
import type { DualComposeManager } from '../environment/dual-compose-manager';
import type { Composition } from '../environment/runtime';
import { NO_NETWORKS } from './capabilities';
import { NO_SOURCE } from './capabilities';
import type { Overlays } from './services';
import type { Session } from './session';

/** The name of a network that both compose files declare. */
export const SHARED_NETWORK = 'dubbing';

/** How long media-service may take to give up: 1, 2 and 4 s, and what connecting takes. */
const GIVES_UP_MS = 30_000;

/**
 * By them all services of both compositions join a network of the same name as well.
 *
 * @throws CannotBeShown where services run without networks
 */
export async function sharedNetworkOverlays(session: Session): Promise<Overlays> {
  const manager = await session.composeManager();
  if ((await manager.runtime.networks(manager.media)) === undefined) {
    throw new CannotBeShown(NO_NETWORKS);
  }
  const overlay = ({ name, compose }: Composition): string =>
    writeOverlay(session, `${name}-network.yml`, {
      services: Object.fromEntries(
        compose.services.map((service) => [service.name, { networks: [SHARED_NETWORK] }]),
      ),
      networks: { [SHARED_NETWORK]: { driver: 'bridge' } },
    });
  return { media: overlay(manager.media), sts: overlay(manager.sts) };
}

/** An RTSP source that accepts connections and closes them at once. */
export interface UnreadableSource {
  /** By them media-service reads broadcasts from it. */
  overlays: Overlays;
  /** When something connected; grows. Milliseconds since the epoch. */
  attempts: number[];
  close: () => Promise<void>;
}

/** @throws CannotBeShown where no variable tells media-service where it reads streams */
export async function unreadableSource(session: Session): Promise<UnreadableSource> {
  const { name, sourceUrlVariable, ingest } = (await session.settings()).services.mediaService;
  if (sourceUrlVariable === undefined) throw new CannotBeShown(NO_SOURCE);
  const { testHost, name: runtimeName } = await session.runtime();
  const attempts: number[] = [];
  const listener = createServer((socket) => {
    attempts.push(now());
    socket.destroy();
  });
  await new Promise<void>((done, failed) => {
    listener.once('error', failed).listen(0, testHost.address, done);
  });
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const environment = { [sourceUrlVariable]: `${ingest}://${testHost.name}:${port}` };
  // Docker Compose would take this x-host in place of the service's own, which it has no use for.
  const asProcess = runtimeName === 'host' ? { 'x-host': { environment } } : {};
  const service = { environment, ...asProcess };
  return {
    attempts,
    overlays: {
      media: writeOverlay(session, 'unreadable-source.yml', { services: { [name]: service } }),
      sts: writeOverlay(session, 'nothing.yml', { services: {} }),
    },
    close: () => new Promise((done) => listener.close(() => done())),
  };
}

function writeOverlay({ config }: Session, name: string, content: object): string {
  const folder = join(config.reportsFolder, 'nested');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, stringify(content));
  return file;
}

/**
 * The end of a stream's worker: once media-service has said its exit code, or has ended itself, or after 30 s. No other stream
 * is dubbed by that media-service.
 */
export function endOfWorker(
  { runtime, media }: Pick<DualComposeManager, 'runtime' | 'media'>,
  { services }: Settings,
  stream: string,
): Promise<EndedWorker> {
  const { name } = services.mediaService;
  const known = async (): Promise<EndedWorker> => {
    // Asked first: what it has logged is then all there is.
    const service = (await runtime.ps(media)).find((one) => one.service === name);
    const lines = linesOf(await runtime.logs(media, name), stream);
    return { lines, exitCode: exitCodeIn(lines) ?? service?.exitCode };
  };
  const ended = async (): Promise<EndedWorker> => {
    const worker = await known();
    if (worker.exitCode !== undefined) return worker;
    throw new Error(worker.lines.at(-1)?.message ?? 'nothing logged');
  };
  // Services that have their own words for it are known to be ready with it by then.
  return eventually('the end of its worker', ended, { withinMs: GIVES_UP_MS }).catch(known);
}
