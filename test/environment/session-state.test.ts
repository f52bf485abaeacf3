import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { startTimeOf } from '../../support/environment/processes';
import { eventually } from '../../support/eventually';

/** A session that starts a process group and a folder, prints both, and waits to be killed. */
const OWNER = `
const { SessionState } = require('./support/environment/session-state');
const { startGroup } = require('./support/environment/process-group');
const state = new SessionState(process.argv[1]);
const folder = state.makeFolder('test');
startGroup(state, {
  name: 'sleeper', command: ['sleep', '300'], cwd: '/', environment: {}, logFile: folder + '/log',
}).then(({ pid }) => console.log(JSON.stringify({ pid, folder })));
setInterval(() => undefined, 1000);
`;

describe('what a killed session leaves', () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'state-test-'));
  after(() => rmSync(stateFolder, { recursive: true, force: true }));

  it('is removed by the watchdog: processes, folders and the state file', async () => {
    const owner = spawn(process.execPath, ['-r', 'ts-node/register', '-e', OWNER, stateFolder]);
    const line = await new Promise<string>((said) => {
      owner.stdout.once('data', (data: Buffer) => said(data.toString()));
    });
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(startTimeOf(pid)).to.be.a('string');
    expect(existsSync(folder)).to.be.true;
    owner.kill('SIGKILL');
    await eventually(
      'the watchdog',
      () => {
        expect(startTimeOf(pid), 'start time of the process').to.be.undefined;
        expect(existsSync(folder), 'folder').to.be.false;
        expect(readdirSync(stateFolder), 'state files').to.be.empty;
      },
      { withinMs: 10_000 },
    );
  });
});
