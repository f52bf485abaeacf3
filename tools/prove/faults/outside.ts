import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { runFfmpeg } from '../../../support/analyze/ffmpeg';
import { projectRoot, readConfig } from '../../../support/config';
import { readFixture } from '../../../support/broadcast/fixture';
import type { Fields } from '../altered-evidence';
import type { OutsideFault } from '../fault';
import { silentServer, stsRelay, toolFolder, webServer, type StandIn } from '../stand-ins';

/** Scenarios that ask running services something, and need no broadcast. */
/** The second answer to one fragment. */
const ANSWERED_TWICE = /the STS did not answer the fragment[\s\S]*success null, success null/;
const ASKING =
  '(@021-US1-1 or @021-US1-2 or @021-FR-004 or @021-US3-1 or @021-US3-4 or @019-US2-2 or @019-US2-4 or @019-SC or ' +
  '@019-US3-1 or @019-US3-2 or @019-US3-3 or @019-US3-4) and not @counting and not @edge-case';
/** Faults of services are injected where they run as processes of this host: nothing has to be built for them. */
const HOST = { RUNTIME: 'host' };
/** Where processes of this host cannot show what goes wrong. */
const DOCKER = { RUNTIME: 'docker' };

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

export function standIn(variable: string, path: string, made: Promise<StandIn>): Promise<Made> {
  return made.then(({ url, close }) => ({
    environment: { ...HOST, [variable]: `${url}${path}` },
    end: close,
  }));
}

/** A compose file laid over those of a composition. */
export function overlaid(
  variable: 'MEDIA_COMPOSE_FILE' | 'STS_COMPOSE_FILE' | 'ECHO_COMPOSE_FILE',
  folder: string,
  services: Record<string, unknown>,
  networks: Record<string, unknown> = {},
): Record<string, string> {
  const file = join(folder, `${variable}.yml`);
  writeFileSync(file, stringify({ services, networks }));
  const name = variable.split('_')[0]?.toLowerCase() ?? '';
  return { ...HOST, [variable]: `compose/${name}/docker-compose.yml:${file}` };
}

export const asProcess = (...command: string[]): Fields => ({ 'x-host': { command } });
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

/** The STS's answers to a client, changed on the way. @param again as {@link stsRelay} */
export function changedAnswers(
  change: (answer: Fields) => Fields[],
  again?: Parameters<typeof stsRelay>[2],
): () => Promise<Made> {
  return () =>
    standIn(
      'STS_SERVICE_URL',
      '',
      stsRelay(`http://127.0.0.1:${portOf('STS_PORT')}`, change, again),
    );
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

/** The one-minute broadcast, with a description that says something else. */
function describedAs(line: string, other: string): OutsideFault['make'] {
  return (folder) => {
    const { yamlPath, path } = readFixture(join(projectRoot, 'fixtures/1-min-nfl.yaml'));
    const text = readFileSync(yamlPath, 'utf8').replace(/^file: .*$/m, `file: ${path}`);
    const file = join(folder, 'broadcast.yaml');
    writeFileSync(file, text.replace(line, other));
    return Promise.resolve({ environment: { FIXTURE_SCRIPT: file } });
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

/** What ffprobe says of files, changed on the way. @param change of sed */
function ffprobeSays(change: string): OutsideFault['make'] {
  return (folder) => {
    const path = readConfig().variables['PATH'] ?? '';
    // Of another version, so that what is measured with it is not taken for what ffprobe itself would say.
    const altered = `s/^ffprobe version /&altered-/; ${change}`;
    const script = `PATH='${path}'; export PATH; ffprobe "$@" | sed '${altered}'`;
    const tools = toolFolder(folder, 'ffprobe', script);
    // What ffprobe has said of these files before is cached.
    const environment = { PATH: `${tools}:${path}`, ANALYSIS_CACHE: join(folder, 'cache') };
    return Promise.resolve({ environment });
  };
}

/** Of two requirements. */
const THROUGH = 'media-service reaches the STS through its published port';
const DIRECTLY = 'media-service reaches the STS itself, with nothing between them';
const LOGS = '021-US1-4 Everything is gone after a test, and its logs are there if it failed:';

const LEFT_A_SERVER = /something is left[\s\S]*http\.server/;

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
    name: 'The description of the broadcast says 25 frames per second',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: describedAs('framesPerSecond: 30', 'framesPerSecond: 25'),
    red: { '021-US5-1': /not what its description says[\s\S]*seen: +30 frames per second/ },
  },
  {
    name: 'The description of the broadcast says that its audio begins 2 s late',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: describedAs('channels: 2', 'channels: 2\n  startsAtSeconds: 2'),
    red: {
      '021-US5-1': /not what its description says[\s\S]*begins 0\.0\d s (?:before|after) the video/,
    },
  },
  {
    name: 'The file of the broadcast is broken off',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: async (folder) => {
      const made = await remade('-c', 'copy')(folder);
      truncateSync(made.environment['FIXTURE_FILE'] ?? '', 1e6);
      return made;
    },
    red: { '021-US5-1': /cannot be read[\s\S]*moov atom not found/ },
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
    name: 'The audio of the file has one channel',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: remade('-c:v', 'copy', '-c:a', 'aac', '-ac', '1'),
    red: { '021-US5-3': /another number of channels[\s\S]*seen: +1\n/ },
  },
  {
    name: 'The video of the file has 25 frames per second',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: remade('-r', '25', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'copy'),
    red: { '021-US5-3': /another size or rate[\s\S]*1280 x 720 at 25 frames/ },
  },
  {
    name: 'The file has 51 MB',
    tags: '@021-US5-1 or @fixture',
    isReplay: true,
    make: async (folder) => {
      const made = await remade('-c', 'copy')(folder);
      truncateSync(made.environment['FIXTURE_FILE'] ?? '', 51e6);
      return made;
    },
    red: { '021-US5-3': /the file of the broadcast is too large[\s\S]*51000000 bytes/ },
  },
  {
    name: 'The frames of every file have 640 x 360 pixels',
    tags: '@fixture',
    isReplay: true,
    make: ffprobeSays('s/"width": 1280/"width": 640/; s/"height": 720/"height": 360/'),
    red: {
      '018-DM2': /another size or rate[\s\S]*640 x 360 at 30 frames/,
      '019-DM2': /another size or rate[\s\S]*640 x 360 at 30 frames/,
      '021-US5-3': /another size or rate[\s\S]*640 x 360 at 30 frames/,
    },
  },
  {
    name: 'The audio of every file has 22.05 kHz',
    tags: '@fixture',
    isReplay: true,
    make: ffprobeSays('s/"sample_rate": "[0-9]*"/"sample_rate": "22050"/'),
    red: {
      '018-DM2': /other audio tracks[\s\S]*aac 22050 Hz/,
      '019-DM2': /other audio tracks[\s\S]*aac 22050 Hz/,
      '021-US5-3': /other audio tracks[\s\S]*aac 22050 Hz/,
    },
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
    name: 'The STS may choose its device',
    tags: '@021-SC',
    make: () => Promise.resolve({ environment: { ...HOST, DEVICE: 'auto' } }),
    red: { '021-SC': /configured to run on more than the CPU[\s\S]*DEVICE: auto/ },
  },
  {
    name: 'media-service is not healthy any more',
    tags: ASKING,
    make: answering(MEDIA_HEALTH, 503, 'no worker left'),
    red: {
      '021-US1-2': /the service is not healthy[\s\S]*503: no worker left/,
      '021-FR-004': /the service is not healthy[\s\S]*503: no worker left/,
      '019-US2-4': /not healthy, or slow to say so[\s\S]*media-service: 503/,
    },
  },
  {
    name: 'The STS is not healthy any more',
    tags: ASKING,
    make: answering(STS_HEALTH, 503, 'out of memory'),
    red: {
      '021-US1-2': /the service is not healthy[\s\S]*503: out of memory/,
      '021-FR-004': /the service is not healthy[\s\S]*503: out of memory/,
      '021-US3-1': /the service is not healthy[\s\S]*503: out of memory/,
      '021-US3-4': /the service is not healthy[\s\S]*503: out of memory/,
      '019-US2-4': /not healthy, or slow to say so[\s\S]*STS: 503/,
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
    tags: '(@021-US1-3 or @019-US2-1) and not @own-services',
    make: changedAnswers((answer) => [answer]),
    red: {
      [`021-US1-3 ${THROUGH}`]: /media-service is configured with another address[\s\S]*relayed to/,
      [`019-US2-1 ${THROUGH}`]: /media-service is configured with another address[\s\S]*relayed to/,
    },
  },
  {
    name: 'media-service passes by the address at which it is told to find the STS',
    tags: '@019-US2-1 and not @own-services',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': {
            'x-host': { environment: { STS_SERVICE_URL: 'http://127.0.0.1:${STS_PORT:-3000}' } },
          },
        }),
      }),
    red: {
      [`019-US2-1 ${THROUGH}`]:
        /does not connect through the STS's published port[\s\S]*never connected/,
    },
  },
  {
    name: 'The port for RTMP is that of a web server',
    tags: '@021-FR-004',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          mediamtx: {
            'x-host': {
              command: [
                ...['sh', '-c'],
                'python3 -m http.server --bind 127.0.0.1 ${MEDIAMTX_RTMP_PORT:-1935} & ' +
                  'exec ../../.tools/mediamtx ../services/mediamtx/mediamtx.yml',
              ],
              environment: { MTX_RTMP: 'no' },
            },
          },
        }),
      }),
    red: { '021-FR-004': /the port for RTMP does not speak RTMP[\s\S]*without what was sent/ },
  },
  {
    name: 'The media server serves no WebRTC',
    tags: '@021-FR-004',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          mediamtx: { 'x-host': { environment: { MTX_WEBRTC: 'no' } } },
        }),
      }),
    red: { '021-FR-004': /the port for WebRTC does not serve its page[\s\S]*no answer/ },
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
    red: {
      '019-US3-1': /the translation is another one[\s\S]*Hello/i,
      '019-US3-2': /what is heard in the dub is not the translation/,
    },
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
    red: {
      '019-US3-1': ANSWERED_TWICE,
      '019-US3-2': ANSWERED_TWICE,
      '019-US3-3 Silence stays silence': ANSWERED_TWICE,
      '019-US3-4': /answers are lost, repeated or out of order[\s\S]*0, 0, 1/,
    },
  },
  {
    name: 'The STS answers the last fragment once more, three seconds later',
    tags: '@019-US3-4',
    make: changedAnswers(
      (answer) => [answer],
      ({ sequence_number: number }) => (number === 2 ? 3000 : undefined),
    ),
    red: { '019-US3-4': /answers are lost, repeated or out of order[\s\S]*0, 1, 2, 2/ },
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
      '021-US1-4 Nothing is left': LEFT_A_SERVER,
      [`${LOGS} successful`]: LEFT_A_SERVER,
      [`${LOGS} failed`]: LEFT_A_SERVER,
    },
  },
  {
    name: 'A process that no run knows any more holds a port',
    tags: '@021-US1-4',
    make: (folder) => {
      // By itself it ends soon.
      const command =
        'env -i setsid timeout 60 python3 -m http.server ${ECHO_STS_PORT:-8080} & sleep 600';
      return Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          another: {
            ...another('sh', '-c', command),
            ports: ['127.0.0.1:${ECHO_STS_PORT:-8080}:80'],
          },
        }),
      });
    },
    red: Object.fromEntries(
      ['021-US1-4 Nothing is left', `${LOGS} successful`, `${LOGS} failed`].map((name) => [
        name,
        /a port is still taken[\s\S]*http\.server/,
      ]),
    ),
  },
  {
    name: 'media-service of a nested run shows no metrics',
    tags: '@021-US1-4',
    make: () =>
      standIn('MEDIA_SERVICE_METRICS_URL', '/metrics', webServer({ status: 200, body: '' })),
    red: { [`${LOGS} successful`]: /ended otherwise[\s\S]*FAILED, exit code 1/ },
  },
  {
    name: 'Nothing is kept of what media-service logs',
    tags: '@021-US1-4',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c', 'exec ../../.venv/bin/python -m media_service > /dev/null 2>&1'],
          ),
        }),
      }),
    red: { [`${LOGS} failed`]: /a log was not collected[\s\S]*media-service\.log: 0 lines/ },
  },
  {
    name: 'media-service is connected to the STS when there is nothing to dub',
    tags: '@019-US2-1 and @own-services',
    make: (folder) => {
      const hold =
        'import socket, time; held = socket.create_connection(("127.0.0.1", ${STS_PORT:-3000})); time.sleep(600)';
      return Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c'],
            `python3 -c '${hold}' & exec ../../.venv/bin/python -m media_service`,
          ),
        }),
      });
    },
    red: {
      [`019-US2-1 ${DIRECTLY}`]: /has other connections to the STS than one for the broadcast/,
      [`021-US1-3 ${DIRECTLY}`]: /has other connections to the STS than one for the broadcast/,
    },
  },
  {
    name: 'Another program listens on the port of the STS',
    tags: '@019-US5-1 or @019-US5-4',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c'],
            'python3 -m http.server ${STS_PORT:-3000} & exec ../../.venv/bin/python -m media_service',
          ),
        }),
      }),
    red: {
      '019-US5-1': /a port is open[\s\S]*: open/,
      '019-US5-4': /a port is open[\s\S]*: open/,
    },
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
          'echo-sts': { depends_on: ['sts-service'] },
          'sts-service': another('sleep', '600'),
        }),
      }),
    red: { '019-US5-4': /other services are running than[\s\S]*sts-service/ },
  },
  {
    name: 'The address of the STS is written into the compose file',
    tags: '@019-E7',
    make: (folder) =>
      Promise.resolve({
        environment: {
          ...overlaid('MEDIA_COMPOSE_FILE', folder, {
            'media-service': { environment: { STS_SERVICE_URL: 'http://127.0.0.1:9' } },
          }),
          ...DOCKER,
        },
      }),
    red: { '019-E7': /media-service does not reach the STS/ },
  },
  {
    name: 'The network of one compose file has another name for the engine',
    tags: '@019-E7',
    make: (folder) => {
      const name = 'renamed-${STS_PORT:-3000}';
      const environment = overlaid('STS_COMPOSE_FILE', folder, {}, { dubbing: { name } });
      return Promise.resolve({ environment: { ...environment, ...DOCKER } });
    },
    red: { '019-E7': /have not each a network of that name[\s\S]*renamed-/ },
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
    name: 'media-service logs as no error that it cannot read the broadcast',
    tags: '@018-E1',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('MEDIA_COMPOSE_FILE', folder, {
          'media-service': asProcess(
            ...['sh', '-c'],
            `../../.venv/bin/python -m media_service 2>&1 | sed -u 's/"level": "ERROR"/"level": "INFO"/'`,
          ),
        }),
      }),
    red: { '018-E1': /did not say that the broadcast could not be read/ },
  },
];

/** Faults of files, settings, services and tools. */
export const OUTSIDE: OutsideFault[] = [...FILES, ...SERVICES, ...OWN_SERVICES];
