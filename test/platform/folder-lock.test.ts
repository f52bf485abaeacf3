import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { folderLock } from '../../support/platform/folder-lock';
import { startTimeOf } from '../../support/platform/processes';

/** Takes a lock at a time that all of them know, says whether it has it, and keeps it. */
const TAKER = `
const { folderLock } = require('./support/platform/folder-lock');
const [name, at] = process.argv.slice(1);
setTimeout(() => {
  while (Date.now() < Number(at));
  console.log(folderLock(name) !== undefined);
}, Number(at) - Date.now() - 20);
setTimeout(() => undefined, 60_000);
`;
const TAKERS = 5;

describe('a lock that is a folder', () => {
  const name = `live-dubbing-test-${process.pid}`;
  const folder = join('/tmp', name);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  beforeEach(remove);
  afterEach(remove);

  it('is had by one, until that one gives it back', async () => {
    const lock = folderLock(name);
    expect(lock).not.to.be.undefined;
    expect(readdirSync(folder)).to.deep.equal([`${process.pid}-${startTimeOf(process.pid) ?? ''}`]);
    expect(folderLock(name), 'while it runs').to.be.undefined;
    await lock?.release();
    expect(existsSync(folder)).to.be.false;
    expect(folderLock(name), 'after it was given back').not.to.be.undefined;
  });

  it('is taken from a process that is gone, and from an earlier one of the same id', () => {
    for (const holder of ['4194305-1', `${process.pid}-1`]) {
      mkdirSync(folder);
      writeFileSync(join(folder, holder), '');
      expect(folderLock(name), holder).not.to.be.undefined;
      remove();
    }
  });

  it(`is had by one of ${TAKERS} that take it at the same time from one that is gone`, async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, '4194305-1'), '');
    const at = String(Date.now() + 15_000);
    const takers = Array.from({ length: TAKERS }, () =>
      spawn(process.execPath, ['-r', './support/base/typescript.cjs', '-e', TAKER, name, at]),
    );
    try {
      const said = await Promise.all(
        takers.map(async ({ stdout }) => {
          const [line] = (await once(stdout, 'data')) as [Buffer];
          return line.toString().trim();
        }),
      );
      expect(said.sort()).to.deep.equal([...Array<string>(TAKERS - 1).fill('false'), 'true']);
    } finally {
      takers.forEach((one) => one.kill('SIGKILL'));
    }
  });
});
