"""External programs: presence, bounded runs, and their end together with the service."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

TIMEOUT_S = 10.0
"""Far above any measured run (0.9 s), below the 15 s that a fragment may take in all."""


class MissingProgramError(RuntimeError):
    """A program that the service needs is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(f"program {program!r} is not on PATH; install the Debian package {package!r}")


class ProgramError(RuntimeError):
    """A program ended with an error."""


class ProgramTimeoutError(RuntimeError):
    """A program did not end in time."""


LOCALE = {"LC_ALL": "C.UTF-8"}
"""What programs read and write is UTF-8. In a locale that is not installed, Apertium writes nothing, and ends with 0."""

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def require(program: str, package: str) -> None:
    """Raise MissingProgramError unless `program` is on PATH."""
    if shutil.which(program) is None:
        raise MissingProgramError(program, package)


def run(
    args: Sequence[str], data: bytes = b"", timeout_s: float = TIMEOUT_S, env: Mapping[str, str] | None = None
) -> bytes:
    """Run a program as `run_saying` does and return its stdout alone."""
    return run_saying(args, data, timeout_s, env)[0]


def run_saying(
    args: Sequence[str], data: bytes = b"", timeout_s: float = TIMEOUT_S, env: Mapping[str, str] | None = None
) -> tuple[bytes, str]:
    """Run a program with `data` on its stdin and return its stdout, and what it has said on its stderr.

    Raises ProgramError on a non-zero exit, ProgramTimeoutError after `timeout_s` seconds.
    """
    # A session of its own: apertium is a shell pipeline, and only its process group reaches every part of it.
    process = subprocess.Popen(
        args,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, **LOCALE, **(env or {})},
    )
    with _lock:
        _running.add(process)
    try:
        out, err = process.communicate(data, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise ProgramTimeoutError(f"{args[0]} did not end within {timeout_s:g} s") from None
    finally:
        _kill(process)
        with _lock:
            _running.discard(process)
    said = err.decode(errors="replace").strip()
    if process.returncode != 0:
        raise ProgramError(f"{args[0]} ended with {process.returncode}: {said or 'no message'}")
    return out, said


def kill_all() -> None:
    """Kill every program that still runs."""
    with _lock:
        processes = list(_running)
    for process in processes:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    # Once waited for, the pid may belong to someone else.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
