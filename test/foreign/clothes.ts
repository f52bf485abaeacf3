/** What a relay beside a reference service changes of what it says, so that it is another conforming system, or a broken one. */

export type Fields = Record<string, unknown>;

/** Headers of a connection by their names in small letters. */
export type Headers = Record<string, string | string[]>;

/** A Socket.IO event on its way. */
export interface Message {
  event: string;
  payload: Fields;
  /** It, and what follows it, waits so long: milliseconds. */
  afterMs?: number;
  /** It goes to the side that the message came from. */
  isAnswer?: true;
}

/** What is passed on in place of a message. */
export type Change = (message: Message) => Message[] | Promise<Message[]>;

/** The changes of one Socket.IO connection, which may remember what they saw. */
export interface ConnectionChanges {
  toSts?: Change | undefined;
  fromSts?: Change | undefined;
}

/** The text of a page in place of another. */
export type Page = (text: string) => string;

export interface Clothes {
  /**
   * Headers of a connection on its way to the STS.
   *
   * @param server to which it goes: http://host:port
   */
  headers?: (headers: Headers, server: string) => Headers;
  /** Why a connection is refused by HTTP status 400; undefined where it is not. */
  refusal?: (headers: Headers) => string | undefined;
  /** Called for each connection. */
  connection?: () => ConnectionChanges;
  /** What is answered to GET requests with status 200, by path. */
  pages?: Record<string, Page>;
  /** The lines that are logged in place of one. */
  line?: (line: string) => string[];
  /** Variables of the reference service. */
  environment?: Record<string, string>;
}

/** Which of the two a service is: they are at the two ends of a connection. */
export type Side = 'media-service' | 'sts';

/**
 * A system with a flaw. The flaw is nearer to the service: what the service says goes through the flaw first. Only pages
 * have it in the words of the system.
 */
export function flawed(side: Side, flaw: Clothes, clothes: Clothes): Clothes {
  const isMedia = side === 'media-service';
  const [toFirst, toSecond] = isMedia ? [flaw, clothes] : [clothes, flaw];
  const { line = oneLine } = clothes;
  return {
    headers: (headers, server) => clothes.headers?.(headers, server) ?? headers,
    refusal: (headers) => flaw.refusal?.(headers) ?? clothes.refusal?.(headers),
    connection: () => {
      const [first, second] = [toFirst.connection?.(), toSecond.connection?.()];
      return {
        toSts: inTurn(first?.toSts, second?.toSts),
        fromSts: inTurn(second?.fromSts, first?.fromSts),
      };
    },
    pages: Object.fromEntries(
      Object.keys({ ...clothes.pages, ...flaw.pages }).map((path) => [
        path,
        (text) => pagesInTurn(clothes.pages?.[path], flaw.pages?.[path])(text),
      ]),
    ),
    line: (said) => (flaw.line ?? oneLine)(said).flatMap(line),
    environment: { ...clothes.environment, ...flaw.environment },
  };
}

function oneLine(line: string): string[] {
  return [line];
}

/** Several changes of a page, one after the other. */
export function pagesInTurn(...pages: readonly (Page | undefined)[]): Page {
  return (text) => pages.reduce((changed, page) => page?.(changed) ?? changed, text);
}

/** Several changes, one after the other; what goes back to the sender goes there at once. */
export function inTurn(...changes: readonly (Change | undefined)[]): Change {
  return async (message) => {
    let messages = [message];
    for (const change of changes) {
      const changed: Message[] = [];
      for (const one of messages) changed.push(...(await next(change, one)));
      messages = changed;
    }
    return messages;
  };
}

function next(change: Change | undefined, message: Message): Message[] | Promise<Message[]> {
  return message.isAnswer || !change ? [message] : change(message);
}

/** A change of the payload of some events; all others pass as they are. */
export function changing(
  events: string | readonly string[],
  change: (payload: Fields) => Fields | Promise<Fields>,
): Change {
  return async (message) => {
    if (![events].flat().includes(message.event)) return [message];
    return [{ ...message, payload: await change(message.payload) }];
  };
}

/** Listens to an event, and passes everything on as it is. */
export function hearing(event: string, hear: (payload: Fields) => void): Change {
  return (message) => {
    if (message.event === event) hear(message.payload);
    return [message];
  };
}

/** The fields, or headers, but for some. */
export function except<T>(
  fields: Record<string, T>,
  ...names: readonly string[]
): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
