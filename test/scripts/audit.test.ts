import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

describe('npm run audit', () => {
  const copy = mkdtempSync(join(tmpdir(), 'audit-test-'));
  after(() => rmSync(copy, { recursive: true }));
  cpSync(join(projectRoot, 'scripts'), join(copy, 'scripts'), { recursive: true });
  const script = join(copy, 'scripts/audit.mjs');
  const version = /VERSION = '([^']+)'/.exec(readFileSync(script, 'utf8'))?.[1] ?? '';
  const folder = join(copy, '.tools/osv-scanner', version);
  mkdirSync(folder, { recursive: true });

  const cases: [string, number, number][] = [
    ['nothing is known', 0, 0],
    ['a package has a known vulnerability', 1, 1],
    ['osv.dev cannot be asked', 127, 3],
    ['the scanner itself fails', 129, 3],
  ];
  for (const [what, status, expected] of cases) {
    it(`ends with ${expected} when ${what}`, () => {
      writeFileSync(join(folder, 'osv-scanner'), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
      expect(spawnSync(process.execPath, [script]).status).to.equal(expected);
    });
  }
});
