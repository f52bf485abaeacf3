/** The first byte of an interleaved packet (RFC 2326, 10.12). */
export const PACKET = 0x24;
/** The type of an RTCP sender report (RFC 3550, 6.4.1). */
const SENDER_REPORT = 200;
/** Of one with the times in it: 4 bytes of interleaving, 8 of header, 8 of NTP time and 4 of RTP time. */
const REPORT_BYTES = 24;

/**
 * Holds the packets of an RTSP reader back until the media server has told the time of each track by a sender report, and
 * then lets the reports go before them. Until then nobody knows how the times of the tracks belong together: ffmpeg takes the first packet
 * of each for 0 s, and puts it right when the report comes (10 s later with MediaMTX), so that its recording has a jump there.
 *
 * Later reports are left out: they say when packets came, and after a stream has stood still ffmpeg would move its times by that.
 */
export class PacketTimes {
  /** RTCP channels. */
  readonly #tracks = new Set<number>();
  readonly #reports = new Map<number, Buffer>();
  #held: Buffer[] | undefined = [];

  /** Whether each track has had its report. */
  get areKnown(): boolean {
    return [...this.#tracks].every((channel) => this.#reports.has(channel));
  }

  /** Of what the server answers to SETUP it takes note; what it answers otherwise is nothing to it. */
  answered(answer: Buffer): void {
    const transport = /^transport:.*interleaved=\d+-(\d+)/im.exec(answer.toString('latin1'));
    if (transport) this.#tracks.add(Number(transport[1]));
  }

  /** What may go to the reader when this packet has come, in order. */
  add(packet: Buffer): Buffer[] {
    const [, channel = -1] = packet;
    if (isReport(packet) && this.#tracks.has(channel)) {
      if (!this.#held || this.#reports.has(channel)) return [];
      this.#reports.set(channel, packet);
      return this.areKnown ? this.release() : [];
    }
    if (!this.#held) return [packet];
    this.#held.push(packet);
    return [];
  }

  /** What was held back; from now on nothing is. */
  release(): Buffer[] {
    if (!this.#held) return [];
    const released = [...this.#reports.values(), ...this.#held];
    this.#held = undefined;
    return released;
  }
}

function isReport(packet: Buffer): boolean {
  return packet[5] === SENDER_REPORT && packet.length >= REPORT_BYTES;
}
