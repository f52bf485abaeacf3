/** Memory and descriptors of a run of the suite and its services, sampled while it goes on. */
import { execa } from 'execa';
import { z } from 'zod';

import { system } from '../support/platform/processes';
import type { ProcessInfo } from '../support/platform/system-view';
import { liveSessions, type State } from '../support/environment/session-state';
import { treeOf } from './remains';
import type { Usage } from './soak-figures';

/** In the very last sample a program may have begun to stop. */
const LAST_SAMPLES = 3;
const containersSchema = z.array(
  z.object({ Name: z.string(), State: z.object({ Pid: z.number() }) }),
);

/** The runner, and each service by its project and name. */
export class UsageSampler {
  readonly #usage = new Map<string, { peak: number; descriptors: number[] }>();
  #isSampling = false;

  /** @param stateFolder where the run writes down what it has started */
  constructor(private readonly stateFolder: string) {}

  /** One sample; none while the last one has not ended. */
  async sample(): Promise<void> {
    if (this.#isSampling) return;
    this.#isSampling = true;
    try {
      const sessions = liveSessions(this.stateFolder).filter(({ run }) => !run.includes('/'));
      const all = system.processes();
      for (const session of sessions) {
        const runner = all.filter(({ pid }) => pid === session.owner.pid);
        this.#add('runner', runner);
        for (const { pid, name } of session.groups.filter(isService)) {
          this.#add(
            withoutCheckout(name),
            all.filter(({ group }) => group === pid),
          );
        }
        for (const [name, pid] of await containersOf(session)) {
          this.#add(withoutCheckout(name), treeOf(pid, all));
        }
      }
    } finally {
      this.#isSampling = false;
    }
  }

  usage(): Record<string, Usage> {
    const programs = [...this.#usage].map(([name, { peak, descriptors }]): [string, Usage] => [
      name,
      {
        peakMegabytes: Math.round(peak / 1e6),
        descriptors: {
          first: descriptors[0] ?? 0,
          peak: Math.max(...descriptors),
          last: Math.max(...descriptors.slice(-LAST_SAMPLES)),
        },
      },
    ]);
    return Object.fromEntries(programs.sort(([a], [b]) => a.localeCompare(b)));
  }

  #add(name: string, processes: readonly ProcessInfo[]): void {
    if (processes.length === 0) return;
    const known = this.#usage.get(name) ?? { peak: 0, descriptors: [] };
    this.#usage.set(name, known);
    const sum = (of: (pid: number) => number): number =>
      processes.reduce((total, { pid }) => total + of(pid), 0);
    known.peak = Math.max(
      known.peak,
      sum((pid) => system.residentBytes(pid)),
    );
    known.descriptors.push(sum((pid) => system.openDescriptors(pid)));
  }
}

/** Groups of services are named `{project}/{service}`; publishers, viewers and docker commands are not services. */
function isService({ name }: State['groups'][number]): boolean {
  return /^[a-z0-9_-]+\/[^/ ]+$/.test(name);
}

/** e2e-sts-019-01eed7/sts-service -> e2e-sts-019/sts-service */
function withoutCheckout(name: string): string {
  return name.replace(/-[0-9a-f]{6}(?=[-/])/, '');
}

async function containersOf(session: State): Promise<[string, number][]> {
  // Elsewhere an engine runs in a virtual machine, and its process ids are those of that.
  if (process.platform !== 'linux') return [];
  const found = await Promise.all(
    session.projects.map(async ({ project, engine }) => {
      // What is being stopped, or an engine that is busy: there is another sample.
      const docker = async (...args: string[]): Promise<string> => {
        const command = await execa('docker', args, {
          env: engine,
          extendEnv: false,
          reject: false,
        });
        return command.exitCode === 0 ? command.stdout : '';
      };
      const label = `label=com.docker.compose.project=${project}`;
      const ids = await docker('ps', '-q', '--filter', label);
      const text = ids === '' ? '' : await docker('inspect', ...ids.split('\n'));
      if (text === '') return [];
      return containersSchema
        .parse(JSON.parse(text))
        .filter(({ State: { Pid } }) => Pid > 0)
        .map(({ Name, State: { Pid } }): [string, number] => [
          // /project-service-1
          Name.replace(`/${project}-`, `${project}/`).replace(/-1$/, ''),
          Pid,
        ]);
    }),
  );
  return found.flat();
}
