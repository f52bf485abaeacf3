import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../../support/config';
import { findEngine } from '../../support/environment/docker-engine';
import { SessionState } from '../../support/environment/session-state';
import type * as Priority from '../../support/platform/priority';
import type * as ToolPython from '../../support/platform/tool-python';

const PYTHON = join(projectRoot, '.venv/bin/python');
const IMAGE = join(projectRoot, '.tools/tools-image');
const FILE = 'support/platform/tool-python.ts';
const PRIORITY = 'support/platform/priority.ts';

describe("the suite's own Python programs", async () => {
  // A project of its own, with what the set-up has made there.
  const root = mkdtempSync(join(tmpdir(), 'tool-python-'));
  after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'support/platform'), { recursive: true });
  for (const file of [FILE, PRIORITY]) copyFileSync(join(projectRoot, file), join(root, file));
  const load = createRequire(__filename);
  const { toolPython, besideBroadcasts, isInImage } = load(join(root, FILE)) as typeof ToolPython;
  const { setOnAir } = load(join(root, PRIORITY)) as typeof Priority;
  const speak = join(root, 'fixtures/speak.py');
  const listen = join(root, 'support/analyze/listen.py');
  const model = join(root, '.tools/models/whisper-base');
  const make = (path: string, text = ''): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  beforeEach(() => {
    rmSync(join(root, '.venv'), { recursive: true, force: true });
    rmSync(join(root, '.tools'), { recursive: true, force: true });
  });

  it('run in the Python environment where there is one, and where there is nothing', () => {
    const here = { program: join(root, '.venv/bin/python'), args: [speak, 'a'] };
    expect(toolPython(speak, ['a'])).to.deep.equal(here);
    make('.venv/bin/python');
    make('.tools/tools-image', 'live-dubbing/tools:abc\n');
    expect(toolPython(speak, ['a'])).to.deep.equal(here);
    expect(isInImage(model)).to.be.false;
  });

  it('yield to broadcasts in the image, and less once nothing is on the air', () => {
    make('.tools/tools-image', 'live-dubbing/tools:abc\n');
    const command = toolPython(speak, ['a']);
    const shares = (): string[] => {
      const { program, args } = besideBroadcasts(command);
      expect([program, args[0], args[1]]).to.deep.equal(['docker', 'run', '--cpu-shares']);
      expect(args.slice(3)).to.deep.equal(command.args.slice(1));
      return args.slice(2, 3);
    };
    expect(shares()).to.deep.equal(['15']);
    setOnAir(false);
    expect(shares()).to.deep.equal(['335']);
    setOnAir(true);
  });

  it('run in the image elsewhere, without a network, as this user', () => {
    make('.tools/tools-image', 'live-dubbing/tools:abc\n');
    const { program, args } = toolPython(listen, [model, 'en'], { reads: model, variables: ['A'] });
    expect(program).to.equal('docker');
    expect(args.join(' ')).to.match(/^run --rm --init --interactive --network none /);
    expect(args.join(' ')).to.include(
      ` --user ${process.getuid?.()}:${process.getgid?.()} --env A `,
    );
    const folder = '/suite/.tools/models/whisper-base';
    const inImage = ['live-dubbing/tools:abc', '/suite/support/analyze/listen.py', folder, 'en'];
    expect(args.slice(-4)).to.deep.equal(inImage);
    expect(args).not.to.include('--mount');
    expect(isInImage(model)).to.be.true;
  });

  it('read a model that is not in the image, and write nothing', () => {
    make('.tools/tools-image', 'live-dubbing/tools:abc\n');
    const other = '/models/whisper-small';
    const { args } = toolPython(listen, [other, 'en'], { reads: other });
    const mount = `type=bind,source=${other},target=${other},readonly`;
    expect(args.slice(args.indexOf('--mount')).slice(0, 2)).to.deep.equal(['--mount', mount]);
    expect(args.slice(-2)).to.deep.equal([other, 'en']);
    expect(isInImage(other)).to.be.false;
  });

  const { variables } = readConfig();
  const engine = await findEngine(variables, new SessionState(join(root, 'state'), variables));
  const missing = existsSync(IMAGE) ? false : 'no tools image: npm run setup -- --development';
  const skip = typeof engine === 'string' ? (engine.split('\n')[0] ?? '') : missing;
  const noPython = existsSync(PYTHON) ? false : 'no Python environment: Docker is enough here';
  it('speak the same in both, and are understood', { skip: skip || noPython }, () => {
    const request = {
      ...{ lines: ['Good evening and welcome to the game.'], commentary: [], segmentSeconds: 6 },
      ...{ marginSeconds: 0.5, wordEverySeconds: null, durationSeconds: 6, startsAtSeconds: 0 },
      ...{ noiseBelowSpeechDb: null, crowdBelowSpeechDb: null },
    };
    make('.tools/tools-image', readFileSync(IMAGE, 'utf8'));
    const run = (args: readonly string[], program: string, input: string | Buffer): Buffer => {
      const { status, stdout, stderr } = spawnSync(program, args, { input, maxBuffer: 2 ** 26 });
      expect(status, stderr.toString()).to.equal(0);
      return stdout;
    };
    const both = [
      toolPython(speak, []),
      {
        program: PYTHON,
        args: [join(projectRoot, 'fixtures/speak.py')],
      },
    ];
    const [contained, here] = both.map(({ program, args }) =>
      run(args, program, JSON.stringify(request)),
    );
    expect(contained?.equals(here ?? Buffer.of())).to.be.true;
    const options = ['-v', 'error', '-i', '-', '-ac', '1', '-ar', '16000', '-f', 'f32le', '-'];
    const samples = run(options, 'ffmpeg', contained ?? '');
    for (const by of [model, 'tiny.en']) {
      const { program, args } = toolPython(listen, [by, 'en', '0-6'], { reads: model });
      expect(run(args, program, samples).toString(), by).to.match(/good evening and welcome/i);
    }
  });
});
