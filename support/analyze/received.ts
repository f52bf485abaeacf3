/** What arrived at the media server against the file that was to be published: packet by packet, by their hashes. */
import {
  packetHashArguments,
  type PacketHashes,
  readPacketHashes,
} from '../broadcast/packet-hashes';
import { lastLines, requireFile, runFfmpeg, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';

/**
 * The hashes of a file's packets; nothing is decoded.
 *
 * @throws MediaUnreadable when it is missing, or has not both tracks
 */
export async function packetHashesOf(file: string): Promise<PacketHashes> {
  await requireFile(file);
  const { exitCode, stdout, stderr } = await runFfmpeg([
    ...['-v', 'error', '-i', file, ...packetHashArguments('pipe:1')],
  ]);
  if (exitCode === 0) return readPacketHashes(stdout.toString('utf8'));
  throw unreadable(file, lastLines(stderr), 'ffmpeg (packets)');
}

/** The packets of one track. */
export interface ReceivedTrack {
  sent: number;
  received: number;
  /** Packets of the file before the first, and after the last one that arrived. */
  missingAtStart: number;
  missingAtEnd: number;
}

/**
 * Where in a track of the file the packets lie that arrived.
 *
 * @returns unobserved where none arrived, or they are not one stretch of the file: one is another, missing, or there twice
 */
export function receivedTrack(
  sent: readonly string[],
  received: readonly string[],
): Finding<ReceivedTrack> {
  if (received.length === 0) return unobserved('no packet arrived');
  let best = { at: 0, same: -1 };
  for (let at = 0; at < sent.length; at += 1) {
    const same = sameFrom(sent, received, at);
    if (same > best.same) best = { at, same };
    if (same < received.length) continue;
    const missingAtEnd = sent.length - at - received.length;
    return {
      observed: true,
      ...{ sent: sent.length, received: received.length, missingAtStart: at, missingAtEnd },
    };
  }
  const last = best.same === 0 ? 'the first' : `number ${best.same + 1}`;
  return unobserved(
    `${last} of ${received.length} packets that arrived is none that the file has there`,
  );
}

/** How many packets are the same from a place of the file on. */
function sameFrom(sent: readonly string[], received: readonly string[], at: number): number {
  let same = 0;
  while (same < received.length && sent[at + same] === received[same]) same += 1;
  return same;
}
