/**
 * `npm run foreign [-- --only NAME] [--conforming | --broken]`: runs scenarios on stand-in systems, which are the reference
 * services in other clothes (test/foreign/systems.ts). Each has to be green where it conforms, and broken in one way red by
 * that, with that first on the console. Services run as processes of this host. Results are in `reports/foreign/`.
 * Exit code 1 when anything differs.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { execa } from 'execa';
import { parse, stringify } from 'yaml';

import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf } from '../support/base/errors';
import { projectRoot, readConfig } from '../support/config';
import { readScenarioResults } from '../support/report/scenario-results';
import type { Fields } from '../test/foreign/clothes';
import { SYSTEMS, type System } from '../test/foreign/systems';
import { judgeSystem, type Row, tableOf } from './foreign-judge';

const USAGE = 'usage: npm run foreign [-- --only NAME] [--conforming | --broken]';
const config = readConfig();

interface Trial {
  name: string;
  system: System;
  /** Empty for the conforming system. */
  flaw: string;
}

function trials(): Trial[] {
  const { values } = readCommandLine(USAGE, {
    only: { type: 'string' },
    conforming: { type: 'boolean', default: false },
    broken: { type: 'boolean', default: false },
  });
  const chosen = Object.entries(SYSTEMS).filter(([name]) => (values.only ?? name) === name);
  if (chosen.length === 0 || (values.conforming && values.broken)) {
    usageError(USAGE, `the systems are ${Object.keys(SYSTEMS).join(', ')}`);
  }
  return chosen.flatMap(([name, system]) => {
    const flaws = values.conforming ? [] : Object.keys(system.flaws);
    return [...(values.broken ? [] : ['']), ...flaws].map((flaw) => ({ name, system, flaw }));
  });
}

async function run({ name, system, flaw }: Trial): Promise<Row> {
  const folder = join(config.reportsFolder, 'foreign', name, flaw.replaceAll(/\W+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const settings = join(folder, 'acceptance.yaml');
  const usual = parse(readFileSync(join(projectRoot, 'acceptance.yaml'), 'utf8')) as Fields;
  writeFileSync(settings, stringify(laidOver(usual, system.settings ?? {})));
  const child = execa(process.execPath, ['scripts/cucumber.mjs', '--tags', system.tags], {
    cwd: projectRoot,
    env: {
      ...{ RUNTIME: 'host', NO_COLOR: '1', REPORTS_DIR: folder, ACCEPTANCE_CONFIG: settings },
      ...{ FOREIGN_SYSTEM: name, FOREIGN_FLAW: flaw, HISTORY_FILE: '' },
      ...composeFiles(system),
    },
    ...{ reject: false, all: true },
  });
  const { all: output } = await child;
  writeFileSync(join(folder, 'output.log'), output);
  const { cause } = system.flaws[flaw] ?? {};
  const results = resultsIn(folder);
  return judgeSystem(name, flaw, { results, output }, cause);
}

/** Of a run that could not begin there are no results. */
function resultsIn(folder: string): ReturnType<typeof readScenarioResults> {
  try {
    return readScenarioResults(join(folder, 'messages.ndjson'));
  } catch {
    return [];
  }
}

function composeFiles({ clothes, compositions }: System): Record<string, string> {
  const overlay = (service: string): string => `test/foreign/compose/${service}.yml`;
  const media = clothes['media-service'] ? [overlay('media-service')] : [];
  const echo = [...media, ...(clothes.sts ? [overlay('echo-sts')] : [])];
  const files = { echo, sts: [overlay('sts-service')] };
  return Object.fromEntries(
    compositions.map((name) => [
      `${name.toUpperCase()}_COMPOSE_FILE`,
      [`compose/${name}/docker-compose.yml`, ...files[name]].join(':'),
    ]),
  );
}

/** Values with others in their place; what is not said stays. */
function laidOver(values: Fields, others: Fields): Fields {
  const merged = Object.entries(others).map(([key, value]): [string, unknown] => {
    const usual = values[key];
    return [key, isMapping(usual) && isMapping(value) ? laidOver(usual, value) : value];
  });
  return { ...values, ...Object.fromEntries(merged) };
}

function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const trial of trials()) {
    console.error(`${trial.name}: ${trial.flaw || trial.system.is}`);
    rows.push(await run(trial));
  }
  console.log(tableOf(rows));
  process.exitCode = rows.some(({ differs }) => differs.length > 0) ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
