/** The hashes of the packets of a media file or a live stream: how ffmpeg is asked for them, and how they are read. */

/**
 * ffmpeg's arguments for a line with the MD5 of each packet of the first video and the first audio track. Parameter sets and
 * delimiters (NAL units 6 to 9) are left out: media servers send them again wherever somebody may join.
 *
 * @param file for the lines
 */
export function packetHashArguments(file: string): string[] {
  return [
    ...['-map', '0:v:0', '-map', '0:a:0', '-c', 'copy', '-bsf:v', 'filter_units=remove_types=6-9'],
    ...['-f', 'framehash', '-hash', 'md5', file],
  ];
}

/** The hashes of each track's packets, in the order of the file. */
export type PacketHashes = Record<'video' | 'audio', string[]>;

/** `stream, dts, pts, duration, size, hash`, and what the packet has besides its data. */
const LINE = /^([01]),(?:[^,]*,){4}\s*([0-9a-f]{32})\s*(?:,|$)/;

/** Reads what ffmpeg's `framehash` has written of a video and an audio track. */
export function readPacketHashes(text: string): PacketHashes {
  const hashes: PacketHashes = { video: [], audio: [] };
  for (const line of text.split('\n')) {
    const [, stream, hash] = LINE.exec(line) ?? [];
    if (hash !== undefined) hashes[stream === '0' ? 'video' : 'audio'].push(hash);
  }
  return hashes;
}
