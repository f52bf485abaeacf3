import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import type { Making } from '../../fixtures/media-file';
import { readAudio } from '../../support/analyze/audio';
import { voiceActivity } from '../../support/analyze/audio-levels';
import { packetSpan } from '../../support/analyze/media';
import { SuiteError } from '../../support/base/errors';
import { readFixture } from '../../support/broadcast/fixture';
import { composeFreshWords } from '../../support/broadcast/fresh-words';
import { publishSpoken, speakFreshWords } from '../../support/session/fresh-words';

const RATE_HZ = 8000;

describe('the broadcast of words that are composed for a run', () => {
  const reports = mkdtempSync(join(tmpdir(), 'fresh-words-'));
  const temporary = mkdtempSync(join(tmpdir(), 'fresh-words-making-'));
  after(() => [reports, temporary].forEach((folder) => rmSync(folder, { recursive: true })));
  const running = new Set<string>();
  const track: Making['track'] = (name) => {
    running.add(name);
    return () => running.delete(name);
  };
  const making = (signal = new AbortController().signal): Making => ({ track, signal, temporary });

  it('is spoken within each segment, and lies under its seed', async () => {
    const words = await speakFreshWords(7, reports, making());
    const { fixture } = words;
    expect([...readdirSync(reports), ...readdirSync(temporary)]).to.deep.equal([]);
    await publishSpoken(words, temporary, (published, from) => {
      // Nothing tells the words while they are published, and nobody can find the file by its name.
      expect(readdirSync(reports)).to.deep.equal([]);
      expect([published.path, published.yamlPath]).to.deep.equal([fixture.path, fixture.yamlPath]);
      expect(published.title).not.to.contain('7');
      expect(readFileSync(from).equals(words.media)).to.be.true;
      return Promise.resolve();
    });
    rmSync(join(temporary, 'broadcast.mp4'));
    expect(readFixture(fixture.yamlPath)).to.deep.equal(fixture);
    expect(fixture.title).to.contain('FRESH_WORDS_SEED=7');
    expect(fixture.path).to.equal(join(reports, 'fresh-words/7/fresh-words.mp4'));
    const { script, keywords } = composeFreshWords(7);
    expect([fixture.script, fixture.keywords]).to.deep.equal([script, keywords]);
    const { video, audio } = await packetSpan(fixture.path);
    for (const track of [video, audio]) {
      if (!track.observed) throw new Error(track.reason);
      expect(track.durationSeconds).to.be.closeTo(12, 0.1);
    }
    const speechIn = voiceActivity(await readAudio(fixture.path, RATE_HZ), RATE_HZ);
    for (const [from, to] of [
      [0.5, 5.5],
      [6.5, 11.5],
    ] as const) {
      expect(speechIn(from, to)).to.be.above(2);
    }
    for (const boundary of [0, 6, 12]) {
      expect(speechIn(Math.max(0, boundary - 0.5), boundary + 0.5)).to.equal(0);
    }
    expect([...running, ...readdirSync(temporary)]).to.deep.equal([]);
  });

  it('leaves nothing half made when the run is ended', async () => {
    const ended = new AbortController();
    const spoken = speakFreshWords(8, reports, making(ended.signal));
    ended.abort(new Error('the session is being closed'));
    const error: unknown = await spoken.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(SuiteError);
    expect(String(error)).to.contain('FRESH_WORDS_SEED=8');
    expect(existsSync(join(reports, 'fresh-words/8/fresh-words.mp4'))).to.be.false;
    expect([...running, ...readdirSync(temporary)]).to.deep.equal([]);
  });
});
