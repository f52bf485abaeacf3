/** What the variables of the compositions do (spec 019, environment of the compositions), as seen from outside. */
import { countLevels, type Level, LEVELS } from '../analyze/log-levels';
import { normalizeWords } from '../analyze/transcript';
import { CannotBeShown, NotObserved, seenOf, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { fieldsOf } from '../broadcast/events';
import { ERROR_CODES } from '../contract/error-codes';
import { dubDataOf, errorEvent, type FragmentAnswer, statusOf } from '../contract/events';
import { DEFAULT_MAX_INFLIGHT } from '../contract/limits';
import type { HttpOutcome } from '../observe/http-outcome';
import type { StsAnswer, StsConversation } from '../observe/sts-client';
import { allRight, AT_ONCE_MS, type Count, ofSubject, type Within } from './builders';
import { assessed, type Assessment, criterion } from './criterion';
import { audibleSecondsOf } from './sts-answers';

/** What a composition did that was started alone with these values of its variables. */
export interface Trial {
  /** Its project and service. */
  where: string;
  variables: Readonly<Record<string, string>>;
  /** The values that it is about. */
  named: readonly string[];
  /** The last answer of its health address. */
  health: HttpOutcome;
  /** Whether it was not running then. */
  hasEnded: boolean;
  /** What the STS answered; undefined where it was not asked, or did not accept the stream. */
  conversation?: StsConversation | undefined;
  /** Why there was none. */
  problem?: string | undefined;
  /** Everything that it has logged. */
  log: string;
  /** Files of segments, as the service sees them. */
  files: readonly string[];
  /** From its start to the end of the trial. */
  tookMs: number;
  /** Which part of the time of all processors was taken meanwhile, 0 to 1; undefined where the system does not tell. */
  busyShare?: number | undefined;
}

const whereOf = ({ where, variables }: Trial): string =>
  `${where} with ${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`;

/** The trial that a scenario is about. */
export function lastOf(trials: readonly Trial[]): Trial {
  const last = trials.at(-1);
  if (last) return last;
  throw new NotObserved({
    ...{ what: 'nothing was started', where: 'this scenario' },
    ...{ seen: 'no composition', expected: 'one with values of its variables' },
  });
}

const SHOWN_CHARACTERS = 400;
const LAST_LOG_LINES = 5;

function shownHealth({ health: { status, body }, hasEnded, log }: Trial): string {
  const answer = `${status ?? 'no answer'}: ${body.slice(0, SHOWN_CHARACTERS) || 'nothing'}`;
  if (!hasEnded) return answer;
  const lines = log.trim().split('\n').slice(-LAST_LOG_LINES);
  return [`it has ended; ${answer}; its last log lines:`, ...lines].join('\n');
}

/** Whether a text names one of these values as a whole word, whatever its case: `small`, not `smallest`; `tiny`, not `tiny.en`. */
export function namesOneOf(text: string, values: readonly string[]): boolean {
  return values.some((value) => {
    const escaped = value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    return new RegExp(`(?<![\\w.])${escaped}(?!\\.?\\w)`, 'i').test(text);
  });
}

const NOT_READY =
  /\b(loading|starting|initiali[sz]ing|warming|booting|preparing|downloading|pending|not[ _-]ready)\b/i;

/** Whether an answer to the question for its health lets one expect that the service is going to be healthy. */
export const maySoonBeHealthy = ({ body }: HttpOutcome): boolean => NOT_READY.test(body);

/** Whether it says of the service itself, not of something that it names, that it is not ready yet. */
function isStarting({ body }: HttpOutcome): boolean {
  const { status, state } = fieldsOf(jsonOf(body));
  const said = [status, state].find((one) => typeof one === 'string') ?? body.trim();
  return NOT_READY.exec(said)?.index === 0;
}

/** Not healthy, not about to be, and the answer to the question for its health names a value. */
export function saysWhyNot(health: HttpOutcome, values: readonly string[]): boolean {
  const { status, body } = health;
  return status !== undefined && status >= 500 && !isStarting(health) && namesOneOf(body, values);
}

const isDubbed = (answer: FragmentAnswer): boolean =>
  statusOf(answer) === 'success' && dubDataOf(answer) !== '' && Boolean(answer.transcript);

function shownAnswer(answer: FragmentAnswer): string {
  const { error, transcript } = answer;
  const code = error ? ` ${error.code}` : '';
  const dub = dubDataOf(answer) === '' ? 'no dub' : 'a dub';
  return `${statusOf(answer)}${code}, "${transcript ?? ''}", ${dub}`;
}

/** What the fixture `hello-world` says, which trials send. */
const SAID = ['hello', 'world'];
/** As 019-US3-1 asks for. */
const LEAST_AUDIBLE_SECONDS = 0.3;

/** What the answers of a trial hold. */
interface Held {
  /** Every fragment that it was sent is dubbed, of which there has to be one. */
  isDubbed: boolean;
  seen: string;
}

async function heldIn(trial: Trial): Promise<Held> {
  const { conversation, problem = 'it was not asked' } = trial;
  if (!conversation) return { isDubbed: false, seen: `no stream: ${problem}` };
  const { answers, errors, warnings } = conversation;
  const all = await Promise.all(answers.map((answer) => helloIn(answer, whereOf(trial))));
  const seen = [...all.map((one) => one.seen), ...errors, ...warnings].join('; ');
  const isGood = all.length > 0 && errors.length === 0 && all.every((one) => one.isDubbed);
  return { isDubbed: isGood, seen: seen || 'no answer' };
}

/** Whether an answer is a dub of "Hello world": these words are transcribed, and something is heard. */
async function helloIn(answer: StsAnswer, where: string): Promise<Held> {
  const words = new Set(normalizeWords(answer.transcript ?? ''));
  const shown = shownAnswer(answer);
  try {
    const seconds = (await audibleSecondsOf(answer, where)) ?? 0;
    const isHello = isDubbed(answer) && SAID.every((word) => words.has(word));
    return {
      isDubbed: isHello && seconds >= LEAST_AUDIBLE_SECONDS,
      seen: `${shown}, ${seconds.toFixed(2)} s of it audible`,
    };
  } catch (error) {
    if (!(error instanceof NotObserved)) throw error;
    return { isDubbed: false, seen: `${shown}: ${seenOf(error)}` };
  }
}

const A_DUB = `a transcript with "Hello world" and a dub of which ${LEAST_AUDIBLE_SECONDS} s are audible`;

const whyNot = ({ named }: Trial): string =>
  `status 503 at its health address, naming ${named.join(' or ')}`;

/** Only a healthy STS is asked. */
const isHealthy = ({ health }: Trial): boolean => health.status === 200;

export const dubsOrSaysWhyNot = criterion<Trial, Held, null>({
  id: 'dubs-or-says-why-not',
  title: 'The STS dubs with what it is told to use, or says why it cannot',
  failure: 'the STS neither dubs with what it is told to use nor says why it cannot',
  where: whereOf,
  measure: heldIn,
  assess: (held, _, trial) =>
    assessed(
      isHealthy(trial) ? held.isDubbed : saysWhyNot(trial.health, trial.named),
      isHealthy(trial) ? `healthy; ${held.seen}` : shownHealth(trial),
      `${A_DUB}, or ${whyNot(trial)}`,
    ),
});

export const dubsHello = criterion<Trial, Held, null>({
  id: 'dubs-hello',
  title: 'The STS is healthy and dubs',
  failure: 'the STS does not dub with this value',
  where: whereOf,
  measure: heldIn,
  assess: (held, _, trial) =>
    assessed(
      isHealthy(trial) && held.isDubbed,
      isHealthy(trial) ? held.seen : shownHealth(trial),
      `status 200, and of every fragment ${A_DUB}`,
    ),
});

export const cannotServe = ofSubject<Trial>('cannot-serve', {
  title: 'The STS says that it cannot have what it is told to use',
  failure: 'the STS does not say that it cannot have what it is told to use',
  where: whereOf,
  assess: (trial) =>
    assessed(saysWhyNot(trial.health, trial.named), shownHealth(trial), whyNot(trial)),
});

export const listensWherePublished = ofSubject<Trial>('listens-where-published', {
  title: 'The STS answers where it is published',
  failure: 'the STS does not answer where it is published',
  where: whereOf,
  assess: (trial) => {
    const { status, url } = trial.health;
    return assessed(status !== undefined, shownHealth(trial), `an answer from ${url}`);
  },
});

export const listensElsewhere = ofSubject<Trial>('listens-elsewhere', {
  title: 'The STS runs, and does not answer where it is published',
  failure: 'the STS does not listen where HOST says',
  where: whereOf,
  assess: (trial) => {
    const { hasEnded, health } = trial;
    const isElsewhere = !hasEnded && health.status === undefined;
    return assessed(isElsewhere, shownHealth(trial), `it runs, and no answer from ${health.url}`);
  },
});

// -- what it says on the wire

/** @throws NotObserved where the STS did not accept a stream */
function conversationOf(trial: Trial): StsConversation {
  if (trial.conversation) return trial.conversation;
  throw new NotObserved({
    ...{ what: 'the STS was not seen at work', where: whereOf(trial) },
    seen: `${shownHealth(trial)}; ${trial.problem ?? ''}`,
    expected: 'a stream that it accepts',
  });
}

export const takesAtOnce = criterion<Trial, StsConversation, Count>({
  id: 'takes-at-once',
  title: 'The STS takes that many fragments at once, as it says, or else as it is seen to do',
  failure: 'the STS takes another number of fragments at once, or says so',
  where: whereOf,
  measure: conversationOf,
  assess: (conversation, { count }, trial) => {
    const { maxInflight, sent } = conversation;
    if (maxInflight !== undefined) {
      const expected = `max_inflight ${count} in stream:ready`;
      return assessed(maxInflight === count, String(maxInflight), expected);
    }
    // Spec 016 lets it be left out: 3 then, and what it does with one more than the limit tells.
    const isUsual = count === DEFAULT_MAX_INFLIGHT;
    if (sent <= count && !isUsual) throw limitUntold(trial, sent, count);
    const { isHeldBack, seen } = heldBackIn(conversation, count);
    return assessed(
      sent <= count || isHeldBack,
      `no max_inflight in stream:ready; of ${sent} fragments at once ${seen}`,
      `max_inflight ${count} in stream:ready; or without it ${count} taken at once, and what is more refused or answered with backpressure`,
    );
  },
});

function limitUntold(trial: Trial, sent: number, count: number): CannotBeShown {
  return new CannotBeShown({
    what: 'the STS does not say how many fragments it takes at once',
    where: whereOf(trial),
    seen: `no max_inflight in stream:ready, and only ${sent} sent at once`,
    expected: `max_inflight in stream:ready, or more than ${count} sent at once`,
  });
}

/** What an STS did that was sent more than it takes. */
interface HeldBack {
  isHeldBack: boolean;
  seen: string;
}

/** Whether trying again may help: as it is said, else as the code says; codes of other names do. */
const mayHelpAgain = (code: string, retryable: boolean | null | undefined): boolean =>
  retryable ?? ERROR_CODES[code]?.retryable ?? true;

/** An `error` event, as the client has kept it, that may refuse a fragment. */
function isRefusal(text: string): boolean {
  const { data } = errorEvent.safeParse(jsonOf(text));
  return data !== undefined && mayHelpAgain(data.code, data.retryable);
}

/**
 * Of more fragments than `count`, so many are dubbed; the others are refused with an error after which they may be sent
 * again, or they wait while the STS asks for less.
 */
function heldBackIn(conversation: StsConversation, count: number): HeldBack {
  const { answers, errors, warnings, backpressure, sent } = conversation;
  const dubbed = new Set(answers.filter(isDubbed).map(({ index }) => index)).size;
  const failed = answers.filter(
    (answer) =>
      statusOf(answer) === 'failed' &&
      mayHelpAgain(answer.error?.code ?? '', answer.error?.retryable),
  );
  const refused = failed.length + [...errors, ...warnings].filter(isRefusal).length;
  const isAsked = backpressure.some((action) => ['slow_down', 'pause'].includes(action));
  const codes = answers.flatMap(({ error }) => error?.code ?? []);
  const isRight = dubbed >= Math.max(1, count) && dubbed + refused >= sent;
  return {
    isHeldBack: isRight && (isAsked || dubbed === count),
    seen: [
      `${dubbed} dubbed, ${refused} refused`,
      `errors: ${[...codes, ...errors, ...warnings].join('; ') || 'none'}`,
      `backpressure: ${backpressure.join(', ') || 'none'}`,
    ].join('; '),
  };
}

/** Of a trial that was sent one fragment more than it takes. */
export const oneMoreIsHeldBack = criterion<Trial, StsConversation, null>({
  id: 'one-more-is-held-back',
  title: 'One fragment more than it takes is refused, or the STS asks to wait',
  failure: 'the STS takes more fragments at once than it says, or dubs fewer',
  where: whereOf,
  measure: conversationOf,
  assess: (conversation) => {
    const { sent } = conversation;
    const { isHeldBack, seen } = heldBackIn(conversation, sent - 1);
    return assessed(
      isHeldBack,
      `of ${sent} fragments at once ${seen}`,
      `${sent - 1} dubbed and one refused with a retryable error (QUEUE_FULL …), or backpressure (slow_down, pause)`,
    );
  },
});

const TOO_LARGE = 'FRAGMENT_TOO_LARGE';
/** A timeout may end so much too soon, for two clocks and the way there. */
const EARLY_SHARE = 0.1;

/**
 * What the STS said of fragments that it takes.
 *
 * @throws CannotBeShown where it takes none of that length
 */
function taken(trial: Trial): StsConversation {
  const conversation = conversationOf(trial);
  const { answers, errors } = conversation;
  const isTooLarge =
    answers.some(({ error }) => error?.code === TOO_LARGE) ||
    errors.some((text) => fieldsOf(jsonOf(text))['code'] === TOO_LARGE);
  if (!isTooLarge) return conversation;
  throw new CannotBeShown({
    what: 'the STS takes no fragment that is long enough to need more time',
    where: whereOf(trial),
    ...{ seen: TOO_LARGE, expected: 'a dub, or TIMEOUT when the time is up' },
  });
}

/** In time, or with the error TIMEOUT, when the time is up and not before. */
export const inTimeOrTimeout = criterion<Trial, StsConversation, Within>({
  id: 'in-time-or-timeout',
  title: 'What is not dubbed in time is answered with TIMEOUT, retryable',
  failure: 'a fragment that takes too long is not answered with TIMEOUT',
  where: whereOf,
  measure: taken,
  assess: ({ answers, errors, answeredAfterMs }, { withinMs }): Assessment => {
    const wrong = answers.flatMap((answer, index) => {
      const tookMs = answeredAfterMs[index] ?? NaN;
      const { error } = answer;
      const isTimeout = error?.code === 'TIMEOUT' && error.retryable !== false;
      const isUp = tookMs >= withinMs * (1 - EARLY_SHARE) && tookMs <= withinMs + AT_ONCE_MS;
      const isFine = (tookMs <= withinMs && isDubbed(answer)) || (isUp && isTimeout);
      const shown = `${statusOf(answer)}${error ? ` ${JSON.stringify(error)}` : ''}`;
      return isFine ? [] : [`${shown} after ${tookMs} ms`];
    });
    const missing = answers.length === 0 ? ['no answer'] : [];
    return allRight(
      [...wrong, ...missing, ...errors],
      answeredAfterMs.map((ms) => `${ms} ms`).join(', '),
      `a dub within ${withinMs} ms, or then, not before, status failed, error TIMEOUT, retryable`,
    );
  },
});

/** Trials with different voices. */
export const voicesDiffer = ofSubject<readonly Trial[]>('voices-differ', {
  title: 'No two voices are the same',
  failure: 'the STS speaks with the voice of another provider',
  where: (trials) => trials.map(whereOf).join(', '),
  assess: (trials) => {
    const spoken = trials.flatMap(({ conversation, variables }) => {
      const [answer] = conversation?.answers ?? [];
      const data = answer && dubDataOf(answer);
      return data ? [{ provider: variables['TTS_PROVIDER'] ?? '', data }] : [];
    });
    const same = spoken.flatMap((one, index) =>
      spoken
        .slice(index + 1)
        .filter(({ data }) => data === one.data)
        .map(({ provider }) => `${one.provider} and ${provider}: the same samples`),
    );
    const silent = spoken.length === 0 ? ['none of them has dubbed anything'] : [];
    const seen = `dubs of ${spoken.map(({ provider }) => provider).join(', ')}`;
    return allRight([...same, ...silent], seen, 'different dubs of the same words');
  },
});

// -- what it writes

export const segmentsWritten = ofSubject<Trial, { folder: string }>('segments-written', {
  title: 'Segments are written to the folder that SEGMENT_DIR names',
  failure: 'no segment is in the folder that SEGMENT_DIR names',
  where: whereOf,
  assess: ({ files }, { folder }) => {
    // Video and audio, in files of their own.
    const there = files.filter((file) => file.startsWith(`${folder}/`));
    const seen = files.join(', ') || 'no file of the broadcast';
    return assessed(there.length >= 2, seen, `files with video and audio under ${folder}`);
  },
});

/** A level by its name in a feature. */
export function levelCalled(name: string): Level {
  const level = LEVELS.find((one) => one === name);
  if (level) return level;
  throw new SuiteError({
    ...{ what: 'unknown level', where: 'a feature file', seen: name },
    expected: LEVELS.join(', '),
  });
}

/**
 * The least important lines have that level. Of levels up to INFO there has to be a line; warnings and errors need not
 * happen, so that a log without any begins there, too.
 */
export const logBeginsAt = criterion<Trial, ReadonlyMap<Level, number>, { level: Level }>({
  id: 'log-begins-at',
  title: 'The log begins at the level that LOG_LEVEL names',
  failure: 'the log begins at another level than LOG_LEVEL names',
  where: whereOf,
  measure: (trial) => {
    if (trial.health.status === 200) return countLevels(trial.log);
    throw new NotObserved({
      ...{ what: 'the service was not seen at work', where: whereOf(trial) },
      ...{ seen: shownHealth(trial), expected: 'status 200' },
    });
  },
  assess: (counts, { level }) => {
    const [lowest] = counts.keys();
    const mayBeEmpty = LEVELS.indexOf(level) > LEVELS.indexOf('INFO');
    const isFine = mayBeEmpty
      ? lowest === undefined || LEVELS.indexOf(lowest) >= LEVELS.indexOf(level)
      : lowest === level;
    const seen = [...counts].map(([name, lines]) => `${name}: ${lines} lines`).join(', ');
    return assessed(isFine, seen || 'no line says its level', `${level}, and nothing below`);
  },
});
