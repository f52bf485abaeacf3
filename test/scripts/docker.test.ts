import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

describe('the containers of an engine that the set-up starts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docker-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const weigh = async (groups: string): Promise<void> => {
    const script: string = join(projectRoot, 'scripts/docker.mjs');
    const docker = (await import(script)) as { weighContainers: (groups: string) => void };
    docker.weighContainers(groups);
  };

  it('are given the processors of eight sessions', async () => {
    const shares = join(folder, 'docker/cpu.shares');
    mkdirSync(join(folder, 'docker'));
    writeFileSync(shares, '1024\n');
    await weigh(folder);
    expect(readFileSync(shares, 'utf8')).to.equal('8192');
  });

  it('have what they have where there are no such control groups', async () => {
    const none = join(folder, 'none');
    await weigh(none);
    expect(existsSync(none)).to.be.false;
    mkdirSync(none);
    await weigh(none);
    expect(existsSync(join(none, 'docker/cpu.shares'))).to.be.false;
  });
});
