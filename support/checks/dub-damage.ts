/** In what condition a dub is heard: whether anything is missing of it, distorted, or heard beside it. */
import type { DubCondition, DubConditionAt } from '../analyze/dub-damage';
import type { FragmentPlacement } from '../analyze/dub-placement';
import { type LevelChange, levelChanges } from '../analyze/level-change';
import { CannotBeShown } from '../base/errors';
import { type Assessment, type Deviation, deviationAt } from './criterion';
import { dubs } from './dub';
import { audio } from './output-audio';
import { channels, isChannelLate } from './output-channels';
import { timestamps } from './output-file';
import { frames } from './output-frames';
import { original, placementsOf } from './output-original';
import { outputCriterion, type OutputSubject, recordingOf } from './output-subject';

/** All of them exclusive. Levels are against the speech of the dub, as it is heard. */
export interface DubDamageLimit {
  /** A click. */
  clickDb: number;
  /** What is heard while the dub is silent: its median, and its loudest tenth. */
  pausesDb: number;
  loudestPausesDb: number;
  /** How much louder it is than the dub above 4 kHz. */
  hissDb: number;
  /** The same two of what 32 and 48 kb/s leave (-9 to -14 dB; 64 kb/s: -19 and less): where more than `coarseDb` is not the dub's. */
  coarseDb: number;
  coarseClickDb: number;
  coarseHissDb: number;
  /** What is lost of a band of its speech, against the band of which most is left. */
  lostDb: number;
  /** How much the level goes up and down, and how much of all its changes that is, 0 to 1. */
  swayDb: number;
  swayShare: number;
  /** A change of the level that lasts. */
  stepDb: number;
  /** How much of what the dub does not explain its clipped peaks do, 0 to 1. */
  clippedShare: number;
  /** What is heard while it speaks and is not the dub: with other damage, and where hardly anything is the dub. */
  unexplainedDb: number;
  otherDb: number;
}

interface Measured {
  conditions: readonly DubConditionAt[];
  placements: readonly FragmentPlacement[];
}

export const dubDamage = outputCriterion('dub-damage', {
  title: 'Every dub is heard as the STS returned it',
  failure: 'dubs are heard with dropouts, clicks, clipping, noise or other damage',
  needs: 'dubs',
  /*
   * This suite's own, as the specs are silent: between what was measured of 25 benign and 25 damaging changes to six dubs of a
   * recorded broadcast and to four of espeak-ng (AAC of 32 to 192 kb/s, MP3, Opus, loudnorm, dynaudnorm, compressors, limiters,
   * filters, 44.1 kHz). Below the limits stay: noise at -38 dB, 6 and 8 bits a sample, most of +6 dB of clipping, a flanger, a phaser,
   * and a click under a loud consonant. Benign, then damaged:
   * - dropouts: none; 9 to 13 a dub of 23 ms every 250 ms, 170 to 290 ms of 300 ms of silence
   * - clicks: 7 dB and less, at 32 kb/s up to 14, 15 at 16 kb/s a channel, and 17 at 48 kb/s in mono; crackle 14 to 17, single clicks 8 to 27
   * - pauses: -46 dB and less; 50 Hz hum -9 to -26, noise -18 to -27; the loudest tenth -45, an echo -11 to -22
   * - hiss: 0 to 2.9 dB, at 32 kb/s up to 6.1; 4 bits a sample 5.9 to 9.6, noise 7 to 17, every sixth sample only 30
   * - bands: 5 dB and less, a soft telephone band 8, hard compressors 11; a steep telephone band 17 and more at either end; a low-pass filter at 700 Hz 34 to 36, at 400 Hz 41 and 42
   * - sways: 5 dB and less, and of more than 4 dB at most 0.71 of the changes; a tremolo of 60 % 7.3 dB and 0.93, a sway in 3 s 11 dB
   * - steps: at most 4.1 (a fast dynaudnorm, speechnorm), compressors and loudnorm 1.8; half the level 4.1 to 5.9
   * - clipping: 0.03 and less; by +12 and +24 dB 0.51 to 0.67
   * - changes of the level from some dub on: 0.4; by 10 dB 9.7 and more, behind a compressor 6
   * - unexplained: -8 dB and less; audio of another place in the dub -3 to -6; clipping by +24 dB -7, by +60 dB (a square wave) -3.1,
   *   noise as loud as the dub -2.8, the dub played backwards -0.7
   */
  defaultLimit: {
    ...{ clickDb: 12, pausesDb: -35, loudestPausesDb: -25, hissDb: 5 },
    ...{ coarseDb: -17, coarseClickDb: 18, coarseHissDb: 10 },
    ...{ lostDb: 15, swayDb: 6, swayShare: 0.75 },
    ...{ stepDb: 4.5, clippedShare: 0.2, unexplainedDb: -5, otherDb: -1.5 },
  },
  measure: async (subject): Promise<Measured> => {
    const placements = await placementsOf(subject);
    return { placements, conditions: await subject.output.dubConditions() };
  },
  assess: (measured, limit: DubDamageLimit, subject): Assessment => {
    const damaged = damagedIn(measured, limit);
    const compared = measured.conditions.filter(({ condition }) => condition.observed).length;
    const unlike = damaged.length > 0 ? [] : notCompared(measured);
    if (damaged.length + unlike.length === 0) demandTempo(measured.placements, subject);
    return {
      deviations: [...damaged, ...unlike],
      seen: `${compared} dubs compared`,
      expected: 'no dropout, click, clipping, noise, lost band, or change of the level',
    };
  },
  explainedBy: [
    { criterion: timestamps, fits: (measured, limit) => isAll(measured, limit, ['dropout']) },
    { criterion: audio, fits: isUnheard },
    {
      // Where one of two channels falls silent, their mean is softer from there on; where one is late, it is an echo.
      criterion: channels,
      fits: async (measured, limit, subject) =>
        isAll(measured, limit, ['level']) || (await isChannelLate(subject)),
    },
    { criterion: original, fits: (measured, limit) => isAll(measured, limit, BESIDE) },
    { criterion: frames, fits: isUnheard },
    { criterion: dubs, fits: isOfCutDubs },
  ],
});

/** A change of the level that is so near to a dropout is the dropout's. */
const NEAR_DROPOUT_SECONDS = 0.3;
/** The level is told in each window of 10 ms of speech: in a longer pause, nobody hears when it changes. */
const TOLD_SECONDS = 0.1;

type Kind =
  | 'dropout'
  | 'clipping'
  | 'click'
  | 'noise'
  | 'hiss'
  | 'level'
  | 'band'
  | 'sway'
  | 'displaced'
  | 'other';
/** What other audio beside a dub looks like. */
const BESIDE: readonly Kind[] = ['noise', 'hiss', 'other'];

function damagedIn({ conditions }: Measured, limit: DubDamageLimit): Deviation[] {
  return damageIn(conditions, limit).flatMap(({ sequence, damage }) => {
    const texts = damage.map(({ text }) => text);
    return texts.length > 0 ? [deviationAt(sequence, texts.join(', '))] : [];
  });
}

/** The damage of each dub. A change of the level that lasts is told once, where it is heard first. */
function damageIn(
  conditions: readonly DubConditionAt[],
  limit: DubDamageLimit,
): { sequence: number; damage: Damage[] }[] {
  const changes = levelChanges(conditions, limit.stepDb);
  return conditions.map(({ sequence, condition }) => {
    const own = condition.observed ? damageOf(condition, limit) : [];
    const lasting = changes.filter((change) => change.sequence === sequence);
    const rest = lasting.length > 0 ? own.filter(({ kind }) => kind !== 'level') : own;
    return { sequence, damage: [...rest, ...lasting.map(levelChange)] };
  });
}

function levelChange({ untilSeconds, fromSeconds, db: level }: LevelChange): Damage {
  const when =
    fromSeconds - untilSeconds < TOLD_SECONDS
      ? `from ${at(fromSeconds)} on`
      : `from the pause between ${at(untilSeconds)} and ${at(fromSeconds)} on`;
  return { kind: 'level', text: `${when} ${louder(level)}` };
}

function louder(level: number): string {
  return `${level < 0 ? 'softer' : 'louder'} by ${Math.abs(level).toFixed(0)} dB`;
}

function notCompared({ placements, conditions }: Measured): Deviation[] {
  return placements.flatMap(({ sequence, avOffset }) => {
    const own = conditions.find((one) => one.sequence === sequence)?.condition;
    if (own?.observed || hasOtherTempo(avOffset)) return [];
    return [deviationAt(sequence, own?.reason ?? 'not heard at its video')];
  });
}

function hasOtherTempo(avOffset: FragmentPlacement['avOffset']): boolean {
  return avOffset.observed && avOffset.hasOtherTempo === true;
}

/** @throws CannotBeShown where a dub is heard faster or slower at the same pitch */
function demandTempo(placements: readonly FragmentPlacement[], subject: OutputSubject): void {
  const other = placements.filter(({ avOffset }) => hasOtherTempo(avOffset));
  if (other.length === 0) return;
  throw new CannotBeShown({
    ...{ what: 'dubs of another tempo cannot be compared', where: recordingOf(subject) },
    seen: `heard faster or slower at the same pitch: fragments ${other.map(({ sequence }) => sequence).join(', ')}`,
    expected: 'dubs at the tempo at which the STS returned them',
  });
}

/** Whether there is no damage but that of dubs that are not heard. */
function isUnheard(measured: Measured, limit: DubDamageLimit): boolean {
  return damagedIn(measured, limit).length === 0;
}

/** Whether there is no damage but that of dubs of which a part is not heard at all. */
function isOfCutDubs(measured: Measured, limit: DubDamageLimit): boolean {
  const { heardShare: least } = dubs.defaultLimit;
  return damagedIn(measured, limit).every(({ fragment }) => {
    const occurrences = measured.placements.find((one) => one.sequence === fragment)?.occurrences;
    return (
      occurrences?.observed === true &&
      occurrences.occurrences.some(({ heardShare }) => heardShare < least)
    );
  });
}

function isAll({ conditions }: Measured, limit: DubDamageLimit, kinds: readonly Kind[]): boolean {
  return damageIn(conditions, limit).every(({ damage }) =>
    damage.every(({ kind }) => kinds.includes(kind)),
  );
}

type Damage = { kind: Kind; text: string };

function damageOf(condition: DubCondition, limit: DubDamageLimit): Damage[] {
  const { displaced, unexplainedDb } = condition;
  if (unexplainedDb > limit.otherDb) {
    return [{ kind: 'other', text: `what is heard is not the dub (${db(unexplainedDb)})` }];
  }
  // Where another part of the dub is heard, or nothing, that is not distorted as well.
  const placed =
    displaced.length > 0
      ? displacedIn(condition)
      : [...foreignIn(condition), ...dropoutsIn(condition)];
  const clipped = clippingIn(condition, limit);
  if (clipped.length > 0) return [...clipped, ...placed];
  const lost = lostIn(condition, limit);
  // What is left of a dub without a band of its own is softer: beside it, any noise is louder.
  const hiss = noiseIn(condition, limit).filter(({ kind }) => kind === 'hiss');
  if (lost.length > 0) return [...lost, ...placed, ...hiss];
  const step = stepIn(condition, limit);
  const sway = step.length > 0 ? [] : swayIn(condition, limit);
  // Where the level goes up and down, the lows are no dropouts, nor the highs clicks.
  if (sway.length > 0) return [...sway, ...noiseIn(condition, limit)];
  const all = [...placed, ...noiseIn(condition, limit), ...step, ...clicksIn(condition, limit)];
  if (all.length > 0 || unexplainedDb <= limit.unexplainedDb) return all;
  return [{ kind: 'other', text: `what is heard is something else by ${db(unexplainedDb)}` }];
}

function foreignIn({ foreign }: DubCondition): Damage[] {
  const [first] = foreign;
  if (!first) return [];
  const total = foreign.reduce((sum, { seconds }) => sum + seconds, 0);
  const text = `from ${at(first.fromSeconds)} on something else is heard, ${ms(total)} in all`;
  return [{ kind: 'other', text }];
}

function dropoutsIn({ dropouts: all, foreign }: DubCondition): Damage[] {
  // Where something else is heard, it has pauses of its own.
  const dropouts = all.filter(({ fromSeconds: from, seconds }) =>
    foreign.every(
      (one) => one.fromSeconds >= from + seconds || one.fromSeconds + one.seconds <= from,
    ),
  );
  const [first] = dropouts;
  if (!first) return [];
  const total = dropouts.reduce((sum, { seconds }) => sum + seconds, 0);
  const text =
    dropouts.length === 1
      ? `${ms(total)} of it are missing at ${at(first.fromSeconds)}`
      : `${dropouts.length} dropouts, ${ms(total)} in all, the first at ${at(first.fromSeconds)} (${ms(first.seconds)})`;
  return [{ kind: 'dropout', text }];
}

function clippingIn(
  { clippedShare, unexplainedDb }: DubCondition,
  limit: DubDamageLimit,
): Damage[] {
  if (clippedShare <= limit.clippedShare) return [];
  return [
    { kind: 'clipping', text: `clipped: its peaks are cut off (distortion ${db(unexplainedDb)})` },
  ];
}

function clicksIn({ clicks, unexplainedDb }: DubCondition, limit: DubDamageLimit): Damage[] {
  const above = unexplainedDb > limit.coarseDb ? limit.coarseClickDb : limit.clickDb;
  const loud = clicks.filter((click) => click.db > above);
  const [first] = loud;
  if (!first) return [];
  const loudest = Math.max(...loud.map((click) => click.db));
  const text =
    loud.length === 1
      ? `a click at ${at(first.atSeconds)} (${loudest.toFixed(0)} dB)`
      : `${loud.length} clicks (up to ${loudest.toFixed(0)} dB), the first at ${at(first.atSeconds)}`;
  return [{ kind: 'click', text }];
}

function noiseIn({ pauses, hissDb, unexplainedDb }: DubCondition, limit: DubDamageLimit): Damage[] {
  const above = unexplainedDb > limit.coarseDb ? limit.coarseHissDb : limit.hissDb;
  const hiss: Damage[] =
    hissDb > above
      ? [
          {
            kind: 'hiss',
            text: `hiss or distortion, ${hissDb.toFixed(0)} dB above the dub from 4 kHz on`,
          },
        ]
      : [];
  if (!pauses.observed) return hiss;
  const { db: level, loudestDb, toneHz } = pauses;
  if (level > limit.pausesDb) {
    const what = toneHz === undefined ? 'noise' : `a tone of ${toneHz.toFixed(0)} Hz`;
    return [{ kind: 'noise', text: `${what} under it, ${db(level)}` }];
  }
  if (loudestDb <= limit.loudestPausesDb) return hiss;
  return [{ kind: 'noise', text: `other audio where it is silent, ${db(loudestDb)}` }, ...hiss];
}

function lostIn({ lost }: DubCondition, { lostDb }: DubDamageLimit): Damage[] {
  if (!lost || lost.db >= -lostDb) return [];
  const { fromHz, toHz } = lost;
  const text = `only a part of its band is heard: ${fromHz} to ${toHz} Hz are ${db(lost.db)}`;
  return [{ kind: 'band', text }];
}

function swayIn({ sway }: DubCondition, { swayDb, swayShare }: DubDamageLimit): Damage[] {
  if (!sway || sway.db <= swayDb || sway.share <= swayShare) return [];
  const often =
    sway.hz < 1
      ? `about every ${(1 / sway.hz).toFixed(0)} s`
      : `${sway.hz.toFixed(1)} times a second`;
  return [
    { kind: 'sway', text: `its level goes up and down by ${sway.db.toFixed(0)} dB, ${often}` },
  ];
}

function stepIn({ step, dropouts }: DubCondition, limit: DubDamageLimit): Damage[] {
  if (!step || step.steadyDb <= limit.stepDb) return [];
  const isDropout = dropouts.some(
    ({ fromSeconds, seconds }) =>
      step.atSeconds > fromSeconds - NEAR_DROPOUT_SECONDS &&
      step.atSeconds < fromSeconds + seconds + NEAR_DROPOUT_SECONDS,
  );
  if (isDropout) return [];
  return [{ kind: 'level', text: `from ${at(step.atSeconds)} on ${louder(step.db)}` }];
}

function displacedIn({ displaced }: DubCondition): Damage[] {
  const [first] = displaced;
  if (!first) return [];
  const { fromSeconds, byMs } = first;
  const total = displaced.reduce((sum, { seconds }) => sum + seconds, 0);
  const what =
    byMs < 0 ? `what was ${ms(-byMs / 1000)} before` : `what comes ${ms(byMs / 1000)} later`;
  return [
    {
      kind: 'displaced',
      text: `from ${at(fromSeconds)} on ${what} is heard instead, ${ms(total)} in all`,
    },
  ];
}

function at(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}

function ms(seconds: number): string {
  return `${(1000 * seconds).toFixed(0)} ms`;
}

function db(level: number): string {
  return `${level.toFixed(0)} dB`;
}
