"""Prometheus metrics of the service; the process's memory and CPU time come from prometheus_client itself."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30)

FRAGMENTS = Counter("sts_fragments", "Fragments answered, by status", ["status"])
REFUSED = Counter("sts_refused", "Events refused with an error, by code", ["code"])
STAGE_SECONDS = Histogram("sts_stage_seconds", "Time of a processing stage", ["stage"], buckets=SECONDS)
PROCESSING_SECONDS = Histogram("sts_processing_seconds", "Time from the end of queueing to the result", buckets=SECONDS)
SESSIONS = Gauge("sts_sessions", "Streams that are open")
INFLIGHT = Gauge("sts_inflight_fragments", "Fragments accepted and not answered")

for _status in ("success", "partial", "failed"):
    FRAGMENTS.labels(_status)
