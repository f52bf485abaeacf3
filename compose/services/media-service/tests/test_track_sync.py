from media_service.track_sync import TrackSync, packet_duration_ns

MS = 1_000_000


def test_shortest_delay_places_the_tracks() -> None:
    sync = TrackSync()
    # Frames at once, audio in packets that come at the end of their content; one frame was held up.
    sync.observe("video", 1000 * MS, 0)
    sync.observe("video", 1060 * MS, 33 * MS)
    sync.observe("audio", 900 * MS, 70 * MS)
    sync.observe("audio", 1660 * MS, 770 * MS)
    assert sync.offset_ns("audio") == 0
    assert sync.offset_ns("video") == 170 * MS


def test_unknown_track_is_not_moved() -> None:
    assert TrackSync().offset_ns("audio") == 0


def test_duration_counts_the_aac_frames() -> None:
    packet = bytes([0x80, 97]) + bytes(10) + (48).to_bytes(2, "big") + bytes(6 + 300)
    assert packet_duration_ns("MPEG4-GENERIC", packet, 44_100) == 3 * 1024 * 1_000_000_000 // 44_100


def test_duration_of_other_packets_is_unknown() -> None:
    assert packet_duration_ns("H264", bytes(100), 90_000) == 0
    assert packet_duration_ns("MPEG4-GENERIC", b"\x80", 44_100) == 0
