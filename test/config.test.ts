import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../support/config';
import { PrerequisiteMissing, problemOf } from '../support/base/errors';

describe('configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-test-'));
  after(() => rmSync(folder, { recursive: true }));

  it('has the ports and names of the specs by default', () => {
    const { ports, services, compositions } = readConfig({}).settings('127.0.0.1');
    expect(ports).to.include({
      MEDIAMTX_RTSP_PORT: 8554,
      MEDIA_SERVICE_PORT: 8080,
      STS_PORT: 3000,
    });
    expect(services.mediaServer.rtmp).to.equal('rtmp://127.0.0.1:1935');
    expect(services.mediaService.metrics).to.equal('http://127.0.0.1:8080/metrics');
    expect(services.sts.url).to.equal('http://127.0.0.1:3000');
    expect(compositions.media.project).to.match(/^e2e-media-019-[0-9a-f]{6}$/);
    expect(compositions.sts.files).to.deep.equal([
      join(projectRoot, 'compose/sts/docker-compose.yml'),
    ]);
  });

  for (const port of [' 3000', '3000-3010', '3000.5', '0', '65536', '3e3', 'http']) {
    it(`blames the variable where it is no port: '${port}'`, () => {
      try {
        readConfig({ STS_PORT: port }).settings('127.0.0.1');
        expect.fail('it was taken');
      } catch (error) {
        expect(problemOf(error)).to.include({
          ...{ where: 'environment variable STS_PORT', seen: `'${port}'` },
        });
      }
    });
  }

  it('takes the first and the last port', () => {
    for (const port of ['1', '65535']) {
      const { ports } = readConfig({ STS_PORT: port }).settings('127.0.0.1');
      expect(ports['STS_PORT']).to.equal(Number(port));
    }
  });

  it('keeps the path at which a proxy has an STS', () => {
    for (const url of ['http://sts:3000', 'http://sts:3000/', 'http://sts:3000/dubbing']) {
      const { services } = readConfig({ STS_SERVICE_URL: url }).settings('127.0.0.1');
      expect(services.sts.url).to.equal(url);
    }
  });

  it('is overridden by the environment, and by other ports', () => {
    const config = readConfig({ STS_PORT: '3100', STS_COMPOSE_FILE: 'a.yml:/b.yml' });
    expect(config.settings('10.1.2.3').services.sts.health).to.equal('http://10.1.2.3:3100/health');
    expect(config.settings('10.1.2.3', { STS_PORT: '3200' }).services.sts.url).to.equal(
      'http://10.1.2.3:3200',
    );
    expect(config.settings('127.0.0.1').compositions.sts.files).to.deep.equal([
      join(projectRoot, 'a.yml'),
      '/b.yml',
    ]);
  });

  it('finds the STS of the specs, host.docker.internal, from this host', () => {
    const config = readConfig({ STS_SERVICE_URL: 'http://host.docker.internal:3000' });
    expect(config.settings('127.0.0.1').services.sts.url).to.equal('http://127.0.0.1:3000');
  });

  it('names the variable that is not valid', () => {
    expect(() => readConfig({ RUNTIME: 'podman' })).to.throw(/RUNTIME.*podman.*host/s);
  });

  const shipped = readFileSync(join(projectRoot, 'acceptance.yaml'), 'utf8');
  const faults: [string, string, RegExp][] = [
    [
      'a malformed port',
      shipped.replace('${STS_PORT:-3000}', 'many'),
      /broken\.yaml:\d+: .*ports\.STS_PORT: "many"/s,
    ],
    ['an unknown key', shipped.replace('  sts: #', '  stts: #'), /broken\.yaml:\d+: .*services/s],
    [
      'a malformed address',
      shipped.replace(':-rtsp://', ':-'),
      /broken\.yaml:\d+: .*services\.mediaServer\.rtsp: "127\.0\.0\.1:8554"|Invalid URL/s,
    ],
    [
      'all that is missing at once',
      'ports: {}\nservices: { sts: { name: x } }\nstreams: 2\n',
      /broken\.yaml:\d+: .*without compositions, services\.mediaServer, .*services\.sts\.health, .*metrics; with unknown streams/s,
    ],
    ['a list', '[1]\n', /broken\.yaml:1: .*\[1\]\n.*keys and values, as in acceptance\.yaml/s],
    [
      'an empty file',
      '',
      /broken\.yaml is empty\n.*copy acceptance\.yaml and change what differs/s,
    ],
    ['a file of comments', '# ports:\n', /broken\.yaml is empty/],
    ['malformed YAML', 'ports: [1\n', /broken\.yaml:\d+:\d+: .*YAML/s],
  ];
  for (const [name, text, message] of faults) {
    it(`names file and line of ${name}`, () => {
      const file = join(folder, 'broken.yaml');
      writeFileSync(file, text);
      const config = readConfig({ ACCEPTANCE_CONFIG: file });
      expect(() => config.settings('127.0.0.1')).to.throw(message);
    });
  }

  it('lets a system do without what it does not have', () => {
    const { services } = readConfig({
      ...{ MEDIA_SERVER_RECORDINGS: 'absent', MEDIA_SERVER_WEBRTC_URL: 'absent' },
      MEDIA_SERVICE_SEGMENTS: 'absent',
    }).settings('127.0.0.1');
    expect(services.mediaServer.recordings).to.be.undefined;
    expect(services.mediaServer.webrtc).to.be.undefined;
    expect(services.mediaService.segments).to.be.undefined;
  });

  for (const [count, isFine] of [
    ...[['0', false] as const, ['1', true] as const, ['100', true] as const],
    ...[['101', false] as const, ['several', false] as const],
  ]) {
    it(`${isFine ? 'takes' : 'refuses'} ${count} streams at a time`, () => {
      const read = (): unknown =>
        readConfig({ MAX_STREAMS: count }).settings('127.0.0.1').maxStreams;
      if (isFine) expect(read()).to.equal(Number(count));
      else expect(read).to.throw(/maxStreams/);
    });
  }

  const environments: [string, Record<string, string>, RegExp][] = [
    ['an unknown runtime', { RUNTIME: 'podman' }, /RUNTIME.*podman.*host/s],
    ['an unknown monitor', { STS_MONITOR: 'both' }, /STS_MONITOR.*both.*tap/s],
    ['a malformed seed', { FAULT_SEED: 'x' }, /FAULT_SEED.*x/s],
    ['a seed below 0', { FAULT_SEED: '-1' }, /FAULT_SEED.*-1/s],
    ['a seed that is too large', { FAULT_SEED: '1e99' }, /FAULT_SEED.*1e99/s],
    ['a malformed seed of words', { FRESH_WORDS_SEED: '1.5' }, /FRESH_WORDS_SEED.*1\.5/s],
    ['a huge value', { STS_PORT: '9'.repeat(100_000) }, /STS_PORT/],
    ['a malformed address', { STS_SERVICE_URL: 'nowhere' }, /sts\.url: "nowhere".*an address/s],
    ['an address of another kind', { STS_SERVICE_URL: 'ftp://h:1' }, /sts\.url: "ftp:/],
    [
      'an address for scripts',
      { MEDIA_SERVICE_HEALTH_URL: 'javascript:1' },
      /mediaService\.health/,
    ],
    [
      'a project name with blanks',
      { STS_PROJECT_NAME: 'a b' },
      /sts\.project: "a b".*small letters/s,
    ],
    ['a relative folder', { MEDIA_SERVER_RECORDINGS: 'here' }, /recordings: "here"/],
    [
      'control characters',
      { STS_SERVICE_URL: '\u001b[31mx\u0000' },
      /sts\.url: "\\u001b|sts\.url: "\\\\u001b/,
    ],
  ];
  for (const [name, environment, message] of environments) {
    it(`names what is wrong with ${name}`, () => {
      const read = (): unknown => readConfig(environment).settings('127.0.0.1');
      expect(read).to.throw(PrerequisiteMissing, message);
      expect(read).to.throw(/expected: \S.*next: +\S/s);
    });
  }

  it('takes a variable that is empty for one that is not set', () => {
    const names = ['RUNTIME', 'STS_MONITOR', 'FIXTURE_FILE', 'FIXTURE_SCRIPT', 'REPORTS_DIR'];
    const empty = Object.fromEntries(
      [...names, 'FAULT_SEED', 'STS_PORT', 'ACCEPTANCE_CONFIG'].map((one) => [one, '']),
    );
    const config = readConfig(empty);
    const { runtime, reportsFolder, fixtureScript, fixtureFile } = config;
    expect({ runtime, reportsFolder, fixtureFile }).to.deep.equal({
      ...{ runtime: 'auto', reportsFolder: join(projectRoot, 'reports'), fixtureFile: undefined },
    });
    expect(fixtureScript).to.match(/1-min-nfl\.yaml$/);
    expect(config.settings('127.0.0.1').ports['STS_PORT']).to.equal(3000);
  });

  it('has no password of RTSP or RTMP, which would be seen in the list of processes', () => {
    const file = join(folder, 'password.yaml');
    for (const protocol of ['rtsp', 'rtmp']) {
      writeFileSync(file, shipped.replace(`${protocol}://`, `${protocol}://user:hunter2@`));
      const read = (): unknown => readConfig({ ACCEPTANCE_CONFIG: file }).settings('127.0.0.1');
      expect(read).to.throw(new RegExp(`${protocol}: .*without user and password`, 's'));
      expect(read).to.not.throw(/hunter2/);
    }
  });

  for (const [name, text] of Object.entries({
    'an empty file': '',
    'a list': '- a\n',
    'a text': 'a',
    null: 'null',
    'ports that are none': 'ports: 5\n',
    'ports that are a list': 'ports: [1]\n',
    'nothing but ports': 'ports: {STS_PORT: 1}\n',
    'an alias that leads nowhere': 'a: *b\n',
    'aliases that multiply': `a: &a [1]\n${'bcdefghij'
      .split('')
      .map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]\n`)
      .join('')}`,
    'an alias of itself': 'a: &a [*a]\n',
    'two documents': 'a: 1\n---\nb: 2\n',
    bytes: '\0\u0001\ufffd',
    'nesting without end': '['.repeat(100_000),
    'a megabyte': '# \n'.repeat(400_000),
    'a variable without its end': 'a: ${A\n',
    'a variable that is required': 'a: ${A:?is needed}\n',
  })) {
    it(`is not ${name}`, () => {
      const file = join(folder, 'odd.yaml');
      writeFileSync(file, text);
      const config = readConfig({ ACCEPTANCE_CONFIG: file });
      expect(() => config.settings('127.0.0.1')).to.throw(PrerequisiteMissing, /odd\.yaml/);
    });
  }

  it('is not a folder', () => {
    const config = readConfig({ ACCEPTANCE_CONFIG: folder });
    expect(() => config.settings('127.0.0.1')).to.throw(
      PrerequisiteMissing,
      /cannot be read.*EISDIR/s,
    );
  });

  it('names a file that is missing', () => {
    const config = readConfig({ ACCEPTANCE_CONFIG: join(folder, 'none.yaml') });
    expect(() => config.settings('127.0.0.1')).to.throw(/none\.yaml.*missing/s);
  });
});
