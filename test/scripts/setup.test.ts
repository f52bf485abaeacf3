import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

const LOCK = 'package-lock.json';

describe('what the set-up asks for', () => {
  // A checkout in which npm's packages and the voices are there already.
  const copy = mkdtempSync(join(tmpdir(), 'setup-test-'));
  after(() => rmSync(copy, { recursive: true }));
  const bin = join(copy, 'bin');
  const make = (file: string, text = '', mode = 0o644): void => {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text, { mode });
  };
  cpSync(join(projectRoot, 'scripts'), join(copy, 'scripts'), { recursive: true });
  for (const file of [LOCK, 'package.json']) cpSync(join(projectRoot, file), join(copy, file));
  const locked = createHash('sha256')
    .update(LOCK)
    .update(readFileSync(join(copy, LOCK)));
  const stamp = JSON.stringify({ npm: locked.digest('hex') });
  make('node_modules/.package-lock.json');
  const media = 'compose/services/media-service/media_service/gst.py';
  make(media, readFileSync(join(projectRoot, media), 'utf8'));
  for (const voice of ['ef_dora', 'em_alex']) {
    make(`compose/services/sts-service/voices/${voice}.bin`);
  }
  beforeEach(() => {
    rmSync(bin, { recursive: true, force: true });
    make('.tools/setup.json', stamp);
  });

  const program = (name: string, script: string): void => {
    make(`bin/${name}`, `#!/bin/sh\n${script}`, 0o755);
  };
  const ffmpeg = (version: string, filters = ' drawtext ', encoders = ' libx264 '): void => {
    program('ffprobe', '');
    program(
      'ffmpeg',
      `case "$*" in
        -version) echo 'ffmpeg version ${version} Copyright (c)' ;;
        *-filters) echo '${filters}' ;;
        *-encoders) echo '${encoders}' ;;
      esac`,
    );
  };
  const engine = (): void => {
    program(
      'docker',
      `case "$*" in
        info*) echo linux/aarch64 ID ;;
        compose*) echo 2.20.0 ;;
        *) exit 1 ;;
      esac`,
    );
  };
  /** What the set-up says, where no other programs are on PATH. */
  const said = (options: string[] = [], variables: Record<string, string> = {}): string => {
    const env = { PATH: bin, HOME: copy, ...variables };
    const args = ['scripts/setup.mjs', ...options];
    const run = spawnSync(process.execPath, args, { cwd: copy, env, encoding: 'utf8' });
    expect(run.status).to.equal(1);
    return run.stderr;
  };
  const everything =
    /missing on PATH: ffmpeg, ffprobe, espeak-ng, apertium, rubberband\n(.*\n)* {2}A Docker engine/;

  it('names every program where no engine answers, and says that an engine is enough', () => {
    expect(said()).to.match(everything);
    expect(said()).not.to.include('chromium,');
  });

  it('names the browser where the tests of the suite are to run', () => {
    expect(said(['--development'])).to.match(
      /rubberband, chromium or google-chrome or google-chrome-stable\n/,
    );
    program('google-chrome', '');
    expect(said(['--development'])).to.match(/rubberband\n(.*\n)* {2}A Docker engine/);
  });

  it('names what builds the media server beside it, unless that is there', () => {
    expect(said()).to.match(/rubberband\n(.*\n)* {2}neither mediamtx v1\.14\.0 nor Go is on PATH/);
    program('mediamtx', 'echo v1.14.0');
    expect(said()).not.to.include('Go');
    program('mediamtx', 'echo v1.13.0');
    expect(said()).to.match(/nor Go/);
  });

  it('names the translator that is not among those of apertium', () => {
    const isThere = (pair: string): void => program('apertium', `echo "  ${pair}"`);
    isThere('eng-cat');
    expect(said()).to.match(/rubberband\n(.*\n)* {2}apertium has no eng-spa/);
    isThere('eng-spa');
    expect(said()).not.to.include('eng-spa');
  });

  it('names packages by the names of Debian where its package manager is', () => {
    program('dpkg-query', 'echo espeak-ng installed');
    // With Debian's name it is Debian, where root is not asked for packages, but for what Debian does not have.
    const isDebian = /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
    const isRoot = process.getuid?.() === 0;
    const command = /apt-get install .*apertium apertium-eng-spa rubberband-cli/;
    if (isDebian && isRoot) expect(said()).to.match(/^\s*setup: neither mediamtx/);
    else expect(said()).to.match(command).and.not.to.include(' espeak-ng ');
  });

  it('says that an engine has to be started, where there is one', () => {
    expect(said()).not.to.include('Docker is installed');
    program('docker', 'exit 1');
    for (const options of [[], ['--development']]) {
      expect(said(options)).to.match(
        / {2}A Docker engine.*\n {2}Docker is installed, but no engine/,
      );
    }
  });

  it('asks for ffmpeg alone where an engine answers', () => {
    engine();
    expect(said()).to.match(/missing on PATH: ffmpeg, ffprobe\n$/);
    expect(said([], { RUNTIME: 'docker' })).to.match(/missing on PATH: ffmpeg, ffprobe\n$/);
    expect(said([], { RUNTIME: 'external' })).to.match(/missing on PATH: ffmpeg, ffprobe\n$/);
    expect(said([], { RUNTIME: 'host' })).to.match(everything);
  });

  const versions: [string, RegExp][] = [
    ['4.4.2-0ubuntu0.22.04.1', /ffmpeg is 4\.4: install 5\.1 or newer/],
    ['5.0.3', /ffmpeg is 5\.0: install 5\.1 or newer/],
    ['5.1', /ffmpeg has no drawtext/],
    ['n7.1-2', /ffmpeg has no drawtext/],
    ['10.0', /ffmpeg has no drawtext/],
    ['N-118000-gabcdef', /ffmpeg has no drawtext/],
  ];
  for (const [version, message] of versions) {
    it(`looks at what ffmpeg ${version} has`, () => {
      engine();
      ffmpeg(version, ' drawbox ');
      expect(said()).to.match(message);
    });
  }

  it('names the encoder that ffmpeg does not have', () => {
    engine();
    ffmpeg('8.0', ' drawtext ', ' libopenh264 ');
    expect(said()).to.match(/ffmpeg has no libx264/);
  });

  const mayStart = process.getuid?.() === 0 && !existsSync('/run/systemd/system');
  it(
    'starts an engine in a clone that has nothing yet, and says why it ended',
    {
      skip: mayStart
        ? false
        : 'the set-up starts an engine by itself only as root, without systemd',
    },
    () => {
      program('docker', 'case "$*" in compose*) echo 2.20.0 ;; info*) exit 1 ;; esac');
      program('dockerd', 'echo "no space left on device" >&2; exit 3');
      rmSync(join(copy, '.tools'), { recursive: true });
      expect(said(['--docker'])).to.match(
        /dockerd ended with 3:\n\s+no space left on device\n\s+the whole log: .*dockerd\.log/,
      );
    },
  );
});

describe('options that stand before --', () => {
  const npmRun = (...args: string[]): [number | null, string] => {
    const { status, stderr } = spawnSync('npm', ['run', '--silent', ...args], {
      ...{ cwd: projectRoot, encoding: 'utf8' },
    });
    return [status, stderr.trimEnd().split('\n').slice(-1)[0] ?? ''];
  };

  for (const [args, toType] of [
    [['setup', '--docker'], 'npm run setup -- --docker'],
    [['setup', '--development', '--docker'], 'npm run setup -- --docker --development'],
    [['setup', '--with=coqui'], 'npm run setup -- --with coqui'],
    [['setup', '--with', 'coqui'], 'npm run setup -- --with coqui'],
    [['engine:stop', '--force'], 'npm run engine:stop -- --force'],
  ] as const) {
    it(`are named: npm run ${args.join(' ')}`, () => {
      expect(npmRun(...args)).to.deep.equal([2, `  ${toType}`]);
    });
  }

  it('are refused where there are no such ones', () => {
    expect(npmRun('engine:stop', '--', '--forse')[0]).to.equal(2);
  });
});

/** As they are where this checkout cannot be written to, by root either; undefined where that cannot be made so. */
function inReadOnlyCheckout(...command: string[]): { status: number | null; stderr: string } {
  const mounted = 'mount --bind -o ro "$0" "$0" && cd "$0" && exec "$@"';
  const args = ['--mount', 'sh', '-c', mounted, projectRoot, ...command];
  return spawnSync('unshare', args, { encoding: 'utf8' });
}

const canMount = inReadOnlyCheckout('true').status === 0;
const skip = canMount ? false : 'mounts can only be made by root';

describe('a checkout that cannot be written to', { skip }, () => {
  it('is named by the set-up, in one message', () => {
    const { status, stderr } = inReadOnlyCheckout('node', 'scripts/setup.mjs');
    expect(status).to.equal(1);
    expect(stderr.trim()).to.match(
      /^[^\n]*cannot be written to \(EROFS\): make it writable[^\n]*$/,
    );
  });

  for (const reports of [projectRoot, join(projectRoot, 'no-such-folder', 'reports')]) {
    it(`is named by cucumber-js itself, with what to do, for ${relative(projectRoot, reports) || 'a folder that is there'}`, () => {
      const cucumber = ['npx', 'cucumber-js', '--tags', '@021-US5-1'];
      const { status, stderr } = inReadOnlyCheckout('env', `REPORTS_DIR=${reports}`, ...cucumber);
      expect(status).to.equal(2);
      expect(stderr).to.match(/^\S+: the folder of the reports cannot be written to\n/);
      expect(stderr).to.match(/seen: .*EROFS[\s\S]*next: +set REPORTS_DIR/);
      expect(stderr).not.to.contain('    at ');
    });
  }
});
