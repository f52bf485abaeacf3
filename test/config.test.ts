import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot, readConfig } from '../support/config';

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
      'a port that is none',
      shipped.replace('${STS_PORT:-3000}', 'many'),
      /broken\.yaml:\d+: .*ports\.STS_PORT: "many"/s,
    ],
    [
      'a key that nobody knows',
      shipped.replace('  sts: #', '  stts: #'),
      /broken\.yaml:\d+: .*services/s,
    ],
    [
      'an address that is none',
      shipped.replace('rtsp: rtsp://', 'rtsp: '),
      /broken\.yaml:\d+: .*services\.mediaServer\.rtsp: "127\.0\.0\.1:8554"|Invalid URL/s,
    ],
    ['YAML that is none', 'ports: [1\n', /broken\.yaml:\d+:\d+: .*YAML/s],
  ];
  for (const [name, text, message] of faults) {
    it(`names file and line of ${name}`, () => {
      const file = join(folder, 'broken.yaml');
      writeFileSync(file, text);
      const config = readConfig({ ACCEPTANCE_CONFIG: file });
      expect(() => config.settings('127.0.0.1')).to.throw(message);
    });
  }

  it('names a file that is missing', () => {
    const config = readConfig({ ACCEPTANCE_CONFIG: join(folder, 'none.yaml') });
    expect(() => config.settings('127.0.0.1')).to.throw(/none\.yaml.*missing/s);
  });
});
