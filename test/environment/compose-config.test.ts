import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';

import { expect } from 'chai';

import { messageOf, PrerequisiteMissing } from '../../support/base/errors';
import { withoutSecrets } from '../../support/base/safe-text';
import { readConfig } from '../../support/config';
import { readByCompose, whyNoCompose } from '../../support/environment/compose-config';
import type { ComposeFile } from '../../support/environment/compose-file';
import { OnlyByCompose, readWithoutCompose } from '../../support/environment/compose-reader';
import { HostRuntime } from '../../support/environment/host-runtime';
import { SessionState } from '../../support/environment/session-state';

/** Compose files by name, in the order in which they are named to the suite; other files begin with a dot or end in env. */
type Files = Record<string, string>;

/** `mayBeRefused`: what some versions of Compose say in place of taking it. */
interface ByCompose {
  only: RegExp;
  means: object[];
  mayBeRefused?: RegExp;
}

interface Meaning {
  name: string;
  files: Files;
  variables?: Record<string, string>;
  /** The composition; "refused" where Compose takes it for an error; a key and line where only Compose reads it. */
  means: Partial<ComposeFile['services'][number]>[] | 'refused' | ByCompose;
}

const one = (...lines: string[]): string =>
  ['services:', '  one:', '    image: x', ...lines.map((line) => `    ${line}`), ''].join('\n');
const over = (...lines: string[]): string => one(...lines).replace('    image: x\n', '');

const MEANINGS: Meaning[] = [
  {
    name: 'env_file, whose later files and `environment` count more',
    files: {
      'a.yml': one(
        'env_file: [a.env, {path: none.env, required: false}, b.env]',
        'environment: {C: own}',
      ),
      'a.env': '# first\n\nA=a\nexport B="b c"\nC=a\nD=\nE=a=b\n',
      'b.env': "B=b c d\nF='#'\n",
    },
    means: [{ environment: { A: 'a', B: 'b c d', C: 'own', D: '', E: 'a=b', F: '#' } }],
  },
  {
    name: 'env_file with other variables in it',
    files: { 'a.yml': one('env_file: a.env'), 'a.env': 'A=1\nB=${A}0\n' },
    means: { only: /a\.env:2: .*seen: +B/s, means: [{ environment: { A: '1', B: '10' } }] },
  },
  {
    name: 'env_file with a comment behind a value',
    files: { 'a.yml': one('env_file: a.env'), 'a.env': 'A=1 # one\n' },
    means: { only: /a\.env:1: .*seen: +A/s, means: [{ environment: { A: '1' } }] },
  },
  {
    name: 'env_file that is missing',
    files: { 'a.yml': one('env_file: a.env') },
    means: 'refused',
  },
  {
    name: 'a variable that is only named',
    files: {
      'a.yml': one('environment: [GIVEN, UNSET, IN_DOT_ENV, A=]', 'env_file: a.env'),
      'a.env': 'GIVEN=file\nUNSET=file\n',
      '.env': 'IN_DOT_ENV=dot\nGIVEN=dot\n',
    },
    variables: { GIVEN: 'given' },
    means: [{ environment: { GIVEN: 'given', IN_DOT_ENV: 'dot', A: '' } }],
  },
  {
    name: 'a variable that is only named, in a mapping and over another file',
    files: { 'a.yml': one('environment: {A: 1, B: 1}'), 'b.yml': over('environment: {A: , B: 2}') },
    means: [{ environment: { B: '2' } }],
  },
  {
    name: 'values that begin with a line break, or are several lines',
    files: {
      'a.yml': one('environment:', '  - |', '    A=', '    a: $$1', '    b: 2', '  - B=b$$'),
      'b.yml': over('environment: {C: "\\n\\n c", D: "  d\\nd"}'),
    },
    means: [{ environment: { A: '\na: $1\nb: 2\n', B: 'b$', C: '\n\n c', D: '  d\nd' } }],
  },
  {
    name: '.env beside the first file',
    files: {
      'sub/a.yml': one('environment: ["A=${A}", "B=${B:-none}"]'),
      'sub/.env': 'A=dot\n',
      '.env': 'B=b\n',
    },
    means: [{ environment: { A: 'dot', B: 'none' } }],
  },
  {
    name: '.env with ${BASE}00',
    files: { 'a.yml': one('ports: ["${PORT}:80"]'), '.env': 'BASE=80\nPORT=${BASE}00\n' },
    means: { only: /\.env:2: .*seen: +PORT/s, means: [{ publishedPorts: [8000] }] },
  },
  {
    name: 'the project as a variable',
    files: { 'a.yml': one('environment: {A: "${COMPOSE_PROJECT_NAME}"}') },
    means: [{ environment: { A: 'project' } }],
  },
  {
    name: 'profiles, none active',
    files: { 'a.yml': `${one()}  two: {image: x, profiles: [gpu, cpu]}\n` },
    means: [{ name: 'one' }],
  },
  {
    name: 'profiles, one active',
    files: {
      'a.yml': `${one()}  two: {image: x, profiles: [gpu, cpu]}\n  three: {image: x, profiles: [a]}\n`,
    },
    variables: { COMPOSE_PROFILES: 'other, cpu' },
    means: [{ name: 'one' }, { name: 'two' }],
  },
  {
    name: 'profiles, all active, by .env',
    files: {
      'a.yml': `${one()}  two: {image: x, profiles: [a]}\n`,
      '.env': 'COMPOSE_PROFILES=*\n',
    },
    means: [{ name: 'one' }, { name: 'two' }],
  },
  {
    name: 'depends_on of a service whose profile is not active',
    files: { 'a.yml': `${one('depends_on: [two]')}  two: {image: x, profiles: [a]}\n` },
    means: 'refused',
  },
  {
    name: 'depends_on, not required, of a service whose profile is not active',
    files: {
      'a.yml': `${one('depends_on: {two: {condition: service_started, required: false}}')}  two: {image: x, profiles: [a]}\n`,
    },
    means: [{ name: 'one', dependsOn: [] }],
  },
  {
    name: 'depends_on with service_completed_successfully',
    files: {
      'a.yml': `${one('depends_on: {two: {condition: service_completed_successfully}, three: {condition: service_healthy}}')}  two: {image: x}\n  three: {image: x}\n`,
    },
    means: [{ name: 'one', dependsOn: ['three', 'two'], completed: ['two'] }, {}, {}],
  },
  {
    name: 'depends_on in both forms, of two files',
    files: {
      'a.yml': `${one('depends_on: [two]')}  two: {image: x}\n  three: {image: x}\n`,
      'b.yml': over(
        'depends_on: {two: {condition: service_completed_successfully}, three: {condition: service_started}}',
      ),
    },
    means: [{ dependsOn: ['three', 'two'], completed: ['two'] }, {}, {}],
  },
  {
    name: '!override',
    files: {
      'a.yml': one('ports: ["80:80"]', 'environment: {A: 1, B: 1}', 'env_file: a.env'),
      'b.yml': over(
        'ports: !override ["81:80"]',
        'environment: {A: !override 2}',
        'env_file: !override b.env',
      ),
      'a.env': 'C=a\n',
      'b.env': 'D=b\n',
    },
    means: [{ publishedPorts: [81], environment: { A: '2', B: '1', D: 'b' } }],
  },
  {
    name: '!reset',
    files: {
      'a.yml': one(
        'ports: ["80:80"]',
        'healthcheck: {test: [CMD, a]}',
        'environment: {A: 1, B: 1}',
      ),
      'b.yml': over(
        'ports: !reset null',
        'healthcheck: !reset null',
        'environment: {A: !reset null}',
      ),
    },
    means: [{ publishedPorts: [], environment: { B: '1' } }],
  },
  {
    name: '!reset of a service, and of x-host',
    files: {
      'a.yml': `${one('x-host: {command: [a]}')}  two: {image: x}\n`,
      'b.yml': `${over('x-host: !reset null')}  two: !reset null\n`,
    },
    means: [{ name: 'one', host: undefined }],
  },
  {
    name: '!reset in a list',
    files: { 'a.yml': one('ports: ["80:80"]'), 'b.yml': over('ports: [!reset "80:80", "81:80"]') },
    means: { only: /b\.yml:3: .*seen: +services\.one\.ports\.0: !reset/s, means: [{}] },
  },
  {
    name: 'include',
    files: {
      'a.yml': `include: [.other.yml]\n${one()}`,
      '.other.yml': 'services: {two: {image: y, ports: ["82:80"]}}\n',
    },
    means: {
      only: /a\.yml:1: .*seen: +include/s,
      means: [{ name: 'one' }, { name: 'two', publishedPorts: [82] }],
    },
  },
  {
    name: 'extends',
    files: {
      'a.yml': one('extends: {file: .other.yml, service: base}', 'environment: {A: 1}'),
      '.other.yml': 'services: {base: {image: y, environment: {B: 2}, ports: ["83:80"]}}\n',
    },
    means: {
      only: /a\.yml:4: .*seen: +services\.one\.extends/s,
      means: [{ environment: { A: '1', B: '2' }, publishedPorts: [83] }],
    },
  },
  ...[
    ['links', 'links: [two]'],
    ['volumes_from', 'volumes_from: [two]'],
    ['network_mode', 'network_mode: service:two'],
    ['ipc', 'ipc: service:two'],
  ].map(([key = '', line = '']): Meaning => ({
    name: `${line}, by which it depends on another service`,
    files: { 'a.yml': `${one(line)}  two: {image: x}\n` },
    means: {
      only: new RegExp(`a\\.yml:4: .*seen: +services\\.one\\.${key}`, 's'),
      means: [{ dependsOn: ['two'] }, {}],
    },
  })),
  {
    name: 'network_mode: host',
    files: { 'a.yml': one('network_mode: host') },
    means: [{ onHostNetwork: true, publishedPorts: [] }],
  },
  {
    name: 'published ports',
    files: {
      'a.yml': one(
        'ports: ["1000-1002:80-82", "9000:9000/udp", "9001:9001/sctp", "7000", 6000, "127.0.0.1:1003:80/tcp",',
        '  "[::1]:1004:80", "1005-1006:80", "127.0.0.1::80", {target: 80, published: 1007}, "1003:80",',
        '  {target: 80, published: "1008-1009", protocol: tcp}, {target: 80, published: 1010, protocol: udp}]',
      ),
      'b.yml': over('ports: ["1003:80", "1011:80"]'),
    },
    means: [{ publishedPorts: [1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1011] }],
  },
  ...['70000:1', '5-3:1', 'a:1', '1-3:1-2', '127.0.0.1:80', '1:70000'].map((port): Meaning => ({
    name: `port ${port}`,
    files: { 'a.yml': one(`ports: ["${port}"]`) },
    means: 'refused',
  })),
  {
    name: 'volumes, of which a later one takes the place of an earlier',
    files: {
      'a.yml': `${one('volumes: ["data:/data", "kept:/kept/:ro", "./here:/there", /anonymous, "gone:/gone"]')}volumes: {data: , kept: , gone: }\n`,
      'b.yml': `${over('volumes: ["other:/data", "./here:/gone", {type: volume, source: more, target: /more}]')}volumes: {other: {name: really}, more: }\n`,
    },
    means: [{ volumes: { '/data': 'other', '/kept': 'kept', '/more': 'more' } }],
  },
  ...['volumes: ["data:/data"]', 'networks: [net]', 'secrets: [secret]', 'configs: [config]'].map(
    (line): Meaning => ({
      name: `${line}, not declared`,
      files: { 'a.yml': one(line) },
      means: 'refused',
    }),
  ),
  {
    name: 'variables in all forms',
    files: {
      'a.yml': one(
        'environment:',
        ...[
          '$SET',
          '${SET}',
          '${SET:-o}',
          '${EMPTY:-o}',
          '${EMPTY-o}',
          '${NO-o}',
          '${NO:-a ${SET} b}',
        ].map((text, index) => `  A${index}: '${text}'`),
        ...[
          '${SET:+o}${EMPTY:+no}${EMPTY+yes}',
          '$$SET costs $5',
          '${NO:-{}}',
          'a$',
          '${SET:?no}',
        ].map((text, index) => `  B${index}: '${text}'`),
      ),
    },
    variables: { SET: 's$1', EMPTY: '' },
    means: [
      {
        environment: {
          ...{ A0: 's$1', A1: 's$1', A2: 's$1', A3: 'o', A4: '', A5: 'o', A6: 'a s$1 b' },
          ...{ B0: 'oyes', B1: '$SET costs $5', B2: '{}', B3: 'a$', B4: 's$1' },
        },
      },
    ],
  },
  {
    name: 'a required variable',
    files: { 'a.yml': one('command: ${NO:?is needed}') },
    means: 'refused',
  },
  {
    name: 'plain numbers and truth values of variables',
    files: {
      'a.yml': one(
        'environment: {A: 1, B: 1.50, C: true, D: -3, E: yes, F: "0777", G: 999999.5, H: 0x10, J: 1.2.3, K: 0.0001, L: 1.0, M: +5, N: .5}',
      ),
    },
    means: [
      {
        environment: {
          ...{ A: '1', B: '1.5', C: 'true', D: '-3', E: 'yes', F: '0777', G: '999999.5', H: '16' },
          ...{ J: '1.2.3', K: '0.0001', L: '1', M: '5', N: '0.5' },
        },
      },
    ],
  },
  ...[
    ['0777', '511'],
    ['08', '8'],
    ['1_000', '1000'],
    ['1e3', '1000'],
    ['1234567.5', '1.2345675e+06'],
    ['0.00001', '1e-05'],
    ['2024-01-01', '2024-01-01 00:00:00 +0000 UTC'],
    ['12345678901234567890', '12345678901234567890'],
    ['-0', '0'],
  ].map(([text = '', value = '']): Meaning => ({
    name: `${text} without quotes`,
    files: { 'a.yml': `x-all: &all {A: ${text}}\n${one('environment: {<<: *all}')}` },
    means: {
      only: new RegExp(`services\\.one\\.environment\\.A: ${text}`),
      means: [{ environment: { A: value } }],
      // A date, by Compose 2.40.
      mayBeRefused: /services\.one\.environment\.A invalid jsonType time\.Time/,
    },
  })),
  {
    name: 'anchors and merge keys',
    files: {
      'a.yml':
        'x-a: &a {image: x, environment: &e {A: 1, B: 2}, ports: ["80:80"]}\nservices:\n  one:\n    <<: *a\n    environment: {<<: *e, A: 3}\n',
    },
    means: [{ environment: { A: '3', B: '2' }, publishedPorts: [80] }],
  },
  {
    name: 'x-host of several files: the command replaced, variables added',
    files: {
      'a.yml': one('x-host: {command: [a, a, "$$B $B"], environment: {A: 1, B: 1}}'),
      'b.yml': over('x-host: {environment: {B: 2, C: "$B"}}'),
      'c.yml': over('x-host: {command: [c, c]}'),
    },
    variables: { B: 'b' },
    means: [{ host: { command: ['c', 'c'], environment: { A: '1', B: '2', C: 'b' } } }],
  },
  {
    name: 'x-host with a variable that is only named',
    files: { 'a.yml': one('x-host: {command: [a], environment: [A]}') },
    means: 'refused',
  },
  { name: 'an unknown key', files: { 'a.yml': one('imagine: y') }, means: 'refused' },
  { name: 'a key twice', files: { 'a.yml': one('image: y') }, means: 'refused' },
  { name: 'neither image nor build', files: { 'a.yml': over('command: a') }, means: 'refused' },
  {
    name: 'an image of a later file only',
    files: { 'a.yml': over('x-host: {command: [a]}', 'environment: {A: 1}'), 'b.yml': one() },
    means: [{ environment: { A: '1' }, host: { command: ['a'] } }],
  },
];

const order = (name: string): number => ['one', 'two', 'three'].indexOf(name);

/** All that is said of the services is so, and there are no others. */
function expectMeans({ services }: ComposeFile, means: readonly object[]): void {
  const seen = [...services].sort((a, b) => order(a.name) - order(b.name));
  expect(seen.map(({ name }) => name)).to.have.length(means.length);
  for (const [index, expected] of means.entries()) {
    const service = sortedService(seen[index] as ComposeFile['services'][number]);
    for (const [key, value] of Object.entries(expected)) {
      expect(service[key as keyof typeof service], key).to.deep.equal(value);
    }
  }
}

/** The order of services, ports and dependencies has no meaning. */
function sortedService(service: ComposeFile['services'][number]): typeof service {
  const { dependsOn, completed, publishedPorts } = service;
  return {
    ...service,
    ...{ dependsOn: [...dependsOn].sort(), completed: [...completed].sort() },
    publishedPorts: [...publishedPorts].sort((a, b) => a - b),
  };
}

function sorted({ services }: ComposeFile): object[] {
  return services.map(sortedService).sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe('what compose files mean', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-config-test-'));
  const config = readConfig();
  const state = new SessionState(join(folder, 'state'), config.variables);
  const { PATH, HOME } = config.variables;
  const usual = { PATH, HOME };
  let whyNot: string | undefined;
  before(async () => {
    whyNot = await whyNoCompose({ environment: usual, state });
  });
  after(() => {
    state.removeAll();
    rmSync(folder, { recursive: true });
  });

  let count = 0;
  /** @returns the compose files */
  function written(files: Files): string[] {
    const own = join(folder, String((count += 1)));
    return Object.entries(files).flatMap(([name, text]) => {
      const file = join(own, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return /(^|\/)\.|env$/.test(name) ? [] : [file];
    });
  }

  function byCompose(
    files: string[],
    variables: Record<string, string> = {},
  ): Promise<ComposeFile> {
    return readByCompose(files, 'project', { environment: { ...usual, ...variables }, state });
  }

  async function faultOf(
    read: () => ComposeFile | Promise<ComposeFile>,
  ): Promise<PrerequisiteMissing> {
    try {
      await read();
    } catch (error) {
      expect(error).to.be.instanceOf(PrerequisiteMissing);
      return error as PrerequisiteMissing;
    }
    throw new Error('it is read');
  }

  function skipped(context: TestContext): boolean {
    if (whyNot !== undefined) context.skip(whyNot);
    return whyNot !== undefined;
  }

  for (const { name, files, variables, means } of MEANINGS) {
    const isRead = Array.isArray(means);
    const expected = means === 'refused' ? [] : isRead ? means : means.means;

    it(`${name}: without Docker Compose`, async () => {
      const paths = written(files);
      const read = (): ComposeFile =>
        readWithoutCompose(paths, 'project', { ...usual, ...variables });
      if (isRead) return expectMeans(read(), expected);
      const { message, cause } = await faultOf(read);
      expect(cause instanceof OnlyByCompose, message).to.equal(means !== 'refused');
      if (means !== 'refused') expect(message).to.match(means.only);
    });

    it(`${name}: with Docker Compose`, async (context) => {
      if (skipped(context)) return;
      const paths = written(files);
      if (means === 'refused') {
        await faultOf(() => byCompose(paths, variables));
        return;
      }
      const read = (): Promise<ComposeFile> => byCompose(paths, variables);
      const mayBeRefused = isRead ? undefined : means.mayBeRefused;
      const composition = await read().catch((error: unknown) => {
        if (!mayBeRefused?.test(messageOf(error))) throw error;
      });
      if (!composition) return;
      expectMeans(composition, expected);
      if (!isRead) return;
      const ours = readWithoutCompose(paths, 'project', { ...usual, ...variables });
      expect(sorted(ours)).to.deep.equal(sorted(composition));
    });
  }

  it('names the line, and what Compose says, of a file that Compose refuses', async (context) => {
    if (skipped(context)) return;
    const files = written({ 'a.yml': one(), 'b.yml': over('ports: ["80:80"]', 'prots: 1') });
    const { message } = await faultOf(() => byCompose(files));
    expect(message).to.match(
      /b\.yml:4: .*seen: +services\.one\.prots: unknown key; Docker Compose: .*prots/s,
    );
    const included = written({ 'a.yml': `include: [.none.yml]\n${one()}` });
    expect((await faultOf(() => byCompose(included))).message).to.match(
      /a\.yml: Docker Compose refuses the compose file.*seen: +.*\.none\.yml: no such file/s,
    );
  });

  it('keeps the warnings of Compose, each once', async (context) => {
    if (skipped(context)) return;
    const files = written({ 'a.yml': `version: "3"\n${one('environment: [A=$UNSET, B=$UNSET]')}` });
    const { warnings } = await byCompose(files);
    expect(warnings).to.have.length(2);
    expect(warnings[0]).to.equal('The "UNSET" variable is not set. Defaulting to a blank string.');
    expect(warnings[1]).to.match(/version. is obsolete/);
    expect((await byCompose(written({ 'a.yml': one() }))).warnings).to.deep.equal([]);
  });

  it('hides what is secret in files that only Compose reads', async (context) => {
    if (skipped(context)) return;
    await byCompose(
      written({ 'a.yml': one('env_file: a.env'), 'a.env': 'A=k-4711\nSOME_API_KEY=${A}-secret\n' }),
    );
    expect(withoutSecrets('said k-4711-secret')).to.equal('said ***');
  });

  it('is what Compose says also for processes of this host, where Compose is on PATH', async (context) => {
    if (skipped(context)) return;
    const files = written({ 'a.yml': one('env_file: a.env'), 'a.env': 'A=1\nB=${A}0\n' });
    const { services } = await new HostRuntime(state).read(files, 'project', usual);
    expect(services[0]?.environment).to.deep.equal({ A: '1', B: '10' });
  });

  it('is read by the suite itself where no Compose is on PATH', async () => {
    const files = written({ 'a.yml': one('env_file: a.env'), 'a.env': 'A=1\nB=${A}0\n' });
    const { cause, message } = await faultOf(() =>
      new HostRuntime(state).read(files, 'project', { PATH: folder }),
    );
    expect(cause, message).to.be.instanceOf(OnlyByCompose);
  });

  it('ignores COMPOSE_FILE, and names other files of variables than .env', async (context) => {
    const files = written({ 'a.yml': one() });
    const { message } = await faultOf(() =>
      readWithoutCompose(files, 'project', { COMPOSE_ENV_FILES: 'other.env' }),
    );
    expect(message).to.match(/COMPOSE_ENV_FILES: .*seen: +other\.env/s);
    const variables = { COMPOSE_FILE: 'none.yml', COMPOSE_PROJECT_NAME: 'other' };
    const ours = readWithoutCompose(files, 'project', variables);
    if (skipped(context)) return;
    expect(sorted(await byCompose(files, variables))).to.deep.equal(sorted(ours));
  });
});
