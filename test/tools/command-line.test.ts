import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { takenByNpm } from '../../support/base/npm-options';
import { projectRoot, readConfig } from '../../support/config';

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** They have no options of their own. */
const WITHOUT = ['acceptance', 'test', 'lint', 'format', 'audit', 'engine:stop'];

describe('a command of the project', () => {
  const run = (
    name: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): { status: number | null; stdout: string; stderr: string } => {
    const command = (scripts[name] ?? '').split(' ').slice(1);
    return spawnSync(process.execPath, [...command, ...args], {
      ...{ cwd: projectRoot, encoding: 'utf8' },
      env: { ...readConfig().variables, npm_lifecycle_event: name, ...env },
    });
  };

  for (const name of Object.keys(scripts).filter((one) => !WITHOUT.includes(one))) {
    it(`${name} answers --help, and does nothing else`, () => {
      const { status, stdout, stderr } = run(name, ['--help']);
      expect(stdout).to.match(new RegExp(`^usage: npm run ${name}\\b`));
      expect(stdout.split('\n').length).to.be.below(6);
      expect([status, stderr]).to.deep.equal([0, '']);
    });
  }

  it('does nothing where an option is unknown, or there is one argument too many', () => {
    for (const args of [['--lasst', '5'], ['a', 'b', 'c'], ['--last']]) {
      const { status, stdout, stderr } = run('compare', args);
      expect([status, stdout]).to.deep.equal([2, '']);
      expect(stderr).to.match(/^.*(lasst|unexpected: c|--last).*\nusage: npm run compare/);
    }
  });

  it('says so where npm has taken its options', () => {
    const { status, stderr } = run('compare', ['5', 'a'], { npm_config_last: 'true' });
    expect(status).to.equal(2);
    expect(stderr).to.match(/^npm takes options .* Type: npm run compare -- --last 5 a\n/);
  });

  it('is the set-up, which answers before there are packages', () => {
    const { status, stderr } = run('setup', ['--nothing']);
    expect(status).to.equal(2);
    expect(stderr).to.match(/--nothing[^]*\nusage: npm run setup/);
  });
});

describe('options that npm has taken', () => {
  const known = { flags: ['json', 't'], withValue: ['tags', 'retry-tag-filter'] };
  const taken = (environment: Record<string, string>, ...args: string[]): string | undefined =>
    takenByNpm({ npm_lifecycle_event: 'x', ...environment }, 'x', args, known, (text) =>
      text.startsWith('@'),
    );

  const cases: [environment: Record<string, string>, args: string[], expected?: string][] = [
    [{}, ['@a']],
    [{ npm_config_other: 'true' }, []],
    [{ npm_lifecycle_event: 'y', npm_config_json: 'true' }, []],
    [{ npm_config_json: 'true' }, ['a b'], "--json 'a b'"],
    [{ npm_config_json: '' }, [], '--no-json'],
    [{ npm_config_t: 'true' }, [], '-t'],
    [{ npm_config_tags: '@a' }, ['@b'], '--tags @a @b'],
    [{ npm_config_tags: 'true' }, [], '--tags …'],
    [{ npm_config_tags: 'true' }, ['features', '@a'], '--tags @a features'],
    [{ npm_config_tags: 'true' }, ['a', 'b'], '--tags a b'],
    [{ npm_config_retry_tag_filter: '@a' }, [], '--retry-tag-filter @a'],
  ];
  for (const [environment, args, expected] of cases) {
    it(`are ${expected ?? 'none'}: ${JSON.stringify(environment)} ${args.join(' ')}`, () => {
      expect(taken(environment, ...args)).to.equal(expected && `npm run x -- ${expected}`);
    });
  }
});
