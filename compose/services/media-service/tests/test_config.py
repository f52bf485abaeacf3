import random

import pytest

from media_service.backoff import reconnect_delay_s
from media_service.config import Config, ConfigError


def test_defaults() -> None:
    config = Config.from_env({"PORT": ""})
    assert (config.port, config.segment_duration_ms, config.max_inflight) == (8080, 6000, 3)
    assert (config.segment_dir, config.segments_kept) == ("/segments", 20)
    assert config.sts_service_url == "http://host.docker.internal:3000"


def test_values_of_the_spec() -> None:
    config = Config.from_env({"SEGMENT_DIR": "/tmp/segments", "LOG_LEVEL": "debug"})
    assert (config.segment_dir, config.log_level) == ("/tmp/segments", "DEBUG")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("SEGMENT_DURATION_MS", "0"),
        ("STS_SERVICE_URL", "sts:3000"),
        ("MEDIAMTX_RTSP_URL", "http://mediamtx:8554"),
        ("MEDIAMTX_API_URL", "http://mediamtx:port"),
        ("SEGMENTS_KEPT", "0"),
        ("SEGMENTS_KEPT", "100001"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is '{value}', expected"):
        Config.from_env({name: value})


def test_reconnection_delays_double_with_jitter() -> None:
    rng = random.Random(1)
    for attempt, nominal in enumerate((2, 4, 8, 16, 32), start=1):
        delays = [reconnect_delay_s(attempt, 2.0, rng) for _ in range(200)]
        assert nominal * 0.95 <= min(delays) < nominal < max(delays) <= nominal * 1.05
