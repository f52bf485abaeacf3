import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { cachedOnly, NotMeasured } from '../analyze/cache';
import { CannotBeShown, messageOf } from '../base/errors';
import { isComplete } from '../broadcast/record';
import { isEcho, isUndisturbed } from '../broadcast/request';
import { watchedBroadcast, withBusyMachine } from '../checks/busy-machine';
import { judge } from '../checks/criterion';
import { OUTPUT_CRITERIA } from '../checks/output-criteria';
import { notAskedBecause } from '../checks/output-subject';
import { addVerdict, readVerdicts } from '../checks/verdict-log';

/**
 * Judges broadcasts by the criteria of outputs that no scenario has judged them by, with the default limits: for their
 * pages. Only of broadcasts that are translated and dubbed to their end with nothing going wrong, and only by what was
 * measured for scenarios anyway.
 *
 * @returns what went wrong
 */
export async function judgeUnasked(
  broadcasts: readonly BroadcastFindings[],
  reportsFolder: string,
): Promise<string[]> {
  const judged = new Set(
    readVerdicts(reportsFolder).map(({ stream, verdict }) => `${stream} ${verdict.criterion}`),
  );
  const problems: string[] = [];
  for (const broadcast of broadcasts.filter(isOrdinary)) {
    for (const criterion of OUTPUT_CRITERIA) {
      if (judged.has(`${broadcast.stream} ${criterion.id}`)) continue;
      if (notAskedBecause(criterion.needs, broadcast) !== undefined) continue;
      try {
        const verdict = await cachedOnly(() =>
          judge(criterion, broadcast, criterion.defaultLimit as unknown),
        );
        addVerdict(reportsFolder, {
          stream: broadcast.stream,
          verdict: withBusyMachine(verdict, [watchedBroadcast(broadcast.record)]),
        });
      } catch (error) {
        if (error instanceof NotMeasured || error instanceof CannotBeShown) continue;
        problems.push(`${criterion.title}, ${broadcast.stream}: ${messageOf(error)}`);
      }
    }
  }
  return problems;
}

function isOrdinary({ record, fixture }: BroadcastFindings): boolean {
  const { request } = record;
  const isSpoken = fixture.script.some((line) => line !== '');
  return isSpoken && !isEcho(request) && isUndisturbed(request) && isComplete(record);
}
