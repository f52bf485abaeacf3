"""The interface by which an engine adds events of its own to those of the contract. Only an engine for tests does."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from .sessions import Pressure

Accept = Callable[[dict[str, Any]], Awaitable[None]]
"""Sends the ack with status `accepted` and these fields."""

Control = Callable[[Any, Accept], Awaitable[None]]
"""Does what an event's payload asks, and accepts it once. Raises ContractError to reject it: the ack then says why."""


class Streams(Protocol):
    """What the server lets controls do to open streams."""

    async def send_backpressure(self, stream_id: str, pressure: Pressure, delay_ms: float | None) -> bool:
        """Tell the stream's worker, by default with the delay that the server finds right; False if there is none."""

    async def disconnect(self, stream_id: str | None, reason: str) -> None:
        """Close the connection of the stream's worker; without stream_id those of all streams that are open."""


@runtime_checkable
class Controlled(Protocol):
    """An engine with events of its own, each answered on the sender's connection by `{name}:ack`."""

    def controls(self, streams: Streams) -> Mapping[str, Control]:
        """Controls by the names of their events."""
