import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';

import Ajv, { type ErrorObject } from 'ajv/dist/2020';
import { z } from 'zod';

import { PrerequisiteMissing, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { hideSecretsOf } from '../base/safe-text';
import { readYamlFile, shownPath, type YamlFile } from '../base/yaml-file';

/** A mapping, or a list of NAME=value. */
export const environmentSchema = z
  .union([
    z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    z.array(z.string()),
  ])
  .transform((given): Record<string, string> => {
    const pairs = Array.isArray(given)
      ? given.map((entry): [string, string] => {
          const equals = entry.indexOf('=');
          return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
        })
      : Object.entries(given).map(([key, value]): [string, string] => [key, String(value ?? '')]);
    return Object.fromEntries(pairs);
  });

/** How the same program is started as a process of this host, in place of its container. */
const hostSchema = z.strictObject({
  /** Program and arguments; relative paths are relative to the compose file's folder, the working directory. */
  command: z.array(z.string()).min(1),
  /** Added to the service's `environment`; replaces variables of the same name. */
  environment: environmentSchema.optional(),
});

const published = z.union([z.string(), z.number()]);
const portSchema = z.union([
  z.string(),
  z.number(),
  z.looseObject({ published: published.optional(), protocol: z.string().optional() }),
]);

const volumeSchema = z.union([
  z.string(),
  z.looseObject({
    type: z.string(),
    source: z.string().optional(),
    target: z.string().optional(),
  }),
]);

/** Where the Compose specification reserves devices for a service. */
const deploySchema = z.looseObject({
  resources: z
    .looseObject({
      reservations: z
        .looseObject({
          devices: z
            .array(z.looseObject({ capabilities: z.array(z.string()).optional() }))
            .optional(),
        })
        .nullish(),
    })
    .nullish(),
});

/** The parts of a service that the suite itself uses. */
const serviceSchema = z
  .looseObject({
    image: z.string().optional(),
    build: z.unknown().optional(),
    environment: environmentSchema.optional(),
    ports: z.array(portSchema).optional(),
    volumes: z.array(volumeSchema).optional(),
    depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
    gpus: z.unknown().optional(),
    runtime: z.string().optional(),
    deploy: deploySchema.nullish(),
    'x-host': hostSchema.optional(),
  })
  .refine((service) => service.image !== undefined || service.build !== undefined, {
    error: 'has neither an image nor a build',
  });

const projectSchema = z.looseObject({ services: z.record(z.string(), serviceSchema) });

/** A service of a composition, with its variables filled in. */
export interface ComposeService {
  name: string;
  environment: Record<string, string>;
  /** TCP ports of the host that the service publishes. */
  publishedPorts: number[];
  /** Named volumes: mount point in the container to volume name. */
  volumes: Record<string, string>;
  dependsOn: string[];
  /** Whether a GPU is given to its container; not there where none is. */
  reservesGpu?: true;
  host: z.infer<typeof hostSchema> | undefined;
}

/** The composition that one or several compose files describe together. `files` are absolute. */
export interface ComposeFile {
  files: string[];
  services: ComposeService[];
}

/**
 * Checks each file by itself against the Compose specification's JSON Schema. Variables that are not given come from the
 * file `.env` beside the first compose file, as with Docker Compose, and so do variables that a service only names.
 *
 * @returns the files and their values, in the same order
 * @throws PrerequisiteMissing ('compose-files') naming file, line and what is wrong
 */
export function checkComposeFiles(files: readonly string[], variables: Variables): CheckedFile[] {
  const all = { ...dotEnv(files[0]), ...variables };
  hideSecretsOf(all);
  return files.map((path) => {
    try {
      const file = readYamlFile(path, 'compose file');
      const reset = file.tagged('!reset');
      const values = reset.reduce(without, file.valuesWith(all));
      const fault = schemaFault(values);
      if (fault) throw fileFault(file, fault.keys, fault.message);
      const replaced = [...reset, ...file.tagged('!override')];
      return { file, values: withPassedThrough(values, all), replaced };
    } catch (error) {
      throw error instanceof SuiteError ? composeFault(error) : error;
    }
  });
}

/** A compose file by itself. */
export interface CheckedFile {
  file: YamlFile;
  values: unknown;
  /** The keys of what earlier files say, and this one replaces or takes away (`!override`, `!reset`). */
  replaced: string[][];
}

function without(values: unknown, [key = '', ...rest]: readonly string[]): unknown {
  if (!isMapping(values) || !Object.hasOwn(values, key)) return values;
  const { [key]: value, ...others } = values;
  return rest.length === 0 ? others : { ...others, [key]: without(value, rest) };
}

/** With the values of variables that services only name; those that are not set are left out. */
function withPassedThrough(values: unknown, variables: Variables): unknown {
  return ofServices(values, (service) => {
    const { environment } = service;
    if (!isMapping(environment) && !Array.isArray(environment)) return service;
    const given = Array.isArray(environment)
      ? (environment as unknown[]).flatMap((entry) => {
          const name = String(entry);
          if (name.includes('=')) return [name];
          const value = variables[name];
          return value === undefined ? [] : [`${name}=${value}`];
        })
      : Object.fromEntries(
          Object.entries(environment).flatMap(([name, value]) => {
            const given = value ?? variables[name];
            return given === undefined ? [] : [[name, given]];
          }),
        );
    return { ...service, environment: given };
  });
}

/** With every service changed. */
export function ofServices(
  values: unknown,
  change: (service: Record<string, unknown>, name: string) => unknown,
): unknown {
  if (!isMapping(values) || !isMapping(values['services'])) return values;
  const services = Object.entries(values['services']).map(([name, service]) => [
    ...[name, isMapping(service) ? change(service, name) : service],
  ]);
  return { ...values, services: Object.fromEntries(services) as unknown };
}

/** The variables of the file `.env` beside a compose file; none where it is not there. */
export function dotEnv(composeFile = '.'): Variables {
  const file = join(dirname(composeFile), '.env');
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile();
  return isFile ? parseEnv(readFileSync(file, 'utf8')) : {};
}

/**
 * The composition that the values of merged compose files stand for.
 *
 * @param checked the files that they come from, to name lines in errors
 * @throws PrerequisiteMissing ('compose-files')
 */
export function composeFrom(values: unknown, checked: readonly { file: YamlFile }[]): ComposeFile {
  const whereIs = (keys: string[], message: string): Error => {
    // The last file that has most of the keys is where the value comes from.
    const places = checked.map(({ file }) => ({ file, depth: file.placeOf(keys).depth }));
    const deepest = Math.max(...places.map(({ depth }) => depth));
    const place = places.filter(({ depth }) => depth === deepest).at(-1);
    if (!place) throw new Error('no compose file was given');
    return composeFault(fileFault(place.file, keys, message));
  };
  const parsed = projectSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw whereIs((issue?.path ?? []).map(String), issue?.message ?? '');
  }
  const services = Object.entries(parsed.data.services).map(([name, service]): ComposeService => ({
    name,
    environment: service.environment ?? {},
    publishedPorts: (service.ports ?? []).flatMap(publishedPort),
    volumes: Object.fromEntries((service.volumes ?? []).flatMap(namedVolume)),
    dependsOn: Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.entries(service.depends_on ?? {}).flatMap(([other, how]) => {
          const isOptional = isMapping(how) && how['required'] === false;
          return isOptional && !Object.hasOwn(parsed.data.services, other) ? [] : [other];
        }),
    ...(reservesGpu(service) ? { reservesGpu: true } : {}),
    host: service['x-host'],
  }));
  services.forEach(({ environment, host }) => {
    hideSecretsOf({ ...environment, ...host?.environment });
  });
  for (const service of services) {
    const unknown = service.dependsOn.find((name) => !services.some((s) => s.name === name));
    if (unknown === undefined) continue;
    const names = services.map((s) => s.name).join(', ');
    throw whereIs(
      ['services', service.name, 'depends_on'],
      `there is no service ${unknown}; the services are ${names}`,
    );
  }
  return { files: checked.map(({ file }) => file.path), services };
}

/** Lists that a later file replaces, where other lists grow (Compose specification, "Merge"). */
const REPLACED_LISTS = new Set(['command', 'entrypoint', 'test']);
/** By `gpus`, by a reservation of devices, or by NVIDIA's runtime: all that Docker Compose has for it. */
function reservesGpu({ gpus, runtime, deploy }: z.infer<typeof serviceSchema>): boolean {
  const devices = deploy?.resources?.reservations?.devices ?? [];
  const isReserved = devices.some(({ capabilities = [] }) => capabilities.includes('gpu'));
  return (gpus !== undefined && gpus !== null) || runtime === 'nvidia' || isReserved;
}

/** Lists of NAME=value that are merged as if they were mappings. */
const LISTS_OF_PAIRS = new Set(['environment', 'labels', 'args']);

/** Merges the values of one compose file into those of another, as Docker Compose does with several `-f`. */
function mergeCompose(base: unknown, over: unknown, key = ''): unknown {
  if (over === undefined || over === null) return base;
  if (base === undefined || base === null) return over;
  if (LISTS_OF_PAIRS.has(key)) {
    return { ...environmentSchema.parse(base), ...environmentSchema.parse(over) };
  }
  if (Array.isArray(base) && Array.isArray(over)) {
    if (REPLACED_LISTS.has(key)) return over;
    const known = new Set(base.map((item) => JSON.stringify(item)));
    const added = (over as unknown[]).filter((item) => !known.has(JSON.stringify(item)));
    return [...(base as unknown[]), ...added];
  }
  if (isMapping(base) && isMapping(over)) {
    const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])];
    return Object.fromEntries(
      keys.map((name) => [name, mergeCompose(own(base, name), own(over, name), name)]),
    );
  }
  return over;
}

/** A service may be called `constructor`, which every object has. */
function own(values: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** The values of several checked files, each merged into those before. */
export function mergeAll(checked: readonly Pick<CheckedFile, 'values' | 'replaced'>[]): unknown {
  return checked.reduce<unknown>(
    (base, { values, replaced }) => mergeCompose(replaced.reduce(without, base), values),
    {},
  );
}

/** Resolves a path of a composition: relative ones are relative to the folder of its first file. */
export function besideComposeFile(compose: ComposeFile, path: string): string {
  return isAbsolute(path) ? path : resolve(folderOf(compose), path);
}

/** The folder that relative paths start from. */
export function folderOf(compose: ComposeFile): string {
  return dirname(compose.files[0] ?? '.');
}

/** The files of a composition, as messages show them. */
export function shownFiles(compose: ComposeFile): string {
  return compose.files.map(shownPath).join(', ');
}

/** An error in compose files, with what to do about it. */
export function composeFault(error: SuiteError): PrerequisiteMissing {
  const next =
    error.problem.next ??
    'correct the file, or name another one by MEDIA_COMPOSE_FILE / STS_COMPOSE_FILE';
  return new PrerequisiteMissing({ ...error.problem, next }, 'compose-files', { cause: error });
}

function fileFault(file: YamlFile, keys: string[], message: string): SuiteError {
  return new SuiteError({
    what: 'the compose file is not a valid Compose file',
    where: file.placeOf(keys).place,
    seen: `${keys.join('.') || 'the whole file'}: ${message}`,
    expected: 'services, each with an image or a build (Compose specification)',
  });
}

const ajv = new Ajv({ allErrors: true, strict: false });
const fitsSchema = ajv.compile(
  JSON.parse(readFileSync(join(__dirname, 'compose-spec.schema.json'), 'utf8')) as object,
);

/** The most telling of the schema's errors: of the deepest ones an unknown key, else the first. */
function schemaFault(values: unknown): { keys: string[]; message: string } | undefined {
  if (fitsSchema(withoutRepeats(values))) return undefined;
  const errors = fitsSchema.errors ?? [];
  const depthOf = (error: ErrorObject): number => error.instancePath.split('/').length;
  const deepest = Math.max(...errors.map(depthOf));
  const candidates = errors.filter((error) => depthOf(error) === deepest);
  const chosen = candidates.find((error) => unknownKey(error) !== undefined) ?? candidates[0];
  if (!chosen) return undefined;
  const keys = chosen.instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const unknown = unknownKey(chosen);
  if (unknown !== undefined) return { keys: [...keys, unknown], message: 'unknown key' };
  const kinds = candidates
    .filter(({ keyword, instancePath }) => {
      return keyword === 'type' && instancePath === chosen.instancePath;
    })
    .flatMap(({ params }) => (params as { type: string | string[] }).type);
  return {
    keys,
    message: kinds.length
      ? `must be ${[...new Set(kinds)].join(' or ')}`
      : (chosen.message ?? 'not valid'),
  };
}

/** Variables may make two entries of a list equal: Compose removes such repeats before it checks. */
function withoutRepeats(value: unknown): unknown {
  if (Array.isArray(value)) {
    return [...new Map(value.map((item) => [JSON.stringify(item), withoutRepeats(item)])).values()];
  }
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutRepeats(item)]),
  );
}

function unknownKey({ params }: ErrorObject): string | undefined {
  const { additionalProperty, unevaluatedProperty } = params as Record<string, string | undefined>;
  return additionalProperty ?? unevaluatedProperty;
}

/** `127.0.0.1:8080:80`, `8080:80/tcp`, `8000-8002:80-82`: the host ports; none for a container port alone. */
function publishedPort(port: z.infer<typeof portSchema>): number[] {
  if (typeof port === 'number') return [];
  if (typeof port === 'object') {
    return port.protocol === 'udp' ? [] : portRange(String(port.published ?? ''));
  }
  if (port.endsWith('/udp')) return [];
  const parts = port.replace(/\/tcp$/, '').split(':');
  return parts.length < 2 ? [] : portRange(parts.at(-2) ?? '');
}

function portRange(text: string): number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) > 65_535) return [];
  return Array.from(
    { length: Math.max(0, Number(last) - Number(first) + 1) },
    (_, index) => Number(first) + index,
  );
}

function namedVolume(volume: z.infer<typeof volumeSchema>): [string, string][] {
  if (typeof volume === 'object') {
    const { type, source, target } = volume;
    return type === 'volume' && source && target ? [[target, source]] : [];
  }
  const [source = '', target] = volume.split(':');
  return target && /^[A-Za-z0-9][\w.-]*$/.test(source) ? [[target, source]] : [];
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The services asked for and what they depend on, each after its dependencies. */
export function inOrder(compose: ComposeFile, wanted?: readonly string[]): ComposeService[] {
  const ordered = new Set<ComposeService>();
  const visit = (name: string, path: string[]): void => {
    const service = compose.services.find((one) => one.name === name);
    if (!service || ordered.has(service)) return;
    if (path.includes(name)) {
      throw new SuiteError({
        what: 'services depend on each other in a cycle',
        where: shownFiles(compose),
        seen: [...path, name].join(' -> '),
        expected: 'depends_on without a cycle',
      });
    }
    service.dependsOn.forEach((dependency) => visit(dependency, [...path, name]));
    ordered.add(service);
  };
  (wanted ?? compose.services.map((one) => one.name)).forEach((name) => visit(name, []));
  return [...ordered];
}
