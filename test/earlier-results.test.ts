import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../support/config';

describe('the results of an earlier run', () => {
  const reports = mkdtempSync(join(tmpdir(), 'earlier-results-test-'));
  after(() => rmSync(reports, { recursive: true }));
  const files = ['index.html', 'junit.xml', 'messages.ndjson', 'verdicts.ndjson'];
  for (const file of files) writeFileSync(join(reports, file), `earlier ${file}`);

  const run = (
    args: readonly string[],
    env: Record<string, string> = {},
  ): { status: number | null; output: string } => {
    const variables = { ...readConfig().variables, npm_lifecycle_event: 'acceptance' };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/cucumber.mjs', ...args],
      {
        ...{ cwd: projectRoot, encoding: 'utf8' },
        // As on a terminal: no npm waits for it.
        env: { ...variables, npm_config_user_agent: '', REPORTS_DIR: reports, ...env },
      },
    );
    return { status, output: stdout + stderr };
  };

  const refusals: [why: string, args: string[], env: Record<string, string>, says: RegExp][] = [
    ['an option is mistyped', ['--tagz', '@x'], {}, /Did you mean --tags\?/],
    ['an option is malformed', ['--retry', 'often'], {}, /--retry must be a non negative integer/],
    ['a shard is malformed', ['--shard', 'x'], {}, /the shard option must be in the format/],
    [
      'a configuration file is not there',
      ['-c', 'no.js'],
      {},
      /^--config no\.js: there is no such/m,
    ],
    [
      'a formatter is not there',
      ['--format', './no.js:x'],
      {},
      /^--format \.\/no\.js: there is no/m,
    ],
    ['a plugin is not there', ['--plugin', 'no'], {}, /^--plugin no: there is no such file or/m],
    ['a loader is not there', ['--loader', 'no'], {}, /^--loader no: there is no such file or/m],
    ['a module is not there', ['--require-module', 'no'], {}, /^--require-module no: there is no/m],
    ['a profile is not there', ['--profile', 'no'], {}, /^--profile no: there are default, /m],
    ['an order is not there', ['--order', 'no'], {}, /^--order no: defined, reverse or random/m],
    [
      'npm has taken an option and passed its value on',
      ['@021-US5-1', 'features/a b.feature'],
      { npm_config_tags: 'true' },
      /npm run acceptance -- --tags @021-US5-1 'features\/a b\.feature'\n/,
    ],
    [
      'npm has taken options with their values',
      [],
      { npm_config_dry_run: 'true', npm_config_name: "it's", npm_config_strict: '' },
      /npm run acceptance -- --dry-run --no-strict --name 'it'\\''s'\n/,
    ],
  ];
  for (const [why, args, env, says] of refusals) {
    it(`are kept where ${why}`, () => {
      const { status, output } = run(args, env);
      expect(output)
        .to.match(says)
        .and.to.match(/the results of an earlier run are kept/);
      expect(status).to.equal(2);
    });
  }

  it('are kept where --parallel is refused', () => {
    const { status, output } = run(['--parallel', '2']);
    expect(output).to.match(/--parallel is refused: .*share one set of services/);
    expect(status).to.equal(2);
  });

  it('are kept where a question of npm was taken for its own', () => {
    const { status, output } = run(['es'], { npm_config_i18n_keywords: 'true' });
    expect(output).to.include('npm run acceptance -- --i18n-keywords es\n');
    expect(status).to.equal(2);
  });

  it('are kept where no scenario is selected, which is no passed run', () => {
    const { status, output } = run(['--tags', '@nothing']);
    expect(output)
      .to.include('@nothing: no scenario has such a tag\n')
      .and.to.match(/the results of an earlier run are kept\.$/m);
    expect(status).to.equal(1);
  });

  it('are kept where steps are only matched, and where help is asked for', () => {
    const { status, output } = run(['--dry-run', '--tags', '@021-US5-1']);
    expect(output).to.match(/^1 scenario found; nothing was run \(--dry-run\)$/m);
    expect(status).to.equal(0);
    for (const args of [
      ['--help'],
      ['--version'],
      ['--i18n-languages'],
      ['--i18n-keywords', 'es'],
    ]) {
      expect(run(args)).to.include({ status: 0 });
    }
  });

  it('are as they were after all of this', () => {
    expect(readdirSync(reports).sort()).to.deep.equal(files);
    for (const file of files) {
      expect(readFileSync(join(reports, file), 'utf8')).to.equal(`earlier ${file}`);
    }
  });
});
