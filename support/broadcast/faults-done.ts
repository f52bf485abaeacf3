/** Whether what a scenario wanted to go wrong did: without that, nothing of what was seen can be judged. */
import { isDeepStrictEqual } from 'node:util';

import { CouldNotBeDone } from '../base/errors';
import { type FaultDone, faultDoneAt, refusalText, type TapEvent } from './events';
import type { Evidence } from './evidence';
import {
  type AnswerFault,
  concerns,
  type ConnectionFault,
  type Fault,
  isAnswerFault,
} from './fault';
import { faultText } from './fault-words';
import type { Fragment } from './fragment';

/**
 * Every planned fault has to be recorded as done once its moment has come, or has been passed: a later fragment was sent or
 * answered. A stream that has never got so far is the services' doing, and is judged.
 *
 * @throws CouldNotBeDone naming the faults, and what the tap saw instead
 */
export function requireFaultsDone(evidence: Evidence): void {
  const { record, folder } = evidence;
  if (record.request.faults.length === 0) return;
  const missed = faultsNotDone(evidence);
  if (missed.length === 0) return;
  throw new CouldNotBeDone({
    what: `the scenario could not be done: ${missed.join('; ')}`,
    where: `stream ${record.stream}`,
    seen: whatTheTapSaw(evidence),
    expected: 'each planned fault recorded as done once its moment has come',
    next: `read tap.ndjson in ${folder}; docs/troubleshooting.md, The scenario could not be done`,
  });
}

/** The planned faults that were not done although their moment had come, each with the reason. */
function faultsNotDone(evidence: Evidence): string[] {
  const { tap, unmatched, record } = evidence;
  const done = tap.flatMap((event) => faultDoneAt(event) ?? []);
  return record.request.faults.flatMap((fault) => {
    const own = done.filter((one) => isDeepStrictEqual(one.fault, fault));
    const failed = own.find(({ notDone }) => notDone !== undefined)?.notDone;
    if (failed !== undefined) return [`${faultText(fault)} (not done: ${failed})`];
    // It may have been its connection.
    const isUnknown = tap.length === 0 && unmatched.length > 0;
    const why = isUnknown
      ? 'no connection is known to be of this stream'
      : missedBy(evidence, fault, own);
    return why === undefined ? [] : [`${faultText(fault)} (${why})`];
  });
}

function missedBy(
  evidence: Evidence,
  fault: Fault,
  done: readonly FaultDone[],
): string | undefined {
  return isAnswerFault(fault)
    ? missedAnswer(evidence, fault, done)
    : missedMoment(evidence, fault, done);
}

function missedAnswer(
  { fragments: { fragments, answers } }: Evidence,
  fault: AnswerFault,
  done: readonly FaultDone[],
): string | undefined {
  const passed = fragments.find(
    ({ index, fragmentId }) =>
      concerns(fault, index) &&
      answers.some((one) => one.fragmentId === fragmentId) &&
      !done.some(({ fragment }) => fragment === fragmentId),
  );
  return passed && `fragment ${passed.index} was answered without it`;
}

function missedMoment(
  { tap, fragments: { fragments }, record }: Evidence,
  { at }: ConnectionFault,
  done: readonly FaultDone[],
): string | undefined {
  if (done.length > 0) return undefined;
  const came = momentOf(at.when, at.fragment ?? 0, tap, fragments);
  const end = record.times.outputEnded ?? record.finishedAt;
  return came && came.at + 1000 * at.afterSeconds <= end ? came.passed : undefined;
}

/** When that moment has come, or has been passed; undefined where it never came. */
function momentOf(
  when: ConnectionFault['at']['when'],
  number: number,
  tap: readonly TapEvent[],
  fragments: readonly Fragment[],
): { at: number; passed: string } | undefined {
  if (when === 'start' || when === 'ready') {
    const isStart = when === 'start';
    const first = tap.find(({ kind, event }) =>
      isStart
        ? kind === 'open' || kind === 'refused'
        : event === 'stream:ready' || event === 'fragment:data',
    );
    return first && { at: first.at, passed: isStart ? 'a connection came' : 'the stream went on' };
  }
  const reached = fragments.find((one) => one.index >= number && (when === 'sent' || one.answer));
  const at = when === 'sent' ? reached?.sentAt : reached?.answer?.at;
  return reached && at !== undefined
    ? { at, passed: `fragment ${reached.index} was ${when}` }
    : undefined;
}

/** Connections, and how far they have got. */
function whatTheTapSaw({ tap, unmatched, fragments: { fragments, answers } }: Evidence): string {
  const opened = tap.filter(({ kind }) => kind === 'open').length;
  const unknown = unmatched.filter(({ kind }) => kind === 'open').length;
  const refusals = refusalText([...tap, ...unmatched]);
  return [
    `${opened} connections of this stream, ${unknown} of an unknown one`,
    `${fragments.length} fragments sent, ${answers.length} answers`,
    ...(refusals ? [refusals] : []),
  ].join('; ');
}
