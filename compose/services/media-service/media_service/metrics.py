"""Prometheus metrics of a worker.

Every worker process writes its values to files in PROMETHEUS_MULTIPROC_DIR; the supervisor's /metrics adds them up. The
files stay until the service stops, so the figures of a stream can be read after its worker has ended.
"""

from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

# Live: those of a worker that was killed are removed, as nobody will ever set them right.
_GAUGE_MODE: Literal["livemostrecent"] = "livemostrecent"

FALLBACK_REASONS = ("timeout", "error", "circuit_open", "disconnected")
BACKPRESSURE_ACTIONS = ("pause", "slow_down", "none")
FRAGMENT_STATUSES = ("sent", "processed", "fallback")

_segments = Counter("media_service_worker_segments_processed", "Segments sent to the output", ["stream_id", "type"])
_fragments = Counter("worker_audio_fragments", "Audio fragments by what became of them", ["stream_id", "status"])
_fallbacks = Counter("worker_fallback", "Segments that kept the original audio", ["stream_id", "reason"])
_inflight = Gauge(
    "worker_inflight_fragments", "Fragments that wait for an answer", ["stream_id"], multiprocess_mode=_GAUGE_MODE
)
_av_delta = Histogram(
    "worker_av_sync_delta_ms",
    "Distance between the first audio and the first video buffer of a pair as pushed to the output, in ms",
    ["stream_id"],
    buckets=(5, 10, 20, 30, 40, 60, 80, 100, 120, 160, 240, 500, 1000),
)
_sts_time = Histogram(
    "worker_sts_processing_time_ms",
    "Time from sending a fragment to its result, in ms",
    ["stream_id"],
    buckets=(50, 100, 250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000),
)
_breaker = Gauge(
    "worker_sts_breaker_state",
    "Circuit breaker: 0 closed, 1 open, 2 half-open",
    ["stream_id"],
    multiprocess_mode=_GAUGE_MODE,
)
_backpressure = Counter("worker_backpressure_events", "Backpressure events by action", ["stream_id", "action"])
_reconnections = Counter("worker_reconnection", "Sessions with the STS that were established again", ["stream_id"])

_start_lost = Gauge(
    "worker_start_lost_ms",
    "What came before the first key frame and was left out, in ms",
    ["stream_id"],
    multiprocess_mode=_GAUGE_MODE,
)


class StreamMetrics:
    """The metrics of one stream; every series exists, with value 0, from the moment this is made."""

    def __init__(self, stream_id: str) -> None:
        self.segments = {kind: _segments.labels(stream_id, kind) for kind in ("audio", "video")}
        self.fragments = {status: _fragments.labels(stream_id, status) for status in FRAGMENT_STATUSES}
        self.fallbacks = {reason: _fallbacks.labels(stream_id, reason) for reason in FALLBACK_REASONS}
        self.backpressure = {action: _backpressure.labels(stream_id, action) for action in BACKPRESSURE_ACTIONS}
        self.inflight = _inflight.labels(stream_id)
        self.av_delta_ms = _av_delta.labels(stream_id)
        self.sts_time_ms = _sts_time.labels(stream_id)
        self.breaker = _breaker.labels(stream_id)
        self.reconnections = _reconnections.labels(stream_id)
        self.start_lost_ms = _start_lost.labels(stream_id)
        self.start_lost_ms.set(0)
        self.inflight.set(0)
        self.breaker.set(0)
