import { SuiteError } from '../base/errors';

/** Which way a message goes: from media-service, or to it. */
export type Direction = 'to-sts' | 'from-sts';

/** Some of a stream's fragments. They are counted from 0 as media-service sends them, over all its connections. */
export interface Fragments {
  first: number;
  /** Included; null: all that follow. */
  last: number | null;
}

/** A moment of a stream's life, and how long after it. */
export interface Moment {
  /** `ready`: the STS has accepted the stream for the first time. */
  when: 'start' | 'ready' | 'sent' | 'answered';
  /** Which fragment was sent or answered. */
  fragment?: number;
  afterSeconds: number;
}

/** What is done to the answers to some fragments. Several of them for one fragment are done one after the other. */
export type AnswerFault = { on: Fragments } & (
  | { does: 'delay'; fromMs: number; toMs: number }
  | { does: 'drop' }
  | { does: 'error'; code: string }
  | { does: 'resize'; percent: number }
  | { does: 'soften' }
  | { does: 'malform' }
);

/** What is done to a stream's connection at one moment. */
export type MomentFault = { at: Moment } & (
  | { does: 'backpressure'; action: 'pause' | 'slow_down' | 'none'; delayMs: number }
  /** Cut, and every new connection refused for some time; null: from then on. */
  | { does: 'cut'; refuseSeconds: number | null }
  /** Nothing gets through in one direction any more, not even a ping, until the connection has ended. */
  | { does: 'mute'; direction: Direction }
);

/** One thing that goes wrong between media-service and the STS; `words` is how the scenario says it. */
export type Fault = { words: string } & (AnswerFault | MomentFault);

/** Everything that goes wrong for one stream. */
export interface FaultPlan {
  faults: Fault[];
  /** Where delays that are drawn at random begin; the same seed gives the same delays. */
  seed: number;
}

const FRAGMENTS: [RegExp, (found: string[]) => Fragments][] = [
  [/^every fragment$/, () => ({ first: 0, last: null })],
  [/^fragment (\d+)$/, ([n]) => ({ first: Number(n), last: Number(n) })],
  [/^fragments (\d+) to (\d+)$/, ([n, m]) => ({ first: Number(n), last: Number(m) })],
  [/^fragment (\d+) and all later ones$/, ([n]) => ({ first: Number(n), last: null })],
];

const MOMENTS: [RegExp, (found: string[]) => Moment][] = [
  [/^from the start$/, () => ({ when: 'start', afterSeconds: 0 })],
  [/^when the STS has accepted the stream$/, () => ({ when: 'ready', afterSeconds: 0 })],
  [
    /^when fragment (\d+) is (sent|answered)$/,
    ([n, what]) => ({ when: what as 'sent', fragment: Number(n), afterSeconds: 0 }),
  ],
  [
    /^(\d+(?:\.\d+)?) seconds? after fragment (\d+) is (sent|answered)$/,
    ([s, n, what]) => ({ when: what as 'sent', fragment: Number(n), afterSeconds: Number(s) }),
  ],
];

type WithoutPlace<T> = T extends unknown ? Omit<T, 'on' | 'at'> : never;

const ANSWER_FAULTS: [RegExp, (found: string[]) => WithoutPlace<AnswerFault>][] = [
  [
    /^the answer takes (\d+) to (\d+) ms longer$/,
    ([a, b]) => ({ does: 'delay', fromMs: Number(a), toMs: Number(b) }),
  ],
  [
    /^the answer takes (\d+(?:\.\d+)?) seconds? longer$/,
    ([s]) => ({ does: 'delay', fromMs: 1000 * Number(s), toMs: 1000 * Number(s) }),
  ],
  [/^there is no answer$/, () => ({ does: 'drop' })],
  [/^the answer is the error ([A-Z_]+)$/, ([code = '']) => ({ does: 'error', code })],
  [
    /^the dub is (\d+) percent (longer|shorter)$/,
    ([n, which]) => ({ does: 'resize', percent: which === 'longer' ? Number(n) : -Number(n) }),
  ],
  [/^the dub is half as loud$/, () => ({ does: 'soften' })],
  [/^the dub is not Base64$/, () => ({ does: 'malform' })],
];

const MOMENT_FAULTS: [RegExp, (found: string[]) => WithoutPlace<MomentFault>][] = [
  [/^the STS asks for a pause$/, () => ({ does: 'backpressure', action: 'pause', delayMs: 0 })],
  [
    /^the STS asks for (\d+) ms between fragments$/,
    ([ms]) => ({ does: 'backpressure', action: 'slow_down', delayMs: Number(ms) }),
  ],
  [
    /^the STS asks to go on as usual$/,
    () => ({ does: 'backpressure', action: 'none', delayMs: 0 }),
  ],
  [/^the connection is cut$/, () => ({ does: 'cut', refuseSeconds: 0 })],
  [
    /^the connection is cut and refused for (\d+(?:\.\d+)?) seconds?$/,
    ([s]) => ({ does: 'cut', refuseSeconds: Number(s) }),
  ],
  [
    /^the connection is cut and refused from then on$/,
    () => ({ does: 'cut', refuseSeconds: null }),
  ],
  [/^nothing arrives from the STS any more$/, () => ({ does: 'mute', direction: 'from-sts' })],
  [/^nothing arrives at the STS any more$/, () => ({ does: 'mute', direction: 'to-sts' })],
];

/** No figure is larger: a day in seconds, which a timer still takes in ms. */
const MOST = 86_400;

/**
 * A fault as a scenario says it: README, "Faults", lists the words.
 *
 * @param place which fragments, or which moment: "fragments 0 to 4", "when fragment 2 is sent"
 * @param event what happens: "the answer is the error TIMEOUT", "the connection is cut"
 * @throws SuiteError naming the words that are not known
 */
export function readFault(place: string, event: string): Fault {
  const words = `${place}: ${event}`;
  const on = match(FRAGMENTS, place);
  const at = match(MOMENTS, place);
  const onAnswer = match(ANSWER_FAULTS, event);
  const onMoment = match(MOMENT_FAULTS, event);
  const figures = [...words.matchAll(/\d+(?:\.\d+)?/g)].map(([figure]) => Number(figure));
  const isBackwards =
    (on && (on.last ?? Infinity) < on.first) ||
    (onAnswer?.does === 'delay' && onAnswer.toMs < onAnswer.fromMs);
  if (((on && onAnswer) ?? (at && onMoment)) && (isBackwards || Math.max(...figures) > MOST)) {
    throw new SuiteError({
      ...{ what: 'a fault cannot be like that', where: `| ${place} | ${event} |` },
      seen: isBackwards ? 'the second figure is below the first' : `more than ${MOST}`,
      expected: 'figures that rise, of a day at the most',
    });
  }
  if (on && onAnswer) return { words, on, ...onAnswer };
  if (at && onMoment) return { words, at, ...onMoment };
  const isKnown = (on ?? at) && (onAnswer ?? onMoment);
  throw new SuiteError({
    what: 'nobody knows this fault',
    where: `| ${place} | ${event} |`,
    seen: isKnown
      ? 'an answer is changed for fragments, a connection at a moment'
      : `"${(on ?? at) ? event : place}"`,
    expected: 'the words of README, "Faults"',
  });
}

/** What the first form that fits makes of the words; its groups are given to it. */
export function match<T>(
  forms: readonly [RegExp, (found: string[]) => T][],
  text: string,
): T | undefined {
  for (const [form, make] of forms) {
    const found = form.exec(text);
    if (found) return make(found.slice(1));
  }
  return undefined;
}

/** Whether a fault concerns the answers to fragments. */
export function isAnswerFault(fault: Fault): fault is { words: string } & AnswerFault {
  return 'on' in fault;
}

/** Whether a fault of answers concerns the answer to that fragment. */
export function concerns({ on }: AnswerFault, fragment: number): boolean {
  return fragment >= on.first && fragment <= (on.last ?? Infinity);
}
