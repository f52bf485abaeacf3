/**
 * Compose files where there is no Docker Compose: what the suite reads means what it means to Compose, and what only
 * Compose reads is named, with its line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import { parse, type ScalarTag } from 'yaml';
import { z } from 'zod';

import { SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { hideSecretsOf } from '../base/safe-text';
import { readYamlFile, shownPath, type YamlFile } from '../base/yaml-file';
import {
  composeFault,
  composeFrom,
  fileFault,
  hostOver,
  isMapping,
  pairsSchema,
  type ComposeFile,
} from './compose-file';

type Fields = Record<string, unknown>;

/**
 * The composition that compose files describe. Variables that are not given come from the file `.env` beside the first
 * of them, and services of profiles that are not active (COMPOSE_PROFILES) are left out.
 *
 * @throws PrerequisiteMissing ('compose-files') naming file, line and what is wrong; its cause is an {@link OnlyByCompose}
 *   where it is Compose's to read
 */
export function readWithoutCompose(
  files: readonly string[],
  project: string,
  variables: Variables,
): ComposeFile {
  const folder = dirname(files[0] ?? '.');
  const all: Record<string, string> = {
    ...{ ...dotEnv(folder, variables), ...set(variables), COMPOSE_PROJECT_NAME: project },
  };
  hideSecretsOf(all);
  const layers = files.map((file) => layerOf(file, all));
  const merged = layers.reduce<Fields>(
    (base, { values, replaced }) => merge(replaced.reduce(without, base), values),
    {},
  );
  const active = (all['COMPOSE_PROFILES'] ?? '').split(',').map((name) => name.trim());
  const services = Object.entries(fieldsOf(merged['services']))
    .filter(([, service]) => isActive(fieldsOf(service), active))
    .map(([name, service]) => [name, resolved(fieldsOf(service), { folder, variables: all })]);
  const values = { ...merged, services: Object.fromEntries(services) as Fields };
  refuseUndeclared(files, values);
  return composeFrom('services' in merged ? values : merged, files);
}

/** Something that Docker Compose reads, and the suite does not. */
export class OnlyByCompose extends SuiteError {}

function onlyByCompose(where: string, seen: string, instead: string): SuiteError {
  return composeFault(
    new OnlyByCompose({
      what: 'Docker Compose alone reads this, and it is not on PATH',
      ...{ where, seen, expected: instead },
      next: 'install Docker Compose 2.20 or newer (no engine is needed), or write it in another way',
    }),
  );
}

/** One compose file by itself. */
interface Layer {
  values: Fields;
  /** The keys of what earlier files say, and this one replaces or takes away (`!override`, `!reset`). */
  replaced: string[][];
}

function layerOf(path: string, variables: Variables): Layer {
  try {
    const file = readYamlFile(path, 'compose file', [UNCLEAR]);
    const raw = file.valuesWith(variables);
    const reset = file.tagged('!reset').map((keys) => keys.map(String));
    const values = reset.reduce(without, cleared(raw));
    const fault = schemaFault(values);
    if (fault) throw fileFault([path], fault.keys, fault.message);
    refuseTags(file);
    refuseUnclear(file, raw);
    refuseFollowed(file, values);
    const override = file.tagged('!override').map((keys) => keys.map(String));
    return { values: withoutShortForms(values), replaced: [...reset, ...override] };
  } catch (error) {
    throw error instanceof SuiteError ? composeFault(error) : error;
  }
}

// -- what only Compose reads

/** Numbers and dates without quotes, which Compose writes in another way when they are values of variables. */
const UNCLEAR: ScalarTag = {
  ...{ tag: 'tag:yaml.org,2002:str', default: true },
  test: new RegExp(
    [
      // Octal for YAML 1.1, with `_` between digits, binary
      ...[/0[\d_]+/, /\d[\d_]*_[\d_]*(\.[\d_]*)?/, /0[box][\da-f_]*_[\da-f_]*/, /0b[01]+/, /0/],
      // What Go prints with an exponent, or does not hold
      ...[/\d{7,}\.\d*/, /0*\.0{4,}\d*/, /\d*\.?\d*e[-+]?\d+/, /\d{16,}/, /\.inf|\.nan/],
    ]
      .map(({ source }) => (source === '0' ? '^-0$' : `^[-+]?(?:${source})$`))
      .concat(String.raw`^\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?$`)
      .join('|'),
    'i',
  ),
  resolve: (text: string) => Symbol(text),
};

function cleared(value: unknown): unknown {
  if (typeof value === 'symbol') return parse(value.description ?? '') as unknown;
  if (Array.isArray(value)) return value.map(cleared);
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleared(item)]));
}

function refuseUnclear(file: YamlFile, raw: unknown): void {
  eachService(raw, (service, keys) => {
    for (const inside of [['environment'], ['x-host', 'environment']]) {
      const environment = inside.reduce<unknown>((value, key) => fieldsOf(value)[key], service);
      for (const [name, value] of Object.entries(fieldsOf(environment))) {
        if (typeof value !== 'symbol') continue;
        const where = file.placeOf([...keys, ...inside, name]).place;
        const seen = `${[...keys, ...inside, name].join('.')}: ${value.description ?? ''}`;
        throw onlyByCompose(where, seen, 'the value in quotes');
      }
    }
  });
}

/** Tags at services, and what they have, are followed. */
function refuseTags(file: YamlFile): void {
  for (const tag of ['!reset', '!override']) {
    for (const keys of file.tagged(tag)) {
      const [top, , field, ...inside] = keys;
      const isInHost = field === 'x-host' && (tag === '!override' || inside.length > 0);
      if (top === 'services' && !isInHost && keys.every((key) => typeof key === 'string')) continue;
      const names = keys.map(String);
      throw onlyByCompose(
        file.placeOf(names).place,
        `${names.join('.')}: ${tag}`,
        `${tag} at a service or what it has, but for lists and x-host`,
      );
    }
  }
}

/** By service: what Compose makes of other services, files or programs. */
const FOLLOWED = ['extends', 'links', 'volumes_from', 'models', 'provider', 'use_api_socket'];
/** Whose namespace a service may share; by that it depends on it. */
const SHARED = ['network_mode', 'ipc', 'pid'];

function refuseFollowed(file: YamlFile, values: unknown): void {
  const refuse = (keys: readonly string[], instead: string): never => {
    throw onlyByCompose(file.placeOf(keys).place, keys.join('.'), instead);
  };
  if (isMapping(values) && values['include'] !== undefined) {
    refuse(['include'], 'all files named in MEDIA_COMPOSE_FILE / STS_COMPOSE_FILE');
  }
  eachService(values, (service, keys) => {
    for (const key of FOLLOWED) {
      if (service[key] !== undefined) refuse([...keys, key], `a service without ${key}`);
    }
    for (const key of SHARED) {
      if (!String(service[key]).startsWith('service:')) continue;
      refuse([...keys, key], `${key} of no other service`);
    }
    for (const [index, port] of listOf(service['ports']).entries()) {
      const place = [...keys, 'ports', String(index)];
      if (!isPort(port)) throw fileFault([file.path], place, 'must be ports from 1 to 65535');
    }
    for (const [index, given] of listOf(service['env_file']).entries()) {
      const isRead = envFileSchema.safeParse(given).success;
      if (!isRead) refuse([...keys, 'env_file', String(index)], 'a path, with required or without');
    }
  });
}

const RANGE = String.raw`(\d+)(?:-(\d+))?`;
const SHORT_PORT = new RegExp(
  String.raw`^(?:(?:(?:\d+(?:\.\d+){3}|\[[\da-f:]+\]):)?(?:${RANGE})?:)?${RANGE}(?:/(?:tcp|udp|sctp))?$`,
  'i',
);

/** Whether Compose, too, publishes these ports. */
function isPort(port: unknown): boolean {
  if (isMapping(port)) {
    const published = z.coerce.string().parse(port['published'] ?? 1);
    const [, ...range] = new RegExp(`^${RANGE}$`).exec(published) ?? [];
    return sizeOf(range) > 0;
  }
  const found = SHORT_PORT.exec(String(port));
  if (!found) return false;
  const [published, target] = [found.slice(1, 3), found.slice(3, 5)].map(sizeOf);
  if (target === undefined || target === 0) return false;
  return found[1] === undefined || published === target || (target === 1 && published !== 0);
}

/** How many ports there are; 0 where not all are ports. */
function sizeOf([first, last = first]: readonly (string | undefined)[]): number {
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && to <= 65_535 && to >= from ? to - from + 1 : 0;
}

// -- variables

/** As an operating system has them. */
function set(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** By them Compose reads other files of variables. */
const OTHER_DOT_ENV = ['COMPOSE_ENV_FILES', 'COMPOSE_DISABLE_ENV_FILE'];

function dotEnv(folder: string, variables: Variables): Record<string, string> {
  for (const name of OTHER_DOT_ENV) {
    if (variables[name]) throw onlyByCompose(name, variables[name], `no variable ${name}`);
  }
  const file = join(folder, '.env');
  return existsSync(file) ? variablesOf(file) : {};
}

const PLAIN = /^(?:[^\s'"`$\\#]+(?: +[^\s'"`$\\#]+)*)?$/;
const QUOTED = /^(['"])([^'"$\\]*)\1$/;

/** The variables of a file of lines NAME=value. What is more than that, as `${OTHER}`, only Compose reads. */
function variablesOf(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const pairs = lines.map((line, index): [string, string] | undefined => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return undefined;
    const [, name = '', value = ''] = /^(?:export +)?([A-Za-z_]\w*)= *(.*)$/.exec(text) ?? [];
    const quoted = QUOTED.exec(value)?.[2];
    if (name !== '' && (quoted !== undefined || PLAIN.test(value))) return [name, quoted ?? value];
    throw onlyByCompose(
      `${shownPath(file)}:${index + 1}`,
      name || 'a line without NAME=',
      'NAME=value, without other variables, backslashes, and comments behind it',
    );
  });
  return Object.fromEntries(pairs.filter((pair) => pair !== undefined));
}

const envFileSchema = z.union([
  z.string().regex(/^[^~]/),
  z.strictObject({ path: z.string().regex(/^[^~]/), required: z.boolean().default(true) }),
]);

/** With its `environment` complete: that counts more than `env_file`, and later files count more than earlier ones. */
function resolved(
  { env_file: files, ...service }: Fields,
  { folder, variables }: { folder: string; variables: Variables },
): Fields {
  const ofFiles = listOf(files).map((given) => {
    const one = envFileSchema.parse(given);
    const { path, required } = typeof one === 'string' ? { path: one, required: true } : one;
    const file = resolve(folder, path);
    if (existsSync(file)) return variablesOf(file);
    if (!required) return {};
    throw composeFault(
      new SuiteError({
        ...{ what: 'a file of env_file is missing', where: shownPath(file) },
        ...{ seen: 'no such file', expected: 'variables, NAME=value' },
      }),
    );
  });
  const own = Object.entries(fieldsOf(service['environment'])).map(([name, value]) => [
    ...[name, value ?? (Object.hasOwn(variables, name) ? variables[name] : null)],
  ]);
  const environment = Object.assign({}, ...ofFiles, Object.fromEntries(own)) as Fields;
  return { ...service, environment };
}

// -- services

function eachService(values: unknown, look: (service: Fields, keys: string[]) => void): void {
  const services = isMapping(values) ? fieldsOf(values['services']) : {};
  for (const [name, service] of Object.entries(services))
    look(fieldsOf(service), ['services', name]);
}

function isActive({ profiles }: Fields, active: readonly string[]): boolean {
  const named = listOf(profiles).map(String);
  return named.length === 0 || active.includes('*') || named.some((one) => active.includes(one));
}

/** What services name, and the file has to declare; all of them have the network `default`. */
const DECLARED = ['networks', 'secrets', 'configs'];

function refuseUndeclared(files: readonly string[], values: Fields): void {
  eachService(values, (service, keys) => {
    for (const kind of [...DECLARED, 'volumes']) {
      const names =
        kind === 'volumes' ? listOf(service[kind]).flatMap(volumeOf) : namesIn(service[kind]);
      const declared = ['default', ...Object.keys(fieldsOf(values[kind]))];
      const unknown = names.find((name) => !declared.includes(name));
      if (unknown !== undefined) {
        throw fileFault(
          files,
          [...keys, kind],
          `${unknown} is not declared in ${kind} of the file`,
        );
      }
    }
  });
}

function namesIn(given: unknown): string[] {
  if (isMapping(given)) return Object.keys(given);
  return listOf(given).map((one) => String(isMapping(one) ? one['source'] : one));
}

function volumeOf(volume: unknown): string[] {
  if (isMapping(volume)) {
    const { type, source } = volume;
    return type === 'volume' && typeof source === 'string' ? [source] : [];
  }
  const [source = '', target] = String(volume).split(':');
  return target !== undefined && !/^[./~]/.test(source) ? [source] : [];
}

// -- merging

/** With lists of names, single values and lists of NAME=value as the mappings and lists that Compose merges. */
function withoutShortForms(values: unknown): Fields {
  const services = Object.entries(fieldsOf(fieldsOf(values)['services'])).map(([name, given]) => {
    const service = fieldsOf(given);
    const long = (key: string, form: (value: unknown) => unknown): Fields =>
      service[key] === undefined ? {} : { [key]: form(service[key]) };
    return [
      name,
      {
        ...service,
        ...long('environment', (value) => pairsSchema.parse(value)),
        ...long('env_file', listOf),
        ...long('networks', namesIn),
        ...long('depends_on', (value) =>
          isMapping(value)
            ? value
            : Object.fromEntries(
                namesIn(value).map((one) => [one, { condition: 'service_started' }]),
              ),
        ),
      },
    ];
  });
  const all = fieldsOf(values);
  return 'services' in all ? { ...all, services: Object.fromEntries(services) as Fields } : all;
}

/** Values laid over those of an earlier file: mappings and lists grow (Compose specification, "Merge"). */
function merge(base: Fields, over: Fields): Fields {
  const merged = Object.entries(over).map(([key, value]) => {
    const earlier = Object.hasOwn(base, key) ? base[key] : undefined;
    if (key === 'x-host') return [key, hostOver(earlier, value)];
    if (isMapping(earlier) && isMapping(value)) return [key, merge(earlier, value)];
    if (Array.isArray(earlier) && Array.isArray(value)) {
      return [key, [...(earlier as unknown[]), ...(value as unknown[])]];
    }
    return [key, value];
  });
  return { ...base, ...(Object.fromEntries(merged) as Fields) };
}

function without<T>(values: T, [key = '', ...rest]: readonly string[]): T {
  if (!isMapping(values) || !Object.hasOwn(values, key)) return values;
  const { [key]: value, ...others } = values;
  return (rest.length === 0 ? others : { ...others, [key]: without(value, rest) }) as T;
}

function fieldsOf(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

function listOf(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
}

// -- the schema

let fitting: ValidateFunction | undefined;

/** Compiling it takes half a second, which is for those who read a compose file. */
function schemaCheck(): ValidateFunction {
  const file = join(__dirname, 'compose-spec.schema.json');
  fitting ??= new Ajv({ allErrors: true, strict: false }).compile(
    JSON.parse(readFileSync(file, 'utf8')) as object,
  );
  return fitting;
}

/** The most telling of the schema's errors: of the deepest ones an unknown key, else the first. */
function schemaFault(values: unknown): { keys: string[]; message: string } | undefined {
  const fitsSchema = schemaCheck();
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
