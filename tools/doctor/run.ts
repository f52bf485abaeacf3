/**
 * `npm run doctor [-- --no-broadcast]`: asks the configured system for everything that a run needs, from the compose files
 * to a short broadcast, and says of each what was seen and what to do. Services that do not run are started as a run starts
 * them, and stopped again; those that run are asked as they are.
 *
 * All that it writes goes to `doctor/` in the results folder: `acceptance.yaml`, a configuration drafted from what was seen,
 * evidence and logs. The results of the last run stay. Exit code 1 when anything is wrong, 2 for a usage error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { readCommandLine } from '../../support/base/command-line';
import { messageOf, problemOf } from '../../support/base/errors';
import { shownPath } from '../../support/base/yaml-file';
import { addToEnvironment, type Config, readConfig, type Settings } from '../../support/config';
import type { Offering } from '../../support/session/capabilities';
import { closeSession, openSession } from '../../support/session/lifecycle';
import type { Session } from '../../support/session/session';
import { shortBroadcast } from './broadcast';
import { composeFiles, portVariables } from './configured';
import { draftOf, type Seen } from './draft';
import { causesIn, type Line, ok, shownLine, wrong } from './line';
import { metricLines } from './metrics';
import { type Answering, mediaServer, otherAddresses, sts, whoAnswers } from './running';
import { whatCanBeShown } from './shown';

const USAGE = 'usage: npm run doctor [-- --no-broadcast]';

/** Prints lines as they come, and keeps them. */
class Findings {
  readonly lines: Line[] = [];

  add(...lines: Line[]): void {
    this.lines.push(...lines);
    lines.forEach((line) => console.log(shownLine(line)));
  }
}

/** What services that run, or were started for it, can say. */
async function examineServices(
  findings: Findings,
  session: Session,
  settings: Settings,
  withBroadcast: boolean,
): Promise<Seen | undefined> {
  const file = shownPath(session.config.settingsFile);
  findings.add(...(await mediaServer(session, settings)));
  findings.add(...(await otherAddresses(settings, file)));
  findings.add(...(await sts(session, settings)));
  if (!withBroadcast) return undefined;
  const { lines, seen } = await shortBroadcast(session);
  findings.add(...lines);
  if (seen) {
    const { metrics, stream } = seen;
    findings.add(...metricLines(settings.metrics, metrics, { file, stream }));
  }
  return seen;
}

/** What is asked, and with which configuration: services that run are left as they are. */
interface Patient {
  settings: Settings;
  session: Session;
  health: Answering;
}

/** Who answers decides whether services are started. */
async function meet(config: Config): Promise<Patient> {
  const host = config.runtime === 'external' ? config.variables['SERVICES_HOST'] : undefined;
  const settings = config.settings(host || '127.0.0.1');
  const health = await whoAnswers(settings, shownPath(config.settingsFile));
  const isRunning = health.answering.length > 0;
  if (isRunning) addToEnvironment({ RUNTIME: 'external' });
  const chosen = isRunning ? readConfig() : config;
  return { settings, health, session: openSession(() => chosen) };
}

/** Starts what does not run; asks what does. */
async function examine(
  findings: Findings,
  config: Config,
  { settings, session, health }: Patient,
  withBroadcast: boolean,
): Promise<Seen | undefined> {
  const file = shownPath(config.settingsFile);
  const { answering, silent, lines } = health;
  findings.add(ok('configuration', file));
  if (config.runtime !== 'external') {
    findings.add(...(await portVariables(settings, file)));
    if (answering.length === 0) findings.add(...(await composeFiles(session)));
  }
  if (answering.length > 0 && silent.length > 0) return examineHalf(findings, session, health);
  if (answering.length > 0 || config.runtime === 'external') {
    findings.add(...lines);
    if (config.runtime !== 'external') findings.add(alreadyRunning(answering));
    if (silent.length > 0) return undefined;
    return examineServices(findings, session, await session.settings(), withBroadcast);
  }
  try {
    const { settings: started } = await session.services();
    findings.add(ok('services', 'none was running: started for this, and healthy'));
    findings.add(...(await whoAnswers(started, file)).lines);
    return await examineServices(findings, session, started, withBroadcast);
  } catch (error) {
    if (!problemOf(error)) throw error;
    findings.add(wrong('services', error));
    return undefined;
  }
}

function alreadyRunning(names: readonly string[]): Line {
  return {
    ...{ topic: 'services', state: 'missing', text: `${names.join(', ')} run already` },
    next: 'judge them as they are: RUNTIME=external; or stop them: a run starts its own, and would find their ports taken',
  };
}

/** Some run and some do not: nothing is started beside them, and what needs all of them is not asked. */
async function examineHalf(
  findings: Findings,
  session: Session,
  { answering, silent, lines }: Answering,
): Promise<undefined> {
  findings.add(...lines);
  findings.add({
    ...{
      topic: 'services',
      state: 'wrong',
      text: `${answering.join(', ')} run, ${silent.join(', ')} do not`,
    },
    next: `start ${silent.join(' and ')} too, and set RUNTIME=external; or stop ${answering.join(' and ')}: a run starts all of them itself`,
  });
  const settings = await session.settings();
  if (answering.includes('media server')) findings.add(...(await mediaServer(session, settings)));
  if (answering.includes('STS')) findings.add(...(await sts(session, settings)));
  const text = 'a broadcast and its metrics need all services';
  findings.add({ topic: '12 s broadcast', state: 'not asked', text });
  return undefined;
}

/** With services that all run, as they are; otherwise as a run would start them. */
async function offeringOf(
  config: Config,
  { session, settings, health }: Patient,
): Promise<Offering> {
  if (health.silent.length === 0) return { config, settings, runtime: 'external' };
  if (config.runtime !== 'auto') return { config, settings, runtime: config.runtime };
  const runtime = health.answering.length > 0 ? undefined : await session.runtime();
  return { config, settings, runtime: runtime?.name };
}

async function main(): Promise<void> {
  const { values } = readCommandLine(USAGE, {
    'no-broadcast': { type: 'boolean', default: false },
  });
  // cucumber-js and the suite's plugin read the command line: of them, only the plan is wanted.
  process.argv.splice(2, process.argv.length, '--dry-run');
  addToEnvironment({ REPORTS_DIR: join(readConfig().reportsFolder, 'doctor') });
  const findings = new Findings();
  const config = readConfig();
  let seen: Seen | undefined;
  try {
    const patient = await meet(config);
    seen = await examine(findings, config, patient, !values['no-broadcast']);
    findings.add(...(await whatCanBeShown(await offeringOf(config, patient))));
  } catch (error) {
    if (!problemOf(error)) throw error;
    findings.add(wrong('configuration', error));
  } finally {
    await closeSession();
  }
  if (seen) writeDraft(config, seen);
  else console.log('\nno configuration was drafted: it needs the broadcast');
  const count = causesIn(findings.lines).length;
  console.log(`\n${count === 0 ? 'nothing is wrong' : `${count} wrong: begin with the first`}`);
  if (count > 0) process.exitCode = 1;
}

function writeDraft(config: Config, seen: Seen): void {
  const file = join(config.reportsFolder, 'acceptance.yaml');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, draftOf(config.settingsFile, config.settings('127.0.0.1').metrics, seen));
  console.log(
    `\ndrafted from what was seen: ${shownPath(file)}; read it, and set ACCEPTANCE_CONFIG to a copy`,
  );
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
