import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

/** Everything that names a version. */
const PLACES = [
  ...['package.json', 'package-lock.json', 'README.md'],
  ...['compose', 'fixtures', 'scripts', 'support/analyze'],
];

describe('the check of pinned versions', () => {
  const copy = mkdtempSync(join(tmpdir(), 'pins-test-'));
  after(() => rmSync(copy, { recursive: true }));
  const isBig = /node_modules|vendor|generated|__pycache__/;
  for (const place of PLACES) {
    cpSync(join(projectRoot, place), join(copy, place), {
      recursive: true,
      filter: (path) => !isBig.test(path.slice(projectRoot.length)),
    });
  }
  const check = (): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, ['scripts/check-pins.mjs'], { cwd: copy, encoding: 'utf8' });

  it('passes this checkout', () => {
    expect(check()).to.include({ status: 0, stderr: '' });
  });

  const media = 'compose/media/docker-compose.yml';
  const sts = 'compose/services/sts-service';
  const changes: [string, string, RegExp, string, RegExp][] = [
    ['a range', 'package.json', /"zod": "/, '"zod": "^', /zod is "\^.*not one version/],
    [
      'an old lock',
      `${sts}/requirements.in`,
      /^/,
      'another-package\n',
      /another-package is missing/,
    ],
    ['no lock', 'fixtures/new.in', /^/, 'numpy\n', /has no fixtures\/new\.lock/],
    ['another MediaMTX', 'scripts/setup.mjs', /'v1\.14\.0'/, "'v1.15.0'", /MediaMTX is 1\.15\.0/],
    ['another image', media, /mediamtx:1\.14\.0/, 'mediamtx:1.14', /MediaMTX is 1\.14, in go\.mod/],
    ['the latest image', media, /\$\{MEDIAMTX_IMAGE:-[^}]*\}/, 'redis', /redis has no version/],
    ['another Debian', `${sts}/Dockerfile`, /bookworm-slim/, 'trixie', /not of bookworm/],
  ];
  for (const [what, file, pattern, replacement, message] of changes) {
    it(`finds ${what}`, () => {
      const path = join(copy, file);
      const isNew = what === 'no lock';
      const before = isNew ? '' : readFileSync(path, 'utf8');
      const changed = before.replace(pattern, replacement);
      expect(changed).not.to.equal(before);
      writeFileSync(path, changed);
      try {
        const { status, stderr } = check();
        expect(stderr).to.match(message);
        expect(status).to.equal(1);
      } finally {
        if (isNew) rmSync(path);
        else writeFileSync(path, before);
      }
    });
  }
});
