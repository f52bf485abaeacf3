import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { PrerequisiteMissing } from './errors';

/** The top folder of this project. */
export const projectRoot = resolve(__dirname, '..');

const port = (byDefault: number) => z.coerce.number().int().min(1).max(65535).default(byDefault);

const environmentSchema = z.object({
  RUNTIME: z.enum(['auto', 'host', 'docker']).default('auto'),
  MEDIA_COMPOSE_FILE: z.string().default(join(projectRoot, 'compose/media/docker-compose.yml')),
  STS_COMPOSE_FILE: z.string().default(join(projectRoot, 'compose/sts/docker-compose.yml')),
  FIXTURE_FILE: z.string().optional(),
  FIXTURE_SCRIPT: z.string().default(join(projectRoot, 'fixtures/1-min-nfl.yaml')),
  REPORTS_DIR: z.string().default(join(projectRoot, 'reports')),
  /** Where the STS answers, seen from this host; the suite puts its tap in front of it. */
  STS_SERVICE_URL: z.url().optional(),
  /** `tap` relays and records what services say to each other; `direct` listens as one more client of the STS. */
  STS_MONITOR: z.enum(['tap', 'direct']).default('tap'),
  MEDIAMTX_RTSP_PORT: port(8554),
  MEDIAMTX_RTMP_PORT: port(1935),
  MEDIAMTX_API_PORT: port(9997),
  MEDIAMTX_WEBRTC_PORT: port(8889),
  MEDIAMTX_WEBRTC_UDP_PORT: port(8189),
  MEDIA_SERVICE_PORT: port(8080),
  STS_PORT: port(3000),
});

type Environment = z.infer<typeof environmentSchema>;

/** Names of the host ports that the compose files publish. */
export const portNames = [
  'MEDIAMTX_RTSP_PORT',
  'MEDIAMTX_RTMP_PORT',
  'MEDIAMTX_API_PORT',
  'MEDIAMTX_WEBRTC_PORT',
  'MEDIAMTX_WEBRTC_UDP_PORT',
  'MEDIA_SERVICE_PORT',
  'STS_PORT',
] as const satisfies readonly (keyof Environment)[];

export type Ports = Record<(typeof portNames)[number], number>;

/** Everything that can be set from outside; `environment` is handed on to the compose files' variables. */
export interface Config {
  runtime: Environment['RUNTIME'];
  mediaComposeFile: string;
  stsComposeFile: string;
  fixtureScript: string;
  fixtureFile: string | undefined;
  reportsFolder: string;
  /** Where what must be removed is written down, for a later run. */
  stateFolder: string;
  /** Makes the project names of this checkout unique on this host. */
  projectSuffix: string;
  monitor: Environment['STS_MONITOR'];
  stsUrl: string;
  ports: Ports;
  environment: NodeJS.ProcessEnv;
}

/** The addresses of the services, seen from this host. */
export interface Endpoints {
  mediamtxApi: string;
  rtsp: string;
  rtmp: string;
  mediaHealth: string;
  mediaMetrics: string;
  stsHealth: string;
}

/**
 * Reads the configuration. The only reader of environment variables.
 *
 * @throws PrerequisiteMissing naming the variable, what it is and what it may be
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0]);
    throw new PrerequisiteMissing(
      {
        what: 'the configuration is not valid',
        where: `environment variable ${name}`,
        seen: environment[name] ?? 'not set',
        expected: issue?.message ?? '',
        next: 'README, Configuration',
      },
      'configuration',
    );
  }
  const values = parsed.data;
  const ports = Object.fromEntries(portNames.map((name) => [name, values[name]])) as Ports;
  return {
    runtime: values.RUNTIME,
    mediaComposeFile: values.MEDIA_COMPOSE_FILE,
    stsComposeFile: values.STS_COMPOSE_FILE,
    fixtureScript: values.FIXTURE_SCRIPT,
    fixtureFile: values.FIXTURE_FILE,
    reportsFolder: resolve(values.REPORTS_DIR),
    stateFolder: join(projectRoot, '.state'),
    projectSuffix: createHash('sha256').update(projectRoot).digest('hex').slice(0, 6),
    monitor: values.STS_MONITOR,
    stsUrl: values.STS_SERVICE_URL ?? `http://127.0.0.1:${ports.STS_PORT}`,
    ports,
    environment,
  };
}

export function endpointsOf(ports: Ports): Endpoints {
  return {
    mediamtxApi: `http://127.0.0.1:${ports.MEDIAMTX_API_PORT}`,
    rtsp: `rtsp://127.0.0.1:${ports.MEDIAMTX_RTSP_PORT}`,
    rtmp: `rtmp://127.0.0.1:${ports.MEDIAMTX_RTMP_PORT}`,
    mediaHealth: `http://127.0.0.1:${ports.MEDIA_SERVICE_PORT}/health`,
    mediaMetrics: `http://127.0.0.1:${ports.MEDIA_SERVICE_PORT}/metrics`,
    stsHealth: `http://127.0.0.1:${ports.STS_PORT}/health`,
  };
}
