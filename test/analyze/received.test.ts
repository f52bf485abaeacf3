import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { packetHashesOf, receivedTrack } from '../../support/analyze/received';
import { readPacketHashes } from '../../support/broadcast/packet-hashes';
import { ffmpeg, noise, observed, rejection, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const audio = { samples: noise(3 * 44_100, 1), rateHz: 44_100 };

function movie(name: string, samples = audio.samples): string {
  const file = join(folder, name);
  return stripMovie(file, { fps: 30, durationSeconds: 3, audio: { ...audio, samples } });
}

/** The same packets in another container, from some time on. */
function copied(name: string, from: string, ...args: string[]): string {
  const file = join(folder, name);
  ffmpeg(...args, '-i', from, '-map', '0', '-c', 'copy', file);
  return file;
}

describe('the hashes of packets', () => {
  it('are the same in every container, and wherever parameter sets are sent again', async () => {
    const file = movie('sent.mp4');
    const sent = await packetHashesOf(file);
    expect(sent.video).to.have.length(90);
    expect(sent.audio.length).to.be.within(129, 132);
    for (const name of ['copy.flv', 'copy.ts', 'copy.mkv']) {
      const copy = await packetHashesOf(copied(name, file));
      expect(copy.video, name).to.deep.equal(sent.video);
      // MPEG-TS has a header before each packet of AAC.
      if (name === 'copy.ts') continue;
      expect(observed(receivedTrack(sent.audio, copy.audio)), name).to.include({ missingAtEnd: 0 });
    }
  });

  it('are others where the same was encoded again, at the same length', async () => {
    const sent = await packetHashesOf(movie('sent.mp4'));
    const again = join(folder, 'again.mp4');
    ffmpeg('-i', join(folder, 'sent.mp4'), '-c:v', 'libx264', '-crf', '30', '-c:a', 'aac', again);
    const other = await packetHashesOf(again);
    expect(other.video).to.have.length(90);
    expect(receivedTrack(sent.video, other.video)).to.have.property('observed', false);
    expect(receivedTrack(sent.audio, other.audio)).to.have.property('observed', false);
  });

  it('tell where somebody joined', async () => {
    const file = movie('sent.mp4');
    const [sent, joined] = [
      await packetHashesOf(file),
      await packetHashesOf(copied('joined.mkv', file, '-ss', '1')),
    ];
    expect(observed(receivedTrack(sent.video, joined.video))).to.deep.include({
      ...{ sent: 90, received: 60, missingAtStart: 30, missingAtEnd: 0 },
    });
  });

  it('of a file without audio are none', async () => {
    const file = join(folder, 'mute.mp4');
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=d=1', '-c:v', 'libx264', file);
    expect(String(await rejection(packetHashesOf(file)))).to.include('cannot be read');
  });
});

describe('what arrived', () => {
  const sent = ['a', 'b', 'c', 'd', 'e'];
  const reason = (received: string[]): string => {
    const found = receivedTrack(sent, received);
    return found.observed ? '' : found.reason;
  };

  it('is one stretch of the file', () => {
    expect(receivedTrack(sent, sent)).to.include({ missingAtStart: 0, missingAtEnd: 0 });
    expect(receivedTrack(sent, ['c', 'd'])).to.include({ missingAtStart: 2, missingAtEnd: 1 });
  });

  it('is not: where a packet is another, missing, repeated, or too many', () => {
    expect(reason(['b', 'x', 'd'])).to.include('number 2 of 3 packets');
    expect(reason(['b', 'd', 'e'])).to.include('number 2 of 3 packets');
    expect(reason(['b', 'b', 'c'])).to.include('number 2 of 3 packets');
    expect(reason(['d', 'e', 'a'])).to.include('number 3 of 3 packets');
    expect(reason(['x', 'y'])).to.include('the first of 2 packets');
    expect(reason([])).to.equal('no packet arrived');
  });

  it('is found where packets at the start are all the same', () => {
    const quiet = ['s', 's', 's', 'a', 'b'];
    const found = observed(receivedTrack(quiet, ['s', 's', 'a', 'b']));
    expect(found).to.include({ missingAtStart: 1, missingAtEnd: 0 });
  });

  it('is read from the lines of ffmpeg, and nothing else is', () => {
    const hash = 'b74bdca476fede596f05e025208c9926';
    const text = `#hash: MD5\n#extradata 0, 36, ${hash}\n0, 0, 0, 33, 18481, ${hash}\n1, 48, 48, 23, 6, ${hash}\n0, 33, 33`;
    expect(readPacketHashes(text)).to.deep.equal({ video: [hash], audio: [hash] });
  });
});
