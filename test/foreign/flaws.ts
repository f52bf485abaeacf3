/** What a system does wrong; otherwise it is the conforming one. */
import { jsonOf } from '../../support/base/json';
import { changing, type Change, type Clothes, type Fields, hearing } from './clothes';
import { valued } from './metrics-clothes';
import { notAccepted, refusal } from './sts-clothes';

/** A probe is the first fragment after so long; while dubbing goes on there is one every 6 s. */
const PROBE_AFTER_MS = 20_000;

/** One fragment never leaves. @param lost its number, from 0 */
export function losesFragment(lost: number): Clothes {
  return onFragments(() => (message) => {
    const number = Number(message.payload['sequence_number']);
    if (number === lost) return [];
    return [number < lost ? message : { ...message, payload: renumbered(message.payload, -1) }];
  });
}

/** A second fragment goes with each probe of the half-open breaker. @param now in ms */
export function probesTwice(now: () => number = Date.now): Clothes {
  return onFragments(() => {
    let [lastAt, added] = [Infinity, 0];
    return (message) => {
      const isProbe = now() - lastAt > PROBE_AFTER_MS;
      lastAt = now();
      const probe = { ...message, payload: renumbered(message.payload, added) };
      if (!isProbe) return [probe];
      added += 1;
      const fragment_id = `${String(message.payload['fragment_id'])}-again`;
      const again = { ...renumbered(message.payload, added), fragment_id };
      return [probe, { ...message, payload: again }];
    };
  });
}

/** @param change called for each connection */
function onFragments(change: () => Change): Clothes {
  return {
    connection: () => {
      const changed = change();
      return {
        toSts: (message) => (message.event === 'fragment:data' ? changed(message) : [message]),
      };
    },
  };
}

/** The STS takes no number twice, and none that leaves one out. */
function renumbered(payload: Fields, by: number): Fields {
  return { ...payload, sequence_number: Number(payload['sequence_number']) + by };
}

/** Where the STS fails viewers hear nothing. */
export function fallsBackToSilence(): Clothes {
  return {
    connection: () => {
      const sent = new Map<unknown, Fields>();
      return {
        toSts: hearing('fragment:data', ({ fragment_id, audio }) =>
          sent.set(fragment_id, audio as Fields),
        ),
        fromSts: changing('fragment:processed', (payload) => {
          if (payload['status'] !== 'failed') return payload;
          const audio = sent.get(payload['fragment_id']) ?? {};
          const { length } = Buffer.from(String(audio['data_base64']), 'base64');
          const dubbed_audio = { ...audio, data_base64: Buffer.alloc(length).toString('base64') };
          return { ...payload, status: 'success', dubbed_audio, error: null };
        }),
      };
    },
  };
}

/** A metric that always has this value. */
export function alwaysSays(metric: string, value: number): Clothes {
  return { pages: { '/metrics': valued(metric, () => value) } };
}

/** The breaker opens after so many failures in a row. */
export function opensAfter(failures: number): Clothes {
  return { environment: { BREAKER_FAILURE_THRESHOLD: String(failures) } };
}

/** It logs an error about each stream: where it has cut segment 3. */
export function logsAnError(): Clothes {
  return {
    line: (line) => {
      const fields = jsonOf(line) as Fields | undefined;
      if (fields?.['segment'] !== 3 || fields['start_ms'] === undefined) return [line];
      return [line, JSON.stringify({ ...fields, level: 'ERROR', message: 'encoder overrun' })];
    },
  };
}

/** Each dub is that of the fragment before. */
export function dubsOfNeighbours(): Clothes {
  return onAnswers(() => {
    let before: unknown;
    return (payload) => {
      const dubbed_audio = before ?? payload['dubbed_audio'];
      before = payload['dubbed_audio'];
      return { ...payload, dubbed_audio };
    };
  });
}

/** Each answer comes so much later. */
export function answersLate(ms: number): Clothes {
  const fromSts: Change = (message) => [
    message.event === 'fragment:processed' ? { ...message, afterMs: ms } : message,
  ];
  return { connection: () => ({ fromSts }) };
}

/** It says the same of everything. */
export function saysTranscript(transcript: string): Clothes {
  return onAnswers(() => (payload) => ({ ...payload, transcript }));
}

/** Its first answers are failures. */
export function failsWith(code: string, count: number): Clothes {
  const error = { code, message: 'the model does not answer', stage: 'asr', retryable: true };
  const nothing = { dubbed_audio: null, transcript: '', translated_text: '' };
  return onAnswers(() => {
    let answers = 0;
    return (payload) => {
      answers += 1;
      return answers > count ? payload : { ...payload, ...nothing, status: 'failed', error };
    };
  });
}

/** @param change called for each connection */
function onAnswers(change: () => (payload: Fields) => Fields): Clothes {
  return { connection: () => ({ fromSts: changing('fragment:processed', change()) }) };
}

/** It takes no stream. */
export function refusesStreams(code: string, message: string): Clothes {
  const toSts: Change = (said) => [said.event === 'stream:init' ? refusal(code, message) : said];
  return { connection: () => ({ toSts }) };
}

/** It accepts pages of another address only, as one that was set up elsewhere. */
export function refusesOrigins(): Clothes {
  return {
    refusal: ({ origin }) => (origin === undefined ? undefined : notAccepted(String(origin))),
  };
}

/** It accepts what a control says, and does not do it. */
export function forgetsControls(): Clothes {
  const toSts: Change = (message) => {
    const { event, payload } = message;
    if (!event.startsWith('config:')) return [message];
    const ack = { status: 'accepted', stream_id: payload['stream_id'] };
    return [{ event: `${event}:ack`, payload: ack, isAnswer: true }];
  };
  return { connection: () => ({ toSts }) };
}
