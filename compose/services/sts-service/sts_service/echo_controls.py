"""The events by which a client decides how the Echo STS misbehaves."""

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from .config import MAX_DELAY_MS, DelayRange
from .contract import RETRYABLE, Fields, Fragment, FragmentId
from .controls import Accept, Control, Streams
from .engine import STAGES, StageError
from .sessions import NO_PRESSURE, PAUSE, SLOW_DOWN, Pressure

MAX_RULES = 1000
"""That one event may set."""
MAX_TEXT = 1000
"""Characters of a text that is kept."""
MAX_STREAMS = 1000
"""With settings of their own."""
MAX_DISCONNECTIONS = 1000
"""That wait for their time."""

PRESSURES = {pressure.action: pressure for pressure in (NO_PRESSURE, SLOW_DOWN, PAUSE)}

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """Which fragments fail, and how."""

    trigger: str
    """`sequence_number`, `fragment_id`, or `nth_fragment`: the place in its session, from 1."""
    value: FragmentId
    error: StageError

    def fits(self, fragment: Fragment, nth: int) -> bool:
        seen = {"sequence_number": fragment.sequence_number, "fragment_id": fragment.fragment_id, "nth_fragment": nth}
        return seen[self.trigger] == self.value


class PerStream(Generic[T]):
    """A setting for all streams, and those of single streams, open or not."""

    def __init__(self, general: T) -> None:
        self._general = general
        self._own: dict[str, T] = {}

    def get(self, stream_id: str) -> T:
        """The stream's own setting, or that for all."""
        return self._own.get(stream_id, self._general)

    def set(self, stream_id: str | None, value: T) -> None:
        """Change the setting of a stream; without stream_id that for all."""
        if stream_id is None:
            self._general = value
            return
        self.forget(stream_id)
        self._own[stream_id] = value
        # Streams come and go, and nothing says that one will not come again.
        if len(self._own) > MAX_STREAMS:
            oldest = next(iter(self._own))
            self.forget(oldest)
            logger.warning("oldest setting forgotten", extra={"stream_id": oldest})

    def forget(self, stream_id: str) -> None:
        """From now on the setting for all holds for this stream, too."""
        self._own.pop(stream_id, None)


class EchoControls:
    """Settings, and the controls that change them or do something to open streams."""

    def __init__(self, delay: DelayRange) -> None:
        self._rules: PerStream[tuple[Rule, ...]] = PerStream(())
        self._delays = PerStream(delay)
        self._disconnections: set[asyncio.Task[None]] = set()

    def by_event(self, streams: Streams) -> Mapping[str, Control]:
        """All controls, as `Controlled` has them."""
        return {
            "config:error_simulation": self._simulate_errors,
            "config:processing_delay": self._delay_processing,
            "simulate:backpressure": partial(self._simulate_backpressure, streams),
            "simulate:disconnect": partial(self._simulate_disconnect, streams),
        }

    def failure(self, fragment: Fragment, nth: int) -> StageError | None:
        """How the fragment, the nth of its session (from 1), is to fail; None if it is not."""
        return next((rule.error for rule in self._rules.get(fragment.stream_id) if rule.fits(fragment, nth)), None)

    def delay_s(self, stream_id: str) -> float:
        """How much longer an answer to this stream is to take; drawn anew each time."""
        delay = self._delays.get(stream_id)
        return random.uniform(delay.min_ms, delay.max_ms) / 1000

    async def _simulate_errors(self, payload: Any, accept: Accept) -> None:
        """Rules by `config:error_simulation`; switched off, the stream follows those for all streams again."""
        fields = Fields(payload, "config:error_simulation")
        enabled = fields.flag("enabled")
        stream_id = _stream_id(fields)
        rules = tuple(_rule(rule) for rule in fields.objects("rules", MAX_RULES)) if enabled else ()
        if enabled or stream_id is None:
            self._rules.set(stream_id, rules)
        else:
            self._rules.forget(stream_id)
        await accept({"enabled": enabled, "stream_id": stream_id, "rules": len(rules)})

    async def _delay_processing(self, payload: Any, accept: Accept) -> None:
        fields = Fields(payload, "config:processing_delay")
        stream_id = _stream_id(fields)
        min_ms = fields.number("min_ms", 0, MAX_DELAY_MS)
        max_ms = fields.number("max_ms", min_ms, MAX_DELAY_MS)
        self._delays.set(stream_id, DelayRange(min_ms, max_ms))
        await accept({"min_ms": min_ms, "max_ms": max_ms, "stream_id": stream_id})

    async def _simulate_backpressure(self, streams: Streams, payload: Any, accept: Accept) -> None:
        fields = Fields(payload, "simulate:backpressure")
        stream_id = fields.text("stream_id", MAX_TEXT)
        usual = PRESSURES[fields.choice("action", tuple(PRESSURES))]
        severity = fields.choice("severity", ("low", "medium", "high")) if fields.has("severity") else usual.severity
        pressure = Pressure(usual.action, severity)
        delay_ms = None
        if fields.has("recommended_delay_ms"):
            delay_ms = fields.number("recommended_delay_ms", 0, MAX_DELAY_MS)
        if not await streams.send_backpressure(stream_id, pressure, delay_ms):
            raise fields.wrong("stream_id", stream_id, "a stream that is open")
        await accept({"stream_id": stream_id, "action": pressure.action, "severity": severity})

    async def _simulate_disconnect(self, streams: Streams, payload: Any, accept: Accept) -> None:
        fields = Fields(payload, "simulate:disconnect")
        delay_ms = fields.number("delay_ms", 0, MAX_DELAY_MS)
        reason = fields.text("reason", MAX_TEXT)
        stream_id = _stream_id(fields)
        waiting = len(self._disconnections)
        if waiting >= MAX_DISCONNECTIONS:
            raise fields.error(f"seen {waiting} that wait for their time, expected fewer than {MAX_DISCONNECTIONS}")
        # First, as the connection that it goes to may be the one that is closed.
        await accept({"delay_ms": delay_ms, "stream_id": stream_id})

        async def disconnect() -> None:
            await asyncio.sleep(delay_ms / 1000)
            await streams.disconnect(stream_id, reason)

        task = asyncio.create_task(disconnect())
        self._disconnections.add(task)
        task.add_done_callback(self._disconnections.discard)


def _stream_id(fields: Fields) -> str | None:
    return fields.text("stream_id", MAX_TEXT) if fields.has("stream_id") else None


def _rule(fields: Fields) -> Rule:
    """Raises ContractError."""
    trigger = fields.choice("trigger", ("sequence_number", "fragment_id", "nth_fragment"))
    value: FragmentId
    if trigger == "fragment_id":
        value = fields.id("value")
    else:
        value = fields.integer("value", 1 if trigger == "nth_fragment" else 0, 2**53)
    code = fields.text("error_code", MAX_TEXT)
    message = fields.text("error_message", MAX_TEXT) if fields.has("error_message") else f"{code}, simulated"
    stage = fields.choice("stage", STAGES) if fields.has("stage") else "asr"
    retryable = fields.flag("retryable") if fields.has("retryable") else code in RETRYABLE
    return Rule(trigger, value, StageError(code, message, stage, retryable))
