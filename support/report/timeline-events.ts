import { breakerChanges } from '../analyze/breaker';
import { type Backpressure, backpressureOf } from '../analyze/exchange';
import type { LogLine } from '../analyze/service-log';
import { faultDoneAt, isLoss, type TapEvent } from '../broadcast/events';
import { isAnswerFault } from '../broadcast/fault';
import { faultText } from '../broadcast/fault-words';
import { isComplete, outcomeText } from '../broadcast/record';
import type { BroadcastRecord, BroadcastTimes } from '../broadcast/record';
import type { TimelineEvent } from './facts';

const PIPELINE: [keyof BroadcastTimes, string][] = [
  ['published', 'the publisher is started'],
  ['inputReady', 'the broadcast is ready'],
  ['ingested', 'media-service reads the broadcast'],
  ['outputReady', 'the output is ready'],
  ['publisherEnded', 'the publisher has ended'],
  ['outputEnded', 'the output has ended'],
];

/** What was seen of a broadcast, each where it was observed. */
export interface Seen {
  record: BroadcastRecord;
  /** On its connections between media-service and the STS. */
  events: readonly TapEvent[];
  /** What media-service has logged about it. */
  logLines: readonly LogLine[];
  /** From fragment ID to the number by which faults count. */
  numbers: ReadonlyMap<string, number>;
  /** A moment in ms since the epoch as seconds of the broadcast. */
  secondsAt: (ms: number) => number;
}

/** What happened to a broadcast, in the order of time. */
export function timelineEvents(seen: Seen): TimelineEvent[] {
  const { record, events, logLines, numbers, secondsAt } = seen;
  const pipeline = PIPELINE.flatMap(([name, words]): TimelineEvent[] => {
    const at = record.times[name];
    // Where the output has not ended by itself, that is when it was given up.
    const isGivenUp = name === 'outputEnded' && !isComplete(record);
    const text = isGivenUp ? outcomeText(record.outcome) : words;
    return at === undefined ? [] : [{ atSeconds: secondsAt(at), kind: 'pipeline', text }];
  });
  const firstOpen = events.find(({ kind }) => kind === 'open');
  // Both sides see the end of a connection, and what lasts is noted with each message that it concerns.
  const known = new Set<string>();
  const tapped = events.flatMap((event): TimelineEvent[] => {
    const found = event === firstOpen ? undefined : happenedAt(event, numbers);
    if (!found || (found.once !== undefined && known.has(found.once))) return [];
    if (found.once !== undefined) known.add(found.once);
    return [{ atSeconds: secondsAt(event.at), kind: found.kind, text: found.text }];
  });
  const connectionAt = (at: number, text: string): TimelineEvent => ({
    ...{ atSeconds: secondsAt(at), kind: 'connection', text },
  });
  const breaker = breakerChanges(logLines).map(({ at, state }) =>
    connectionAt(at, `the circuit breaker is ${state}`),
  );
  const pressure = backpressureOf(events).map((one) => connectionAt(one.from, pressureText(one)));
  const all = [...pipeline, ...tapped, ...pressure, ...breaker];
  return all.sort((a, b) => a.atSeconds - b.atSeconds);
}

/** `once`: of all events with that key the first one counts. */
interface Happened {
  kind: TimelineEvent['kind'];
  text: string;
  once?: string;
}

function happenedAt(event: TapEvent, numbers: Seen['numbers']): Happened | undefined {
  const kind = 'connection';
  switch (event.kind) {
    case 'fault':
      return faultAt(event, numbers);
    case 'open':
      return { kind, text: 'media-service is connected to the STS again' };
    case 'refused':
      return { kind, text: 'a connection to the STS was refused' };
    case 'close': {
      return {
        kind,
        text: `the connection to the STS was ${isLoss(event) ? 'lost' : 'closed'}`,
        once: `close ${event.connection}`,
      };
    }
    default:
      return undefined;
  }
}

function faultAt(event: TapEvent, numbers: Seen['numbers']): Happened | undefined {
  const done = faultDoneAt(event);
  if (!done) return undefined;
  const { fault, fragment = '' } = done;
  const text = faultText(fault);
  const number = numbers.get(fragment);
  const isOfMany = isAnswerFault(fault) && fault.on.first !== fault.on.last;
  const about = isOfMany && number !== undefined ? `, fragment ${number}` : '';
  return { kind: 'fault', text: `${text}${about}`, once: `${text} ${fragment}` };
}

function pressureText({ action, delayMs }: Backpressure): string {
  const requested: Record<string, string> = {
    pause: 'requested a pause',
    slow_down: `requested ${delayMs} ms between fragments`,
    none: 'ended the backpressure',
  };
  return `the STS ${requested[action] ?? `sent backpressure with an unknown action, "${action}"`}`;
}
