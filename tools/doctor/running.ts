/** What running services are asked before any broadcast. */
import { eventually } from '../../support/base/eventually';
import { pathOf } from '../../support/broadcast/stream-paths';
import type { Settings } from '../../support/config';
import { handshake } from '../../support/observe/handshake';
import { get, type HttpOutcome } from '../../support/observe/http-outcome';
import { MediaMtxApi } from '../../support/observe/mediamtx-api';
import { publish } from '../../support/observe/publisher';
import { rtmpHandshake } from '../../support/observe/rtmp-handshake';
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

export async function whoAnswers(settings: Settings): Promise<Answering> {
  const outcomes = [...(await healthOfAll(settings))];
  const isThere = ([, { status }]: [string, HttpOutcome]): boolean => status === 200;
  const lines = outcomes.map(([name, { url, status, body }]): Line => {
    const text = `${name}: ${status ?? 'no answer'} at ${url}: ${body.slice(0, 120)}`;
    if (status === 200) return ok('health', text);
    const next =
      status === undefined
        ? `start ${name}, or correct its health address in acceptance.yaml`
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
  const stream = `test_doctor_${Date.now()}`;
  const lines = [
    await asking(
      'media server',
      async () => {
        const paths = await api.paths();
        return [ok('media server', `its API lists ${paths.length} paths`)];
      },
      'services.mediaServer.api of acceptance.yaml has to be the address of its API',
    ),
    await asking(
      'recording',
      async () => {
        const path = pathOf(server.paths.output, stream);
        await api.record(path, '/tmp/%path/%s-%f');
        await api.forget(path);
        return [ok('recording', 'records a path when its API is told to')];
      },
      'let the API add paths, or write recordings: absent: the output is then recorded by a reader',
    ),
    await asking('publishing', () => published(session, settings, api, stream)),
    await asking('RTMP', async () => {
      const { isEcho, problem } = await rtmpHandshake(server.rtmp);
      if (isEcho && problem === '') return [ok('RTMP', `handshake at ${server.rtmp}`)];
      const text = `no RTMP handshake at ${server.rtmp}: ${problem || 'something else answers'}`;
      const next = 'services.mediaServer.rtmp of acceptance.yaml has to be where it serves RTMP';
      return [{ topic: 'RTMP', state: 'wrong', text, next }];
    }),
  ];
  return lines.flat();
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
  const shaken = await asking(
    'handshake',
    async () => {
      const ms = await handshake(url);
      return [ok('handshake', `Socket.IO with ${url} in ${ms.toFixed(0)} ms`)];
    },
    'services.sts.url of acceptance.yaml has to be where Socket.IO answers',
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
    const { transcript, translated_text: translation, dubbed_audio: dub } = answer;
    const missing = Object.entries({ transcript, translated_text: translation, dubbed_audio: dub })
      .filter(([, value]) => !value)
      .map(([name]) => name);
    const text = `after ${answeredAfterMs[0]?.toFixed(0)} ms: "${transcript ?? ''}" → "${translation ?? ''}"`;
    if (missing.length === 0) return [ok('one fragment', text)];
    return [
      {
        topic: 'one fragment',
        state: 'wrong',
        text: `${text}; without ${missing.join(', ')}`,
        next,
      },
    ];
  });
  return [...shaken, ...asked];
}

/** What else listens: where viewers watch in a browser, and media-service's metrics. */
export async function otherAddresses(settings: Settings): Promise<Line[]> {
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
          next: 'correct services.mediaService.metrics in acceptance.yaml',
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
          next: 'switch it on, or take webrtc out of acceptance.yaml: 021-FR-004 is then not shown',
        },
  ];
}
