/** How loud the dubs are: a viewer turns the volume for neither of the two languages. */
import type { DubLoudness } from '../analyze/dub-loudness';
import { levelChanges } from '../analyze/level-change';
import { type Assessment, deviationAt } from './criterion';
import { NO_DUB_IS_HEARD, noDubIsHeardBy } from './dub';
import { dubDamage } from './dub-damage';
import { placementsOf } from './output-original';
import { outputCriterion } from './output-subject';

/** Exclusive, both ways. */
export interface DubLoudnessLimit {
  withinDb: number;
}

export const dubLoudness = outputCriterion('dub-loudness', {
  title: 'Every dub is about as loud as the original was',
  failure: 'dubs are louder or softer than the original was',
  needs: 'dubs',
  /*
   * This suite's own, as the specs are silent: 10 dB are heard as twice as loud, or half (10 phon double the sones: ISO 532-1). 15 dubs of two
   * recorded broadcasts, by a neural voice, were -5.6 to +0.7 dB.
   */
  defaultLimit: { withinDb: 10 },
  measure: async (subject): Promise<readonly DubLoudness[]> => {
    await placementsOf(subject);
    return subject.output.dubLoudness();
  },
  assess: (levels, { withinDb }: DubLoudnessLimit): Assessment => {
    const differences = differencesOf(levels);
    const wrong = differences.filter(({ db }) => Math.abs(db) > withinDb);
    const all = differences.map(({ db }) => db);
    const seen = `${inDb(Math.min(...all))} to ${inDb(Math.max(...all))} against the original`;
    return {
      deviations:
        levels.length === 0
          ? [NO_DUB_IS_HEARD]
          : wrong.map(({ sequence, db }) =>
              deviationAt(sequence, `${inDb(db)} against the original`),
            ),
      ...{ seen, expected: `within ${withinDb} dB` },
    };
  },
  explainedBy: [
    ...noDubIsHeardBy((levels: readonly DubLoudness[]) => levels.length === 0),
    {
      // All louder or softer from some moment on: as loud as before, or from the start as loud as then, they are right.
      criterion: dubDamage,
      fits: async (levels, { withinDb }, subject) => {
        const { stepDb } = dubDamage.defaultLimit;
        const changes = levelChanges(await subject.output.dubConditions(), stepDb);
        const isRight = (change: (sequence: number) => number): boolean =>
          differencesOf(levels).every(
            ({ sequence, db }) => Math.abs(db + change(sequence)) <= withinDb,
          );
        return changes.some(
          ({ sequence: first, db }) =>
            isRight((sequence) => (sequence < first ? db : 0)) ||
            isRight((sequence) => (sequence < first ? 0 : -db)),
        );
      },
    },
  ],
});

/** How much louder each dub is than the original, in dB. */
function differencesOf(levels: readonly DubLoudness[]): { sequence: number; db: number }[] {
  return levels.map(({ sequence, dubDbfs, originalDbfs }) => ({
    sequence,
    db: dubDbfs - originalDbfs,
  }));
}

function inDb(level: number): string {
  return `${level < 0 ? '-' : '+'}${Math.abs(level).toFixed(1)} dB`;
}
