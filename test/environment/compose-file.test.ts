import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readComposeFile } from '../../support/environment/compose-file';

describe('reading compose files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-test-'));
  after(() => rmSync(folder, { recursive: true }));

  function write(text: string): string {
    const file = join(folder, 'docker-compose.yml');
    writeFileSync(file, text);
    return file;
  }

  it('fills in variables and finds published TCP ports, volumes and dependencies', () => {
    const file = write(`
services:
  one:
    image: some/image:\${TAG:-1}
    environment: [A=1, "B=x=y"]
    ports: ["127.0.0.1:\${PORT:-80}:8080", "9000:9000/udp", "7000", 6000]
    volumes: ["data:/data", "./here:/there"]
  two:
    build: .
    environment: { C: 3, D: true }
    depends_on: { one: { condition: service_healthy } }
volumes: { data: }
`);
    const { services } = readComposeFile(file, { PORT: '1234' });
    expect(services.map((service) => service.name)).to.deep.equal(['one', 'two']);
    expect(services[0]?.publishedPorts).to.deep.equal([1234]);
    expect(services[0]?.environment).to.deep.equal({ A: '1', B: 'x=y' });
    expect(services[0]?.volumes).to.deep.equal({ '/data': 'data' });
    expect(services[1]?.environment).to.deep.equal({ C: '3', D: 'true' });
    expect(services[1]?.dependsOn).to.deep.equal(['one']);
  });

  const faults: [string, string, RegExp][] = [
    [
      'YAML that does not end',
      'services:\n  a:\n    image: "x\n',
      /docker-compose\.yml:\d+:\d+.*YAML/s,
    ],
    ['no services', 'volumes: {}\n', /docker-compose\.yml:1: .*services/s],
    ['neither image nor build', 'services:\n  a:\n    ports: []\n', /:3: .*neither an image/s],
    [
      'a wrong type',
      'services:\n  a:\n    image: x\n    ports: none\n',
      /:4: .*services\.a\.ports/s,
    ],
    [
      'an unknown dependency',
      'services:\n  a:\n    image: x\n    depends_on: [b]\n',
      /:4: .*\bb\b/s,
    ],
    [
      'a required variable',
      'services:\n  a:\n    image: ${NEEDED:?say which}\n',
      /NEEDED.*say which/s,
    ],
  ];
  for (const [name, text, message] of faults) {
    it(`names file and line of ${name}`, () => {
      expect(() => readComposeFile(write(text), {})).to.throw(message);
    });
  }

  it('names a file that is missing', () => {
    expect(() => readComposeFile(join(folder, 'none.yml'), {})).to.throw(/none\.yml.*missing/s);
  });
});
