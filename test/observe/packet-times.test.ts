import { describe, it } from 'node:test';

import { expect } from 'chai';

import { PacketTimes } from '../../support/observe/packet-times';

const VIDEO = 0;
const AUDIO = 2;

function setUp(channel: number): Buffer {
  const transport = `RTP/AVP/TCP;unicast;interleaved=${channel}-${channel + 1}`;
  return Buffer.from(`RTSP/1.0 200 OK\r\nTransport: ${transport}\r\n\r\n`);
}

/** A packet of RTP, or one of RTCP of this type. */
function packet(channel: number, type?: number): Buffer {
  const content = Buffer.alloc(28);
  content[0] = 0x80;
  content[1] = type ?? 96;
  const head = Buffer.from([0x24, type === undefined ? channel : channel + 1, 0, content.length]);
  return Buffer.concat([head, content]);
}

function withTwoTracks(): PacketTimes {
  const times = new PacketTimes();
  times.answered(setUp(VIDEO));
  times.answered(setUp(AUDIO));
  return times;
}

describe('the packets of an RTSP reader', () => {
  it('come after the sender reports of all tracks, in the order in which they were sent', () => {
    const times = withTwoTracks();
    const [video, audio, report, next] = [
      packet(VIDEO),
      packet(AUDIO),
      packet(AUDIO, 200),
      packet(VIDEO),
    ];
    expect([video, audio, report, next].flatMap((each) => times.add(each))).to.be.empty;
    expect(times.areKnown).to.be.false;
    const last = packet(VIDEO, 200);
    expect(times.add(last)).to.deep.equal([report, last, video, audio, next]);
    expect(times.areKnown).to.be.true;
    expect(times.add(next)).to.deep.equal([next]);
  });

  it('stay back for a report of another kind, and for two of the same track', () => {
    const times = withTwoTracks();
    const sent = [packet(VIDEO, 200), packet(VIDEO, 200), packet(AUDIO, 201), packet(AUDIO, 203)];
    expect(sent.flatMap((each) => times.add(each))).to.be.empty;
    expect(times.areKnown).to.be.false;
  });

  it('come without the later reports, by which a reader would move its times', () => {
    const times = withTwoTracks();
    times.add(packet(VIDEO, 200));
    times.add(packet(AUDIO, 200));
    expect(times.add(packet(VIDEO, 200))).to.be.empty;
    const goodbye = packet(VIDEO, 203);
    expect(times.add(goodbye)).to.deep.equal([goodbye]);
  });

  it('come once where nobody waits for the reports any longer', () => {
    const times = withTwoTracks();
    const first = packet(VIDEO);
    times.add(first);
    expect(times.release()).to.deep.equal([first]);
    expect(times.release()).to.be.empty;
    expect(times.areKnown).to.be.false;
  });
});
