import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { checkOutput, type Check } from '../../support/analyze/output-checks';
import { OutputFindings } from '../../support/analyze/output-findings';
import { cacheTools } from '../../support/analyze/tool-cache';
import { wordErrorRate } from '../../support/analyze/transcript';
import { matchTranslation } from '../../support/analyze/translation';
import { dubbedMovie, type DubbedMovie, FAULTS, faulty } from './dubbed-movie';
import { tempFolder } from './make-media';

const folder = tempFolder();
// The good movie is looked at once, not for each fault.
cacheTools(join(folder, 'answers'));

const judge = (movie: DubbedMovie, file = movie.output): Promise<Check[]> =>
  checkOutput(new OutputFindings(file, movie.fixture, movie.dubs));
const inState = (checks: Check[], ...states: Check['state'][]): string[] =>
  checks.filter(({ state }) => states.includes(state)).map(({ id }) => id);
const told = (checks: Check[]): string =>
  checks.map(({ id, state, seen }) => `${id}: ${state}, ${seen}`).join('\n');

describe('checkOutput', () => {
  let movie: DubbedMovie;
  before(() => {
    movie = dubbedMovie(join(folder, 'good'));
  });

  it('finds nothing wrong with a good output', async () => {
    const checks = await judge(movie);
    expect(inState(checks, 'failed', 'not observed', 'follows'), told(checks)).to.deep.equal([]);
    expect(inState(checks, 'not asked')).to.deep.equal(['texts']);
    expect(checks).to.have.length(14);
  });

  for (const [what, { fault, check }] of Object.entries(FAULTS)) {
    it(`${what}: only ${check} fails`, async () => {
      const checks = await judge(movie, faulty(movie, fault, join(folder, 'faulty.mp4')));
      expect(inState(checks, 'failed', 'not observed'), told(checks)).to.deep.equal([check]);
    });
  }

  it('an English dub: only language fails', async () => {
    const checks = await judge(dubbedMovie(join(folder, 'english'), 'en'));
    expect(inState(checks, 'failed', 'not observed'), told(checks)).to.deep.equal(['language']);
  });

  it('asks for no dub where nobody speaks in the source', async () => {
    const silent = { ...movie.fixture, script: ['', '', '', ''] };
    const file = faulty(movie, FAULTS['the output is silent']?.fault ?? [], join(folder, 's.mp4'));
    const checks = await checkOutput(new OutputFindings(file, silent, movie.dubs), []);
    expect(inState(checks, 'failed', 'not observed'), told(checks)).to.deep.equal([]);
    expect(inState(checks, 'not asked')).to.deep.equal([
      ...['audio', 'original', 'fragments', 'drift', 'offset', 'fingerprint', 'language'],
      'texts',
    ]);
  });

  it('judges texts: what was said, what it means, what was left as it was', async () => {
    const script = movie.fixture.script[0] ?? '';
    const translation = 'El mariscal toma la bola';
    const text = async (transcript: string, translated: string): Promise<Check | undefined> => {
      const match = await matchTranslation(script, translated, translation, 'es');
      const words = wordErrorRate(script, transcript);
      const one = { sequence: 0, script, transcript, translation: translated, words, match };
      const fixture = { ...movie.fixture, script: [script] };
      const checks = await checkOutput(new OutputFindings(movie.output, fixture, []), [one]);
      return checks.find(({ id }) => id === 'texts');
    };
    expect(await text(script, translation)).to.have.property('state', 'passed');
    expect(await text('Thank you for watching', translation)).to.include({ state: 'failed' });
    const english = await text(script, script);
    expect(english?.state).to.equal('failed');
    expect(english?.seen).to.include('chrF').and.to.include('left as they were: the, quarterback');
  });

  it('does not judge what it was not given', async () => {
    const checks = await checkOutput(new OutputFindings(movie.output, undefined, []));
    expect(inState(checks, 'not asked')).to.deep.equal([
      ...['length', 'frames', 'original', 'fragments', 'drift', 'offset', 'fingerprint'],
      ...['language', 'splices', 'texts'],
    ]);
    expect(inState(checks, 'failed', 'not observed')).to.deep.equal([]);
  });

  it('has observed nothing where the dubs are not those of the source', async () => {
    const others = movie.dubs.map((dub) => ({ ...dub, original: dub.dubbed }));
    const checks = await checkOutput(new OutputFindings(movie.output, movie.fixture, others));
    expect(inState(checks, 'not observed')).to.include.members(['original', 'fragments', 'offset']);
  });
});
