import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';
import {
  ASIDE_PRIORITY,
  besideServices,
  decoderPriority,
  measuringCpuShares,
  measuringPriority,
  prioritizeSession,
  servicePriority,
  runComesFirst,
  setOnAir,
  yieldToServices,
} from '../../support/platform/priority';

const noSessions = existsSync('/proc/self/autogroup') ? false : 'no autogroups on this system';

describe('priorities', () => {
  let child: ChildProcess | undefined;
  const sleeper = (): number => {
    child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    return child.pid ?? 0;
  };
  afterEach(() => child?.kill('SIGKILL'));

  it('have a process yield', () => {
    const pid = sleeper();
    yieldToServices(pid, ASIDE_PRIORITY);
    expect(getPriority(pid)).to.equal(ASIDE_PRIORITY);
  });

  it('of what measures are the lowest while anything is on the air, and not far behind the run afterwards', () => {
    const now = (): unknown[] => [measuringPriority(), measuringCpuShares()];
    expect(now()).to.deep.equal([19, 15]);
    setOnAir(false);
    expect(now()).to.deep.equal([5, 335]);
    setOnAir(true);
  });

  it('of decoders are that of a process without services, and before all else that measures beside them', () => {
    expect(decoderPriority()).to.equal(getPriority());
    const said = (...before: string[]): unknown => {
      const program = `const p = require('./support/platform/priority.ts');
        const seen = [p.decoderPriority()];
        p.runComesFirst();
        seen.push(p.decoderPriority());
        p.setOnAir(false);
        console.log(JSON.stringify([...seen, p.decoderPriority()]));`;
      const loader = ['-r', './support/base/typescript.cjs', '-e', program];
      const [command = '', ...args] = [...before, process.execPath, ...loader];
      return JSON.parse(execFileSync(command, args, { cwd: projectRoot, encoding: 'utf8' }));
    };
    expect(said()).to.deep.equal([getPriority(), 15, 5]);
    expect(said('nice', '-n', '10')).to.deep.equal([15, 15, 10]);
  });

  it('have a whole session yield', { skip: noSessions }, () => {
    const pid = sleeper();
    const own = readFileSync('/proc/self/autogroup', 'utf8');
    prioritizeSession(pid, ASIDE_PRIORITY);
    expect(readFileSync(`/proc/${pid}/autogroup`, 'utf8')).to.match(/nice 10$/m);
    expect(readFileSync('/proc/self/autogroup', 'utf8')).to.equal(own);
  });

  it(
    'have a program beside services yield in a session of its own, which ends as it would',
    { skip: noSessions },
    async () => {
      const script = 'cat /proc/self/autogroup; echo "$1"; exec sleep 60';
      const command = { program: 'sh', args: ['-c', script, 'sh', "it's $HOME"] };
      expect(besideServices(command)).to.deep.equal(command);
      runComesFirst();
      const own = readFileSync('/proc/self/autogroup', 'utf8');
      setOnAir(false);
      expect(besideServices(command)).to.deep.equal(command);
      setOnAir(true);
      const { program, args } = besideServices(command);
      child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = '';
      await new Promise<void>((done) =>
        child?.stdout?.on('data', (text: Buffer) => {
          told += text.toString();
          if (told.endsWith("it's $HOME\n")) done();
        }),
      );
      expect(told).to.match(/nice 10$/m);
      expect(told.split(' ')[0]).not.to.equal(own.split(' ')[0]);
      expect(readFileSync('/proc/self/autogroup', 'utf8')).to.equal(own);
      const end = new Promise((done) => child?.once('exit', (_code, signal) => done(signal)));
      child.kill('SIGTERM');
      expect(await end).to.equal('SIGTERM');
    },
  );

  it(
    'have a run with services come first until it ends, unless it yields itself',
    { skip: noSessions || (process.getuid?.() === 0 ? false : 'others than root may not') },
    async () => {
      const script =
        "require('./support/platform/priority').runComesFirst();" +
        "console.log(fs.readFileSync('/proc/self/autogroup', 'utf8'))";
      const run = '"$0" -r ./support/base/typescript.cjs -e "$1"';
      const all = `${run}; cat /proc/self/autogroup; nice -n 5 ${run}`;
      child = spawn('sh', ['-c', all, process.execPath, script], {
        ...{ detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
      });
      let text = '';
      child.stdout?.on('data', (piece: Buffer) => (text += piece.toString()));
      await new Promise((done) => child?.once('close', done));
      expect([...text.matchAll(/nice (-?\d+)/g)].map(([, nice]) => nice)).to.deep.equal([
        '-5',
        '0',
        '0',
      ]);
    },
  );

  it('of a process that has ended are no error', async () => {
    const pid = sleeper();
    const end = new Promise((done) => child?.once('exit', done));
    child?.kill('SIGKILL');
    await end;
    expect(() => yieldToServices(pid, ASIDE_PRIORITY)).not.to.throw();
    expect(() => prioritizeSession(pid, ASIDE_PRIORITY)).not.to.throw();
    expect(() => yieldToServices(undefined, ASIDE_PRIORITY)).not.to.throw();
  });

  it('of services are before those of the run, and never where they are aside, or the run itself yields', async () => {
    expect(servicePriority(true)).to.equal(ASIDE_PRIORITY);
    expect(servicePriority(false)).to.be.below(getPriority());
    const script = "console.log(require('./support/platform/priority').servicePriority(false))";
    const args = ['-n', '7', process.execPath, '-r', './support/base/typescript.cjs', '-e', script];
    const yielding = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    yielding.stdout.on('data', (text: Buffer) => (told += text.toString()));
    await new Promise((done) => yielding.once('close', done));
    expect(Number(told)).to.equal(getPriority() + 7);
  });
});
