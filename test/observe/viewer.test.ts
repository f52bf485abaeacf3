import { describe, it } from 'node:test';

import { expect } from 'chai';

import { withoutEndOfStream } from '../../support/observe/viewer';

const URL = 'rtmp://127.0.0.1:1935/live/stream_1/out';

describe('the errors of a viewer', () => {
  const left = (...lines: string[]): string => withoutEndOfStream(lines.join('\n'), URL);

  it('are without the end of the stream, in the words of each ffmpeg', () => {
    expect(left(`${URL}: Input/output error`, '    Last message repeated 1 times')).to.equal('');
    const ofInput = '[in#0/flv @ 0x555892020a40]';
    expect(
      left(
        `${ofInput} Error during demuxing: Input/output error`,
        `${ofInput} Error retrieving a packet from demuxer: Input/output error`,
      ),
    ).to.equal('');
  });

  it('are all that cannot be demuxed or decoded', () => {
    const lines = [
      '[flv @ 0x55d0] Packet mismatch 1 2 3',
      '[h264 @ 0x55d0] error while decoding MB 12 30, bytestream -5',
      '[dec:aac @ 0x55d0] Error submitting packet to decoder: Invalid data found',
      'rtmp://127.0.0.1:1935/live/stream_2/out: Input/output error',
    ];
    expect(left(...lines, '[in#0/flv @ 0x55d0] the end')).to.equal(lines.join('\n'));
  });
});
