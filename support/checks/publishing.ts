/** Broadcasts that cannot be published or read, and outputs that must not be there. */
import type { EndedWorker } from '../analyze/service-log';
import { outcomeText } from '../broadcast/record';
import type { PublisherResult } from '../observe/publication';
import { inputOf, ofBroadcast, ofSubject, outputOf, type Within } from './builders';
import { assessed } from './criterion';
import { assessExit } from './reconnection';

/** An attempt to publish a broadcast. */
export interface Publishing extends PublisherResult {
  url: string;
  seconds: number;
}

export const publishingFails = ofSubject<Publishing, Within>('publishing-fails', {
  title: 'Publishing fails in time',
  failure: 'publishing did not fail at once',
  where: ({ url }) => url,
  assess: ({ exitCode, seconds, stderr }, { withinMs }) =>
    assessed(
      exitCode !== 0 && seconds * 1000 <= withinMs,
      `exit code ${exitCode} after ${seconds.toFixed(1)} s: ${stderr}`,
      `another exit code than 0 within ${withinMs / 1000} s`,
    ),
});

export const publishingNamesServer = ofSubject<Publishing>('publishing-names-server', {
  title: 'The message names the host and the port of the media server',
  failure: 'the message does not name where publishing failed',
  where: ({ url }) => url,
  assess: ({ stderr, url }) => {
    const { hostname, port } = new URL(url);
    const isNamed = stderr.includes(hostname) && stderr.includes(port);
    return assessed(isNamed, stderr, `${hostname} and ${port}`);
  },
});

/**
 * By the polls in which the media server lists the broadcast. A path that the suite has configured is listed whether it is
 * published or not; where it may configure none, only what is published is.
 */
export const noOutput = ofBroadcast('no-output', {
  title: 'No output is published',
  failure: 'something was published, or the media server was not polled',
  where: outputOf,
  assess: (broadcast) => {
    const { evidence, record } = broadcast;
    const [input, output] = [inputOf(broadcast), outputOf(broadcast)];
    const polls = evidence.mediamtx.filter(({ paths }) =>
      paths.some(({ name }) => name === input || name === output),
    );
    const published = polls.filter(({ paths }) =>
      paths.some(
        ({ name, ready, bytesReceived }) => name === output && (ready || bytesReceived > 0),
      ),
    );
    return assessed(
      polls.length > 0 && published.length === 0,
      `${polls.length} polls, published in ${published.length}: ${outcomeText(record.outcome)}`,
      'polls in none of which anything was published',
    );
  },
});

/** A client may open more than one connection for one attempt: those closer together are one. */
const ONE_ATTEMPT_MS = 500;

/** What an attempt takes until it has failed. */
const READ_TOLERANCE_SECONDS = 0.5;

/** From each attempt to the next. */
interface Waits {
  seconds: readonly number[];
}

/** `at`: when something connected to the source, in ms since the epoch. */
export const readsAgain = ofSubject<{ at: readonly number[] }, Waits>('reads-again', {
  title: 'media-service attempts to read the source again with that backoff, and no more often',
  failure: 'it attempted to read the source at other times',
  where: () => 'connections to the address of the source',
  assess: ({ at }, { seconds }) => {
    const begins = at.filter((one, i) => i === 0 || one - (at[i - 1] ?? 0) > ONE_ATTEMPT_MS);
    const gaps = begins.slice(1).map((one, i) => (one - (begins[i] ?? NaN)) / 1000);
    const isFine = gaps.every(
      (gap, i) => Math.abs(gap - (seconds[i] ?? NaN)) <= READ_TOLERANCE_SECONDS,
    );
    return assessed(
      gaps.length === seconds.length && isFine,
      `${gaps.map((gap) => gap.toFixed(2)).join(', ') || 'no second attempt'} s`,
      `${seconds.join(', ')} s ± ${READ_TOLERANCE_SECONDS} s, and no further attempt`,
    );
  },
});

/** As media-service logs it about a stream whose source was not readable, or by its own end. */
export const readingWorkerFails = ofSubject<EndedWorker>('reading-worker-fails', {
  title: 'The worker that cannot read its source exits with a code other than 0',
  failure: 'the worker ended as if all was well',
  where: () => 'log, and process or container, of media-service',
  assess: ({ exitCode }) => assessExit(exitCode),
});
