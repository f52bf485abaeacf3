"""Places the tracks of an RTSP stream on one time line. Pure.

RTP timestamps are exact within a track, but each track counts from a random number. What relates the tracks is normally
RTCP; MediaMTX sends its first report after 10 s and takes its times from the arrival of the publisher's packets, and a
publisher puts several AAC frames in one packet (ffmpeg up to 0.7 s of them when they are small), so that audio would play
late by as much. The relation is therefore estimated from the arrivals: a packet cannot come before the end of its content,
so the shortest distance between the two, over some seconds, is the position of the track on the clock.

Frames of video come when they are to be decoded. Where there are B-frames that is not when they are shown, and a frame that
others wait for comes before its time: counted by that, the audio would play late by up to four frames.
"""

from media_service.decoding import reorder_delay_ns

# The last frames that have come may be shown after others that have not.
_INCOMPLETE = 16


class TrackSync:
    """Collects arrivals per track; times in ns."""

    def __init__(self) -> None:
        self._delay_ns: dict[str, int] = {}
        self._frames: list[tuple[int, int]] = []  # when each was shown and came, in decoding order

    def observe(self, track: str, arrival_ns: int, content_end_ns: int) -> None:
        """A packet came at `arrival_ns` whose content ends at `content_end_ns` of its track's own time line."""
        delay = arrival_ns - content_end_ns
        self._delay_ns[track] = min(delay, self._delay_ns.get(track, delay))

    def observe_frame(self, arrival_ns: int, pts_ns: int) -> None:
        """A packet of video came at `arrival_ns`, part of the frame that is shown at `pts_ns`. Packets come in order."""
        if not self._frames or self._frames[-1][0] != pts_ns:
            self._frames.append((pts_ns, arrival_ns))

    def frames_known(self) -> None:
        """No more frames are observed: those that were count from now on."""
        times = [pts for pts, _ in self._frames]
        delay = reorder_delay_ns(times)
        complete = self._frames[:-_INCOMPLETE] or self._frames
        for shown, (_, arrival) in zip(sorted(times), complete, strict=False):
            self.observe("video", arrival, shown - delay)
        self._frames.clear()

    def offset_ns(self, track: str) -> int:
        """What to add to the track's own times; 0 for the track that began first."""
        if track not in self._delay_ns:
            return 0
        return self._delay_ns[track] - min(self._delay_ns.values())


def packet_duration_ns(encoding: str, packet: bytes, clock_rate: int) -> int:
    """Length of the content of an RTP packet: 1024 samples for each AAC frame in an MPEG4-GENERIC packet, else 0.

    The frames are counted by the length, in bits, of the AU headers of 16 bits each in front (RFC 3640, mode AAC-hbr).
    """
    header = 12 + 4 * (packet[0] & 0x0F) if packet else 0
    if encoding != "MPEG4-GENERIC" or len(packet) < header + 2:
        return 0
    frames = int.from_bytes(packet[header : header + 2], "big") // 16
    return frames * 1024 * 1_000_000_000 // clock_rate
