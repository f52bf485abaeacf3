/** What the variables of the compositions do (spec 019, environment of the compositions), as seen from outside. */
import { countLevels, type Level, LEVELS } from '../analyze/log-levels';
import { CannotBeShown, NotObserved, SuiteError } from '../base/errors';
import { type FragmentAnswer, statusOf } from '../contract/events';
import type { HttpOutcome } from '../observe/http-outcome';
import type { StsConversation } from '../observe/sts-client';
import { allRight, AT_ONCE_MS, type Count, ofSubject, type Within } from './builders';
import { assessed, type Assessment, criterion } from './criterion';

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

/** Whether a text names one of these values, whatever its case. */
export function namesOneOf(text: string, values: readonly string[]): boolean {
  return values.some((value) => text.toLowerCase().includes(value.toLowerCase()));
}

/** Not healthy, and the answer to the question for its health names a value. */
function saysWhyNot({ health: { status, body }, named }: Trial): boolean {
  return status !== undefined && status >= 500 && namesOneOf(body, named);
}

const isDubbed = (answer: FragmentAnswer): boolean =>
  statusOf(answer) === 'success' && Boolean(answer.dubbed_audio) && Boolean(answer.transcript);

function shownAnswers({ conversation, problem = 'it was not asked' }: Trial): string {
  if (!conversation) return `no stream: ${problem}`;
  const { answers, errors } = conversation;
  const shown = answers.map((answer) => {
    const { error, transcript, dubbed_audio: dub } = answer;
    const code = error ? ` ${error.code}` : '';
    return `${statusOf(answer)}${code}, "${transcript ?? ''}", ${dub ? 'a' : 'no'} dub`;
  });
  return [...shown, ...errors].join('; ') || 'no answer';
}

/** Every fragment that it was sent, of which there has to be one. */
function dubs({ conversation }: Trial): boolean {
  const { answers = [], errors = [] } = conversation ?? {};
  return answers.length > 0 && errors.length === 0 && answers.every(isDubbed);
}

const whyNot = ({ named }: Trial): string =>
  `status 503 at its health address, naming ${named.join(' or ')}`;

export const dubsOrSaysWhyNot = ofSubject<Trial>('dubs-or-says-why-not', {
  title: 'The STS dubs with what it is told to use, or says why it cannot',
  failure: 'the STS neither dubs with what it is told to use nor says why it cannot',
  where: whereOf,
  assess: (trial) => {
    const isHealthy = trial.health.status === 200;
    const seen = isHealthy ? `healthy; ${shownAnswers(trial)}` : shownHealth(trial);
    return assessed(
      isHealthy ? dubs(trial) : saysWhyNot(trial),
      seen,
      `a dub, or ${whyNot(trial)}`,
    );
  },
});

export const dubsHello = ofSubject<Trial>('dubs-hello', {
  title: 'The STS is healthy and dubs',
  failure: 'the STS does not dub with this value',
  where: whereOf,
  assess: (trial) => {
    const isHealthy = trial.health.status === 200;
    const seen = isHealthy ? shownAnswers(trial) : shownHealth(trial);
    return assessed(isHealthy && dubs(trial), seen, 'status 200, and a dub of every fragment');
  },
});

export const cannotServe = ofSubject<Trial>('cannot-serve', {
  title: 'The STS says that it cannot have what it is told to use',
  failure: 'the STS does not say that it cannot have what it is told to use',
  where: whereOf,
  assess: (trial) => assessed(saysWhyNot(trial), shownHealth(trial), whyNot(trial)),
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
    // Spec 016 lets it be left out: then what it does with one more than that tells.
    if (sent <= count) throw limitUntold(trial, sent, count);
    const { isHeldBack, refused, seen } = heldBackIn(conversation);
    return assessed(
      isHeldBack && refused <= sent - count,
      `no max_inflight in stream:ready; of ${sent} fragments at once ${refused} refused; ${seen}`,
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
  /** How many fragments it refused with QUEUE_FULL. */
  refused: number;
  seen: string;
}

function heldBackIn({ answers, errors, backpressure }: StsConversation): HeldBack {
  const codes = answers.map(({ error }) => error?.code ?? '');
  const refused = [...codes, ...errors].filter((text) => text.includes('QUEUE_FULL')).length;
  const isAsked = backpressure.some((action) => ['slow_down', 'pause'].includes(action));
  const seen = [
    `${answers.length} answers`,
    `errors: ${[...codes, ...errors].filter(Boolean).join('; ') || 'none'}`,
    `backpressure: ${backpressure.join(', ') || 'none'}`,
  ];
  return { isHeldBack: refused > 0 || isAsked, refused, seen: seen.join('; ') };
}

export const oneMoreIsHeldBack = criterion<Trial, StsConversation, null>({
  id: 'one-more-is-held-back',
  title: 'One fragment more than it takes is refused, or the STS asks to wait',
  failure: 'the STS takes more fragments at once than it says',
  where: whereOf,
  measure: conversationOf,
  assess: (conversation) => {
    const { isHeldBack, seen } = heldBackIn(conversation);
    return assessed(
      isHeldBack,
      seen,
      'the error QUEUE_FULL for one of them, or backpressure (slow_down, pause)',
    );
  },
});

/** In time, or with the error TIMEOUT, when the time is up. */
export const inTimeOrTimeout = criterion<Trial, StsConversation, Within>({
  id: 'in-time-or-timeout',
  title: 'What is not dubbed in time is answered with TIMEOUT, retryable',
  failure: 'a fragment that takes too long is not answered with TIMEOUT',
  where: whereOf,
  measure: conversationOf,
  assess: ({ answers, errors, answeredAfterMs }, { withinMs }): Assessment => {
    const wrong = answers.flatMap((answer, index) => {
      const tookMs = answeredAfterMs[index] ?? NaN;
      const { error } = answer;
      const isTimeout = error?.code === 'TIMEOUT' && error.retryable !== false;
      const isFine =
        tookMs <= withinMs + AT_ONCE_MS &&
        (tookMs <= withinMs ? isDubbed(answer) || isTimeout : isTimeout);
      const shown = `${statusOf(answer)}${error ? ` ${JSON.stringify(error)}` : ''}`;
      return isFine ? [] : [`${shown} after ${tookMs} ms`];
    });
    const missing = answers.length === 0 ? ['no answer'] : [];
    return allRight(
      [...wrong, ...missing, ...errors],
      answeredAfterMs.map((ms) => `${ms} ms`).join(', '),
      `a dub within ${withinMs} ms, or then status failed, error TIMEOUT, retryable`,
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
      const dub = conversation?.answers[0]?.dubbed_audio;
      const data = typeof dub === 'string' ? dub : dub?.data_base64;
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
