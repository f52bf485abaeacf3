"""Delays between connection attempts."""

import random

# A quarter of the +/- 20 % within which a listener may see the attempt: noticing the loss and load take their part.
JITTER = 0.05


def reconnect_delay_s(attempt: int, base_s: float, rng: random.Random) -> float:
    """Seconds to wait before reconnection `attempt` (from 1): base, doubled each time, +/- 5 % so that the workers of a
    restarted STS do not all come at once."""
    return float(base_s * 2 ** (attempt - 1) * rng.uniform(1 - JITTER, 1 + JITTER))
