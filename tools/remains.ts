/** What is there of the suite on this host: for tools that start it and check what it leaves. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { execa } from 'execa';

import type { Config } from '../support/config';
import { isRunning, processesWith, system } from '../support/platform/processes';
import {
  liveSessions,
  RUN_VARIABLE,
  runPrefix,
  WATCHDOG_VARIABLE,
} from '../support/environment/session-state';
import { SuiteError } from '../support/base/errors';
import type { ProcessInfo } from '../support/platform/system-view';

/** In the environment of every run that such a script starts; what the run starts inherits it. */
const TRIAL_VARIABLE = 'LIVE_DUBBING_TRIAL';
/** Node.js and its users keep compiled programs in the temporary folder, for whoever comes next. */
const CACHES = /^(node-compile-cache|v8-compile-cache.*|node-jiti|jiti)$/;
const PROJECT = '{{.Label "com.docker.compose.project"}}';

/** One run of the suite, by what it is known. */
export interface Trial {
  config: Config;
  /** Without blanks: with one, the value of a variable ends as ps(1) prints it. */
  name: string;
  /** Where its temporary files go; nothing else is there. */
  temporary: string;
  withDocker: boolean;
}

/**
 * Makes sure that no other run of the checkout goes on: its things could not be told from those of a trial.
 *
 * @throws SuiteError when one does
 */
export function refuseWhileOthersRun({ stateFolder }: Config): void {
  const others = liveSessions(stateFolder);
  if (others.length === 0) return;
  throw new SuiteError({
    what: 'another run of this checkout goes on',
    where: stateFolder,
    seen: others.map(({ run, owner }) => `run ${run}, process ${owner.pid}`).join(', '),
    expected: 'none',
    next: 'wait for its end, or use another checkout and other ports',
  });
}

/** Environment variables of the run. */
export function environmentOf(trial: Trial): Record<string, string> {
  return { [TRIAL_VARIABLE]: trial.name, TMPDIR: trial.temporary };
}

/**
 * Everything of a run that is there now: processes, ports that they hold, temporary folders, state files, containers,
 * networks, volumes. One line each, beginning with the kind and a blank.
 *
 * @param seen processes that are known to be of the run, whatever their environment
 */
export async function remainsOf(
  trial: Trial,
  seen: readonly ProcessInfo[] = [],
): Promise<string[]> {
  const { config, temporary, withDocker } = trial;
  const processes = new Map(
    [...processesOf(trial), ...seen.filter(isRunning)].map(({ pid, command }) => [pid, command]),
  );
  const ours = Object.values(config.settings('127.0.0.1').ports);
  // The system is asked: who listens to find out takes the port from a service that is just being started.
  const listening = system.listeningPorts();
  const files = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  return [
    ...[...processes].map(([pid, command]) => `process ${pid} (${command})`),
    ...ours.filter((port) => listening.includes(port)).map((port) => `port ${port}`),
    ...files(temporary)
      .filter((name) => !CACHES.test(name))
      .map((name) => `folder ${join(temporary, name)}`),
    ...files(config.stateFolder).map((name) => `state ${name}`),
    ...(withDocker ? await dockerObjects(config) : []),
  ];
}

/** The processes of a run that still carry its variables. */
export function processesOf({ name, config }: Trial): ProcessInfo[] {
  const prefix = runPrefix(config.stateFolder);
  return [
    ...processesWith(TRIAL_VARIABLE, (value) => value === name),
    ...processesWith(RUN_VARIABLE, (value) => value.startsWith(prefix)),
    ...processesWith(WATCHDOG_VARIABLE, (value) => value.startsWith(prefix)),
  ];
}

/** A process and all that it has started, directly or not, as far as those in between still run. */
export function treeOf(root: number, all = system.processes()): ProcessInfo[] {
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** What an engine holds of this checkout's projects. */
async function dockerObjects(config: Config): Promise<string[]> {
  const projects = Object.values(config.settings('127.0.0.1').compositions).flatMap(
    (composition) => composition?.project ?? [],
  );
  const lists: [string, string[]][] = [
    ['container', ['ps', '--all', '--format', `${PROJECT} {{.Names}}`]],
    ['network', ['network', 'ls', '--format', `${PROJECT} {{.Name}}`]],
    ['volume', ['volume', 'ls', '--format', `${PROJECT} {{.Name}}`]],
  ];
  const found = await Promise.all(
    lists.map(async ([kind, args]) => {
      const { stdout } = await execa('docker', args);
      return (
        stdout
          .split('\n')
          .map((line) => line.split(' '))
          // Further sets of services are called like the first, and something more.
          .filter(([name]) => projects.some((project) => name?.startsWith(project)))
          .map(([, name]) => `${kind} ${name ?? ''}`)
      );
    }),
  );
  return found.flat();
}
