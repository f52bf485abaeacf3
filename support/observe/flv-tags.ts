/** Flash Video (Adobe's "Video File Format Specification", 10.1, annex E): what RTMP carries, as a stream of tags. */

/** The header, and the size of the tag before the first, which is 0. */
const FLV_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const SIZE_BYTES = 4;

/** One tag, with the size behind it. */
export interface FlvTag {
  bytes: Buffer;
  /** Its timestamp: of video that of decoding. */
  ms: number;
  /** It configures the decoder of a track and has no content. */
  isConfiguration: boolean;
}

const VIDEO = 9;
const AUDIO = 8;

/** Cuts a stream of bytes into tags; what comes before the first is given as it is. */
export class FlvTags {
  #rest: Buffer = Buffer.alloc(0);
  #header: Buffer | undefined;

  /** The header of the file; undefined until it is there. */
  get header(): Buffer | undefined {
    return this.#header;
  }

  /** The tags that are complete with this. */
  add(data: Buffer): FlvTag[] {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#header) {
      if (this.#rest.length < FLV_HEADER_BYTES) return [];
      this.#header = this.#rest.subarray(0, FLV_HEADER_BYTES);
      this.#rest = this.#rest.subarray(FLV_HEADER_BYTES);
    }
    const tags: FlvTag[] = [];
    while (this.#rest.length >= TAG_HEADER_BYTES) {
      const length = TAG_HEADER_BYTES + this.#rest.readUIntBE(1, 3) + SIZE_BYTES;
      if (this.#rest.length < length) break;
      const bytes = this.#rest.subarray(0, length);
      tags.push({ bytes, ms: msOf(bytes), isConfiguration: isConfiguration(bytes) });
      this.#rest = this.#rest.subarray(length);
    }
    return tags;
  }
}

/** The same tag at another time, in ms. */
export function at(tag: FlvTag, ms: number): FlvTag {
  const bytes = Buffer.from(tag.bytes);
  bytes.writeUIntBE(ms & 0xffffff, 4, 3);
  bytes.writeUInt8((ms >>> 24) & 0xff, 7);
  return { ...tag, bytes, ms };
}

/** Whether it is of video. */
export function isVideo({ bytes }: FlvTag): boolean {
  return (bytes[0] ?? 0) === VIDEO;
}

/** 24 bits, and above them 8 more. */
function msOf(bytes: Buffer): number {
  return bytes.readUIntBE(4, 3) + bytes.readUInt8(7) * 2 ** 24;
}

/** A sequence header of AVC (codec 7) or AAC (format 10): its packet type is 0. */
function isConfiguration(bytes: Buffer): boolean {
  const [kind, format = 0, type] = [bytes[0], bytes[TAG_HEADER_BYTES], bytes[TAG_HEADER_BYTES + 1]];
  const isAvc = kind === VIDEO && (format & 0x0f) === 7;
  const isAac = kind === AUDIO && format >> 4 === 10;
  return (isAvc || isAac) && type === 0;
}
