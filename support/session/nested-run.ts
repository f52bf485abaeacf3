import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import pLimit from 'p-limit';

import { messageOf, PrerequisiteMissing, SuiteError } from '../base/errors';
import type { Track } from '../base/track';
import type { Fixture } from '../broadcast/fixture';
import type { NestedRun } from '../checks/suite-run';
import { type Config, projectRoot, type Settings } from '../config';
import type { DualComposeManager } from '../environment/dual-compose-manager';
import { runElsewhere } from '../environment/external-runtime';
import { runSuite, type SuiteRun } from '../environment/nested-suite';
import { freePort } from '../environment/ports';
import type { Runtime } from '../environment/runtime';
import { readScenarioResults } from '../report/scenario-results';
import { BegunAhead } from './begun-ahead';
import { plannedNested } from './plan';
import type { NestedRequest } from './nested-request';
import type { SecondServices } from './services';

/** What nested runs need of a host. */
export interface NestedHost {
  config: Config;
  track: Track;
  fixture(name: string): Fixture;
  settings(): Promise<Settings>;
  runtime(): Promise<Runtime>;
  composeManager(): Promise<DualComposeManager>;
}

/** The scenarios that need services or broadcast, without those that bring services of their own. */
const DEPENDENT = '@021 and not @edge-case and not @021-US1-4';

/** A nested run with how each of its scenarios ended. */
export function resultsOf(run: SuiteRun): NestedRun {
  return { ...run, scenarios: readScenarioResults(run.messagesFile) };
}

/** A file of a nested run; the run's own files are in a folder of another name. */
function nestedFile(host: NestedHost, name: string): string {
  return join(host.config.reportsFolder, 'nested', name);
}

/** Messages show paths inside the project without the project's folder. */
function asShown(path: string): string {
  return path.replace(`${projectRoot}/`, '');
}

function run(
  { config, track }: NestedHost,
  name: string,
  options: {
    tags: string;
    environment: Record<string, string>;
    culprit: string;
    hasReports?: boolean;
  },
): Promise<SuiteRun> {
  const reportsFolder = join(config.reportsFolder, 'nested', name);
  return runSuite({ hasReports: false, ...options, projectRoot, reportsFolder, track });
}

/** Runs the scenarios of the one-minute broadcast, whose file does not exist. */
function runWithoutBroadcast(host: NestedHost): Promise<SuiteRun> {
  const file = nestedFile(host, 'no-such-broadcast.mp4');
  return run(host, 'fixture-missing', {
    tags: '@021 and (@broadcast or @fixture or @judges-fixture)',
    environment: { FIXTURE_FILE: file },
    culprit: asShown(file),
  });
}

/** Runs the scenarios of the counting broadcast, whose file does not exist. */
function runWithoutCounting(host: NestedHost): Promise<SuiteRun> {
  const file = nestedFile(host, 'no-such-counting.mp4');
  const { yamlPath } = host.fixture('30s-counting-english');
  return run(host, 'counting-missing', {
    tags: '@019 and @counting',
    environment: { FIXTURE_SCRIPT: yamlPath, FIXTURE_FILE: file },
    culprit: asShown(file),
  });
}

/** A nested run that starts services of its own, and where it leaves what. */
export interface RunWithServices {
  run: SuiteRun;
  /** Of the logs that it collects. */
  logFolder: string;
  /** In place of the machine's: whatever is in it afterwards was left there. */
  temporaryFolder: string;
}

/** How a scenario of a nested run ends. */
export type End = 'passes' | 'fails';

/**
 * Runs one scenario that asks services for metrics and health, and starts them for it.
 *
 * @param second names the ports and projects of those services, which are not running
 * @param end with `fails`, metrics are asked for at an address at which media-service has none
 */
export async function runWithServices(
  host: NestedHost,
  { manager, settings }: SecondServices,
  end: End,
): Promise<RunWithServices> {
  const temporaryFolder = nestedFile(host, `temporary-${end}`);
  rmSync(temporaryFolder, { recursive: true, force: true });
  mkdirSync(temporaryFolder, { recursive: true });
  const { origin } = new URL(settings.services.mediaService.health);
  const culprit = `${origin}/no-such-metrics`;
  const ports = Object.entries(settings.ports).map(([name, port]) => [name, String(port)] as const);
  const name = `services-${end}`;
  return {
    temporaryFolder,
    logFolder: join(nestedFile(host, name), 'logs'),
    run: await run(host, name, {
      ...{ tags: '@021-US3-4', culprit, hasReports: true },
      environment: {
        ...Object.fromEntries(ports),
        ...(end === 'fails' ? { MEDIA_SERVICE_METRICS_URL: culprit } : {}),
        MEDIA_PROJECT_NAME: manager.media.project,
        STS_PROJECT_NAME: manager.sts.project,
        TMPDIR: temporaryFolder,
      },
    }),
  };
}

/** The variable that sets the port of each service. */
const PORT_VARIABLES: Record<string, string> = {
  'media server': 'MEDIAMTX_RTMP_PORT',
  STS: 'STS_PORT',
  'media-service': 'MEDIA_SERVICE_PORT',
};

/**
 * Runs the scenarios that need services with a port that is taken.
 *
 * @param service whose port it is: "media server", "STS", "media-service"
 */
export function runWithPortTaken(
  host: NestedHost,
  service: string,
  port: number,
): Promise<SuiteRun> {
  const variable = PORT_VARIABLES[service] ?? '';
  return run(host, `${variable}-${port}`, {
    tags: `${DEPENDENT} and not @fixture and not @judges-fixture and not @judges-compose-files`,
    environment: { [variable]: String(port) },
    culprit: `port ${port}`,
  });
}

/**
 * Listens on a free port of the host that services are published on.
 *
 * @throws PrerequisiteMissing ('services') where that is not this host
 * @throws CannotBeShown where the services run elsewhere
 */
async function takePort(host: NestedHost): Promise<{ port: number; release: () => Promise<void> }> {
  const { name, servicesHost } = await host.runtime();
  if (name === 'external') throw runElsewhere('the ports are its own');
  const port = await freePort();
  const listener = createServer();
  await new Promise<void>((done, failed) => {
    listener.once('error', failed).listen(port, servicesHost, done);
  }).catch((error: unknown) => {
    throw new PrerequisiteMissing(
      {
        what: 'this program cannot listen on the host that services are published on',
        where: servicesHost,
        seen: messageOf(error),
        expected: 'an address of this host',
        next: "with a remote Docker engine: --tags 'not @needs-local-host'",
      },
      'services',
    );
  });
  return { port, release: () => new Promise((done) => listener.close(() => done())) };
}

/** What is written to the file, by the STS's name and port; null: there is no file. */
const COMPOSE_FAULTS: Record<string, ((sts: string, port: string) => string) | null> = {
  missing: null,
  'malformed YAML': (sts) => `services:\n  ${sts}:\n    image: "unclosed\n`,
  'unknown key': (sts, port) => `services:\n  ${sts}:\n    image: sts\n    prots: ["${port}:80"]\n`,
  'neither image nor build': (sts, port) => `services:\n  ${sts}:\n    ports: ["${port}:80"]\n`,
  'the STS is not in it': (_sts, port) =>
    `services:\n  another-service:\n    image: sts\n    ports: ["${port}:80"]\n`,
  "the STS's port is not open": (sts) => `services:\n  ${sts}:\n    image: sts\n`,
};

/**
 * Runs the scenarios that need services with a compose file of the STS that has a fault.
 *
 * @param fault one of those above
 * @throws SuiteError for a fault that is not known
 */
async function runWithComposeFault(host: NestedHost, fault: string): Promise<SuiteRun> {
  const content = COMPOSE_FAULTS[fault];
  if (content === undefined) {
    throw new SuiteError({
      ...{ what: 'unknown fault of a compose file', where: `"${fault}"`, seen: fault },
      expected: Object.keys(COMPOSE_FAULTS).join(', '),
    });
  }
  const name = fault.replace(/\W+/g, '-');
  const file = nestedFile(host, `${name}.yml`);
  // Of a recorded broadcast, and of services that run elsewhere, the suite reads no compose file.
  await host.composeManager();
  const { sts } = (await host.settings()).services;
  mkdirSync(dirname(file), { recursive: true });
  if (content) writeFileSync(file, content(sts.name, new URL(sts.health).port));
  return run(host, `compose-file-${name}`, {
    tags: `${DEPENDENT} and not @fixture and not @judges-fixture`,
    environment: { STS_COMPOSE_FILE: file },
    culprit: asShown(file),
  });
}

/** All nested runs that need no services of a scenario: each is made once, and those that the run is going to need follow. */
export class NestedRuns {
  /** Each takes a processor for seconds. */
  readonly #oneAtATime = pLimit(1);
  readonly #made: BegunAhead<NestedRequest, SuiteRun>;

  /**
   * @param whenRoom settles when there is room for them beside what is on the air
   * @param signal after which none begins any more
   */
  constructor(
    host: NestedHost,
    whenRoom: () => Promise<void>,
    signal: AbortSignal,
    make = nestedRun,
  ) {
    this.#made = new BegunAhead<NestedRequest, SuiteRun>(JSON.stringify, plannedNested, (request) =>
      this.#oneAtATime(async () => {
        await whenRoom();
        signal.throwIfAborted();
        return make(host, request);
      }),
    );
  }

  /** Begins those that the run is going to ask for. */
  begin(): void {
    this.#made.begin();
  }

  /**
   * A run of the suite with settings of which something is wrong.
   *
   * @throws PrerequisiteMissing ('services'), CannotBeShown, or SuiteError
   */
  of(request: NestedRequest): Promise<SuiteRun> {
    return this.#made.of(request);
  }
}

async function nestedRun(host: NestedHost, { wrong, of }: NestedRequest): Promise<SuiteRun> {
  switch (wrong) {
    case 'no broadcast':
      return runWithoutBroadcast(host);
    case 'no counting broadcast':
      return runWithoutCounting(host);
    case 'compose file':
      return runWithComposeFault(host, of);
    case 'port taken': {
      const { port, release } = await takePort(host);
      return runWithPortTaken(host, of, port).finally(release);
    }
  }
}
