import { describe, it } from 'node:test';

import { expect } from 'chai';

import { fileSink, sampleSink } from '../../support/analyze/sample-sink';
import { samplesIn } from '../../support/analyze/samples';

describe('fileSink', () => {
  it('has what was taken in pieces that end inside a sample, in a file', () => {
    const samples = Float32Array.from({ length: 1000 }, (_, i) => i / 1000);
    const bytes = new Uint8Array(samples.buffer);
    const sink = fileSink();
    for (let at = 0; at < bytes.length; at += 7) sink.take(bytes.subarray(at, at + 7));
    sink.take(Uint8Array.of(1, 2));
    expect(sink.samples()).to.deep.include({ first: 0, length: 1000 });
    expect([...samplesIn(sink.samples())]).to.deep.equal([...samples]);
  });
});

describe('sampleSink', () => {
  it('has what was taken in pieces that end inside a sample, in shared memory', () => {
    const samples = Float32Array.from({ length: 1000 }, (_, i) => i / 1000);
    const bytes = new Uint8Array(samples.buffer);
    const sink = sampleSink(10);
    for (let at = 0; at < bytes.length; at += 7) sink.take(bytes.subarray(at, at + 7));
    sink.take(Uint8Array.of(1, 2));
    expect([...sink.samples()]).to.deep.equal([...samples]);
    expect(sink.samples().buffer).to.be.instanceOf(SharedArrayBuffer);
  });

  it('takes more than was expected', () => {
    const piece = new Uint8Array(2 ** 20).fill(1);
    const sink = sampleSink(1);
    for (let i = 0; i < 9; i += 1) sink.take(piece);
    expect(sink.samples().length).to.equal((9 * 2 ** 20) / 4);
    expect(new Uint8Array(sink.samples().buffer, 0, 9 * 2 ** 20).every((x) => x === 1)).to.equal(
      true,
    );
  });
});
