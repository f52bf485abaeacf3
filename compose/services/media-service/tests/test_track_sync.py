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


def test_frames_are_counted_by_when_they_are_decoded() -> None:
    sync = TrackSync()
    # 25 fps, three B-frames in a pyramid: each comes 40 ms after the one before, the first 80 ms before it is due.
    shown = [0] + [4 * n + place for n in range(25) for place in (4, 2, 1, 3)]
    for k, place in enumerate(shown):
        for packet in range(2):
            sync.observe_frame((5000 + 40 * k - 80 + packet) * MS, place * 40 * MS)
    sync.observe("audio", 5100 * MS, 100 * MS)
    sync.frames_known()
    assert sync.offset_ns("audio") == 0
    assert sync.offset_ns("video") == 0


def test_frames_without_reordering_count_as_they_are_shown() -> None:
    sync = TrackSync()
    for k in range(30):
        sync.observe_frame((1000 + 40 * k + (7 if k == 3 else 20)) * MS, 40 * k * MS)
    sync.observe("audio", 1000 * MS, 0)
    sync.frames_known()
    assert sync.offset_ns("video") == 7 * MS


def test_unknown_track_is_not_moved() -> None:
    assert TrackSync().offset_ns("audio") == 0


def test_duration_counts_the_aac_frames() -> None:
    packet = bytes([0x80, 97]) + bytes(10) + (48).to_bytes(2, "big") + bytes(6 + 300)
    assert packet_duration_ns("MPEG4-GENERIC", packet, 44_100) == 3 * 1024 * 1_000_000_000 // 44_100


def test_duration_of_other_packets_is_unknown() -> None:
    assert packet_duration_ns("H264", bytes(100), 90_000) == 0
    assert packet_duration_ns("MPEG4-GENERIC", b"\x80", 44_100) == 0
