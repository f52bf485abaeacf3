/** What compose files mean is Docker Compose's to say, wherever it is on PATH; no engine is needed for that. */
import { dirname } from 'node:path';

import { parse } from 'yaml';

import { messageOf, problemOf, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { hideSecretsOf } from '../base/safe-text';
import { shownPath } from '../base/yaml-file';
import { composeFault, composeFrom, hostOver, isMapping, type ComposeFile } from './compose-file';
import { OnlyByCompose, readWithoutCompose } from './compose-reader';
import { docker, DockerFailed, type DockerOptions, type DockerOutput } from './docker-command';

/** The oldest version whose commands have all the options that are used here. */
export const LEAST_COMPOSE = [2, 20] as const;
const ANSWER_MS = 10_000;

/** Why Docker Compose cannot be used, in short in the first line; undefined where it can. */
export async function whyNoCompose(options: DockerOptions): Promise<string | undefined> {
  try {
    const args = ['compose', 'version', '--short'];
    const version = (await docker(args, { withinMs: ANSWER_MS, ...options })).stdout.trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    const isNewEnough =
      major > LEAST_COMPOSE[0] || (major === LEAST_COMPOSE[0] && minor >= LEAST_COMPOSE[1]);
    if (isNewEnough) return undefined;
    return `Docker Compose is ${version}, older than ${LEAST_COMPOSE.join('.')}`;
  } catch (error) {
    return `Docker Compose does not answer\n${messageOf(error)}`;
  }
}

/** The arguments of `docker` for a command of Compose. */
export function composeArgs(project: string, files: readonly string[]): string[] {
  return [
    ...['compose', '--ansi', 'never', '--progress', 'plain', '--project-name', project],
    ...files.flatMap((file) => ['--file', file]),
  ];
}

/**
 * The composition that Docker Compose makes of compose files: profiles, files of variables, `include`, `extends` and
 * merging are its own.
 *
 * @throws PrerequisiteMissing ('compose-files') with Compose's own words, and the line where the suite finds the fault
 */
export async function readByCompose(
  files: readonly string[],
  project: string,
  options: DockerOptions,
): Promise<ComposeFile> {
  hideSecretsOf(options.environment);
  try {
    const { values, warnings } = await config(files, project, options);
    const hasHosts = servicesOf(values).some(([, service]) => service['x-host'] !== undefined);
    if (files.length === 1 || !hasHosts) return composeFrom(values, files, warnings);
    // Some versions take the `x-host` of the last file in place of all others, some put the lists of all together: what each
    // file says is known by reading it alone.
    const folder = dirname(files[0] ?? '');
    const alone = await Promise.all(files.map((file) => config([file], project, options, folder)));
    const hosts = new Map<string, unknown>();
    for (const part of alone) {
      for (const [name, { 'x-host': host }] of servicesOf(part.values)) {
        if (host !== undefined) hosts.set(name, hostOver(hosts.get(name), host));
      }
    }
    return composeFrom(withHosts(values, hosts), files, warnings);
  } catch (error) {
    // What it wrote before it was ended is no reason.
    if (!(error instanceof DockerFailed) || error.stderr === '') throw error;
    throw refused(error.stderr, files, project, options.environment);
  }
}

/** @param partIn the folder of the composition that these are a part of: what they name need not be in them */
async function config(
  files: readonly string[],
  project: string,
  options: DockerOptions,
  partIn?: string,
): Promise<{ values: unknown; warnings: string[] }> {
  const read = (format: string): Promise<DockerOutput> => {
    const inFolder = partIn === undefined ? [] : ['--project-directory', partIn];
    const flags = ['--format', format, ...(partIn === undefined ? [] : ['--no-consistency'])];
    return docker([...composeArgs(project, files), ...inFolder, 'config', ...flags], options);
  };
  // In YAML: the JSON of some versions has no x- keys.
  const { stdout, stderr } = await read('yaml');
  const warnings = [...new Set(linesOf(stderr).flatMap((line) => warningOf(line) ?? []))];
  const values: unknown = parse(undoubled(stdout));
  // Of a part, only the x-host of its services are taken.
  if (partIn !== undefined || !LEADING_BREAK.test(stdout)) return { values, warnings };
  const exact: unknown = JSON.parse(undoubled((await read('json')).stdout));
  return { values: withEnvironments(values, exact), warnings };
}

/** Of a text that begins with a line break, which what writes the YAML leaves out. */
const LEADING_BREAK = /: \|\d[+-]?$/m;

/** Every "$" is doubled. */
function undoubled(text: string): string {
  return text.replaceAll('$$', () => '$');
}

function withEnvironments(values: unknown, exact: unknown): unknown {
  const environments = new Map(
    servicesOf(exact).map(([name, { environment }]) => [name, environment]),
  );
  return withServices(values, (name, service) => ({
    ...service,
    environment: environments.get(name) ?? service['environment'],
  }));
}

function withHosts(values: unknown, hosts: ReadonlyMap<string, unknown>): unknown {
  return withServices(values, (name, service) => {
    // A later file may have taken it away (`!reset`).
    const host = service['x-host'] === undefined ? undefined : hosts.get(name);
    return host === undefined ? service : { ...service, 'x-host': host };
  });
}

function withServices(
  values: unknown,
  change: (name: string, service: Record<string, unknown>) => Record<string, unknown>,
): unknown {
  if (!isMapping(values)) return values;
  const services = servicesOf(values).map(([name, service]) => [name, change(name, service)]);
  return { ...values, services: Object.fromEntries(services) as unknown };
}

function servicesOf(values: unknown): [string, Record<string, unknown>][] {
  const services = isMapping(values) && isMapping(values['services']) ? values['services'] : {};
  return Object.entries(services).flatMap(([name, service]) =>
    isMapping(service) ? [[name, service]] : [],
  );
}

const WARNING = /\blevel=warning msg=("(?:[^"\\]|\\.)*")/;

function warningOf(line: string): string | undefined {
  const message = WARNING.exec(line)?.[1];
  return message === undefined ? undefined : (JSON.parse(message) as string);
}

function refused(
  stderr: string,
  files: readonly string[],
  project: string,
  variables: Variables,
): SuiteError {
  const said = linesOf(stderr)
    .filter((line) => warningOf(line) === undefined)
    .join('\n    ');
  const own = problemOf(faultOf(files, project, variables));
  if (own)
    return composeFault(new SuiteError({ ...own, seen: `${own.seen}; Docker Compose: ${said}` }));
  return composeFault(
    new SuiteError({
      what: 'Docker Compose refuses the compose file',
      ...{ where: files.map(shownPath).join(', '), seen: said },
      expected: 'files that `docker compose config` takes',
    }),
  );
}

/** The suite's own reading names the line, if it finds the same fault. */
function faultOf(files: readonly string[], project: string, variables: Variables): unknown {
  try {
    readWithoutCompose(files, project, variables);
    return undefined;
  } catch (error) {
    return error instanceof SuiteError && error.cause instanceof OnlyByCompose ? undefined : error;
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
