/** What running services are asked before any broadcast. */
import { seenOf } from '../../support/base/errors';
import { eventually } from '../../support/base/eventually';
import { shownPath } from '../../support/base/yaml-file';
import { pathOf } from '../../support/broadcast/stream-paths';
import type { Settings } from '../../support/config';
import type { FragmentAnswer } from '../../support/contract/events';
import { handshake } from '../../support/observe/handshake';
import { get, type HttpOutcome } from '../../support/observe/http-outcome';
import { MediaMtxApi } from '../../support/observe/mediamtx-api';
import { publish } from '../../support/observe/publisher';
import { rtmpHandshake } from '../../support/observe/rtmp-handshake';
import { EXTERNAL, isEchoSts } from '../../support/session/capabilities';
import { sendSpeech } from '../../support/session/direct-sts';
import { healthOfAll, knock } from '../../support/session/inquiries';
import type { Session } from '../../support/session/session';
import { CLIP } from './broadcast';
import { asking, type Line, ok } from './line';

const PUBLISHED_SECONDS = 2;
const PUBLISHED_MS = 10_000;

/** Which services answer at their health addresses. */
export interface Answering {
  answering: string[];
  silent: string[];
  lines: Line[];
}

/** @param file the configuration that is used, as it is shown */
export async function whoAnswers(settings: Settings, file: string): Promise<Answering> {
  const outcomes = [...(await healthOfAll(settings))];
  const isThere = ([, { status }]: [string, HttpOutcome]): boolean => status === 200;
  const lines = outcomes.map(([name, { url, status, body }]): Line => {
    const text = `${name}: ${status ?? 'no answer'} at ${url}: ${body.slice(0, 120)}`;
    if (status === 200) return ok('health', text);
    const next =
      status === undefined
        ? `start ${name}, or correct its health address in ${file}`
        : `a service is healthy when it answers 200: read the log of ${name}`;
    return { topic: 'health', state: 'wrong', text, next };
  });
  return {
    answering: outcomes.filter(isThere).map(([name]) => name),
    silent: outcomes.filter((one) => !isThere(one)).map(([name]) => name),
    lines,
  };
}

/** The media server: its API, whether it records on request, and what it serves to publishers and viewers. */
export async function mediaServer(session: Session, settings: Settings): Promise<Line[]> {
  const { mediaServer: server } = settings.services;
  const api = new MediaMtxApi(server.api);
  const file = shownPath(session.config.settingsFile);
  const stream = `test_doctor_${Date.now()}`;
  const lines = [
    await asking(
      'media server',
      async () => {
        const paths = await api.paths();
        return [ok('media server', `its API lists ${paths.length} paths`)];
      },
      `services.mediaServer.api of ${file} has to be the address of its API`,
    ),
    await recording(api, pathOf(server.paths.output, stream), readerBecause(session, settings)),
    await asking('publishing', () => published(session, settings, api, stream)),
    await asking('RTMP', async () => {
      const { isEcho, problem } = await rtmpHandshake(server.rtmp);
      if (isEcho && problem === '') return [ok('RTMP', `handshake at ${server.rtmp}`)];
      const text = `no RTMP handshake at ${server.rtmp}: ${problem || 'something else answers'}`;
      const next = `services.mediaServer.rtmp of ${file} has to be where it serves RTMP`;
      return [{ topic: 'RTMP', state: 'wrong', text, next }];
    }),
  ];
  return lines.flat();
}

/** Why the media server is not asked for recordings; undefined where it is. */
function readerBecause({ config }: Session, { services }: Settings): string | undefined {
  if (config.runtime === 'external') return EXTERNAL;
  return services.mediaServer.recordings === undefined ? 'recordings: absent' : undefined;
}

/** Whether its API adds paths: it is told by that to record, and to refuse an output. */
async function recording(
  api: MediaMtxApi,
  path: string,
  reader: string | undefined,
): Promise<Line[]> {
  const addPath = async (): Promise<void> => {
    await api.record(path, '/tmp/%path/%s-%f');
    await api.forget(path);
  };
  if (reader === undefined) {
    return asking(
      'recording',
      async () => {
        await addPath();
        return [ok('recording', 'records a path when its API is told to')];
      },
      'let the API add paths, or write recordings: absent: the output is then recorded by a reader',
    );
  }
  const byReader = `by a reader of the output (${reader})`;
  try {
    await addPath();
    return [ok('recording', byReader)];
  } catch (error) {
    const text = `${byReader}; the API adds no paths: ${seenOf(error)}`;
    const next = 'let it add paths: an output that is refused (019-E6) is not shown otherwise';
    return [{ topic: 'recording', state: 'missing', text, next }];
  }
}

/** The beginning of the clip, published as a broadcast is. */
async function published(
  session: Session,
  settings: Settings,
  api: MediaMtxApi,
  stream: string,
): Promise<Line[]> {
  const { rtsp, paths } = settings.services.mediaServer;
  const path = pathOf(paths.input, stream);
  const server = { url: rtsp, ...session.config.mediaServerLogin };
  const { path: clip } = session.fixture(CLIP);
  const publication = publish(clip, { server, path }, session.track, PUBLISHED_SECONDS);
  try {
    const seen = await eventually(
      `${path} in the media server`,
      async () => {
        const found = (await api.paths()).find(({ name, ready }) => name === path && ready);
        if (!found) throw new Error('not listed');
        return found.tracks.join(' and ');
      },
      { withinMs: PUBLISHED_MS },
    );
    return [ok('publishing', `${seen} by RTSP`)];
  } catch (error) {
    publication.stop();
    const { stderr } = await publication.result;
    throw stderr ? new Error(stderr, { cause: error }) : error;
  } finally {
    publication.stop();
    await publication.result;
  }
}

/** The STS: the handshake, and one fragment of speech as a worker sends it. */
export async function sts(session: Session, settings: Settings): Promise<Line[]> {
  const { url } = settings.services.sts;
  const file = shownPath(session.config.settingsFile);
  const isEcho = isEchoSts(settings, session.config.runtime);
  const shaken = await asking(
    'handshake',
    async () => {
      const ms = await handshake(url);
      return [ok('handshake', `Socket.IO with ${url} in ${ms.toFixed(0)} ms`)];
    },
    `services.sts.url of ${file} has to be where Socket.IO answers`,
  );
  if (shaken.some(({ state }) => state !== 'ok')) return shaken;
  const asked = await asking('one fragment', async () => {
    const { answers, errors, answeredAfterMs } = await sendSpeech(url, session.fixture(CLIP));
    const [answer] = answers;
    const next = 'docs/contract.md says what is sent and what answers may be';
    if (!answer || errors.length > 0) {
      return [
        { topic: 'one fragment', state: 'wrong', text: errors.join('; ') || 'no answer', next },
      ];
    }
    return answerLines(answer, answeredAfterMs[0] ?? NaN, { isEcho, file });
  });
  return [...shaken, ...asked];
}

const ECHO_SAYS = /^\[ECHO\]/i;

/**
 * What is said of one answer of the STS.
 *
 * @param afterMs the time since the fragment was sent
 * @param told whether the configuration says that it is an Echo STS, and which file that is
 */
export function answerLines(
  answer: Pick<FragmentAnswer, 'transcript' | 'translated_text' | 'dubbed_audio'>,
  afterMs: number,
  { isEcho, file }: { isEcho: boolean; file: string },
): Line[] {
  const { dubbed_audio: dub } = answer;
  const [transcript, translation] = [answer.transcript ?? '', answer.translated_text ?? ''];
  const topic = 'one fragment';
  const text = `after ${afterMs.toFixed(0)} ms: "${transcript}" → "${translation}"`;
  const texts = isEcho ? {} : { transcript, translated_text: translation };
  const missing = Object.entries({ ...texts, dubbed_audio: dub }).flatMap(([name, value]) =>
    value ? [] : [name],
  );
  if (missing.length > 0) {
    const next = 'docs/contract.md says what answers may be';
    return [{ topic, state: 'wrong', text: `${text}; without ${missing.join(', ')}`, next }];
  }
  if (isEcho) {
    return [
      ok(topic, text),
      {
        ...ok('STS', 'is an Echo STS: language and texts are not judged here'),
        next: 'begin with npm run acceptance -- --tags @018',
      },
    ];
  }
  if (!ECHO_SAYS.test(transcript)) return [ok(topic, text)];
  return [
    {
      ...{ topic, state: 'wrong', text: `${text}; an Echo STS answers in this way` },
      next: `if it is one, set ECHO_STS_URL (services.echoSts of ${file}) to its address: spec 018 is then judged`,
    },
  ];
}

/** What else listens: where viewers watch in a browser, and media-service's metrics. */
/** @param file the configuration that is used, as it is shown */
export async function otherAddresses(settings: Settings, file: string): Promise<Line[]> {
  const { mediaServer: server, mediaService } = settings.services;
  const metrics = await get(mediaService.metrics);
  const isThere = metrics.status === 200;
  const lines: Line[] = [
    isThere
      ? ok(
          'metrics',
          `${metrics.body.split('\n').filter((line) => line && !line.startsWith('#')).length} series at ${metrics.url}`,
        )
      : {
          ...{
            topic: 'metrics',
            state: 'wrong',
            text: `${metrics.status ?? 'no answer'} at ${metrics.url}`,
          },
          next: `correct services.mediaService.metrics in ${file}`,
        },
  ];
  const { webrtc } = server;
  if (webrtc === undefined) return lines;
  const [page] = await knock([webrtc]);
  return [
    ...lines,
    page?.isOpen
      ? ok('WebRTC', `open: ${webrtc}`)
      : {
          ...{ topic: 'WebRTC', state: 'missing', text: `nothing listens at ${webrtc}` },
          next: `switch it on, or write webrtc: absent in ${file}: 021-FR-004 is then not shown`,
        },
  ];
}
