"""Delays between connection attempts."""

import random

JITTER = 0.2


def reconnect_delay_s(attempt: int, base_s: float, rng: random.Random) -> float:
    """Seconds to wait before reconnection `attempt` (from 1): base, doubled each time, +/- 20 % so that the workers of a
    restarted STS do not all come at once."""
    return float(base_s * 2 ** (attempt - 1) * rng.uniform(1 - JITTER, 1 + JITTER))
