/** What a broadcast is called, and everything that was made to go wrong with it on purpose. */
import type { Fault } from './fault';
import { faultText } from './fault-words';
import { type BroadcastRequest, isEcho, requestOf } from './request';

/** Not made to go wrong: by its level a dub is told from the original. */
function isMark({ does }: Fault): boolean {
  return does === 'soften';
}

/** Everything that was made to go wrong, a line each: faults, what the Echo STS was told, the publisher, the media server. */
export function disturbancesOf({
  faults,
  controls,
  cutOffAfterSeconds,
  refusesOutput,
}: BroadcastRequest): string[] {
  return [
    ...faults.map((fault) =>
      isMark(fault)
        ? `${faultText(fault)}: a mark, by which it is told from the original`
        : faultText(fault),
    ),
    ...controls.map(
      ({ event, payload }) => `the Echo STS gets ${event} ${JSON.stringify(payload)}`,
    ),
    ...(cutOffAfterSeconds === null
      ? []
      : [
          `the publisher is killed ${cutOffAfterSeconds} s after the media server has the broadcast`,
        ]),
    ...(refusesOutput ? ['the media server refuses to have the output published'] : []),
  ];
}

/**
 * A name by which a broadcast is told from others of the same clip: which part of it, which STS, and what goes wrong first.
 *
 * @param title of the clip
 */
export function broadcastName(title: string, request: BroadcastRequest): string {
  const faults = request.faults.filter((fault) => !isMark(fault));
  const [first, ...others] = disturbancesOf({ ...request, faults });
  const more = others.length > 0 ? `, and ${others.length} more` : '';
  return withDisturbances(title, request, first === undefined ? [] : [`${first}${more}`]);
}

/** The same, with all that its request says: equal requests have the same one, others have others. */
export function broadcastNameInFull(title: string, request: BroadcastRequest): string {
  const { budgetSeconds, timeScale } = request;
  const usual = requestOf();
  const rest = [
    ...(budgetSeconds === usual.budgetSeconds ? [] : [`given up after ${budgetSeconds} s`]),
    ...(timeScale === usual.timeScale ? [] : [`1 s of it stands for ${timeScale} s`]),
  ];
  return withDisturbances([title, ...rest].join(', '), request, disturbancesOf(request));
}

function withDisturbances(
  title: string,
  request: BroadcastRequest,
  disturbances: readonly string[],
): string {
  const { seconds, composition, publishedBy, use } = request;
  const own =
    composition === 'dual without a tap' ? 'nothing between media-service and the STS' : '';
  const echo = typeof composition === 'object' ? composition : undefined;
  const parts = [
    title,
    seconds === null ? '' : `its first ${seconds} s`,
    ...[
      own,
      echo
        ? `Echo STS in segments of ${echo.echoSegmentSeconds} s`
        : isEcho(request)
          ? 'Echo STS'
          : '',
    ],
    echo?.oneAtATime ? 'one fragment in flight' : '',
    publishedBy === null
      ? ''
      : `published by ${publishedBy === 'encoder' ? 'an encoder' : publishedBy.toUpperCase()}`,
    use === 0 ? '' : `broadcast ${use + 1} of it`,
  ].filter((part) => part !== '');
  return [parts.join(', '), ...(disturbances.length > 0 ? [disturbances.join('; ')] : [])].join(
    ' – ',
  );
}
