import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { runFfmpeg } from '../../../support/analyze/ffmpeg';
import { projectRoot, readConfig } from '../../../support/config';
import { readFixture } from '../../../support/broadcast/fixture';
import type { Fields } from '../altered-evidence';
import type { OutsideFault } from '../fault';
import { silentServer, stsRelay, toolFolder, webServer, type StandIn } from '../stand-ins';

/** Scenarios that ask running services something, and need no broadcast. */
const ASKING =
  '(@021-US1-1 or @021-US1-2 or @021-US3-1 or @021-US3-4 or @019-US2-2 or @019-US2-4 or @019-SC or ' +
  '@019-US3-1 or @019-US3-2 or @019-US3-3 or @019-US3-4) and not @counting and not @edge-case';
/** Faults of services are injected where they run as processes of this host: nothing has to be built for them. */
const HOST = { RUNTIME: 'host' };

type Made = Awaited<ReturnType<OutsideFault['make']>>;

/** The port that a service is published on, by the variable that names it. */
function portOf(variable: string): number {
  return readConfig().settings('127.0.0.1').ports[variable] ?? NaN;
}

/** An address of a service answers something else than the service, as soon as that has answered. */
function answering(
  [variable, path, port]: readonly [variable: string, path: string, port: string],
  status: number,
  body: string,
): OutsideFault['make'] {
  return () =>
    standIn(variable, path, webServer({ status, body }, `http://127.0.0.1:${portOf(port)}${path}`));
}

const MEDIA_HEALTH = ['MEDIA_SERVICE_HEALTH_URL', '/health', 'MEDIA_SERVICE_PORT'] as const;
const STS_HEALTH = ['STS_HEALTH_URL', '/health', 'STS_PORT'] as const;

function standIn(variable: string, path: string, made: Promise<StandIn>): Promise<Made> {
  return made.then(({ url, close }) => ({
    environment: { ...HOST, [variable]: `${url}${path}` },
    end: close,
  }));
}

/** A compose file laid over those of a composition. */
function overlaid(
  variable: 'MEDIA_COMPOSE_FILE' | 'STS_COMPOSE_FILE' | 'ECHO_COMPOSE_FILE',
  folder: string,
  services: Record<string, unknown>,
): Record<string, string> {
  const file = join(folder, 'overlay.yml');
  writeFileSync(file, stringify({ services }));
  const name = variable.split('_')[0]?.toLowerCase() ?? '';
  return { ...HOST, [variable]: `compose/${name}/docker-compose.yml:${file}` };
}

const asProcess = (...command: string[]): Fields => ({ 'x-host': { command } });
const another = (...command: string[]): Fields => ({ image: 'none', ...asProcess(...command) });

/** A program in the place of ffmpeg. */
function ffmpegThat(script: string): OutsideFault['make'] {
  return (folder) => {
    const path = readConfig().variables['PATH'] ?? '';
    return Promise.resolve({
      environment: { ...HOST, PATH: `${toolFolder(folder, 'ffmpeg', script)}:${path}` },
    });
  };
}

/** The STS's answers to a client, changed on the way. */
function changedAnswers(change: (answer: Fields) => Fields[]): () => Promise<Made> {
  return () =>
    standIn('STS_SERVICE_URL', '', stsRelay(`http://127.0.0.1:${portOf('STS_PORT')}`, change));
}

/** The one-minute broadcast, made anew by ffmpeg. */
function remade(...args: string[]): OutsideFault['make'] {
  return async (folder) => {
    const file = join(folder, 'broadcast.mp4');
    const { path } = readFixture(join(projectRoot, 'fixtures/1-min-nfl.yaml'));
    const { exitCode, stderr } = await runFfmpeg(['-v', 'error', '-i', path, ...args, file]);
    if (exitCode !== 0) throw new Error(stderr);
    return { environment: { FIXTURE_FILE: file } };
  };
}

/** Where the suite expects no file, there is one. */
function fileWhereNoneIs(name: string, fixture: string): OutsideFault['make'] {
  return (folder) => {
    const nested = join(folder, 'reports/nested');
    mkdirSync(nested, { recursive: true });
    cpSync(readFixture(join(projectRoot, 'fixtures', fixture)).path, join(nested, name));
    return Promise.resolve({ environment: {} });
  };
}

const COMPOSE_FAULTS = [
  'missing',
  'malformed YAML',
  'unknown key',
  'neither image nor build',
  'the STS is not in it',
  "the STS's port is not open",
];

const FILES: OutsideFault[] = [
  {
    name: 'The file of the broadcast is missing',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: (folder) =>
      Promise.resolve({ environment: { FIXTURE_FILE: join(folder, 'no-such-file.mp4') } }),
    red: { '021-US5-1': /the file of the broadcast is missing/ },
  },
  {
    name: 'The file of the broadcast lasts half a minute',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: remade('-t', '30', '-c', 'copy'),
    red: { '021-US5-2': /the broadcast has another length[\s\S]*30(\.\d+)? s/ },
  },
  {
    name: 'The audio of the file has 48 kHz',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: remade('-c:v', 'copy', '-c:a', 'aac', '-ar', '48000'),
    red: { '021-US5-3': /other audio tracks[\s\S]*aac 48000 Hz/ },
  },
  {
    name: 'The file has two video tracks',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: remade('-map', '0', '-map', '0:v', '-c', 'copy'),
    red: { '021-US5-3': /other video tracks[\s\S]*h264, h264/ },
  },
  {
    name: 'The file that should be missing is there',
    tags: '@021-E2',
    isReplay: true,
    make: fileWhereNoneIs('no-such-broadcast.mp4', '1-min-nfl.yaml'),
    red: { '021-E2': /did not fail with that message[\s\S]*PASSED/ },
  },
  {
    name: 'The file of the counting that should be missing is there',
    tags: '@019-E8',
    isReplay: true,
    make: fileWhereNoneIs('no-such-counting.mp4', '30s-counting-english.yaml'),
    red: { '019-E8': /did not fail with that message[\s\S]*PASSED/ },
  },
  {
    name: 'Scenarios are skipped for a missing broadcast, not for the port or the compose file',
    tags: '@021-E5 or (@021-E6 and @edge-case)',
    make: (folder) =>
      Promise.resolve({
        environment: { ...HOST, FIXTURE_FILE: join(folder, 'no-such-file.mp4') },
      }),
    red: Object.fromEntries(
      [
        '021-E5 The port of the media server is taken',
        '021-E5 The port of the STS is taken',
        '021-E5 The port of the media-service is taken',
        '021-E5 The port of the STS is taken by another set of services',
        ...COMPOSE_FAULTS.map((fault) => `021-E6 The compose file of the STS is faulty: ${fault}`),
      ].map((name) => [name, /not skipped for that reason[\s\S]*no-such-file\.mp4/]),
    ),
  },
];

const SERVICES: OutsideFault[] = [
  {
    name: 'media-service is not healthy any more',
    tags: ASKING,
    make: answering(MEDIA_HEALTH, 503, 'no worker left'),
    red: {
      '021-US1-2': /the service is not healthy[\s\S]*503: no worker left/,
      '019-US2-4': /not healthy, or slow to say so[\s\S]*media-service: 503/,
    },
  },
  {
    name: 'The STS is not healthy any more',
    tags: ASKING,
    make: answering(STS_HEALTH, 503, 'out of memory'),
    red: {
      '021-US1-2': /the service is not healthy[\s\S]*503: out of memory/,
      '021-US3-1': /the service is not healthy[\s\S]*503: out of memory/,
      '021-US3-4': /the service is not healthy[\s\S]*503: out of memory/,
      '019-US2-4': /not healthy, or slow to say so[\s\S]*sts-service: 503/,
    },
  },
  {
    name: 'media-service shows no metrics',
    tags: ASKING,
    make: () =>
      standIn('MEDIA_SERVICE_METRICS_URL', '/metrics', webServer({ status: 200, body: '' })),
    red: { '021-US3-4': /media-service does not show metrics[\s\S]*200: nothing/ },
  },
  {
    name: 'The compose file of the STS is missing',
    tags: ASKING,
    make: (folder) =>
      Promise.resolve({
        environment: { ...HOST, STS_COMPOSE_FILE: join(folder, 'no-such-file.yml') },
      }),
    red: { '021-US1-1 Both compose files': /no-such-file\.yml/ },
  },
  {
    name: 'The STS ends as soon as it is started',
    tags: ASKING,
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('STS_COMPOSE_FILE', folder, { 'sts-service': asProcess('false') }),
      }),
    red: { '021-US1-1 The STS composition': /did not become healthy[\s\S]*it exited/ },
  },
  {
    name: 'Each service of the media composition takes 33 seconds to start',
    tags: ASKING,
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          mediamtx: asProcess(
            ...['sh', '-c'],
            'sleep 33; exec ../../.tools/mediamtx ../services/mediamtx/mediamtx.yml',
          ),
          'media-service': asProcess(
            ...['sh', '-c', 'sleep 33; exec ../../.venv/bin/python -m media_service'],
          ),
        }),
      }),
    red: {
      '021-US1-1 The STS composition':
        /a composition was not healthy in time[\s\S]*media after [67]/,
      '019-SC Every service': /a service was not healthy in time[\s\S]*mediamtx: [67]\d{4} ms/,
    },
  },
  {
    name: 'The STS accepts connections and says nothing',
    tags: '@019-US2-2 or @021-US3-1',
    make: () => standIn('STS_SERVICE_URL', '', silentServer()),
    red: { '019-US2-2': /the STS cannot be listened to[\s\S]*timeout/ },
  },
  {
    name: 'media-service finds the STS at a port that the STS does not publish',
    tags: '@021-US1-3 or @019-US2-1',
    make: changedAnswers((answer) => [answer]),
    red: {
      '021-US1-3': /media-service is configured with another address[\s\S]*relayed to/,
      '019-US2-1': /media-service is configured with another address[\s\S]*relayed to/,
    },
  },
  {
    name: 'The STS transcribes everything as the same',
    tags: ASKING,
    make: changedAnswers((answer) => [{ ...answer, transcript: 'Thank you for watching' }]),
    red: {
      '019-US3-1': /the transcript is not what was said[\s\S]*Thank you/,
      '019-US3-2': /the transcript is not what was said[\s\S]*word error rate/,
      '019-US3-3 Silence stays silence': /words that nobody said[\s\S]*Thank you for watching/,
      '019-US3-4': /the words of another fragment[\s\S]*0: "Thank you/,
    },
  },
  {
    name: 'The STS translates nothing',
    tags: ASKING,
    make: changedAnswers((answer) => [{ ...answer, translated_text: answer['transcript'] }]),
    red: { '019-US3-1': /the translation is another one[\s\S]*Hello/i },
  },
  {
    name: 'The dub of the STS is silent',
    tags: ASKING,
    make: changedAnswers((answer) => {
      const { data_base64: data, ...audio } = answer['dubbed_audio'] as Fields;
      const silence = Buffer.alloc(Buffer.from(String(data), 'base64').length);
      return [{ ...answer, dubbed_audio: { ...audio, data_base64: silence.toString('base64') } }];
    }),
    red: {
      '019-US3-1':
        /the dub has more or less audible audio|the loudness of the dub was not observed/,
      '019-US3-2':
        /the dub has more or less audible audio|the loudness of the dub was not observed/,
    },
  },
  {
    name: 'The STS answers everything twice',
    tags: ASKING,
    make: changedAnswers((answer) => [answer, answer]),
    red: { '019-US3-4': /answers are lost, repeated or out of order[\s\S]*0, 0, 1/ },
  },
];

const OWN_SERVICES: OutsideFault[] = [
  {
    name: 'A process that a service has left holds a port',
    tags: '@021-US1-4',
    make: (folder) => {
      const command = 'setsid python3 -m http.server ${ECHO_STS_PORT:-8080} & sleep 600';
      return Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          another: {
            ...another('sh', '-c', command),
            ports: ['127.0.0.1:${ECHO_STS_PORT:-8080}:80'],
          },
        }),
      });
    },
    red: {
      '021-US1-4 Everything is gone after the services are stopped: successful':
        /something is left[\s\S]*http\.server/,
      '021-US1-4 Everything is gone after the services are stopped: failed':
        /something is left[\s\S]*http\.server/,
    },
  },
  {
    name: 'Another program listens on the port of the STS',
    tags: '@019-US5-1',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c'],
            'python3 -m http.server ${STS_PORT:-3000} & exec ../../.venv/bin/python -m media_service',
          ),
        }),
      }),
    red: { '019-US5-1': /a port is open[\s\S]*: open/ },
  },
  {
    name: 'The STS answers health requests, but not Socket.IO',
    tags: '@019-US5-2',
    make: (folder) => {
      writeFileSync(join(folder, 'health'), 'healthy');
      const server = ['python3', '-m', 'http.server', '--directory', folder, '${STS_PORT:-3000}'];
      return Promise.resolve({
        environment: overlaid('STS_COMPOSE_FILE', folder, { 'sts-service': asProcess(...server) }),
      });
    },
    red: { '019-US5-2': /websocket error/ },
  },
  {
    name: 'A service publishes a port that no variable names',
    tags: '@019-US5-3',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          another: { ...another('sleep', '600'), ports: ['127.0.0.1:45991:80'] },
        }),
      }),
    red: { '019-US5-3': /a published port is not one of the variables[\s\S]*45991/ },
  },
  {
    name: 'The STS runs beside the Echo STS',
    tags: '@019-US5-4',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('ECHO_COMPOSE_FILE', folder, {
          'sts-service': another('sleep', '600'),
        }),
      }),
    red: { '019-US5-4': /another STS than the Echo STS is running[\s\S]*sts-service/ },
  },
  {
    name: 'The address of the STS is written into the compose file',
    tags: '@019-E7',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': { 'x-host': { environment: { STS_SERVICE_URL: 'http://127.0.0.1:9' } } },
        }),
      }),
    red: { '019-E7': /media-service does not reach the STS/ },
  },
  {
    name: 'Publishing to a server that is not there takes seven seconds',
    tags: '@021-E4',
    make: ffmpegThat('sleep 7; exit 1'),
    red: { '021-E4': /publishing did not fail at once[\s\S]*after 7\.\d s/ },
  },
  {
    name: 'Publishing fails without saying where',
    tags: '@021-E4',
    make: ffmpegThat('echo "Connection refused" >&2; exit 1'),
    red: { '021-E4': /does not name where publishing failed[\s\S]*Connection refused/ },
  },
  {
    name: 'media-service does not say why it cannot read the broadcast',
    tags: '@018-E1',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c'],
            '../../.venv/bin/python -m media_service 2>&1 | grep --line-buffered -v "not available"',
          ),
        }),
      }),
    red: { '018-E1': /did not say that the broadcast could not be read/ },
  },
];

/** Faults of files, settings, services and tools. */
export const OUTSIDE: OutsideFault[] = [...FILES, ...SERVICES, ...OWN_SERVICES];
