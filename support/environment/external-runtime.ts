import { CannotBeShown } from '../base/errors';
import type { Variables } from '../base/interpolate';
import type { Settings } from '../config';
import type { ComposeFile } from './compose-file';
import { DualComposeManager, type StartAllOptions, type StartRecord } from './dual-compose-manager';
import { waitForHealth } from './health';
import type { Composition, Runtime, UpOptions } from './runtime';

/** Why services that run elsewhere do not offer something; what is expected is said by whoever asks. */
export const ELSEWHERE = {
  what: 'the services run elsewhere: RUNTIME=external starts and stops nothing',
  ...{ where: 'RUNTIME', seen: 'external' },
  next: 'RUNTIME=docker or RUNTIME=host, with the compose files of these services',
};

/** @param what the suite would have to do, as half a sentence: "the logs are read" */
export function runElsewhere(what: string): CannotBeShown {
  return new CannotBeShown({ ...ELSEWHERE, expected: `services of which ${what}` });
}

/** Services that somebody else has started, on this host or another one: they are asked at their addresses, and left alone. */
export class ExternalRuntime implements Runtime {
  readonly name = 'external';
  readonly servicesHost: string;
  readonly servicesHostForServices: string;
  readonly testHost = { name: '127.0.0.1', address: '127.0.0.1' };
  readonly variables: Variables = {};

  /** @param variables SERVICES_HOST is where services are whose addresses acceptance.yaml does not name: this host */
  constructor({ SERVICES_HOST: host }: Variables) {
    this.servicesHost = this.servicesHostForServices = host || '127.0.0.1';
  }

  /** Waits until all are healthy: they may be starting. */
  async up(composition: Composition, { withinMs, signal, onSeen }: UpOptions): Promise<void> {
    const logs = (): Promise<string> => Promise.resolve('');
    const signals = signal ? [signal] : [];
    for (const service of composition.health.keys()) {
      await waitForHealth(composition, service, { withinMs, signals, logs, onSeen });
    }
  }

  down(): Promise<void> {
    return Promise.resolve();
  }

  read(): Promise<never> {
    return refused('the compose files are read');
  }

  ps(): Promise<never> {
    return refused('the processes or containers are known');
  }

  leftovers(): Promise<never> {
    return refused('the processes or containers are known');
  }

  logs(): Promise<never> {
    return refused('the logs are read');
  }

  control(): Promise<never> {
    return refused('each can be stopped and started');
  }

  pathInService(): never {
    throw runElsewhere('files are read');
  }

  copyOut(): Promise<never> {
    return refused('files are read');
  }

  addressOf(): Promise<never> {
    return refused('the connections are known');
  }

  connections(): Promise<never> {
    return refused('the connections are known');
  }

  networks(): Promise<never> {
    return refused('the networks are known');
  }

  holderOf(): Promise<never> {
    return refused('the ports are known');
  }
}

/** Of rejected promises, also where nothing is awaited. */
function refused(what: string): Promise<never> {
  return Promise.reject(runElsewhere(what));
}

/** Both compositions as somebody else runs them. */
export class ExternalServices extends DualComposeManager {
  /**
   * @param options.stsUrl where media-service was told to find the STS, as far as the suite knows
   */
  static of(
    runtime: Runtime,
    options: { settings: Settings; stsUrl: string; healthTimeoutMs: number; signal: AbortSignal },
  ): ExternalServices {
    const { mediaServer, mediaService, sts } = options.settings.services;
    const composition = (
      name: Composition['name'],
      services: { name: string; health: string }[],
    ): Composition => ({
      ...{ name, project: 'external' },
      get compose(): ComposeFile {
        throw runElsewhere('the compose files are read');
      },
      variables: { [mediaService.stsUrlVariable]: options.stsUrl },
      health: new Map(services.map((service) => [service.name, service.health])),
    });
    const media = composition('media', [mediaServer, mediaService]);
    const { healthTimeoutMs, signal } = options;
    return new ExternalServices(runtime, media, composition('sts', [sts]), healthTimeoutMs, signal);
  }

  override get starts(): StartRecord[] {
    throw runElsewhere('the start is seen');
  }

  override async startAll({ onSeen, onStarting }: StartAllOptions = {}): Promise<void> {
    onStarting?.();
    for (const composition of [this.sts, this.media]) {
      await this.start(composition, onSeen ? { onSeen } : {});
    }
  }

  override stopAll(): Promise<void> {
    return Promise.resolve();
  }

  override logs(): Promise<Map<string, string>> {
    return Promise.resolve(new Map<string, string>());
  }
}
