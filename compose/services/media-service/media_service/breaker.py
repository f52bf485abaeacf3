"""Circuit breaker in front of the STS. Pure: the caller passes the time."""

from collections.abc import Callable
from enum import IntEnum

RETRYABLE_CODES = frozenset({"TIMEOUT", "MODEL_ERROR", "GPU_OOM", "QUEUE_FULL", "RATE_LIMIT"})
NOT_RETRYABLE_CODES = frozenset({"STREAM_NOT_FOUND", "INVALID_CONFIG", "FRAGMENT_TOO_LARGE", "INVALID_SEQUENCE"})


class BreakerState(IntEnum):
    """The value is the one of the metric `worker_sts_breaker_state`."""

    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


def is_retryable(code: str, flag: bool) -> bool:
    """Whether an STS error counts as a failure of the STS: by its code, or for an unknown code by the error's flag."""
    if code in RETRYABLE_CODES:
        return True
    return flag and code not in NOT_RETRYABLE_CODES


class CircuitBreaker:
    """Opens after `threshold` failures in a row; after `open_s` seconds lets exactly one probe through.

    `on_change(state, trigger, failure_count)` is called on every transition.
    """

    def __init__(self, threshold: int, open_s: float, on_change: Callable[[BreakerState, str, int], None]) -> None:
        self._threshold = threshold
        self._open_s = open_s
        self._on_change = on_change
        self._failures = 0
        self._opened_at = 0.0
        self._probe_sent = False
        self.state = BreakerState.CLOSED

    def tick(self, now: float) -> None:
        """Go from open to half-open when the time has come; `now` in seconds."""
        if self.state is BreakerState.OPEN and now - self._opened_at >= self._open_s:
            self._probe_sent = False
            self._change(BreakerState.HALF_OPEN, "open time elapsed")

    def allows(self) -> bool:
        """Whether a fragment may be sent now."""
        return self.state is BreakerState.CLOSED or (self.state is BreakerState.HALF_OPEN and not self._probe_sent)

    def sent(self) -> None:
        """A fragment was sent; in the half-open state it is the probe."""
        self._probe_sent = True

    def unsent(self) -> None:
        """What was to be sent was not: the next fragment is the probe."""
        self._probe_sent = False

    def success(self) -> None:
        """The STS answered: the row of failures ends, a probe closes the breaker."""
        self._failures = 0
        # An answer that comes while open belongs to a fragment sent before; only a probe may close the breaker.
        if self.state is BreakerState.HALF_OPEN and self._probe_sent:
            self._change(BreakerState.CLOSED, "probe succeeded")

    def refused(self) -> None:
        """An error that is not retryable: not a failure of the STS, and no success either; as a probe's answer it
        shows that the STS is back."""
        if self.state is BreakerState.HALF_OPEN:
            self.success()

    def failure(self, now: float, trigger: str) -> None:
        """A retryable error or a timeout (`trigger`); `now` in seconds."""
        self._failures += 1
        if self.state is BreakerState.HALF_OPEN and self._probe_sent:
            self._opened_at = now
            self._change(BreakerState.OPEN, f"probe failed: {trigger}")
        elif self.state is BreakerState.CLOSED and self._failures >= self._threshold:
            self._opened_at = now
            self._change(BreakerState.OPEN, trigger)

    def connection_lost(self) -> None:
        """Nobody will answer the probe any more: the next fragment after the reconnection is the probe.

        An open breaker stays open: a connection that was made again says nothing about what the STS answers.
        """
        self._probe_sent = False

    def _change(self, state: BreakerState, trigger: str) -> None:
        self.state = state
        self._on_change(state, trigger, self._failures)
