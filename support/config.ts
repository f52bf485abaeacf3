import { createHash, randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { knowNpmBy } from './base/command-line';
import { PrerequisiteMissing, SuiteError } from './base/errors';
import type { Variables } from './base/interpolate';
import { jsonOf } from './base/json';
import { hideSecretsOf } from './base/safe-text';
import { readYamlFile, type YamlFile } from './base/yaml-file';
import type { ServiceNames } from './broadcast/service-names';

/** The top folder of this project. */
export const projectRoot = resolve(__dirname, '..');

// Before anything else is read or goes wrong.
hideSecretsOf(process.env);
knowNpmBy(process.env);

const environmentSchema = z.object({
  ACCEPTANCE_CONFIG: z.string().default(join(projectRoot, 'acceptance.yaml')),
  RUNTIME: z.enum(['auto', 'host', 'docker', 'external']).default('auto'),
  FIXTURE_FILE: z.string().optional(),
  /** By default the YAML file beside FIXTURE_FILE, and that of the one-minute broadcast where there is none. */
  FIXTURE_SCRIPT: z.string().optional(),
  /** By default `reports`, and `reports/replay` where recorded broadcasts are judged. */
  REPORTS_DIR: z.string().optional(),
  /** Where runs are remembered; by default `history.ndjson` in the folder of their results. */
  HISTORY_FILE: z.string().optional(),
  /** A folder of evidence, `reports/evidence`: broadcasts recorded there are judged, nothing is started or published. */
  EVIDENCE: z.string().optional(),
  /** A folder that keeps what media tools say of recordings, for runs that judge the same ones again. */
  ANALYSIS_CACHE: z.string().optional(),
  /** A folder with a multilingual Whisper for faster-whisper: the listener in the target language. */
  LISTENER_MODEL: z.string().default(join(projectRoot, '.tools/models/whisper-base')),
  /** `tap` relays and records what services say to each other; `direct` listens as one more client of the STS. */
  STS_MONITOR: z.enum(['tap', 'direct']).default('tap'),
  /** Where delays that are drawn at random begin. */
  FAULT_SEED: z.coerce.number().int().min(0).max(0x7fffffff).optional(),
  /** From which the words are composed that a run speaks for the first time. */
  FRESH_WORDS_SEED: z.coerce.number().int().min(0).max(0x7fffffff).optional(),
  /** Set by scripts/cucumber.mjs. */
  LIVE_DUBBING_WAITERS: z.string().optional(),
});

type Environment = z.infer<typeof environmentSchema>;

/** What a system may do without; what needs it is not shown then. */
const orAbsent = <T>(schema: z.ZodType<T>): z.ZodType<T | undefined> =>
  z.union([z.literal('absent').transform(() => undefined), schema]).optional();

const composition = z.strictObject({
  files: z
    .string()
    .transform((text) => text.split(':').map((file) => resolve(projectRoot, file)))
    .refine((files) => files.length > 0),
  project: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/, 'a project name: small letters, digits, hyphens, underscores'),
  /** Which of its services are started, with those that they depend on; all where this is not given. */
  services: z.array(z.string().min(1)).min(1).exactOptional(),
});
const name = z.string().min(1);
const http = z.url({ protocol: /^https?$/, error: 'an address, http://…' });
/** ffmpeg is told these addresses on its command line, which everybody on the machine can read. */
const published = (protocol: RegExp): z.ZodType<string> =>
  z
    .url({ protocol, error: `an address, ${protocol.source.replace(/\W/g, '')}://…` })
    .refine((address) => !address.includes('@'), {
      error: 'an address without user and password: they would be seen in the list of processes',
    });

/** Which scenarios that are not shown fail the run. */
const notShown = z.strictObject({
  /** `required`: all but those of priority P2 and P3. */
  fails: z.enum(['required', 'all', 'none']).default('required'),
  /** What this system does not offer, and why: not shown, it fails no run. */
  excluded: z
    .array(
      z.strictObject({
        id: z.string().regex(/^\d{3}-\S+$/, 'the ID of a requirement, as in a tag: 019-E7'),
        because: z.string().min(1, 'a reason'),
        /** In this runtime only; not there: in every one. */
        runtime: z.enum(['host', 'docker', 'external']).exactOptional(),
      }),
    )
    .default([]),
});

/** The labels by which counts are told apart: without them, a metric that counts something else as well would be read. */
const labels = z
  .partialRecord(z.enum(['stream', 'type', 'status', 'reason', 'action', 'state']), name)
  .refine(
    ({ status, reason, action, state }) => ![status, reason, action, state].includes('none'),
    'none only for stream and type: a metric that does not tell its counts apart is absent',
  );

/** A metric of media-service: its name, `absent`, or what differs from the specs (docs/your-own-services.md, Metrics and logs). */
const metric = z.union([
  name,
  z.strictObject({
    name,
    kind: z.enum(['counter', 'gauge', 'histogram', 'summary']).exactOptional(),
    unit: z.enum(['ms', 's']).exactOptional(),
    labels: labels.exactOptional(),
    values: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
  }),
]);

/** The path of a stream at the media server. */
const streamPath = z
  .string()
  .regex(/^(?!\/)[\w./~:-]*\{stream\}[\w./~:-]*$/, 'a path with {stream} in it: live/{stream}/in');

const folder = orAbsent(z.string().startsWith('/'));

const settingsSchema = z.strictObject({
  /** How many broadcasts are dubbed by the same services at a time. */
  maxStreams: z.coerce.number().int().min(1).max(100).default(10),
  notShown: notShown.prefault({}),
  ports: z.record(z.string(), z.coerce.number().int().min(1).max(65535)),
  compositions: z.strictObject({
    media: composition,
    sts: composition,
    echo: orAbsent(composition),
  }),
  services: z.strictObject({
    mediaServer: z.strictObject({
      ...{
        name,
        health: http,
        api: http,
        rtsp: published(/^rtsps?$/),
        rtmp: published(/^rtmps?$/),
      },
      /** How broadcasts are published. `as-specified`: that of spec 021 by RTMP, those of 019 and 018 by RTSP. */
      publishing: z.enum(['as-specified', 'rtmp', 'rtsp']).default('as-specified'),
      /** Where its page answers by which viewers watch in a browser. */
      webrtc: orAbsent(http),
      /** Where it can be told to make recordings; absent: a reader records the output. */
      recordings: folder,
      paths: z
        .strictObject({ input: streamPath, output: streamPath })
        .default({ input: 'live/{stream}/in', output: 'live/{stream}/out' }),
    }),
    mediaService: z.strictObject({
      ...{ name, health: http, metrics: http, stsUrlVariable: name },
      sourceUrlVariable: orAbsent(name).prefault('MEDIAMTX_RTSP_URL'),
      ingest: z.enum(['rtsp', 'rtmp']).default('rtsp'),
      segments: folder,
    }),
    sts: z.strictObject({
      ...{ name, health: http, url: http },
      /** Where the tap listens with RUNTIME=external, so that media-service can be pointed at it; port 0: nowhere. */
      tap: z
        .strictObject({ host: name, port: z.coerce.number().int().min(0).max(65535) })
        .default({ host: '127.0.0.1', port: 0 }),
    }),
    echoSts: z.strictObject({ name, health: http, url: http }),
  }),
  metrics: z.strictObject({
    ...{ segmentsProcessed: metric, audioFragments: metric, avSyncDelta: metric },
    ...{ stsProcessingTime: metric, fallbacks: metric, inflight: metric, breakerState: metric },
    ...{ backpressureEvents: metric, reconnections: metric },
  }),
});

/** What the suite drives and where it finds it: acceptance.yaml with its variables filled in. */
export type Settings = z.infer<typeof settingsSchema>;

/** What services and their metrics are called, as far as evidence is read by name. */
export function serviceNames({ services, metrics }: Settings): ServiceNames {
  const { mediaServer, mediaService, sts } = services;
  return { mediaService: mediaService.name, sts: sts.name, paths: mediaServer.paths, metrics };
}

/**
 * Where the results of a run go: REPORTS_DIR, or `reports`; `reports/replay` where recorded broadcasts are judged, so that
 * the results of the run that has recorded them are kept. An absolute path.
 */
export function reportsFolderOf(environment: NodeJS.ProcessEnv): string {
  const { REPORTS_DIR, EVIDENCE } = environment;
  return resolve(REPORTS_DIR || join(projectRoot, EVIDENCE ? 'reports/replay' : 'reports'));
}

/** Everything that can be set from outside. */
export interface Config {
  runtime: Environment['RUNTIME'];
  /** acceptance.yaml, or what ACCEPTANCE_CONFIG names. */
  settingsFile: string;
  fixtureScript: string;
  fixtureFile: string | undefined;
  /** FIXTURE_FILE is given, and nothing that describes it: `fixtureScript` is that of another file, unless it is the same. */
  isClipAlone: boolean;
  reportsFolder: string;
  /** Where runs are remembered; undefined: in the folder of their results. */
  historyFile: string | undefined;
  /** Where recorded broadcasts are judged in place of new ones. */
  evidenceFolder: string | undefined;
  analysisCache: string | undefined;
  /** The folder of the listener's model. */
  listenerModel: string;
  /** Where what must be removed is written down, for a later run. */
  stateFolder: string;
  monitor: Environment['STS_MONITOR'];
  /** The programs that wait for the end of this run, as `waitersAsText` writes them. */
  waiters: string | undefined;
  /** What ffmpeg logs in with at the media server: no command line may have it. */
  mediaServerLogin: Login | undefined;
  /** The same seed gives the same random delays. */
  faultSeed: number;
  /** The same seed gives the same fresh words. */
  freshWordsSeed: number;
  /** Every variable that the suite, acceptance.yaml or a compose file reads and that has another value than its default. */
  readonly differing: Record<string, string>;
  /** The environment, what the set-up has decided on, and CHECKOUT: for acceptance.yaml and the compose files. */
  variables: Variables;
  /**
   * acceptance.yaml.
   *
   * @param servicesHost the host on which published ports are found
   * @param ports in place of those of the environment
   * @throws PrerequisiteMissing ('configuration') naming file, line and what it may be
   */
  settings(servicesHost: string, ports?: Variables): Settings;
}

/**
 * Reads the configuration. The only reader of environment variables. A variable that is empty counts as not set.
 * What is secret of them is hidden from then on (support/safe-text.ts).
 *
 * @throws PrerequisiteMissing naming the variable, what it is and what it may be
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  hideSecretsOf(environment);
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const variable = String(issue?.path[0]);
    throw new PrerequisiteMissing(
      {
        what: 'the configuration is not valid',
        where: `environment variable ${variable}`,
        seen: environment[variable] ?? 'not set',
        expected: issue?.message ?? '',
        next: 'docs/your-own-services.md, Configuration',
      },
      'configuration',
    );
  }
  const values = parsed.data;
  const variables = {
    CHECKOUT: createHash('sha256').update(projectRoot).digest('hex').slice(0, 6),
    ...imagesOfSetup(),
    ...environment,
  };
  return {
    runtime: values.RUNTIME,
    settingsFile: values.ACCEPTANCE_CONFIG,
    ...fixtureOf(values),
    reportsFolder: reportsFolderOf(given),
    historyFile: values.HISTORY_FILE ? resolve(values.HISTORY_FILE) : undefined,
    evidenceFolder: values.EVIDENCE ? resolve(values.EVIDENCE) : undefined,
    listenerModel: resolve(values.LISTENER_MODEL),
    analysisCache: values.ANALYSIS_CACHE ? resolve(values.ANALYSIS_CACHE) : undefined,
    stateFolder: join(projectRoot, '.state'),
    monitor: values.STS_MONITOR,
    mediaServerLogin: loginIn(environment, 'mediaServer'),
    waiters: values.LIVE_DUBBING_WAITERS,
    get differing() {
      return differingFrom(given, values.ACCEPTANCE_CONFIG);
    },
    faultSeed: values.FAULT_SEED ?? randomInt(0x7fffffff),
    freshWordsSeed: values.FRESH_WORDS_SEED ?? randomInt(0x7fffffff),
    variables,
    settings: (servicesHost, ports = {}) =>
      readSettings(values.ACCEPTANCE_CONFIG, {
        ...{ ...variables, SERVICES_HOST: servicesHost },
        ...ports,
      }),
  };
}

/** The configured broadcast: its description, and the file that replaces the one which that names. */
function fixtureOf({
  FIXTURE_FILE: file,
  FIXTURE_SCRIPT: script,
}: Environment): Pick<Config, 'fixtureScript' | 'fixtureFile' | 'isClipAlone'> {
  const beside = file === undefined ? undefined : file.replace(/\.[^./]*$/, '') + '.yaml';
  const found = script ?? (beside !== undefined && existsSync(beside) ? beside : undefined);
  return {
    fixtureScript: resolve(found ?? join(projectRoot, 'fixtures/1-min-nfl.yaml')),
    fixtureFile: file,
    isClipAlone: file !== undefined && found === undefined,
  };
}

/** A variable with its default, as compose files have it: `${NAME:-default}`, `${NAME}`. */
const VARIABLE = /\$\{([A-Za-z_]\w*)(?::?-([^{}$]*))?/g;

function differingFrom(
  given: Record<string, string | undefined>,
  path: string,
): Record<string, string> {
  const text = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const settings = text(path);
  const composed = ['MEDIA', 'STS', 'ECHO'].flatMap((name) => {
    const [, files = ''] = new RegExp(`\\$\\{${name}_COMPOSE_FILE:-([^}]*)`).exec(settings) ?? [];
    return (given[`${name}_COMPOSE_FILE`] ?? files).split(':');
  });
  const sources = [settings, ...composed.map((file) => text(resolve(projectRoot, file)))];
  const defaults = new Map<string, string>();
  for (const [, name = '', value = ''] of sources.flatMap((one) => [...one.matchAll(VARIABLE)])) {
    if (!defaults.has(name)) defaults.set(name, value);
  }
  for (const name of Object.keys(environmentSchema.shape)) defaults.set(name, '');
  defaults.set('RUNTIME', 'auto').set('STS_MONITOR', 'tap').delete('LIVE_DUBBING_WAITERS');
  return Object.fromEntries(
    [...defaults].flatMap(([name, usual]): [string, string][] => {
      const value = given[name];
      return value === undefined || value === usual ? [] : [[name, value]];
    }),
  );
}

/** Gives this process, and with it all that it starts, further environment variables. */
export function addToEnvironment(variables: Record<string, string>): void {
  Object.assign(process.env, variables);
}

/** Images that the set-up has made because others could not be pulled (scripts/docker.mjs). */
function imagesOfSetup(): Variables {
  const file = join(projectRoot, '.tools/images.json');
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const parsed = z.record(z.string(), z.string()).safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new PrerequisiteMissing(
    {
      ...{
        what: 'what the set-up has noted cannot be read',
        where: file,
        seen: text.slice(0, 100),
      },
      ...{ expected: 'names of images, as JSON', next: 'npm run setup -- --docker' },
    },
    'configuration',
  );
}

function readSettings(path: string, variables: Variables): Settings {
  try {
    const file = readYamlFile(path, 'configuration');
    if (file.values === null) throw isEmpty(file);
    const first = file.valuesWith(variables) as { ports?: Variables } | null;
    // Addresses refer to the ports that the file itself lists.
    const values = file.valuesWith({ ...variables, ...first?.ports });
    checkPorts(first?.ports ?? {}, variables);
    const parsed = settingsSchema.safeParse(values);
    if (parsed.success) return withLogins(withReachableSts(parsed.data, variables), variables);
    throw notValid(file, values, parsed.error.issues);
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    const next = 'correct it as in acceptance.yaml (docs/your-own-services.md)';
    throw new PrerequisiteMissing({ next, ...error.problem }, 'configuration', { cause: error });
  }
}

/** @throws PrerequisiteMissing where a variable by which a port is set is no port */
function checkPorts(ports: Variables, variables: Variables): void {
  for (const [name, port] of Object.entries(ports)) {
    const given = variables[name];
    if (!given || String(port) !== given) continue;
    if (/^\d{1,5}$/.test(given) && Number(given) >= 1 && Number(given) <= 65535) continue;
    throw new PrerequisiteMissing(
      {
        ...{ what: 'the configuration is not valid', where: `environment variable ${name}` },
        ...{ seen: `'${given}'`, expected: 'one port, from 1 to 65535, and nothing else' },
        next: 'correct it (docs/your-own-services.md, Configuration)',
      },
      'configuration',
    );
  }
}

function isEmpty({ shown }: YamlFile): SuiteError {
  return new SuiteError({
    ...{ what: `${shown} is empty`, where: shown, seen: 'nothing in it' },
    expected: 'the services that are driven, as in acceptance.yaml',
    next: 'copy acceptance.yaml and change what differs',
  });
}

/** Everything that is missing at once, in plain words; otherwise the first value that is not as it has to be. */
function notValid(
  file: YamlFile,
  values: unknown,
  issues: readonly z.core.$ZodIssue[],
): SuiteError {
  const isAbsent = ({ path }: z.core.$ZodIssue): boolean =>
    path.length > 0 && valueAt(values, path.map(String)) === undefined;
  const absent = issues.filter(isAbsent).map(({ path }) => path.map(String));
  const [first = []] = absent;
  if (absent.length > 0) {
    const unknown = issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path.map(String), key].join('.'))
        : [],
    );
    const without = `without ${absent.map((keys) => keys.join('.')).join(', ')}`;
    return new SuiteError({
      what: 'the configuration lacks what a run needs',
      where: file.placeOf(first).place,
      seen: unknown.length > 0 ? `${without}; with unknown ${unknown.join(', ')}` : without,
      expected: 'each of them, as acceptance.yaml has it',
      next: 'copy what is missing from acceptance.yaml (docs/your-own-services.md)',
    });
  }
  const [issue] = issues;
  const keys = (issue?.path ?? []).map(String);
  const value = JSON.stringify(valueAt(values, keys) ?? null);
  return new SuiteError({
    what: 'the configuration is not valid',
    where: file.placeOf(keys).place,
    seen: keys.length > 0 ? `${keys.join('.')}: ${value}` : value,
    expected: keys.length > 0 ? (issue?.message ?? '') : 'keys and values, as in acceptance.yaml',
  });
}

/** `host.docker.internal` is a name that containers know; from this host, the same ports are at SERVICES_HOST. */
function withReachableSts(settings: Settings, { SERVICES_HOST: host }: Variables): Settings {
  const { sts } = settings.services;
  const url = sts.url.replace('//host.docker.internal', `//${host}`);
  return { ...settings, services: { ...settings.services, sts: { ...sts, url } } };
}

/** By the service that lets the suite in with them. */
const LOGINS = {
  mediaServer: ['MEDIA_SERVER_USER', 'MEDIA_SERVER_PASSWORD'],
  mediaService: ['MEDIA_SERVICE_USER', 'MEDIA_SERVICE_PASSWORD'],
  sts: ['STS_USER', 'STS_PASSWORD'],
  echoSts: ['STS_USER', 'STS_PASSWORD'],
} as const;

/** A user and a password. */
export interface Login {
  user: string;
  password: string;
}

function loginIn(variables: Variables, service: keyof typeof LOGINS): Login | undefined {
  const [userVariable, passwordVariable] = LOGINS[service];
  const { [userVariable]: user, [passwordVariable]: password = '' } = variables;
  return user ? { user, password } : undefined;
}

/** HTTP addresses with the user and the password of their service; those that have a user already stay as they are. */
function withLogins(settings: Settings, variables: Variables): Settings {
  const addressed = <T extends object>(service: T, key: keyof typeof LOGINS): T => {
    const login = loginIn(variables, key);
    if (!login) return service;
    const entries = Object.entries(service).map(([what, value]: [string, unknown]) => {
      if (typeof value !== 'string' || !/^https?:\/\/[^@]*$/.test(value)) return [what, value];
      const url = new URL(value);
      url.username = login.user;
      url.password = login.password;
      return [what, url.href.replace(/\/$/, '')];
    });
    return Object.fromEntries(entries) as T;
  };
  const { mediaServer, mediaService, sts, echoSts } = settings.services;
  return {
    ...settings,
    services: {
      mediaServer: addressed(mediaServer, 'mediaServer'),
      mediaService: addressed(mediaService, 'mediaService'),
      sts: addressed(sts, 'sts'),
      echoSts: addressed(echoSts, 'echoSts'),
    },
  };
}

function valueAt(values: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    values,
  );
}
