"""State of one stream: sequence, queue, order of results, backpressure."""

import asyncio
import uuid
from dataclasses import dataclass

from .contract import ContractError, Fragment, StreamConfig
from .engine import Result
from .statistics import StreamStatistics

QUEUE_FACTOR = 4
"""A stream may have this many times max_inflight fragments waiting; more are refused with QUEUE_FULL."""


class Sequence:
    """Checks that fragments come in order, from 0, none twice.

    A fragment that was refused for another reason leaves a hole that the worker may fill by sending the number again,
    or leave.
    """

    def __init__(self) -> None:
        self._expected = 0
        self._refused: set[int] = set()

    def accept(self, number: int) -> None:
        """Take `number` as the next one. Raises ContractError (INVALID_SEQUENCE)."""
        skipped = range(self._expected, number)
        if number < self._expected or len(skipped) > len(self._refused) or not self._refused.issuperset(skipped):
            raise ContractError("INVALID_SEQUENCE", f"sequence_number: seen {number}, expected {self._expected}")
        self._expected = number + 1
        self._refused = {refused for refused in self._refused if refused > number}

    def refuse(self, number: int) -> None:
        """Remember that the fragment with `number` was refused."""
        # Bounded, so that a worker that sends nothing valid does not fill the memory.
        if number >= self._expected and len(self._refused) < 1000:
            self._refused.add(number)


@dataclass(frozen=True)
class Pressure:
    """A level of backpressure."""

    action: str
    severity: str


NO_PRESSURE = Pressure("none", "low")
SLOW_DOWN = Pressure("slow_down", "medium")
PAUSE = Pressure("pause", "high")


def pressure_of(depth: int, max_inflight: int) -> Pressure:
    """Level for `depth` fragments accepted and not answered: a worker that keeps to max_inflight sees none."""
    if depth <= max_inflight:
        return NO_PRESSURE
    return PAUSE if depth >= 2 * max_inflight else SLOW_DOWN


class Session:
    """One stream of one connection, from `stream:init` to `stream:complete` or disconnection."""

    def __init__(self, sid: str, config: StreamConfig, max_inflight: int) -> None:
        self.sid = sid
        self.session_id = str(uuid.uuid4())
        self.config = config
        self.max_inflight = min(max_inflight, config.max_inflight)
        self.sequence = Sequence()
        self.statistics = StreamStatistics()
        self.pressure = NO_PRESSURE
        self.depth = 0
        """Fragments accepted and not answered."""
        self.begun: set[int] = set()
        """Sequence numbers of those whose processing has begun."""
        self.running = asyncio.Event()
        """Cleared while the worker has paused the stream."""
        self.running.set()
        self.ending = False
        self.results: asyncio.Queue[tuple[Fragment, asyncio.Task[Result]] | None] = asyncio.Queue()
        """In sequence order; None after `stream:end`."""
        self.tasks: set[asyncio.Task[Result] | asyncio.Task[None]] = set()

    def admit(self, fragment: Fragment) -> None:
        """Check that the fragment may come now.

        Raises ContractError (STREAM_NOT_FOUND, QUEUE_FULL, INVALID_SEQUENCE).
        """
        if self.ending:
            raise ContractError("STREAM_NOT_FOUND", f"stream {self.config.stream_id!r} has been ended")
        if self.depth >= QUEUE_FACTOR * self.max_inflight:
            self.sequence.refuse(fragment.sequence_number)
            raise ContractError("QUEUE_FULL", f"{self.depth} fragments are waiting")
        self.sequence.accept(fragment.sequence_number)
        self.depth += 1

    def change_pressure(self) -> bool:
        """Recompute the backpressure; whether it changed."""
        before, self.pressure = self.pressure, pressure_of(self.depth, self.max_inflight)
        return before != self.pressure

    def cancel(self) -> None:
        """Drop all work that is not done."""
        for task in self.tasks:
            task.cancel()
