import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../../support/config';
import { tempFolder } from '../analyze/make-media';

const { PATH, HOME } = readConfig().variables;

/** A checkout of two files, with the packages of this one. */
const root = tempFolder();
const temporary = join(root, 'tmp');
const kept = join(root, 'node_modules/.cache/typescript/support/program.ts.js');
const loader = 'support/base/typescript.cjs';

const run = (): string => {
  const args = ['-r', `./${loader}`, 'support/program.ts'];
  const env = { PATH, HOME, TMPDIR: temporary };
  return execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' }).trim();
};

const write = (text: string): void => writeFileSync(join(root, 'support/program.ts'), text);

describe('TypeScript of the suite', () => {
  before(() => {
    mkdirSync(join(root, 'support/base'), { recursive: true });
    mkdirSync(join(root, 'node_modules'));
    mkdirSync(temporary);
    ['package.json', 'tsconfig.json', loader].forEach((name) =>
      cpSync(join(projectRoot, name), join(root, name)),
    );
    for (const name of readdirSync(join(projectRoot, 'node_modules'))) {
      if (name === '.cache') continue;
      symlinkSync(join(projectRoot, 'node_modules', name), join(root, 'node_modules', name));
    }
  });
  beforeEach(() => write('const text: string = "first";\nconsole.log(text);\n'));

  it('is compiled once, and again when it has changed', () => {
    expect(run()).to.equal('first');
    const first = readFileSync(kept, 'utf8');
    // What is kept is what runs.
    writeFileSync(kept, first.replace('"first"', '"kept"'));
    expect(run()).to.equal('kept');
    write('const text: string = "other";\nconsole.log(text);\n');
    expect(run()).to.equal('other');
  });

  it('is compiled again when the options or a compiler have changed', () => {
    expect(run()).to.equal('first');
    for (const [name, from, to] of [
      ['tsconfig.json', '"es2022"', '"es2021"'],
      ['package.json', '"ts-node": "', '"ts-node": "0'],
    ] as const) {
      writeFileSync(kept, readFileSync(kept, 'utf8').replace('"first"', '"kept"'));
      expect(run()).to.equal('kept');
      const text = readFileSync(join(root, name), 'utf8');
      expect(text).to.include(from);
      writeFileSync(join(root, name), text.replace(from, to));
      expect(run(), name).to.equal('first');
    }
  });

  it('is compiled when what is kept was cut off, and where nothing can be kept', () => {
    run();
    writeFileSync(kept, readFileSync(kept, 'utf8').slice(0, 60));
    expect(run()).to.equal('first');
    rmSync(join(root, 'node_modules/.cache'), { recursive: true });
    writeFileSync(join(root, 'node_modules/.cache'), 'a file where the folder should be');
    expect(run()).to.equal('first');
    rmSync(join(root, 'node_modules/.cache'));
  });

  it('has its own lines in stack traces, kept or not, and leaves no temporary file', () => {
    write('interface Nothing {\n  a: 1;\n}\n\nconsole.log(new Error("here").stack);\n');
    const place = 'support/program.ts:5:13';
    expect(run()).to.include(place);
    expect(existsSync(kept)).to.equal(true);
    expect(run()).to.include(place);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });
});
