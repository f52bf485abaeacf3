/** How features say faults, and how reports show them: one grammar, read and written in one place. */
import { SuiteError } from '../base/errors';
import {
  type AnswerFault,
  type ConnectionFault,
  type Fault,
  type Fragments,
  isAnswerFault,
  type Moment,
} from './fault';

/** A form of words: what it means, and whether and how it says a value. */
interface Form<T> {
  words: RegExp;
  read: (found: string[]) => T;
  /** Undefined where it has no words for that value. */
  write: (value: T) => string | undefined;
}

const seconds = (count: number): string => `${count} second${count === 1 ? '' : 's'}`;

const FRAGMENTS: Form<Fragments>[] = [
  {
    words: /^every fragment$/,
    read: () => ({ first: 0, last: null }),
    write: ({ first, last }) => (first === 0 && last === null ? 'every fragment' : undefined),
  },
  {
    words: /^fragment (\d+)$/,
    read: ([n]) => ({ first: Number(n), last: Number(n) }),
    write: ({ first, last }) => (first === last ? `fragment ${first}` : undefined),
  },
  {
    words: /^fragments (\d+) to (\d+)$/,
    read: ([n, m]) => ({ first: Number(n), last: Number(m) }),
    write: ({ first, last }) => (last === null ? undefined : `fragments ${first} to ${last}`),
  },
  {
    words: /^fragment (\d+) and all later ones$/,
    read: ([n]) => ({ first: Number(n), last: null }),
    write: ({ first }) => `fragment ${first} and all later ones`,
  },
];

const MOMENTS: Form<Moment>[] = [
  {
    words: /^from the start$/,
    read: () => ({ when: 'start', afterSeconds: 0 }),
    write: ({ when }) => (when === 'start' ? 'from the start' : undefined),
  },
  {
    words: /^when the STS has accepted the stream$/,
    read: () => ({ when: 'ready', afterSeconds: 0 }),
    write: ({ when }) => (when === 'ready' ? 'when the STS has accepted the stream' : undefined),
  },
  {
    words: /^when fragment (\d+) is (sent|answered)$/,
    read: ([n, when]) => ({ when: when as 'sent', fragment: Number(n), afterSeconds: 0 }),
    write: ({ when, fragment, afterSeconds }) =>
      afterSeconds === 0 ? `when fragment ${fragment} is ${when}` : undefined,
  },
  {
    words: /^(\d+(?:\.\d+)?) seconds? after fragment (\d+) is (sent|answered)$/,
    read: ([s, n, when]) => ({
      ...{ when: when as 'sent', fragment: Number(n), afterSeconds: Number(s) },
    }),
    write: ({ when, fragment, afterSeconds }) =>
      `${seconds(afterSeconds)} after fragment ${fragment} is ${when}`,
  },
];

type WithoutPlace<T> = T extends unknown ? Omit<T, 'on' | 'at'> : never;
type Answer = WithoutPlace<AnswerFault>;
type Connection = WithoutPlace<ConnectionFault>;

const ANSWERS: Form<Answer>[] = [
  {
    words: /^the answer is delayed by (\d+(?:\.\d+)?) seconds?$/,
    read: ([s]) => ({ does: 'delay', fromMs: 1000 * Number(s), toMs: 1000 * Number(s) }),
    write: (fault) =>
      fault.does === 'delay' && fault.fromMs === fault.toMs
        ? `the answer is delayed by ${seconds(fault.toMs / 1000)}`
        : undefined,
  },
  {
    words: /^the answer is delayed by (\d+) to (\d+) ms$/,
    read: ([a, b]) => ({ does: 'delay', fromMs: Number(a), toMs: Number(b) }),
    write: (fault) =>
      fault.does === 'delay'
        ? `the answer is delayed by ${fault.fromMs} to ${fault.toMs} ms`
        : undefined,
  },
  {
    words: /^the answer takes (\d+(?:\.\d+)?) seconds?$/,
    read: ([s]) => ({ does: 'take', ms: 1000 * Number(s) }),
    write: (fault) =>
      fault.does === 'take' ? `the answer takes ${seconds(fault.ms / 1000)}` : undefined,
  },
  {
    words: /^the answer is dropped$/,
    read: () => ({ does: 'drop' }),
    write: ({ does }) => (does === 'drop' ? 'the answer is dropped' : undefined),
  },
  {
    words: /^the answer is the error ([A-Z_]+)$/,
    read: ([code = '']) => ({ does: 'error', code }),
    write: (fault) =>
      fault.does === 'error' ? `the answer is the error ${fault.code}` : undefined,
  },
  {
    words: /^the dub is (\d+) percent (longer|shorter)$/,
    read: ([n, which]) => ({
      does: 'resize',
      percent: which === 'longer' ? Number(n) : -Number(n),
    }),
    write: (fault) =>
      fault.does === 'resize'
        ? `the dub is ${Math.abs(fault.percent)} percent ${fault.percent < 0 ? 'shorter' : 'longer'}`
        : undefined,
  },
  {
    words: /^the dub is half as loud$/,
    read: () => ({ does: 'soften' }),
    write: ({ does }) => (does === 'soften' ? 'the dub is half as loud' : undefined),
  },
  {
    words: /^the dub is not Base64$/,
    read: () => ({ does: 'malform' }),
    write: ({ does }) => (does === 'malform' ? 'the dub is not Base64' : undefined),
  },
];

const CONNECTIONS: Form<Connection>[] = [
  {
    words: /^the STS requests a pause$/,
    read: () => ({ does: 'backpressure', action: 'pause', delayMs: 0 }),
    write: (fault) =>
      fault.does === 'backpressure' && fault.action === 'pause'
        ? 'the STS requests a pause'
        : undefined,
  },
  {
    words: /^the STS requests (\d+) ms between fragments$/,
    read: ([ms]) => ({ does: 'backpressure', action: 'slow_down', delayMs: Number(ms) }),
    write: (fault) =>
      fault.does === 'backpressure' && fault.action === 'slow_down'
        ? `the STS requests ${fault.delayMs} ms between fragments`
        : undefined,
  },
  {
    words: /^the STS ends the backpressure$/,
    read: () => ({ does: 'backpressure', action: 'none', delayMs: 0 }),
    write: ({ does }) => (does === 'backpressure' ? 'the STS ends the backpressure' : undefined),
  },
  {
    words: /^the connection is lost$/,
    read: () => ({ does: 'disconnect', refuseSeconds: 0 }),
    write: (fault) =>
      fault.does === 'disconnect' && fault.refuseSeconds === 0
        ? 'the connection is lost'
        : undefined,
  },
  {
    words: /^the connection is lost and refused for (\d+(?:\.\d+)?) seconds?$/,
    read: ([s]) => ({ does: 'disconnect', refuseSeconds: Number(s) }),
    write: (fault) =>
      fault.does === 'disconnect' && fault.refuseSeconds !== null
        ? `the connection is lost and refused for ${seconds(fault.refuseSeconds)}`
        : undefined,
  },
  {
    words: /^the connection is lost and refused from then on$/,
    read: () => ({ does: 'disconnect', refuseSeconds: null }),
    write: ({ does }) =>
      does === 'disconnect' ? 'the connection is lost and refused from then on' : undefined,
  },
  {
    words: /^nothing arrives (from|at) the STS any more$/,
    read: ([which]) => ({ does: 'mute', direction: which === 'from' ? 'from-sts' : 'to-sts' }),
    write: (fault) =>
      fault.does === 'mute'
        ? `nothing arrives ${fault.direction === 'from-sts' ? 'from' : 'at'} the STS any more`
        : undefined,
  },
];

/** No figure is larger: a day in seconds, which a timer still takes in ms. */
const MOST = 86_400;

/**
 * A fault as a scenario says it; docs/adding-a-scenario.md, "Faults", lists the words.
 *
 * @param place which fragments, or which moment: "fragments 0 to 4", "when fragment 2 is sent"
 * @param event what happens: "the answer is the error TIMEOUT", "the connection is lost"
 * @throws SuiteError naming the words that are not known
 */
export function readFault(place: string, event: string): Fault {
  const on = read(FRAGMENTS, place);
  const at = read(MOMENTS, place);
  const answer = read(ANSWERS, event);
  const connection = read(CONNECTIONS, event);
  const where = `| ${place} | ${event} |`;
  const figures = [...`${place} ${event}`.matchAll(/\d+(?:\.\d+)?/g)].map(Number);
  const isBackwards =
    (on !== undefined && (on.last ?? Infinity) < on.first) ||
    (answer?.does === 'delay' && answer.toMs < answer.fromMs);
  if (((on && answer) ?? (at && connection)) && (isBackwards || Math.max(...figures) > MOST)) {
    throw new SuiteError({
      ...{ what: 'the figures of a fault are out of range', where },
      seen: isBackwards ? 'the second figure is below the first' : `more than ${MOST}`,
      expected: 'figures that rise, of a day at the most',
    });
  }
  if (on && answer) return { on, ...answer };
  if (at && connection) return { at, ...connection };
  const isKnown = (on ?? at) && (answer ?? connection);
  throw new SuiteError({
    ...{ what: 'unknown fault', where },
    seen: isKnown
      ? 'an answer is changed for fragments, a connection at a moment'
      : `"${(on ?? at) ? event : place}"`,
    expected: 'the words of docs/adding-a-scenario.md, "Faults"',
  });
}

/** A fault in the words in which a feature says it: `fragments 0 to 4: the answer is the error TIMEOUT`. */
export function faultText(fault: Fault): string {
  if (isAnswerFault(fault)) return `${written(FRAGMENTS, fault.on)}: ${written(ANSWERS, fault)}`;
  return `${written(MOMENTS, fault.at)}: ${written(CONNECTIONS, fault)}`;
}

function read<T>(forms: readonly Form<T>[], text: string): T | undefined {
  for (const form of forms) {
    const found = form.words.exec(text);
    if (found) return form.read(found.slice(1));
  }
  return undefined;
}

function written<T>(forms: readonly Form<T>[], value: T): string {
  for (const form of forms) {
    const text = form.write(value);
    if (text !== undefined) return text;
  }
  return JSON.stringify(value);
}
