import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';

import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';

import { messageOf, PrerequisiteMissing } from '../errors';
import { interpolateAll, type Variables } from './interpolate';

const environmentSchema = z
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
  /** Added to the service's `environment`, or in its place. */
  environment: environmentSchema.optional(),
  /** Answers 200 when the service is healthy. */
  health: z.url(),
});

const portSchema = z.union([
  z.string(),
  z.number(),
  z.looseObject({ published: z.union([z.string(), z.number()]).optional() }),
]);

const serviceSchema = z
  .looseObject({
    image: z.string().optional(),
    build: z.union([z.string(), z.looseObject({})]).optional(),
    environment: environmentSchema.optional(),
    ports: z.array(portSchema).optional(),
    volumes: z.array(z.union([z.string(), z.looseObject({})])).optional(),
    depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
    'x-host': hostSchema.optional(),
  })
  .refine((service) => service.image !== undefined || service.build !== undefined, {
    error: 'has neither an image nor a build',
  });

const fileSchema = z.looseObject({ services: z.record(z.string(), serviceSchema) });

/** A service of a compose file, with its variables filled in. */
export interface ComposeService {
  name: string;
  environment: Record<string, string>;
  /** TCP ports of the host that the service publishes. */
  publishedPorts: number[];
  /** Named volumes: mount point in the container to volume name. */
  volumes: Record<string, string>;
  dependsOn: string[];
  host: z.infer<typeof hostSchema> | undefined;
}

/** A compose file that was read, checked and interpolated. `file` is absolute. */
export interface ComposeFile {
  file: string;
  services: ComposeService[];
}

/**
 * Reads and checks a compose file.
 *
 * @throws PrerequisiteMissing naming file, line and column of what is wrong
 */
export function readComposeFile(file: string, variables: Variables): ComposeFile {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw composeProblem(
      shown(path),
      'the compose file is missing',
      'no such file',
      'a Docker Compose file',
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, merge: true });
  const [syntaxError] = document.errors;
  if (syntaxError) {
    const at = lines.linePos(syntaxError.pos[0]);
    throw composeProblem(
      `${shown(path)}:${at.line}:${at.col}`,
      'the compose file is not valid YAML',
      syntaxError.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? '',
      'YAML',
    );
  }
  let values: unknown;
  try {
    values = interpolateAll(document.toJS(), variables);
  } catch (error) {
    throw composeProblem(
      shown(path),
      'a variable of the compose file cannot be filled in',
      messageOf(error),
      'every variable set, or with a default',
    );
  }
  const parsed = fileSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const keys = (issue?.path ?? []).map(String);
    throw composeProblem(
      `${shown(path)}:${lineOf(document, lines, keys)}`,
      'the compose file is not a valid Compose file',
      `${keys.join('.') || 'the whole file'}: ${issue?.message ?? ''}`,
      'services, each with an image or a build (Compose specification)',
    );
  }
  const services = Object.entries(parsed.data.services).map(([name, service]): ComposeService => ({
    name,
    environment: service.environment ?? {},
    publishedPorts: (service.ports ?? []).flatMap(publishedPort),
    volumes: Object.fromEntries((service.volumes ?? []).flatMap(namedVolume)),
    dependsOn: Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {}),
    host: service['x-host'],
  }));
  for (const service of services) {
    const unknown = service.dependsOn.find((name) => !services.some((s) => s.name === name));
    if (unknown) {
      throw composeProblem(
        `${shown(path)}:${lineOf(document, lines, ['services', service.name, 'depends_on'])}`,
        `${service.name} depends on a service that is not there`,
        unknown,
        services.map((s) => s.name).join(', '),
      );
    }
  }
  return { file: path, services };
}

/** Resolves a path of a compose file: relative ones are relative to the file's folder. */
export function besideComposeFile(compose: ComposeFile, path: string): string {
  return isAbsolute(path) ? path : resolve(dirname(compose.file), path);
}

function composeProblem(where: string, what: string, seen: string, expected: string): Error {
  const next = 'correct the file, or name another one by MEDIA_COMPOSE_FILE / STS_COMPOSE_FILE';
  return new PrerequisiteMissing({ what, where, seen, expected, next }, 'compose-files');
}

function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

/** The line of the deepest part of `keys` that the document has. */
function lineOf(document: Document, lines: LineCounter, keys: string[]): number {
  for (let depth = keys.length; depth >= 0; depth -= 1) {
    const found = depth === 0 ? document.contents : document.getIn(keys.slice(0, depth), true);
    if (isNode(found) && found.range) return lines.linePos(found.range[0]).line;
  }
  return 1;
}

/** `127.0.0.1:8080:80`, `8080:80/tcp`, `8080:80`: the host port; none for a container port alone. */
function publishedPort(port: z.infer<typeof portSchema>): number[] {
  if (typeof port === 'number') return [];
  if (typeof port === 'object') {
    return port.published === undefined ? [] : [Number(port.published)];
  }
  if (port.endsWith('/udp')) return [];
  const parts = port.replace(/\/tcp$/, '').split(':');
  const published = Number(parts.at(-2));
  return parts.length < 2 || !Number.isInteger(published) ? [] : [published];
}

function namedVolume(volume: string | Record<string, unknown>): [string, string][] {
  if (typeof volume !== 'string') return [];
  const [source = '', target] = volume.split(':');
  return target && /^[A-Za-z0-9][\w.-]*$/.test(source) ? [[target, source]] : [];
}
