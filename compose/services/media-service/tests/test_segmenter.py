from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from media_service.segmenter import BYTES_PER_FRAME, AccessUnit, PcmChunk, Segment, Segmenter, StartLoss

RATE = 44_100
SECOND = 1_000_000_000
MS = 1_000_000


def stretch(_before: bytes, pcm: bytes, _after: bytes, samples: int) -> bytes:
    """The nearest sample."""
    frames = memoryview(pcm).cast("I")
    return b"".join(frames[n * len(frames) // samples].to_bytes(BYTES_PER_FRAME, "little") for n in range(samples))


def make() -> Segmenter:
    return Segmenter(6000, RATE, stretch)


def feed(
    seconds: float,
    *,
    start_ns: int = 0,
    video_late_ns: int = 0,
    audio_late_ns: Callable[[int], float] = lambda _: 0,
) -> tuple[list[Segment], bytes]:
    """Segments of `seconds` of 30 fps video and counting samples, and all the samples. `audio_late_ns` says by how much the
    PTS of chunk n is late for its samples."""
    segmenter = make()
    total = round(seconds * RATE)
    pcm = b"".join((i & 0x7FFFFFFF).to_bytes(BYTES_PER_FRAME, "little") for i in range(total))
    events: list[tuple[int, AccessUnit | PcmChunk]] = []
    for sample in range(0, total, 1024):
        pts = start_ns + sample * SECOND // RATE
        data = pcm[sample * BYTES_PER_FRAME : (sample + 1024) * BYTES_PER_FRAME]
        events.append((pts, PcmChunk(pts + round(audio_late_ns(sample // 1024)), data)))
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
    assert make().finish() == []


@pytest.mark.parametrize("late_s", [0.1, 2, 5.9])
def test_both_tracks_begin_at_the_first_key_frame(late_s: float) -> None:
    late = round(late_s * SECOND)
    segments, pcm = feed(14, start_ns=3 * SECOND, video_late_ns=late)
    assert [s.start_ns for s in segments] == [k * 6 * SECOND for k in range(len(segments))]
    assert segments[0].source_pts_ns == 3 * SECOND + late
    assert segments[0].video[0].pts_ns == 0
    assert b"".join(s.pcm for s in segments) == pcm[round(late_s * RATE) * BYTES_PER_FRAME :]


def test_what_is_lost_before_the_first_key_frame_is_known() -> None:
    segmenter = make()
    segmenter.add_audio(PcmChunk(10 * MS, bytes(BYTES_PER_FRAME * 3 * RATE)))
    for n in range(59):
        segmenter.add_video(AccessUnit(34 * MS + n * 33 * MS, False, b"delta"))
        assert segmenter.start_loss is None
    # With B-frames, the last frame to come is not the last to be shown.
    segmenter.add_video(AccessUnit(2010 * MS, True, b"key"))
    segmenter.add_video(AccessUnit(1980 * MS, False, b"refers to what is lost"))
    segmenter.add_video(AccessUnit(2043 * MS, False, b"next"))
    segmenter.add_video(AccessUnit(2000 * MS, False, b"late, and not of the same kind"))
    assert [unit.data for unit in segmenter.finish()[0].video] == [b"key", b"next", b"late, and not of the same kind"]
    assert segmenter.start_loss == StartLoss(2000, 60)


def test_nothing_is_lost_of_a_source_that_begins_with_a_key_frame() -> None:
    segmenter = make()
    segmenter.add_video(AccessUnit(0, True, b"key"))
    segmenter.add_audio(PcmChunk(20 * MS, bytes(BYTES_PER_FRAME * RATE)))
    assert segmenter.start_loss == StartLoss(0, 0)


def test_audio_without_any_frame_is_not_held_back_for_ever() -> None:
    segmenter = make()
    segments = [s for n in range(20) for s in segmenter.add_audio(PcmChunk(n * SECOND, bytes(BYTES_PER_FRAME * RATE)))]
    assert [(s.start_ns, s.source_pts_ns) for s in segments] == [(0, 0), (6 * SECOND, 6 * SECOND)]


def test_key_frame_is_waited_for_as_long_as_frames_come() -> None:
    segmenter = make()
    segments: list[Segment] = []
    for second in range(26):
        segments += segmenter.add_audio(PcmChunk(second * SECOND, bytes(BYTES_PER_FRAME * RATE)))
        segments += segmenter.add_video(AccessUnit(second * SECOND, second == 10, b""))
    assert segments[0].source_pts_ns == 10 * SECOND
    assert segmenter.start_loss == StartLoss(10_000, 10)


def test_pictures_after_the_end_of_the_sound_are_kept() -> None:
    segmenter = make()
    segments = [segment for n in range(100) for segment in segmenter.add_video(AccessUnit(n * SECOND // 10, True, b""))]
    segments += segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * 6 * RATE)))
    segments += segmenter.finish()
    assert [len(s.video) for s in segments] == [60, 40]
    # Silence: nothing can be published, or sent, of no length.
    assert [s.samples for s in segments] == [6 * RATE, 3.9 * RATE]


def test_pictures_stay_in_the_order_in_which_they_come() -> None:
    segmenter = make()
    times = [n + (0, 2, -1, -1)[n % 4] for n in range(200)]
    for n, time in enumerate(times):
        segmenter.add_video(AccessUnit(time * SECOND // 25, n == 0, n.to_bytes(4, "big")))
    segments = segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * 8 * RATE)))
    assert frames(segments + segmenter.finish()) == list(range(200))


# As encoders send them, by the place of each frame in what is shown: no B-frames, one, three in a pyramid, and none for
# a while.
PATTERNS = [(0,), (1, 0), (3, 1, 0, 2), (0, 1, 2, 3, 4, 5, 9, 7, 6, 8)]


def reordered(seconds: int, pattern: tuple[int, ...], gop: int = 60) -> list[AccessUnit]:
    """30 fps in decoding order, in closed GOPs of `gop` frames; the data is the place in what is shown."""
    units = []
    for first in range(0, seconds * 30, gop):
        units.append((first, True))
        rest = gop - 1
        for begin in range(0, rest, len(pattern)):
            length = min(len(pattern), rest - begin)
            places = pattern if length == len(pattern) else tuple(range(length))
            units += [(first + 1 + begin + place, False) for place in places]
    return [AccessUnit(n * SECOND // 30, key, n.to_bytes(4, "big")) for n, key in units]


def feed_frames(segmenter: Segmenter, units: list[AccessUnit]) -> list[Segment]:
    """With 30 frames comes a second of audio."""
    segments: list[Segment] = []
    for n, unit in enumerate(units):
        if n % 30 == 0:
            segments += segmenter.add_audio(PcmChunk(n * SECOND // 30, bytes(BYTES_PER_FRAME * RATE)))
        segments += segmenter.add_video(unit)
    return segments + segmenter.finish()


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("gop", [60, 50])
def test_reordered_frames_keep_their_order_and_are_decoded_before_they_are_shown(
    pattern: tuple[int, ...], gop: int
) -> None:
    segmenter = make()
    sent = reordered(30, pattern, gop)
    segments = feed_frames(segmenter, sent)
    units = [unit for segment in segments for unit in segment.video]
    assert [unit.data for unit in units] == [unit.data for unit in sent]
    dts = [unit.dts_ns for unit in units]
    assert all(unit.dts_ns is not None and unit.dts_ns <= unit.pts_ns for unit in units)
    # As regular as the frames are shown: nothing is held up, and nothing hurried.
    assert all(abs((later or 0) - (earlier or 0) - SECOND / 30) < 2 for earlier, later in pairwise(dts))
    # A segment has the frames that are shown in it, but for those that a frame of the next one waits for.
    for segment in segments[:-1]:
        outside = [u for u in segment.video if not segment.start_ns <= u.pts_ns < segment.start_ns + 6 * SECOND]
        assert len(outside) <= 2
        assert all(abs(u.pts_ns - segment.start_ns - 3 * SECOND) < 3 * SECOND + 5 * SECOND // 30 for u in outside)


def test_dts_is_pts_without_b_frames() -> None:
    segments, _ = feed(13)
    assert all(unit.dts_ns == unit.pts_ns for segment in segments for unit in segment.video)


def test_deeper_reordering_later_on_stays_in_order() -> None:
    segmenter = make()
    sent = reordered(12, (0,)) + [replace(u, pts_ns=u.pts_ns + 12 * SECOND) for u in reordered(12, (3, 1, 0, 2))]
    segments = feed_frames(segmenter, sent)
    times = [(unit.dts_ns or 0, unit.pts_ns) for segment in segments for unit in segment.video]
    assert len(times) == len(sent)
    assert all(earlier[0] < later[0] for earlier, later in pairwise(times))
    # RTMP allows a frame to be shown a little before it is decoded, and players do not mind.
    assert max(dts - pts for dts, pts in times) < 70 * MS


def test_gap_in_the_sound_is_filled_with_silence() -> None:
    segmenter = make()
    one_second = b"\x01\0\x01\0" * RATE
    segmenter.add_video(AccessUnit(0, True, b""))
    segmenter.add_audio(PcmChunk(0, one_second))
    segmenter.add_audio(PcmChunk(2 * SECOND, one_second))
    assert segmenter.finish()[0].pcm == one_second + bytes(len(one_second)) + one_second


def test_jitter_of_the_audio_times_moves_no_sample() -> None:
    jitter = (0, 30 * MS, -30 * MS, 0)
    segments, pcm = feed(13, audio_late_ns=lambda n: jitter[n % 4])
    assert b"".join(s.pcm for s in segments) == pcm
    assert all(s.speed == 1 for s in segments)


def test_overlapping_sound_is_dropped() -> None:
    segmenter = make()
    segmenter.add_video(AccessUnit(0, True, b""))
    segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * RATE)))
    segmenter.add_audio(PcmChunk(SECOND // 2, bytes(BYTES_PER_FRAME * RATE)))
    assert segmenter.finish()[0].samples == RATE * 3 // 2


def test_video_waits_six_seconds_for_lost_sound() -> None:
    segmenter = make()
    segmenter.add_audio(PcmChunk(0, bytes(BYTES_PER_FRAME * RATE)))
    cut_at = None
    for n in range(30 * 14):
        if segmenter.add_video(AccessUnit(n * SECOND // 30, n % 6 == 0, b"")):
            cut_at = n / 30
            break
    assert cut_at == 12


# -- an audio clock that is off


def samples_of(segment: Segment) -> list[int]:
    return [
        int.from_bytes(segment.pcm[i : i + BYTES_PER_FRAME], "little") for i in range(0, len(segment.pcm), BYTES_PER_FRAME)
    ]


@pytest.mark.parametrize("drift", [0.002, -0.002])
def test_drift_is_spread_over_each_segment(drift: float) -> None:
    segments, _ = feed(24, audio_late_ns=lambda n: n * 1024 * SECOND / RATE * drift)
    assert [s.samples for s in segments[:3]] == [6 * RATE] * 3
    assert [s.start_ns for s in segments] == [k * 6 * SECOND for k in range(4)]
    # Sample n belongs to the time n / RATE * (1 + drift): nowhere it is more than 1.5 ms away from there.
    for segment in segments:
        start = segment.start_ns * RATE // SECOND
        for offset, sample in list(enumerate(samples_of(segment)))[::1000]:
            assert abs(start + offset - sample * (1 + drift)) < 0.0015 * RATE
    assert [round(s.drift_ms / drift / 1000) for s in segments[:3]] == [6, 6, 6]
    assert all(s.speed == pytest.approx(1 - drift, abs=2e-4) for s in segments)


def test_correction_below_2_ms_is_left_for_later() -> None:
    segments, _ = feed(24, audio_late_ns=lambda n: n * 1024 * SECOND / RATE * 0.0003)
    assert [s.drift_ms > 0 for s in segments] == [False, True, False, True]
    assert segments[1].drift_ms == pytest.approx(3.6, abs=0.1)


def test_step_of_the_times_is_spread_over_several_segments() -> None:
    segments, _ = feed(24, audio_late_ns=lambda n: 0 if n < 100 else 38 * MS)
    assert [s.samples for s in segments[:3]] == [6 * RATE] * 3
    # 30 ms are half a percent of 6 s.
    assert [round(s.drift_ms) for s in segments] == [38, 8, 0, 0]
    assert segments[0].speed == pytest.approx(0.995, abs=1e-5)
    # The last sample plays 38 ms later than by the count of samples.
    assert segments[3].samples == 6 * RATE + round(0.038 * RATE)


def test_drift_that_cannot_be_followed_ends_in_a_jump() -> None:
    segments, _ = feed(24, audio_late_ns=lambda n: n * 1024 * SECOND / RATE * 0.02)
    assert all(abs(s.speed - 1) <= 0.00501 for s in segments)
    total = sum(s.samples for s in segments)
    assert abs(total - 24 * 1.02 * RATE) < 0.15 * RATE


def test_gap_is_no_drift() -> None:
    segments, pcm = feed(13, audio_late_ns=lambda n: 0 if n < 100 else 500 * MS)
    assert all(s.speed == 1 for s in segments)
    gap = bytes(RATE // 2 * BYTES_PER_FRAME)
    split = 100 * 1024 * BYTES_PER_FRAME
    assert b"".join(s.pcm for s in segments) == pcm[:split] + gap + pcm[split:]


def test_stretching_is_given_the_sound_around() -> None:
    calls: list[tuple[bytes, bytes, bytes]] = []

    def record(before: bytes, pcm: bytes, after: bytes, samples: int) -> bytes:
        calls.append((before, pcm, after))
        return bytes(samples * BYTES_PER_FRAME)

    segmenter = Segmenter(2000, RATE, record)
    chunk = RATE // 10
    for n in range(60):
        segmenter.add_video(AccessUnit(n * SECOND // 10, True, b""))
        segmenter.add_audio(PcmChunk(round(n * SECOND // 10 * 1.002), bytes([n, 0, n, 0]) * chunk))
    segmenter.finish()
    assert len(calls) == 3
    everything = b"".join(bytes([n, 0, n, 0]) * chunk for n in range(60))
    assert b"".join(pcm for _, pcm, _ in calls) == everything
    assert [before for before, _, _ in calls] == [b"", calls[0][1], calls[1][1]]
    assert all(after == b"" or after[: RATE // 2] == calls[k + 1][1][: RATE // 2] for k, (_, _, after) in enumerate(calls))
    assert [len(after) // BYTES_PER_FRAME >= RATE // 2 for _, _, after in calls] == [True, True, False]
