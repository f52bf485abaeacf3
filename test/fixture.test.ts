import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudio } from '../support/analyze/audio';
import { projectRoot } from '../support/config';
import { readFixture } from '../support/fixture';

const RATE_HZ = 8000;

describe('the counting broadcast', () => {
  const fixture = readFixture(join(projectRoot, 'fixtures/30s-counting-english.yaml'));

  it('has thirty words', () => {
    expect(fixture.script.flatMap((line) => line.split(', '))).to.have.length(30);
  });

  it('says each word in its second: silence first, then speech', async () => {
    const samples = await readAudio(fixture.path, RATE_HZ);
    /** Root mean square of a part of the sound; full scale is 1. */
    const level = (fromSeconds: number, toSeconds: number): number => {
      const part = samples.subarray(fromSeconds * RATE_HZ, toSeconds * RATE_HZ);
      return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    };
    for (let second = 0; second < 30; second += 1) {
      const { speechMarginSeconds: margin } = fixture;
      const before = level(second + 0.05, second + margin - 0.05);
      const word = level(second + margin, second + margin + 0.25);
      expect(before, `silence of second ${second}`).to.be.below(0.005);
      expect(word, `word of second ${second}`).to.be.above(0.02);
    }
  });
});
