/**
 * `npm run confusion -- [EVIDENCE] [--only PATTERN] [--folder FOLDER] [--listen]`: which check tells which damage, and what is
 * called damage that is none. Of a good dub, ffmpeg makes outputs in which nothing is wrong, and damaged ones
 * (tools/confusion/), each judged by its frame strip and by what is seen alone. A line for each goes to standard output, then
 * the table. Exit code 1 when one is judged wrongly, 2 for a usage error.
 *
 * EVIDENCE is the folder of a broadcast; its first 24 s are taken in place of a made movie. PATTERN: only variants whose kind
 * and name (`dubs: a dub is missing`) match this regular expression. FOLDER keeps the movies, so that the commands of what
 * is judged wrongly make it again. Listeners, which tell what an STS does wrong rather than a pipeline, are not asked
 * unless told to.
 */
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { listenBy } from '../support/analyze/listening';
import { OutputFindings } from '../support/analyze/output-findings';
import { cacheAnswers } from '../support/analyze/answer-cache';
import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf } from '../support/base/errors';
import type { Fixture } from '../support/broadcast/fixture';
import { judgeOutput } from '../support/checks/output-criteria';
import { recordingSubject } from '../support/checks/output-subject';
import { readConfig } from '../support/config';
import { BENIGN } from './confusion/benign';
import { DAMAGE } from './confusion/damage';
import { ffmpeg, madeMovie, type Movie, recordedMovie, shown } from './confusion/movie';
import { type Judged, outcomeOf, tableOf } from './confusion/table';
import type { Variant } from './confusion/variant';

const USAGE =
  'usage: npm run confusion -- [EVIDENCE] [--only PATTERN] [--folder FOLDER] [--listen]';
const BENIGN_KIND = 'nothing is wrong';
const CLOCKS = ['with strip', 'without'] as const;

type Tried = Variant & { kind: string; right: readonly string[] };

/** The options of ffmpeg that make it. */
function argsOf(
  { inputs = [] }: Variant,
  { output, fixture }: Movie,
  args: readonly string[],
): string[] {
  return ['-i', output, '-i', fixture.path, ...inputs, ...args];
}

/** Makes the file. */
function made(variant: Variant, movie: Movie, folder: string): string {
  const file = join(folder, variant.then ? 'variant.ts' : (variant.file ?? 'variant.mp4'));
  const parts = [variant.args, variant.then].map((args, i) => {
    if (!args) return undefined;
    const part = variant.then ? join(folder, `part-${i}.ts`) : file;
    ffmpeg(...argsOf(variant, movie, args), part);
    return part;
  });
  if (variant.then) ffmpeg('-i', `concat:${parts.join('|')}`, '-c', 'copy', file);
  if (variant.share !== undefined) {
    truncateSync(file, Math.round(variant.share * statSync(file).size));
  }
  return file;
}

async function judgedBy(
  { right, outputFramesPerSecond }: Tried,
  { fixture, dubs }: Movie,
  given: { file: string; frameStrip: boolean; listens: boolean },
): Promise<Judged> {
  const { frameStrip, file, listens } = given;
  const allowed = outputFramesPerSecond === undefined ? {} : { outputFramesPerSecond };
  const source: Fixture = { ...fixture, video: { ...fixture.video, ...allowed, frameStrip } };
  const subject = recordingSubject(new OutputFindings(file, source, dubs));
  return outcomeOf(await judgeOutput(subject, { listens }), right);
}

/** Whether a variant was judged as it should be. */
function isRight({ kind }: Tried, { outcome }: Judged): boolean {
  return kind === BENIGN_KIND ? outcome === 'green' : outcome === 'right';
}

function print(tried: Tried, movie: Movie, judged: readonly Judged[], seconds: number): void {
  const isFine = judged.every((one) => isRight(tried, one));
  const first = judged.map((one) => one.first || 'green').join(' / ');
  console.log(
    `${isFine ? '✔' : '✘'} ${tried.kind}: ${tried.name}: ${first} (${seconds.toFixed(1)} s)`,
  );
  for (const [i, { first: id, seen, others }] of judged.entries()) {
    if (id === '') continue;
    const more = others.length > 0 ? `; ${others.join(', ')}` : '';
    console.log(`    ${CLOCKS[i]}: ${id}: ${seen.slice(0, 240)}${more}`);
  }
  if (isFine) return;
  const commands = [tried.args, ...(tried.then ? [tried.then] : [])].map((args) =>
    shown(['ffmpeg', '-y', ...argsOf(tried, movie, args), tried.file ?? 'variant.mp4']),
  );
  console.log(`    $ ${commands.join(' ; ')}`);
}

function movieOf(tried: Tried, folder: string, evidence: string | undefined): Movie {
  const { rate } = tried;
  if (rate === undefined && evidence !== undefined) {
    return recordedMovie(join(folder, 'recorded'), resolve(evidence));
  }
  const name = `made-${(rate ?? '30').replace('/', '-')}`;
  return madeMovie(join(folder, name), rate ?? '30');
}

async function tryAll(
  all: readonly Tried[],
  folder: string,
  { evidence, listens }: { evidence: string | undefined; listens: boolean },
): Promise<{ kind: string; judged: Judged[]; isFine: boolean }[]> {
  const rows: { kind: string; judged: Judged[]; isFine: boolean }[] = [];
  for (const tried of all) {
    const since = performance.now();
    // Decoded once, for both clocks.
    const answers = mkdtempSync(join(tmpdir(), 'confusion-'));
    cacheAnswers(answers);
    const judged: Judged[] = [];
    try {
      const movie = movieOf(tried, folder, evidence);
      const file = made(tried, movie, answers);
      for (const frameStrip of [true, false]) {
        judged.push(await judgedBy(tried, movie, { file, frameStrip, listens }));
      }
      print(tried, movie, judged, (performance.now() - since) / 1000);
    } catch (error) {
      // One that cannot be made or judged is judged wrongly, and is no reason to try no other.
      console.log(`✘ ${tried.kind}: ${tried.name}: ${messageOf(error)}`);
    } finally {
      rmSync(answers, { recursive: true, force: true });
    }
    const isFine = judged.length > 0 && judged.every((one) => isRight(tried, one));
    rows.push({ kind: tried.kind, judged, isFine });
  }
  return rows;
}

async function main(): Promise<void> {
  const { values, positionals } = readCommandLine(
    USAGE,
    {
      only: { type: 'string', default: '' },
      folder: { type: 'string' },
      listen: { type: 'boolean', default: false },
    },
    1,
  );
  listenBy(readConfig().listenerModel);
  const benign = BENIGN.map((one) => ({ ...one, kind: BENIGN_KIND, right: [] }));
  const pattern = new RegExp(values.only, 'u');
  const all: Tried[] = [...benign, ...DAMAGE].filter(({ kind, name }) =>
    pattern.test(`${kind}: ${name}`),
  );
  if (all.length === 0) usageError(USAGE, `--only ${values.only}: nothing is named so`);
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'confusion-'));
  const given = { evidence: positionals[0], listens: values.listen };
  const rows = await tryAll(all, resolve(folder), given).finally(() => {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
  });
  console.log(`\n${tableOf(rows, CLOCKS)}`);
  const falseReds = rows.filter(({ kind, isFine }) => kind === BENIGN_KIND && !isFine).length;
  const wrong = rows.filter(({ isFine }) => !isFine).length;
  console.log(
    `\n${falseReds} false reds, ${wrong - falseReds} kinds of damage not told by their own check`,
  );
  if (wrong > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
