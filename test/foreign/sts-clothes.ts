/** What STS in the field say in another way than the reference, as all of them may. */
import { changing, type Clothes, type Fields, hearing, type Message } from './clothes';

/** It answers with the six fields of spec 019, the dub as bare Base64, and acknowledges nothing. */
export function minimalAnswers(): Clothes {
  const fromSts = (message: Message): Message[] => {
    if (message.event === 'fragment:ack') return [];
    if (message.event !== 'fragment:processed') return [message];
    return [{ ...message, payload: sixFields(message.payload) }];
  };
  return { connection: () => ({ fromSts }) };
}

function sixFields({ dubbed_audio: dub, ...payload }: Fields): Fields {
  const { fragment_id, transcript, translated_text, processing_time_ms, target_language } = payload;
  return {
    ...{ fragment_id, transcript, translated_text, processing_time_ms, target_language },
    dubbed_audio: (dub as Fields | null)?.['data_base64'] ?? '',
  };
}

/** It answers with the very audio that it was sent, in its format. */
export function echoesFormat(): Clothes {
  return {
    connection: () => {
      const sent = new Map<unknown, unknown>();
      return {
        toSts: hearing('fragment:data', ({ fragment_id, audio }) => sent.set(fragment_id, audio)),
        fromSts: changing('fragment:processed', (payload) => {
          const { fragment_id, dubbed_audio } = payload;
          return dubbed_audio ? { ...payload, dubbed_audio: sent.get(fragment_id) } : payload;
        }),
      };
    },
  };
}

/** Its controls are those of the stream that is open on the connection on which they come. */
export function perSessionControls(): Clothes {
  return {
    connection: () => {
      let stream: unknown;
      return {
        toSts: (message) => {
          const { event, payload } = message;
          if (event === 'stream:init') stream = payload['stream_id'];
          if (!/^(config|simulate):/.test(event)) return [message];
          if (stream !== undefined) return [{ event, payload: { ...payload, stream_id: stream } }];
          return [refusal('STREAM_NOT_FOUND', 'no stream is open on this connection')];
        },
      };
    },
  };
}

/** It checks where a connection comes from as python-socketio does by default: from its own pages, or from no page. */
export function checksOrigin(): Clothes {
  return {
    refusal: ({ origin, host = '' }) => {
      const isOwn = [`http://${String(host)}`, `https://${String(host)}`].includes(String(origin));
      return origin === undefined || isOwn ? undefined : notAccepted(String(origin));
    },
  };
}

/** What python-socketio says of an origin that it does not know. */
export function notAccepted(origin: string): string {
  return JSON.stringify(`${origin} is not an accepted origin.`);
}

/** What an STS answers at once, of no fragment. */
export function refusal(code: string, message: string): Message {
  const payload = { code, message, severity: 'error', retryable: false };
  return { event: 'error', payload, isAnswer: true };
}
