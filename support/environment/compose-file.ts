import { dirname, isAbsolute, posix, resolve } from 'node:path';

import { z } from 'zod';

import { PrerequisiteMissing, SuiteError } from '../base/errors';
import { hideSecretsOf } from '../base/safe-text';
import { readYamlFile, shownPath, type YamlFile } from '../base/yaml-file';

/** A mapping, or a list of NAME=value; null for a variable that is only named. */
export const pairsSchema = z
  .union([
    z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    z.array(z.string()),
  ])
  .transform((given): Record<string, string | null> => {
    const pairs = Array.isArray(given)
      ? given.map((entry): [string, string | null] => {
          const equals = entry.indexOf('=');
          return equals < 0 ? [entry, null] : [entry.slice(0, equals), entry.slice(equals + 1)];
        })
      : Object.entries(given).map(([key, value]): [string, string | null] => [
          key,
          value === null ? null : String(value),
        ]);
    return Object.fromEntries(pairs);
  });

/** Variables that are only named, and not set, are not there. */
function given(pairs: Record<string, string | null>): Record<string, string> {
  const all = Object.entries(pairs);
  return Object.fromEntries(
    all.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/** How the same program is started as a process of this host, in place of its container. */
const hostSchema = z.strictObject({
  /** Program and arguments; relative paths are relative to the compose file's folder, the working directory. */
  command: z.array(z.string()).min(1),
  /** Added to the service's `environment`; replaces variables of the same name. */
  environment: pairsSchema
    .superRefine((pairs, context) => {
      for (const [name, value] of Object.entries(pairs)) {
        if (value !== null) continue;
        context.addIssue({ code: 'custom', path: [name], message: 'has no value' });
      }
    })
    .transform(given)
    .optional(),
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
    environment: pairsSchema.transform(given).optional(),
    ports: z.array(portSchema).optional(),
    volumes: z.array(volumeSchema).optional(),
    depends_on: z
      .union([
        z.array(z.string()),
        z.record(
          z.string(),
          z.looseObject({ condition: z.string().optional(), required: z.boolean().optional() }),
        ),
      ])
      .optional(),
    network_mode: z.string().optional(),
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
  /** Those of them that must have ended, with exit code 0, before it is started. */
  completed: string[];
  /** Whether it listens on the ports of the host itself (`network_mode: host`); not there where it does not. */
  onHostNetwork?: true;
  /** Whether a GPU is given to its container; not there where none is. */
  reservesGpu?: true;
  host: z.infer<typeof hostSchema> | undefined;
}

/** The composition that one or several compose files describe together. `files` are absolute. */
export interface ComposeFile {
  files: string[];
  services: ComposeService[];
  /** What Docker Compose has to say of them, a line each. */
  warnings: string[];
}

/**
 * The composition that the values of merged compose files stand for.
 *
 * @param files that they come from, to name lines in errors
 * @throws PrerequisiteMissing ('compose-files')
 */
export function composeFrom(
  values: unknown,
  files: readonly string[],
  warnings: string[] = [],
): ComposeFile {
  const parsed = projectSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw fileFault(files, (issue?.path ?? []).map(String), issue?.message ?? '');
  }
  const all = Object.entries(parsed.data.services);
  const services = all.map(([name, service]): ComposeService => {
    const dependencies = Object.entries(dependenciesOf(service.depends_on)).filter(
      ([other, { required }]) => required !== false || Object.hasOwn(parsed.data.services, other),
    );
    return {
      name,
      environment: service.environment ?? {},
      publishedPorts: [...new Set((service.ports ?? []).flatMap(publishedPort))],
      volumes: namedVolumes(service.volumes ?? []),
      dependsOn: dependencies.map(([other]) => other),
      completed: dependencies.flatMap(([other, { condition }]) =>
        condition === 'service_completed_successfully' ? [other] : [],
      ),
      ...(service.network_mode === 'host' ? { onHostNetwork: true } : {}),
      ...(reservesGpu(service) ? { reservesGpu: true } : {}),
      host: service['x-host'],
    };
  });
  services.forEach(({ environment, host }) => {
    hideSecretsOf({ ...environment, ...host?.environment });
  });
  for (const service of services) {
    const unknown = service.dependsOn.find((name) => !services.some((s) => s.name === name));
    if (unknown === undefined) continue;
    const names = services.map((s) => s.name).join(', ');
    throw fileFault(
      files,
      ['services', service.name, 'depends_on'],
      `there is no service ${unknown}; the services are ${names}`,
    );
  }
  return { files: files.map((file) => resolve(file)), services, warnings };
}

type Dependencies = Exclude<z.infer<typeof serviceSchema>['depends_on'], string[] | undefined>;

function dependenciesOf(given: z.infer<typeof serviceSchema>['depends_on']): Dependencies {
  return Array.isArray(given) ? Object.fromEntries(given.map((name) => [name, {}])) : (given ?? {});
}

/**
 * `x-host` of a later file laid over that of an earlier one: its command replaces the other, its variables are added.
 * Compose leaves it to whoever reads an extension.
 */
export function hostOver(earlier: unknown, later: unknown): unknown {
  if (!isMapping(earlier) || !isMapping(later)) return later;
  const [base, added] = [earlier, later].map(({ environment }) =>
    pairsSchema.safeParse(environment),
  );
  if (!base?.success || !added?.success) return { ...earlier, ...later };
  return { ...earlier, ...later, environment: { ...base.data, ...added.data } };
}

/** By `gpus`, by a reservation of devices, or by NVIDIA's runtime: all that Docker Compose has for it. */
function reservesGpu({ gpus, runtime, deploy }: z.infer<typeof serviceSchema>): boolean {
  const devices = deploy?.resources?.reservations?.devices ?? [];
  const isReserved = devices.some(({ capabilities = [] }) => capabilities.includes('gpu'));
  return (gpus !== undefined && gpus !== null) || runtime === 'nvidia' || isReserved;
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
  if (error instanceof PrerequisiteMissing) return error;
  const next =
    error.problem.next ??
    'correct the file, or name another one by MEDIA_COMPOSE_FILE / STS_COMPOSE_FILE';
  return new PrerequisiteMissing({ ...error.problem, next }, 'compose-files', { cause: error });
}

/** What is wrong with a part of compose files, with the line of the last file that has it. */
export function fileFault(
  files: readonly string[],
  keys: readonly string[],
  message: string,
): PrerequisiteMissing {
  return composeFault(
    new SuiteError({
      what: 'the compose file is not a valid Compose file',
      where: placeIn(files, keys),
      seen: `${keys.join('.') || 'the whole file'}: ${message}`,
      expected: 'services, each with an image or a build (Compose specification)',
    }),
  );
}

function placeIn(files: readonly string[], keys: readonly string[]): string {
  const places = files.flatMap((file) => yamlOf(file)?.placeOf(keys) ?? []);
  const deepest = Math.max(...places.map(({ depth }) => depth));
  const place = places.filter(({ depth }) => depth === deepest).at(-1);
  return place?.place ?? files.map(shownPath).join(', ');
}

/** Undefined for what Compose can read, and the suite cannot. */
function yamlOf(file: string): YamlFile | undefined {
  try {
    return readYamlFile(file, 'compose file');
  } catch {
    return undefined;
  }
}

/** `127.0.0.1:8080:80`, `8080:80/tcp`, `8000-8002:80-82`: the host ports; none for a container port alone. */
function publishedPort(port: z.infer<typeof portSchema>): number[] {
  if (typeof port === 'number') return [];
  if (typeof port === 'object') {
    return (port.protocol ?? 'tcp') === 'tcp' ? portRange(String(port.published ?? '')) : [];
  }
  const [addresses = '', protocol = 'tcp'] = port.split('/');
  if (protocol.toLowerCase() !== 'tcp') return [];
  const parts = addresses.split(':');
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

/** What a later entry mounts at the same point takes the place of the earlier. */
function namedVolumes(volumes: readonly z.infer<typeof volumeSchema>[]): Record<string, string> {
  const mounted = new Map(volumes.map(mountOf));
  return Object.fromEntries([...mounted].flatMap(([at, name]) => (name ? [[at, name]] : [])));
}

/** Mount point, and the name of the volume; none for a folder of the host or a volume without a name. */
function mountOf(volume: z.infer<typeof volumeSchema>): [string, string | undefined] {
  if (typeof volume === 'object') {
    const { type, source, target = '' } = volume;
    return [posix.resolve('/', target), type === 'volume' ? source : undefined];
  }
  const [source = '', target] = volume.split(':');
  const isName = target !== undefined && /^[A-Za-z0-9]/.test(source);
  return [posix.resolve('/', target ?? source), isName ? source : undefined];
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
