import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { readConfig } from '../../support/config';
import { processesWith, startTimeOf, system } from '../../support/platform/processes';
import {
  liveSessions,
  RUN_VARIABLE,
  SessionState,
  sweepLeftovers,
  type State,
} from '../../support/environment/session-state';
import { eventually } from '../../support/base/eventually';

/**
 * A session that starts a process group and a folder, tells both, and waits to be killed. The group's leader ends at
 * once and leaves a process with a session of its own, as a service may.
 */
const OWNER = `
const { SessionState } = require('./support/environment/session-state');
const { startGroup } = require('./support/environment/process-group');
const state = new SessionState(process.argv[1], process.env);
const folder = state.makeFolder('test');
startGroup(state, {
  // By perl, as macOS has no setsid(1).
  name: 'sleeper', command: ['sh', '-c', 'perl -e "use POSIX; POSIX::setsid(); exec @ARGV" sleep 300 & sleep 300 & echo $!; exec sleep 300'],
  cwd: '/', environment: { PATH: process.env.PATH }, logFile: folder + '/log', isAside: false,
}).then(({ pid }) => console.log(JSON.stringify({ pid, folder, run: state.run, own: state.folder })));
setInterval(() => undefined, 1000);
const full = [];
process.on('SIGUSR2', () => { for (;;) full.push(new Array(1e6).fill(full)); });
`;
const { PATH, HOME } = readConfig().variables;

interface Told {
  pid: number;
  folder: string;
  run: string;
  own: string;
}

async function startOwner(
  stateFolder: string,
  environment: Record<string, string> = {},
): Promise<{ owner: ChildProcess; told: Told }> {
  const owner = spawn(
    process.execPath,
    ['--max-old-space-size=150', '-r', './support/base/typescript.cjs', '-e', OWNER, stateFolder],
    { env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, told: JSON.parse(line.toString()) as Told };
}

const processesOf = (run: string): number[] =>
  processesWith(RUN_VARIABLE, (value) => value === run).map(({ pid }) => pid);

function expectNothingOf({ pid, folder, run, own }: Told): void {
  expect(startTimeOf(pid), 'start time of the process').to.be.undefined;
  expect(processesOf(run), 'processes').to.be.empty;
  expect(existsSync(folder), 'folder').to.be.false;
  expect(existsSync(own), 'temporary folder').to.be.false;
}

describe('what a killed session leaves', () => {
  let stateFolder = '';
  beforeEach(() => {
    stateFolder = mkdtempSync(join(tmpdir(), 'state-test-'));
  });
  afterEach(() => rmSync(stateFolder, { recursive: true, force: true }));

  const files = (): string[] => readdirSync(stateFolder);
  /** The pid of the shell, or of Node.js, that waits for the end of a session. */
  const watchdogs = (): number[] =>
    processesWith('PATH', () => true)
      .filter(({ command }) => command.includes(stateFolder) && !command.includes('-e '))
      .map(({ pid }) => pid);

  for (const [how, end] of [
    ['kill -9', (owner: ChildProcess) => owner.kill('SIGKILL')],
    ['an abort when its memory is full', (owner: ChildProcess) => owner.kill('SIGUSR2')],
  ] as const) {
    it(`is removed by the watchdog after ${how}: processes, folders and the state file`, async () => {
      const { owner, told } = await startOwner(stateFolder);
      expect(startTimeOf(told.pid)).to.be.a('string');
      await eventually('three sleepers', () => expect(processesOf(told.run)).to.have.length(3), {
        withinMs: 2000,
      });
      expect(existsSync(told.folder)).to.be.true;
      end(owner);
      await once(owner, 'exit');
      await eventually(
        'the watchdog',
        () => {
          expectNothingOf(told);
          expect(files(), 'state files').to.be.empty;
        },
        { withinMs: 30_000 },
      );
    });
  }

  it('is removed by the next session when the watchdog is killed as well', async () => {
    const { owner, told } = await startOwner(stateFolder);
    watchdogs().forEach((pid) => process.kill(pid, 'SIGKILL'));
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const ofAnotherCheckout = mkdtempSync(join(tmpdir(), 'state-test-'));
    expect(sweepLeftovers(ofAnotherCheckout)).to.deep.equal({ removed: [], left: [] });
    rmSync(ofAnotherCheckout, { recursive: true });
    expect(startTimeOf(told.pid)).to.be.a('string');
    const { removed, left } = sweepLeftovers(stateFolder);
    expectNothingOf(told);
    expect(left).to.be.empty;
    expect(removed.join('\n')).to.match(/process group \d+ \(sleeper\)/);
    expect(removed).to.include.members([told.folder, told.own]);
    expect(files()).to.be.empty;
  });

  it('is left alone while its session goes on, and by a session that it has started', async () => {
    const { owner, told } = await startOwner(stateFolder);
    const nested = await startOwner(stateFolder, { [RUN_VARIABLE]: told.run });
    try {
      expect(nested.told.run).to.match(new RegExp(`^${told.run}/`));
      expect(sweepLeftovers(stateFolder)).to.deep.equal({ removed: [], left: [] });
      expect(liveSessions(stateFolder)).to.have.length(2);
      nested.owner.kill('SIGKILL');
      await eventually('the watchdog', () => expectNothingOf(nested.told), { withinMs: 30_000 });
      expect(startTimeOf(told.pid)).to.be.a('string');
      expect(existsSync(told.folder)).to.be.true;
    } finally {
      owner.kill('SIGKILL');
    }
    await eventually('the watchdog', () => expectNothingOf(told), { withinMs: 30_000 });
  });

  it('takes with it the sessions that it has started', async () => {
    const { owner, told } = await startOwner(stateFolder);
    const nested = await startOwner(stateFolder, { [RUN_VARIABLE]: told.run });
    owner.kill('SIGKILL');
    await eventually(
      'the watchdogs',
      () => {
        expectNothingOf(told);
        expectNothingOf(nested.told);
        expect(files(), 'state files').to.be.empty;
      },
      { withinMs: 30_000 },
    );
  });

  it('is removed once by many that sweep at the same time', async () => {
    const { owner, told } = await startOwner(stateFolder);
    watchdogs().forEach((pid) => process.kill(pid, 'SIGKILL'));
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const sweeps = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const sweep = spawn(
          process.execPath,
          ['-r', './support/base/typescript.cjs', 'support/environment/sweep.ts', stateFolder],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let output = '';
        sweep.stdout.on('data', (data: Buffer) => (output += data.toString()));
        const [code] = (await once(sweep, 'close')) as [number];
        expect(code).to.equal(0);
        // A process that has ended its sweep may start anew: nothing is left, and no other process is sweeping any more.
        return JSON.parse(output) as { removed: string[]; left: string[] };
      }),
    );
    expectNothingOf(told);
    expect(sweeps.filter(({ removed }) => removed.length > 0)).to.have.length(1);
    expect(sweeps.flatMap(({ left }) => left)).to.be.empty;
    expect(files()).to.be.empty;
  });

  describe('as written down', () => {
    const sleepers: ChildProcess[] = [];
    after(() => sleepers.forEach((one) => one.kill('SIGKILL')));

    function sleeper(): { pid: number; startTime: string } {
      const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
      sleepers.push(child);
      const pid = child.pid ?? 0;
      return { pid, startTime: startTimeOf(pid) ?? '' };
    }

    function writeState(changes: Partial<State>): string {
      const owner = { pid: 1, startTime: 'of another process' };
      const run = 'no-such-run';
      const state: State = {
        run,
        bootId: system.bootId(),
        pidNamespace: system.pidNamespace(),
        owner,
        groups: [],
        projects: [],
        folders: [],
        ...changes,
      };
      const file = join(stateFolder, 'session-1-x.json');
      writeFileSync(file, JSON.stringify(state));
      return file;
    }

    it('kills a group whose leader is the one that was started', async () => {
      const one = sleeper();
      writeState({ groups: [{ ...one, name: 'sleeper' }] });
      expect(sweepLeftovers(stateFolder).removed).to.have.length(1);
      await eventually('its end', () => expect(startTimeOf(one.pid)).to.be.undefined, {
        withinMs: 2000,
      });
    });

    it('spares a process that has got the id of one that ended', () => {
      const one = sleeper();
      writeState({ groups: [{ pid: one.pid, startTime: '1', name: 'sleeper' }] });
      expect(sweepLeftovers(stateFolder)).to.deep.equal({ removed: [], left: [] });
      expect(startTimeOf(one.pid)).to.equal(one.startTime);
      expect(files()).to.be.empty;
    });

    it('spares every process after a reboot, and removes folders', () => {
      const one = sleeper();
      const folder = join(stateFolder, 'folder');
      mkdirSync(folder);
      writeState({
        bootId: 'of yesterday',
        groups: [{ ...one, name: 'sleeper' }],
        folders: [folder],
      });
      expect(sweepLeftovers(stateFolder)).to.deep.equal({ removed: [folder], left: [] });
      expect(startTimeOf(one.pid)).to.equal(one.startTime);
    });

    it('keeps in mind what cannot be removed', () => {
      const folder = join(stateFolder, 'folder');
      mkdirSync(folder);
      const projects = [{ project: 'p', engine: { PATH: '/nowhere' } }];
      const file = writeState({ projects, folders: [folder] });
      const { removed, left } = sweepLeftovers(stateFolder);
      expect(removed).to.deep.equal([folder]);
      expect(left).to.have.length(1);
      expect(left[0]).to.match(/^project p: .*ENOENT/);
      const kept = JSON.parse(readFileSync(file, 'utf8')) as State;
      expect(kept).to.deep.include({ projects, folders: [] });
      expect(sweepLeftovers(stateFolder).left).to.have.length(1);
    });

    it('takes a project down again when the engine was still making something', () => {
      const things = join(stateFolder, 'things');
      writeFileSync(things, 'container\n');
      // What is there is a line of a file. Something comes a moment after the first "down".
      const docker = `#!/bin/sh
        cd ${stateFolder}
        case "$1" in
          ps) cat things ;;
          compose)
            echo "$*" >> downs
            : > things
            if [ "$(wc -l < downs)" = 1 ]; then (sleep 0.3; echo late > things) > /dev/null 2>&1 & fi ;;
        esac`;
      writeFileSync(join(stateFolder, 'docker'), docker, { mode: 0o755 });
      const engine = { PATH: `${stateFolder}:${PATH ?? ''}` };
      writeState({ projects: [{ project: 'p', engine }] });
      expect(sweepLeftovers(stateFolder)).to.deep.equal({ removed: ['project p'], left: [] });
      expect(readFileSync(things, 'utf8')).to.equal('');
      const downs = readFileSync(join(stateFolder, 'downs'), 'utf8').trim().split('\n');
      expect(downs).to.have.length(2);
      expect(downs[0]).to.equal(
        'compose --project-name p down --volumes --remove-orphans --timeout 0',
      );
    });

    it('keeps in mind what is there again and again, although nothing says that it could not be removed', () => {
      const docker = '#!/bin/sh\ncase "$1" in network) echo held ;; esac';
      writeFileSync(join(stateFolder, 'docker'), docker, { mode: 0o755 });
      const projects = [{ project: 'p', engine: { PATH: `${stateFolder}:${PATH ?? ''}` } }];
      const file = writeState({ projects });
      expect(sweepLeftovers(stateFolder)).to.deep.equal({
        removed: [],
        left: ['project p: still there after 10 removals'],
      });
      expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.include({ projects });
    });

    it('leaves alone what was written down in another container', () => {
      const one = sleeper();
      const pidNamespace = 'pid:[1]';
      const file = writeState({ pidNamespace, groups: [{ ...one, name: 'sleeper' }] });
      const { removed, left } = sweepLeftovers(stateFolder);
      expect(removed).to.be.empty;
      expect(left.join()).to.match(/session-1-x\.json: written in another container/);
      expect(startTimeOf(one.pid)).to.equal(one.startTime);
      expect(existsSync(file)).to.be.true;
    });

    it('says that a file cannot be read, and goes on', () => {
      writeFileSync(join(stateFolder, 'session-1-empty.json'), '');
      writeFileSync(join(stateFolder, 'session-4194305-y.json.part'), '{');
      const { left } = sweepLeftovers(stateFolder);
      expect(left).to.have.length(1);
      expect(left[0]).to.match(/session-1-empty\.json: cannot be read/);
      expect(files()).to.deep.equal(['session-1-empty.json']);
    });

    it('takes over from a sweep that was killed', () => {
      const folder = join(stateFolder, 'folder');
      mkdirSync(folder);
      const file = writeState({ folders: [folder] });
      writeFileSync(`${file}.sweeper-1-1`, readFileSync(file));
      rmSync(file);
      expect(sweepLeftovers(stateFolder)).to.deep.equal({ removed: [folder], left: [] });
      expect(files()).to.be.empty;
    });
  });

  it('is nothing when the session ends by itself, and nothing can be made any more', () => {
    const state = new SessionState(stateFolder, { PATH, HOME });
    const folder = state.makeFolder('test');
    expect(files()).to.have.length(1);
    expect(state.removeAll()).to.be.empty;
    expect(files()).to.be.empty;
    expect(existsSync(folder)).to.be.false;
    expect(() => state.makeFolder('test')).to.throw('nothing is started any more');
    expect(() => state.addProject('test', {})).to.throw('nothing is started any more');
  });
});
