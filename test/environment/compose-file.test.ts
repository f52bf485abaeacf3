import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  checkComposeFiles,
  composeFrom,
  mergeAll,
  type ComposeFile,
} from '../../support/environment/compose-file';
import type { Variables } from '../../support/interpolate';

/** As the host runtime reads compose files. */
function read(files: string[], variables: Variables = {}): ComposeFile {
  const checked = checkComposeFiles(files, variables);
  return composeFrom(mergeAll(checked), checked);
}

describe('reading compose files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-test-'));
  after(() => rmSync(folder, { recursive: true }));

  function write(text: string, name = 'docker-compose.yml'): string {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  it('fills in variables and finds published TCP ports, volumes and dependencies', () => {
    const file = write(`
services:
  one:
    image: some/image:\${TAG:-1}
    environment: [A=1, "B=x=y"]
    ports: ["127.0.0.1:\${PORT:-80}:8080", "9000:9000/udp", "7000", 6000, "8000-8002:80-82/tcp"]
    volumes: ["data:/data", "./here:/there"]
  two:
    build: .
    environment: { C: 3, D: true }
    depends_on: { one: { condition: service_healthy } }
volumes: { data: }
`);
    const { services } = read([file], { PORT: '1234' });
    expect(services.map((service) => service.name)).to.deep.equal(['one', 'two']);
    expect(services[0]?.publishedPorts).to.deep.equal([1234, 8000, 8001, 8002]);
    expect(services[0]?.environment).to.deep.equal({ A: '1', B: 'x=y' });
    expect(services[0]?.volumes).to.deep.equal({ '/data': 'data' });
    expect(services[1]?.environment).to.deep.equal({ C: '3', D: 'true' });
    expect(services[1]?.dependsOn).to.deep.equal(['one']);
  });

  it('reads ports and volumes in the long form, too', () => {
    const file = write(`
services:
  one:
    image: x
    ports:
      - { target: 80, published: "8080", host_ip: 127.0.0.1, protocol: tcp }
      - { target: 81, published: 8081, protocol: udp }
    volumes: [{ type: volume, source: data, target: /data }, { type: bind, source: /a, target: /b }]
`);
    const [service] = read([file]).services;
    expect(service?.publishedPorts).to.deep.equal([8080]);
    expect(service?.volumes).to.deep.equal({ '/data': 'data' });
  });

  it('lays later files over earlier ones as Compose does', () => {
    const base = write(`
services:
  one:
    image: x
    command: [a, b]
    environment: [A=1, B=1]
    ports: ["80:80"]
`);
    const over = write(
      `
services:
  one:
    command: [c]
    environment: { B: 2, C: 3 }
    ports: ["80:80", "81:81"]
  two:
    build: .
    depends_on: [one]
`,
      'over.yml',
    );
    const { files, services } = read([base, over]);
    expect(files).to.deep.equal([base, over]);
    expect(services.map(({ name }) => name)).to.deep.equal(['one', 'two']);
    expect(services[0]?.environment).to.deep.equal({ A: '1', B: '2', C: '3' });
    expect(services[0]?.publishedPorts).to.deep.equal([80, 81]);
    const commands = [{ values: { command: ['a', 'b'] } }, { values: { command: ['c'] } }];
    expect(mergeAll(commands)).to.deep.equal({ command: ['c'] });
  });

  it('takes variables that are not set from the file .env beside it, as Compose does', () => {
    const file = write('services:\n  a:\n    image: ${NEEDED:?}\n    ports: ["${PORT:?}:80"]\n');
    const env = write('NEEDED=x\nPORT=81\n', '.env');
    const [service] = read([file], { PORT: '82' }).services;
    rmSync(env);
    expect(service?.publishedPorts).to.deep.equal([82]);
  });

  it('takes two entries that variables make alike once', () => {
    const file = write(`
services:
  one:
    image: x
    ports: ["\${A:-127.0.0.1}:80:80", "\${B:-127.0.0.1}:80:80"]
`);
    expect(read([file]).services[0]?.publishedPorts).to.include(80);
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
      /:4: .*services\.a\.ports: must be array/s,
    ],
    [
      'a key that Compose does not know',
      'services:\n  a:\n    image: x\n    prots: ["80:80"]\n',
      /:4: .*services\.a\.prots: there is no such key/s,
    ],
    [
      'a wrong value deep inside',
      'services:\n  a:\n    image: x\n    healthcheck:\n      retries: [1]\n',
      /:5: .*services\.a\.healthcheck\.retries: must be number or string/s,
    ],
    [
      'an unknown dependency',
      'services:\n  a:\n    image: x\n    depends_on: [b]\n',
      /:4: .*b is no service; there are a/s,
    ],
    [
      'x-host without a command',
      'services:\n  a:\n    image: x\n    x-host: {}\n',
      /:4: .*services\.a\.x-host\.command/s,
    ],
    [
      'a required variable',
      'services:\n  a:\n    image: ${NEEDED:?say which}\n',
      /NEEDED.*say which/s,
    ],
  ];
  for (const [name, text, message] of faults) {
    it(`names file and line of ${name}`, () => {
      expect(() => read([write(text)])).to.throw(message);
    });
  }

  it('names the one of several files that is at fault', () => {
    const good = write('services:\n  a:\n    image: x\n');
    const bad = write('services:\n  a:\n    ports: 1\n', 'bad.yml');
    expect(() => read([good, bad])).to.throw(/bad\.yml:3: /);
  });

  it('names a file that is missing', () => {
    expect(() => read([join(folder, 'none.yml')])).to.throw(/none\.yml.*missing/s);
  });
});
