import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { OutputFindings } from '../../support/analyze/output-findings';
import { cacheAnswers } from '../../support/analyze/answer-cache';
import { wordErrorRate } from '../../support/analyze/transcript';
import { type JudgedText, matchTranslation } from '../../support/analyze/translation';
import { NotObserved } from '../../support/base/errors';
import { judge } from '../../support/checks/criterion';
import {
  judgeOutput,
  OUTPUT_CRITERIA,
  type OutputVerdict,
} from '../../support/checks/output-criteria';
import { duration } from '../../support/checks/output-length';
import { type OutputSubject, recordingSubject } from '../../support/checks/output-subject';
import { dubbedMovie, type DubbedMovie, FAULTS, faulty } from '../analyze/dubbed-movie';
import { tempFolder } from '../analyze/make-media';

const folder = tempFolder();
// The good movie is analyzed once, not for each fault.
cacheAnswers(join(folder, 'answers'));

const judged = (movie: DubbedMovie, file = movie.output): Promise<OutputVerdict[]> =>
  judgeOutput(recordingSubject(new OutputFindings(file, movie.fixture, movie.dubs)));
const inState = (verdicts: OutputVerdict[], ...states: OutputVerdict['state'][]): string[] =>
  verdicts.filter(({ state }) => states.includes(state)).map(({ criterion }) => criterion);
const told = (verdicts: OutputVerdict[]): string =>
  verdicts.map(({ criterion, state, seen }) => `${criterion}: ${state}, ${seen}`).join('\n');
const TEXTS = ['transcripts', 'translations'];
const SPOKEN = ['dub-spoken', 'spoken'];

describe('judgeOutput', () => {
  let movie: DubbedMovie;
  before(() => {
    movie = dubbedMovie(join(folder, 'good'));
  });

  it('has each criterion once, with what explains it before it', () => {
    const ids = OUTPUT_CRITERIA.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, explainedBy = [] } of OUTPUT_CRITERIA) {
      const causes = explainedBy.map(({ criterion }) => criterion.id);
      causes.forEach((cause) => expect(ids.indexOf(cause), cause).to.be.lessThan(ids.indexOf(id)));
    }
  });

  it('finds nothing wrong with a good output', async () => {
    const verdicts = await judged(movie);
    const wrong = inState(verdicts, 'failed', 'not shown', 'follows');
    expect(wrong, told(verdicts)).to.deep.equal([]);
    expect(inState(verdicts, 'not asked')).to.deep.equal([...TEXTS, ...SPOKEN]);
    expect(verdicts.map(({ criterion }) => criterion)).to.deep.equal(
      OUTPUT_CRITERIA.map(({ id }) => id),
    );
  });

  for (const [what, { fault, check }] of Object.entries(FAULTS)) {
    it(`${what}: only ${check} fails`, async () => {
      const verdicts = await judged(movie, faulty(movie, fault, join(folder, 'faulty.mp4')));
      expect(inState(verdicts, 'failed', 'not shown'), told(verdicts)).to.deep.equal([check]);
    });
  }

  it('an English dub: only the language of the dubs fails', async () => {
    const verdicts = await judged(dubbedMovie(join(folder, 'english'), 'en'));
    expect(inState(verdicts, 'failed', 'not shown'), told(verdicts)).to.deep.equal([
      'dub-language',
    ]);
    expect(inState(verdicts, 'follows')).to.deep.equal(['language', 'original-understood']);
  });

  it('asks for no dub where nobody speaks in the source', async () => {
    const silent = { ...movie.fixture, script: ['', '', '', ''] };
    const file = faulty(movie, FAULTS['the output is silent']?.fault ?? [], join(folder, 's.mp4'));
    const output = new OutputFindings(file, silent, movie.dubs);
    const verdicts = await judgeOutput(recordingSubject(output, []));
    expect(inState(verdicts, 'failed', 'not shown'), told(verdicts)).to.deep.equal([]);
    expect(inState(verdicts, 'not asked')).to.deep.equal([
      ...[
        'audio',
        'channels',
        'original',
        'dubs',
        'dub-damage',
        'dub-loudness',
        'av-drift',
        'dub-speed',
        'av-offset',
        'fingerprint',
      ],
      ...['dub-language', 'language', 'original-understood', ...TEXTS, ...SPOKEN],
    ]);
  });

  it('does not judge what it was not given', async () => {
    const output = new OutputFindings(movie.output, undefined, []);
    const verdicts = await judgeOutput(recordingSubject(output));
    expect(inState(verdicts, 'not asked')).to.deep.equal([
      ...[
        'output-begins',
        'frames',
        'duration',
        'output-ends',
        'programme',
        'original',
        'dubs',
        'dub-damage',
        'dub-loudness',
        'av-drift',
        'dub-speed',
        'av-offset',
        'fingerprint',
      ],
      ...['dub-language', 'language', 'original-understood', 'splices', ...TEXTS, ...SPOKEN],
    ]);
    expect(inState(verdicts, 'failed', 'not shown')).to.deep.equal([]);
  });

  it('shows nothing where the dubs are not those of the source', async () => {
    const others = movie.dubs.map((dub) => ({ ...dub, original: dub.dubbed }));
    const output = new OutputFindings(movie.output, movie.fixture, others);
    const verdicts = await judgeOutput(recordingSubject(output));
    expect(inState(verdicts, 'not shown')).to.include.members(['original', 'dubs', 'av-offset']);
  });

  it('names the fragments that deviate', async () => {
    const fault = FAULTS['one dub is missing']?.fault ?? [];
    const verdicts = await judged(movie, faulty(movie, fault, join(folder, 'missing.mp4')));
    const fragmentsOf = (id: string): unknown =>
      verdicts
        .find(({ criterion }) => criterion === id)
        ?.deviations.map(({ fragment }) => fragment);
    expect(fragmentsOf('dubs')).to.deep.equal([2]);
    expect(fragmentsOf('av-offset')).to.deep.equal([2]);
    const offset = verdicts.find(({ criterion }) => criterion === 'av-offset');
    expect(offset?.because?.criterion).to.equal('dubs');
  });

  it('misses the dub of a segment of a broadcast, and of a recording only those that were given', async () => {
    const output = new OutputFindings(movie.output, movie.fixture, movie.dubs.slice(0, 3));
    const alone = recordingSubject(output);
    const inBroadcast = { ...alone, evidence: { folder } };
    const offset = async (subject: OutputSubject): Promise<OutputVerdict | undefined> =>
      (await judgeOutput(subject)).find(({ criterion }) => criterion === 'av-offset');
    expect(await offset(alone)).to.include({ state: 'passed' });
    const missing = await offset(inBroadcast);
    expect(missing?.state).to.equal('failed');
    expect(missing?.deviations).to.deep.equal([{ text: 'segment 3: no dub', fragment: 3 }]);
  });

  it('shows nothing of a broadcast without a recording, and says why', async () => {
    const subject: OutputSubject = {
      get output(): OutputFindings {
        throw new NotObserved({
          ...{ what: 'no recording of the output', where: 'live/x/out' },
          ...{ seen: 'nothing', expected: 'a recording' },
        });
      },
      ...{ fixture: movie.fixture, dubFiles: movie.dubs },
    };
    expect(await judge(duration, subject, { fromSeconds: 0, toSeconds: 9 })).to.include({
      ...{ state: 'not shown', where: 'live/x/out', what: 'no recording of the output' },
    });
    const states = (await judgeOutput(subject)).map(({ state }) => state);
    expect(new Set(states)).to.deep.equal(new Set(['not shown', 'not asked']));
  });

  it('judges texts: what was said, what it means, what was left as it was', async () => {
    const script = movie.fixture.script[0] ?? '';
    const reference = 'El mariscal toma la bola';
    const text = async (transcript: string, translation: string): Promise<OutputVerdict[]> => {
      const match = await matchTranslation(script, translation, reference, 'es');
      const words = wordErrorRate(script, transcript);
      const one: JudgedText = { sequence: 0, script, transcript, translation, words, match };
      const fixture = { ...movie.fixture, script: [script] };
      const output = new OutputFindings(movie.output, fixture, []);
      const verdicts = await judgeOutput(recordingSubject(output, [one]));
      return verdicts.filter(({ criterion: id }) => TEXTS.includes(id));
    };
    expect(inState(await text(script, reference), 'passed')).to.deep.equal(TEXTS);
    const other = await text('Thank you for watching', reference);
    expect(inState(other, 'failed')).to.deep.equal(['transcripts']);
    const english = await text(script, script);
    expect(inState(english, 'failed')).to.deep.equal(['translations']);
    expect(told(english)).to.include('chrF').and.to.include('left as they were: the, quarterback');
  });
});
