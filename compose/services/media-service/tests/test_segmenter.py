from media_service.segmenter import BYTES_PER_FRAME, AccessUnit, PcmChunk, Segment, Segmenter

RATE = 44_100
SECOND = 1_000_000_000


def feed(
    seconds: float, *, start_ns: int = 0, video_late_ns: int = 0, segmenter: Segmenter | None = None
) -> tuple[list[Segment], bytes]:
    """Segments of `seconds` of 30 fps video and counting samples, and all the samples."""
    segmenter = segmenter or Segmenter(6000, RATE)
    total = round(seconds * RATE)
    pcm = b"".join((i & 0x7FFFFFFF).to_bytes(BYTES_PER_FRAME, "little") for i in range(total))
    events: list[tuple[int, AccessUnit | PcmChunk]] = []
    for sample in range(0, total, 1024):
        pts = start_ns + sample * SECOND // RATE
        data = pcm[sample * BYTES_PER_FRAME : (sample + 1024) * BYTES_PER_FRAME]
        events.append((pts, PcmChunk(pts, data)))
    for n in range(round((seconds - video_late_ns / SECOND) * 30)):
        pts = start_ns + video_late_ns + n * SECOND // 30
        events.append((pts, AccessUnit(pts, n % 6 == 0, n.to_bytes(4, "big"))))
    segments: list[Segment] = []
    for _, event in sorted(events, key=lambda e: e[0]):
        segments += segmenter.add_video(event) if isinstance(event, AccessUnit) else segmenter.add_audio(event)
    return segments + segmenter.finish(), pcm


def frames(segments: list[Segment]) -> list[int]:
    return [int.from_bytes(unit.data, "big") for segment in segments for unit in segment.video]


def test_borders_are_exact_and_nothing_is_lost() -> None:
    segments, pcm = feed(30)
    assert [s.samples for s in segments] == [6 * RATE] * 5
    assert [s.start_ns for s in segments] == [k * 6 * SECOND for k in range(5)]
    assert b"".join(s.pcm for s in segments) == pcm
    assert frames(segments) == list(range(900))
    assert all(
        k * 6 * SECOND <= unit.pts_ns < (k + 1) * 6 * SECOND for k, segment in enumerate(segments) for unit in segment.video
    )


def test_times_count_from_the_first_content() -> None:
    segments, _ = feed(7.5, start_ns=5 * SECOND)
    assert segments[0].start_ns == 0
    assert segments[0].source_pts_ns == 5 * SECOND
    assert segments[0].video[0].pts_ns == 0
    assert segments[1].source_pts_ns == 11 * SECOND


def test_remainder_under_one_second_joins_the_last_segment() -> None:
    segments, pcm = feed(12.9)
    assert [round(s.duration_ms) for s in segments] == [6000, 6900]
    assert b"".join(s.pcm for s in segments) == pcm
    assert frames(segments) == list(range(387))


def test_remainder_of_one_second_is_a_segment() -> None:
    segments, _ = feed(13.05)
    assert [round(s.duration_ms) for s in segments] == [6000, 6000, 1050]


def test_stream_shorter_than_the_smallest_remainder_is_one_segment() -> None:
    segments, _ = feed(0.4)
    assert [round(s.duration_ms) for s in segments] == [400]


def test_empty_stream_has_no_segment() -> None:
    assert Segmenter(6000, RATE).finish() == []


def test_sound_before_the_first_picture_is_kept() -> None:
    segments, _ = feed(8, video_late_ns=100_000_000)
    assert segments[0].video[0].pts_ns == 100_000_000
    assert segments[0].samples == 6 * RATE


def test_pictures_before_the_first_key_picture_are_dropped() -> None:
    segmenter = Segmenter(6000, RATE)
    segmenter.add_video(AccessUnit(0, False, b"delta"))
    segmenter.add_video(AccessUnit(100, True, b"key"))
    segmenter.add_audio(PcmChunk(100, bytes(BYTES_PER_FRAME * RATE)))
    assert [unit.data for unit in segmenter.finish()[0].video] == [b"key"]


def test_gap_in_the_sound_is_filled_with_silence() -> None:
    segmenter = Segmenter(6000, RATE)
    one_second = b"\x01\0\x01\0" * RATE
    segmenter.add_video(AccessUnit(0, True, b""))
    segmenter.add_audio(PcmChunk(0, one_second))
    segmenter.add_audio(PcmChunk(2 * SECOND, one_second))
    assert segmenter.finish()[0].pcm == one_second + bytes(len(one_second)) + one_second


def test_jitter_of_the_audio_times_moves_no_sample() -> None:
    segmenter = Segmenter(6000, RATE)
    segmenter.add_video(AccessUnit(0, True, b""))
    segmenter.add_audio(PcmChunk(0, b"\x01\0\x01\0" * RATE))
    segmenter.add_audio(PcmChunk(SECOND + 30_000_000, b"\x02\0\x02\0" * RATE))
    assert segmenter.finish()[0].samples == 2 * RATE


def test_overlapping_sound_is_dropped() -> None:
    segmenter = Segmenter(6000, RATE)
    segmenter.add_video(AccessUnit(0, True, b""))
    segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * RATE)))
    segmenter.add_audio(PcmChunk(SECOND // 2, bytes(BYTES_PER_FRAME * RATE)))
    assert segmenter.finish()[0].samples == RATE * 3 // 2


def test_video_waits_six_seconds_for_lost_sound() -> None:
    segmenter = Segmenter(6000, RATE)
    segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * RATE)))
    cut_at = None
    for n in range(30 * 14):
        if segmenter.add_video(AccessUnit(n * SECOND // 30, n % 6 == 0, b"")):
            cut_at = n / 30
            break
    assert cut_at == 12
