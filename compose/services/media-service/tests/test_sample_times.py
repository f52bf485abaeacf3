from media_service.sample_times import SampleTimes

MS = 1_000_000


def test_unchanged_buffers_keep_their_times() -> None:
    times = SampleTimes()
    for n in range(10_000):
        pts = n * 1024 * 1_000_000_000 // 44_100 + n % 3
        times.went_in(pts, 1024, 44_100)
        assert times.came_out(1024, 44_100) == pts


def test_resampled_sound_has_the_times_of_what_went_in() -> None:
    times = SampleTimes()
    # 20 ms of samples every 20.04 ms, and a resampler that keeps back 2 ms.
    times.went_in(100 * MS, 960, 48_000)
    assert times.came_out(144, 8_000) == 100 * MS
    for n in range(1, 1000):
        times.went_in(100 * MS + round(n * 20.04 * MS), 960, 48_000)
        assert times.came_out(160, 8_000) == 100 * MS + round((n - 1) * 20.04 * MS) + 18 * MS
