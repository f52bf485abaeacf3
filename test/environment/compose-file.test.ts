import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import type { ComposeFile } from '../../support/environment/compose-file';
import { readWithoutCompose } from '../../support/environment/compose-reader';
import { PrerequisiteMissing } from '../../support/base/errors';
import type { Variables } from '../../support/base/interpolate';
import { safeText } from '../../support/base/safe-text';

/** As the host runtime reads compose files where there is no Docker Compose. */
function read(files: string[], variables: Variables = {}): ComposeFile {
  return readWithoutCompose(files, 'project', variables);
}

describe('reading compose files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-test-'));
  after(() => rmSync(folder, { recursive: true }));

  function write(text: string, name = 'docker-compose.yml'): string {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  }

  const one = (rest: string): string => `services:\n  one:\n    image: x\n${rest}`;
  const odd: Record<string, [string, RegExp]> = {
    'is empty': ['', /must be object/],
    'is null': ['null', /must be object/],
    'is a text': ['hello', /must be object/],
    'is a list': ['- services', /must be object/],
    'is bytes': ['\0\u0001\ufffd', /odd\.yml/],
    'is not YAML': ['services: {', /not valid YAML/],
    'has two documents': ['services: {}\n---\nservices: {}\n', /not valid YAML/],
    'is nested without end': [
      `# a\nservices: ${'['.repeat(100_000)}`,
      /:2[\s\S]*more than 100 levels/,
    ],
    'is a list in a list, without end': [
      `services: \n  ${'- '.repeat(50_000)}`,
      /:2[\s\S]*100 levels/,
    ],
    'is 200 levels deep by its indentation': [
      Array.from({ length: 200 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
      /more than 100 levels/,
    ],
    'is too long': [`# \n`.repeat(400_000), /too long/],
    'has a tab': ['services:\n\tone: {}\n', /not valid YAML/],
    'has a key twice': [`${one('')}    image: y\n`, /unique/],
    'has an alias that leads nowhere': ['services: *nowhere', /nowhere/],
    'has services that are a list': ['services: [one]', /services: must be object/],
    'has a service that is null': ['services: {one: }', /services\.one/],
    'has neither image nor build': [
      'services: {one: {command: a}}',
      /neither an image nor a build/,
    ],
    'has ports that are none': [one('    ports: here\n'), /ports/],
    'has an environment of lists': [one('    environment: {A: [1]}\n'), /environment/],
    'has an unknown key': [one('    imagine: y\n'), /imagine: unknown key/],
    'depends on an unknown service': [one('    depends_on: [two]\n'), /there is no service two/],
    'has an empty command for this host': [one('    x-host: {command: []}\n'), /x-host/],
    'has a variable without its end': [one('    command: ${A\n'), /without its/],
    'needs a variable': [
      one('    command: ${A:?is needed}\n'),
      /variable A is required: is needed/,
    ],
    'has variables without end': [
      one(`    command: ${'${A:-'.repeat(100)}${'}'.repeat(100)}\n`),
      /are nested/,
    ],
  };
  for (const [name, [text, message]] of Object.entries(odd)) {
    it(`names file and line of one that ${name}`, () => {
      const file = write(text, 'odd.yml');
      expect(() => read([file])).to.throw(PrerequisiteMissing, message);
      expect(() => read([file])).to.throw(/odd\.yml(:\d+)*: .*next: /s);
    });
  }

  it('says what is wrong with a folder, or with nothing', () => {
    expect(() => read([folder])).to.throw(PrerequisiteMissing, /EISDIR/);
    expect(() => read([join(folder, 'none.yml')])).to.throw(PrerequisiteMissing, /missing/);
  });

  it('takes ports that there are, and no others', () => {
    const ports = (port: string) =>
      read([write(one(`    ports: ["${port}"]\n`))]).services[0]?.publishedPorts;
    expect(ports('1-65535:1')).to.have.length(65_535);
    for (const port of ['1-65536:1', '70000:1', '0:1', '5-3:1', 'a:1', '1-3:1-2', '127.0.0.1:80']) {
      expect(() => ports(port), port).to.throw(/docker-compose\.yml:4.*services\.one\.ports\.0/s);
    }
  });

  it('knows services and variables by any name', () => {
    const text = one('    environment: {__proto__: a, constructor: $constructor}\n');
    const file = write(`${text}  constructor: {image: y}\n  toString: {image: z}\n`);
    const { services } = read([file, write(one(''), 'over.yml')]);
    expect(services.map(({ name }) => name)).to.deep.equal(['one', 'constructor', 'toString']);
    expect(services[0]?.environment['constructor']).to.equal('');
  });

  it('hides what is secret in it from then on', () => {
    read([write(one('    environment: {SOME_API_KEY: k-0815-secret}\n'))]);
    expect(safeText('said k-0815-secret')).to.equal('said ***');
  });

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
volumes: { data: }
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
  });

  it('replaces and takes away what the tags of Compose say', () => {
    const base = write(
      'services:\n  one:\n    image: x\n    environment: {A: 1}\n    ports: ["80:80"]\n',
    );
    const over = (text: string) => write(`services:\n  one:\n    ${text}\n`, 'over.yml');
    const ports = read([base, over('ports: !override ["81:80"]')]).services[0]?.publishedPorts;
    expect(ports).to.deep.equal([81]);
    const environment = read([base, over('environment: !reset null')]).services[0]?.environment;
    expect(environment).to.deep.equal({});
    const added = read([base, over('environment: {A: !reset null, B: 2}')]).services[0];
    expect(added?.environment).to.deep.equal({ B: '2' });
  });

  it('takes the files of env_file, and variables that are only named', () => {
    write('A=file\nB=file\n', 'a.env');
    const file = write(`
services:
  one:
    image: x
    env_file: [a.env, {path: none.env, required: false}]
    environment: [B=own, GIVEN, UNSET]
  two:
    image: x
    environment: {GIVEN: , UNSET: }
`);
    const [first, second] = read([file], { GIVEN: 'g' }).services;
    expect(first?.environment).to.deep.equal({ A: 'file', B: 'own', GIVEN: 'g' });
    expect(second?.environment).to.deep.equal({ GIVEN: 'g' });
    const missing = write(one('    env_file: none.env\n'));
    expect(() => read([missing])).to.throw(/none\.env.*no such file/s);
  });

  it('leaves out services of profiles that are not active, and optional ones that are not there', () => {
    const file = write(
      'services:\n  a:\n    image: x\n    depends_on: {b: {condition: service_started, required: false}}\n' +
        '  b:\n    image: x\n    profiles: [gpu]\n',
    );
    const named = (variables: Variables) =>
      read([file], variables).services.map(({ name, dependsOn }) => [name, ...dependsOn].join(' '));
    expect(named({})).to.deep.equal(['a']);
    expect(named({ COMPOSE_PROFILES: 'cpu,gpu' })).to.deep.equal(['a b', 'b']);
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
      /:4: .*services\.a\.prots: unknown key/s,
    ],
    [
      'a wrong value deep inside',
      'services:\n  a:\n    image: x\n    healthcheck:\n      retries: [1]\n',
      /:5: .*services\.a\.healthcheck\.retries: must be number or string/s,
    ],
    [
      'an unknown dependency',
      'services:\n  a:\n    image: x\n    depends_on: [b]\n',
      /:4: .*there is no service b; the services are a/s,
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
