import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { OutsideFault, ScenarioName } from '../fault';
import { asProcess, overlaid } from './outside';

/** Variables with these values, whatever is set outside. */
function fixed(
  sts: Record<string, string>,
  media: Record<string, string>,
  host?: string,
): OutsideFault['make'] {
  return (folder) => {
    const ofHost = host === undefined ? {} : { 'x-host': { environment: { HOST: host } } };
    return Promise.resolve({
      environment: {
        ...overlaid('STS_COMPOSE_FILE', folder, { 'sts-service': { environment: sts, ...ofHost } }),
        ...overlaid('MEDIA_COMPOSE_FILE', folder, { 'media-service': { environment: media } }),
      },
    });
  };
}

function named(names: readonly string[]): ScenarioName[] {
  return names.map((name) => `019-ENV ${name}`);
}

/** Each of them for the same reason. */
function allFor(names: readonly string[], reason: RegExp): Record<ScenarioName, RegExp> {
  return Object.fromEntries(named(names).map((name) => [name, reason]));
}

const USED_OR_MISSED = [
  ...['whisper-small', 'small', 'tiny.en'].map((model) => `ASR_MODEL ${model} is used`),
  'TRANSLATION_PROVIDER google',
  ...['coqui', 'kokoro', 'espeak', 'piper'].map((provider) => `TTS_PROVIDER ${provider}`),
  'TTS_MODEL of the spec',
  'DEVICE cuda',
];
const MISSED = [
  'ASR_MODEL no-such-model',
  'ASR_MODEL /no-such-folder',
  'TRANSLATION_PROVIDER of an unknown name',
  'TTS_PROVIDER of an unknown name',
  'TTS_MODEL of an unknown file',
  'DEVICE of an unknown name',
];
const AT_WORK = [
  'MAX_INFLIGHT 3',
  'MAX_INFLIGHT 1',
  'PROCESSING_TIMEOUT 30',
  'PROCESSING_TIMEOUT 1',
];
const VOICES = 'Each TTS_PROVIDER';
const STS_LOGS = ['DEBUG', 'INFO', 'ERROR'].map((level) => `LOG_LEVEL ${level} of the STS`);

/** Faults of what is done with the variables of the compositions. */
export const ENVIRONMENT: OutsideFault[] = [
  {
    name: 'The compositions have values of their own, whatever is set outside',
    tags: '@019-ENV',
    make: fixed(
      {
        ...{ LOG_LEVEL: 'INFO', ASR_MODEL: 'bundled', TRANSLATION_PROVIDER: 'apertium' },
        ...{ TTS_PROVIDER: 'espeak', TTS_MODEL: '', DEVICE: 'cpu', MAX_INFLIGHT: '2' },
        PROCESSING_TIMEOUT: '30',
      },
      { LOG_LEVEL: 'INFO', SEGMENT_DIR: '/segments' },
      '127.0.0.1',
    ),
    red: {
      ...allFor(MISSED, /does not say that it cannot have[\s\S]*200: /),
      ...allFor(['HOST of another'], /does not listen where HOST says[\s\S]*\d{3}: /),
      ...allFor(
        ['DEBUG', 'ERROR'].flatMap((level) =>
          ['the STS', 'media-service'].map((service) => `LOG_LEVEL ${level} of ${service}`),
        ),
        /the log begins at another level[\s\S]*INFO: \d+ lines/,
      ),
      ...allFor(AT_WORK.slice(0, 2), /takes another number of fragments at once[\s\S]*2/),
      ...allFor(
        ['PROCESSING_TIMEOUT 1'],
        /is not answered with TIMEOUT[\s\S]*success after \d{4,} ms/,
      ),
      ...allFor([VOICES], /the voice of another provider[\s\S]*the same samples/),
      ...allFor(['SEGMENT_DIR'], /no segment is in the folder[\s\S]*no file of the broadcast/),
    },
  },
  {
    name: 'Both services log everything, whatever LOG_LEVEL says',
    tags: '@019-ENV',
    make: fixed({ LOG_LEVEL: 'DEBUG' }, { LOG_LEVEL: 'DEBUG' }),
    red: allFor(
      ['INFO', 'ERROR'].flatMap((level) =>
        ['the STS', 'media-service'].map((service) => `LOG_LEVEL ${level} of ${service}`),
      ),
      /the log begins at another level[\s\S]*DEBUG: \d+ lines/,
    ),
  },
  {
    name: 'The STS is healthy whatever it is told to use, and takes no stream',
    tags: '@019-ENV',
    make: (folder) => {
      writeFileSync(join(folder, 'health'), 'healthy');
      const server = ['python3', '-m', 'http.server', '--directory', folder, '${STS_PORT:-3000}'];
      return Promise.resolve({
        environment: overlaid('STS_COMPOSE_FILE', folder, { 'sts-service': asProcess(...server) }),
      });
    },
    red: {
      ...allFor(USED_OR_MISSED, /neither dubs with what it is told to use[\s\S]*no stream/),
      ...allFor(['DEVICE cpu'], /does not dub with this value[\s\S]*no stream/),
      ...allFor(['PROCESSING_TIMEOUT 30'], /the STS was not seen at work[\s\S]*200: healthy/),
    },
    follows: named([
      ...MISSED,
      'HOST of another',
      ...STS_LOGS.slice(0, 2),
      ...AT_WORK.filter((name) => name !== 'PROCESSING_TIMEOUT 30'),
      VOICES,
    ]),
  },
  {
    name: 'The STS ends as soon as it is started, whatever it is told to use',
    tags: '@019-ENV',
    make: (folder) =>
      Promise.resolve({
        environment: overlaid('STS_COMPOSE_FILE', folder, { 'sts-service': asProcess('false') }),
      }),
    red: allFor(['HOST 0.0.0.0'], /does not answer where it is published[\s\S]*it has ended/),
    follows: named([
      ...['HOST of another', ...STS_LOGS, ...USED_OR_MISSED, ...MISSED, VOICES, 'DEVICE cpu'],
      ...AT_WORK,
    ]),
  },
];
