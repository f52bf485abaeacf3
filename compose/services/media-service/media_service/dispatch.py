"""When a fragment goes to the STS and when its segment keeps the original audio. Pure: the caller passes the time."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from media_service.breaker import CircuitBreaker

# Fragments are spaced by when they arrive, and one may be on its way a little longer than the next.
_ARRIVAL_JITTER_S = 0.05


class Pacing:
    """What the STS asked for by `backpressure`: pause, a minimum distance between sends, or nothing."""

    def __init__(self) -> None:
        self._paused = False
        self._delay_s = 0.0
        self._last_sent = float("-inf")

    def apply(self, action: str, recommended_delay_ms: float) -> None:
        """Take over a backpressure event (the delay finite, not negative); an unknown action changes nothing."""
        if action == "pause":
            self._paused = True
        elif action in ("none", "slow_down"):
            self._paused = False
            self._delay_s = recommended_delay_ms / 1000 + _ARRIVAL_JITTER_S if action == "slow_down" else 0.0

    def reset(self) -> None:
        """Forget what an earlier session asked for."""
        self.apply("none", 0)

    def may_send(self, now: float) -> bool:
        """Whether a fragment may be sent at `now` (seconds)."""
        return not self._paused and now - self._last_sent >= self._delay_s

    def sent(self, now: float) -> None:
        """A fragment was sent at `now` (seconds)."""
        self._last_sent = now


class Session(Enum):
    """State of the connection to the STS as far as fragments are concerned."""

    CONNECTING = "connecting"  # the first attempt is under way: fragments wait
    READY = "ready"
    LOST = "lost"  # fragments keep the original audio at once


@dataclass
class _Fragment:
    index: int
    deadline: float  # of the sending at first, of the answer once it is sent
    sent_at: float = 0.0


@dataclass
class Decision:
    """What to do now: segments to send, and segments that keep the original audio with the reason (see metrics.py)."""

    send: list[int] = field(default_factory=list)
    fall_back: list[tuple[int, str]] = field(default_factory=list)


class Dispatcher:
    """Holds the fragments from the cut of their segment to an answer or a fallback."""

    def __init__(self, breaker: CircuitBreaker, pacing: Pacing, max_inflight: int, timeout_s: float) -> None:
        self._breaker = breaker
        self._pacing = pacing
        self._own_limit = max_inflight
        self._limit = max_inflight
        self._timeout_s = timeout_s
        self._waiting: deque[_Fragment] = deque()
        self._outstanding: dict[int, _Fragment] = {}
        self._session = Session.CONNECTING

    @property
    def inflight(self) -> int:
        """Number of fragments sent and not answered."""
        return len(self._outstanding)

    def add(self, index: int, cut_at: float) -> None:
        """A segment was cut at `cut_at` (seconds). It waits at most one timeout until it is sent, because viewers wait
        with it; the STS then has a whole timeout to answer."""
        self._waiting.append(_Fragment(index, cut_at + self._timeout_s))

    def ready(self, max_inflight: int | None) -> None:
        """A session is established; `max_inflight` is the STS's limit, None if it gave none."""
        self._session = Session.READY
        self._limit = min(self._own_limit, max_inflight) if max_inflight else self._own_limit
        self._pacing.reset()

    def lost(self) -> list[tuple[int, str]]:
        """The connection is lost or cannot be made; returns the fragments that fall back at once."""
        self._session = Session.LOST
        self._breaker.connection_lost()
        fragments = [*self._outstanding.values(), *self._waiting]
        self._outstanding.clear()
        self._waiting.clear()
        return [(fragment.index, "disconnected") for fragment in fragments]

    def sent(self, index: int, now: float) -> None:
        """Segment `index` has left at `now` (seconds): its audio had to be converted since the decision to send it."""
        fragment = self._outstanding.get(index)
        if fragment:
            fragment.sent_at, fragment.deadline = now, now + self._timeout_s
        self._pacing.sent(now)

    def unsent(self, index: int) -> None:
        """Segment `index` could not leave after all: its slot is free, and it was no probe."""
        self._outstanding.pop(index, None)
        self._breaker.unsent()

    def answered(self, index: int) -> float | None:
        """The STS answered segment `index`: free its slot and return when it was sent (seconds), None if nobody waits."""
        fragment = self._outstanding.pop(index, None)
        return fragment.sent_at if fragment else None

    def advance(self, now: float) -> Decision:
        """Everything that is due at `now` (seconds). Fragments in `send` count as outstanding from here on."""
        decision = Decision()
        self._expire(now, decision)
        self._breaker.tick(now)
        while self._waiting:
            index = self._waiting[0].index
            if self._session is Session.LOST:
                self._waiting.popleft()
                decision.fall_back.append((index, "disconnected"))
            elif self._session is Session.READY and not self._breaker.allows():
                self._waiting.popleft()
                decision.fall_back.append((index, "circuit_open"))
            elif self._may_send(now):
                fragment = self._waiting.popleft()
                fragment.sent_at, fragment.deadline = now, now + self._timeout_s
                self._outstanding[index] = fragment
                self._breaker.sent()
                self._pacing.sent(now)
                decision.send.append(index)
            else:
                break
        return decision

    def _may_send(self, now: float) -> bool:
        return self._session is Session.READY and self.inflight < self._limit and self._pacing.may_send(now)

    def _expire(self, now: float, decision: Decision) -> None:
        for index in [f.index for f in self._outstanding.values() if f.deadline <= now]:
            del self._outstanding[index]
            decision.fall_back.append((index, "timeout"))
            self._breaker.failure(now, "TIMEOUT")
        # A fragment that was never sent says nothing about the STS: no failure for the breaker.
        while self._waiting and self._waiting[0].deadline <= now:
            decision.fall_back.append((self._waiting.popleft().index, "timeout"))
