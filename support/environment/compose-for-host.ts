/** Compose files where Docker Compose does not read them: for processes of this host. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { shownPath, type YamlFile } from '../base/yaml-file';
import {
  type CheckedFile,
  type ComposeFile,
  composeFault,
  composeFrom,
  dotEnv,
  environmentSchema,
  isMapping,
  mergeAll,
  ofServices,
} from './compose-file';

/**
 * The composition that checked compose files describe: what Docker Compose alone would follow is refused, files with
 * variables are read, and services of profiles that are not active (COMPOSE_PROFILES) are left out.
 *
 * @throws PrerequisiteMissing ('compose-files')
 */
export function composeForHost(checked: readonly CheckedFile[], variables: Variables): ComposeFile {
  for (const { file, values } of checked) refuseFollowed(file, values);
  const folder = dirname(checked[0]?.file.path ?? '.');
  const { COMPOSE_PROFILES = '' } = { ...dotEnv(checked[0]?.file.path), ...variables };
  const active = COMPOSE_PROFILES.split(',').map((name) => name.trim());
  const merged = ofServices(mergeAll(checked), (service) => withEnvFiles(service, folder));
  return composeFrom(withProfiles(merged, active), checked);
}

/** Docker Compose alone follows `include` and `extends`. */
function refuseFollowed(file: YamlFile, values: unknown): void {
  const refuse = (keys: string[]): never => {
    const key = keys.at(-1) ?? '';
    throw composeFault(
      new SuiteError({
        what: `${key} is followed by Docker Compose only, which does not read this file here`,
        where: file.placeOf(keys).place,
        ...{ seen: keys.join('.'), expected: `compose files without ${key}` },
        next: `name all files in MEDIA_COMPOSE_FILE / STS_COMPOSE_FILE, without ${key}, or use RUNTIME=docker`,
      }),
    );
  };
  if (!isMapping(values)) return;
  if (values['include'] !== undefined) refuse(['include']);
  ofServices(values, (service, name) => {
    if (service['extends'] !== undefined) refuse(['services', name, 'extends']);
    return service;
  });
}

const envFileSchema = z.union([
  z.string().transform((path) => ({ path, required: true })),
  z.looseObject({ path: z.string(), required: z.boolean().default(true) }),
]);

/** `environment` counts more than `env_file`; later files count more than earlier ones. */
function withEnvFiles(
  { env_file: named, ...service }: Record<string, unknown>,
  folder: string,
): unknown {
  if (named === undefined) return service;
  const files = z.array(envFileSchema).parse(Array.isArray(named) ? named : [named]);
  const variables = files.map(({ path, required }): Record<string, string> => {
    const file = resolve(folder, path);
    if (existsSync(file)) return parseEnv(readFileSync(file, 'utf8')) as Pairs;
    if (!required) return {};
    throw composeFault(
      new SuiteError({
        ...{ what: 'a file of env_file is missing', where: shownPath(file) },
        ...{ seen: 'no such file', expected: 'variables, NAME=value' },
      }),
    );
  });
  const { environment } = service;
  const own = environment === undefined ? {} : environmentSchema.parse(environment);
  return { ...service, environment: Object.assign({}, ...variables, own) as Pairs };
}

type Pairs = Record<string, string>;

function withProfiles(values: unknown, active: readonly string[]): unknown {
  if (!isMapping(values) || !isMapping(values['services'])) return values;
  const isActive = (service: unknown): boolean => {
    const profiles = isMapping(service) ? (service['profiles'] ?? []) : [];
    if (!Array.isArray(profiles) || profiles.length === 0) return true;
    return active.includes('*') || profiles.some((one) => active.includes(String(one)));
  };
  const services = Object.entries(values['services']).filter(([, service]) => isActive(service));
  return { ...values, services: Object.fromEntries(services) };
}
