from collections.abc import Iterator
from socket import socket

import pytest


@pytest.fixture
def silent_place() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
