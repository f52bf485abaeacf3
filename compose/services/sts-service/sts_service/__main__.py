"""Start the service: `python -m sts_service`, settings from the environment.

Exit codes: 0 after SIGTERM or SIGINT, 1 when the service cannot listen or has no folder for temporary files, 2 for a
server setting that cannot be used.
When the engine cannot be made ready, the service stays up and says why: on stderr, in the log and in /health.
"""

import asyncio
import contextlib
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from . import __version__, programs
from .asr import local_model
from .config import Config, ConfigError, read_config, read_engine, read_processing_delay, read_speech_config
from .echo import EchoEngine
from .engine import Engine, SpeechEngine
from .log import configure_logging
from .server import StsServer

logger = logging.getLogger("sts_service")

CLOSE_TIMEOUT_S = 1.0


def main() -> int:
    """Run until a signal comes; returns the exit code."""
    started = time.perf_counter()
    try:
        config = read_config(os.environ)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    configure_logging(config.log_level)
    # OpenMP's threads otherwise spin while they wait for each other. On cores shared with other programs the waiting one
    # keeps the awaited one from running: a recognition of 0.6 s then took up to 19 s and as much CPU time (2 cores,
    # load 5; with PASSIVE at most 1.5 s of CPU time). Read once, when CTranslate2 is imported, so it must be set before.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Everything temporary, also what libraries make, goes where one removal takes it all.
    try:
        folder = tempfile.mkdtemp(prefix="sts-service-")
    except OSError as error:
        print(f"no folder for temporary files: {error}", file=sys.stderr)
        return 1
    tempfile.tempdir = folder
    try:
        return asyncio.run(serve(config, started))
    finally:
        programs.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


def load(env: Mapping[str, str]) -> Engine:
    """The engine that ENGINE names, ready to work. Raises ConfigError, or what the engine's `load` raises."""
    engine: Engine
    if read_engine(env) == "echo":
        engine = EchoEngine(read_processing_delay(env))
    else:
        config = read_speech_config(env)
        # Of Coqui's models by name, too, some come from the hub.
        by_name = config.tts_provider == "coqui" and not Path(config.tts_model).is_file()
        if local_model(config) and not by_name:
            os.environ["HF_HUB_OFFLINE"] = "1"
        engine = SpeechEngine(config)
    engine.load()
    return engine


async def serve(config: Config, started: float) -> int:
    """Listen at once (503 while loading), load, serve until a signal; returns the exit code."""
    loop = asyncio.get_running_loop()
    stop, loaded = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = StsServer(config)
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.host, config.port).start()
    except OSError as error:
        print(f"HOST {config.host}, PORT {config.port}: cannot listen: {error}", file=sys.stderr)
        return 1
    # Not the loop's default executor: asyncio.run would wait for it, and a signal must end the service while it loads.
    loading = loop.run_in_executor(ThreadPoolExecutor(1, "load"), load, os.environ)
    loading.add_done_callback(lambda _: loaded.set())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([stopping, asyncio.create_task(loaded.wait())], return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        begin_serving(server, loading, config.port, started)
    await stopping
    logger.info("stopping", extra={"peak_rss_mb": rss_mb()})
    programs.kill_all()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await server.close()
            await runner.cleanup()
    except TimeoutError:
        logger.warning("connections did not close in time")
    return 0


def begin_serving(server: StsServer, loading: asyncio.Future[Engine], port: int, started: float) -> None:
    """Serve with the engine that was loaded, or be unhealthy for the reason that it was not."""
    try:
        engine = loading.result()
    except Exception as error:
        foreseen = isinstance(error, (ConfigError, RuntimeError))
        reason = str(error) if foreseen else f"{type(error).__name__}: {error}"
        print(reason, file=sys.stderr, flush=True)
        logger.error("cannot serve", exc_info=None if foreseen else error, extra={"reason": reason})
        server.fail(reason)
        return
    server.serve(engine)
    logger.info(
        "ready",
        extra={
            "version": __version__,
            "port": port,
            "engines": engine.describe(),
            "startup_s": round(time.perf_counter() - started, 2),
            "rss_mb": rss_mb(),
        },
    )


def rss_mb() -> int:
    """Largest resident memory of this process so far, in MB (10^6 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    with contextlib.suppress(OSError):  # a disk that is full
        sys.stdout.flush()
        sys.stderr.flush()
    # A recognition that still runs cannot be interrupted, and a normal exit would wait for its thread.
    os._exit(code)
