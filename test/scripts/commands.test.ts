import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

describe('a version of Node.js', () => {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const versions = [
    ...['18.20.8', '20.18.3', '21.7.3', '22.12.0', '23.11.1'].map((one) => [one, false] as const),
    ...['20.19.0', '20.20.2', '22.13.0', '24.0.0', '25.1.0'].map((one) => [one, true] as const),
  ];
  for (const [version, fits] of versions) {
    it(`${version} is ${fits ? 'taken' : 'refused'}`, async () => {
      const script: string = join(projectRoot, 'scripts/commands.mjs');
      const commands = (await import(script)) as {
        fitsNode: (version: string, range: string) => boolean;
      };
      expect(commands.fitsNode(version, engines.node)).to.equal(fits);
    });
  }
});

describe('commands that are stopped', () => {
  const folder = mkdtempSync(join(tmpdir(), 'commands-test-'));
  after(() => rmSync(folder, { recursive: true }));

  it('end at once, but for those whose half is worse than all of it', () => {
    const script = `
      import { run, stopCommands } from ${JSON.stringify(join(projectRoot, 'scripts/commands.mjs'))};
      const into = (file, options) => run('commands-test', 'sh', ['-c', 'sleep 0.7; touch ' + file], {
        cwd: ${JSON.stringify(folder)}, ...options });
      const all = [into('whole', { finishes: true }), into('half'), run('commands-test', 'no-such-program', [])];
      const outcomes = Promise.allSettled(all);
      setTimeout(() => stopCommands().then(async () => {
        console.log((await outcomes).map(({ status }) => status).join());
        process.exit(0);
      }), 200);
    `;
    const args = ['--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout.trim(), stderr).to.equal('fulfilled,rejected,rejected');
    expect(stderr).to.include('their end is waited for');
    expect(existsSync(join(folder, 'whole'))).to.equal(true);
    expect(existsSync(join(folder, 'half'))).to.equal(false);
  });
});
