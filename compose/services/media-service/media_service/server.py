"""HTTP side of the supervisor: /health and /metrics."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


class _Workers(Collector):
    """What the worker processes wrote."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        # A file is empty when its worker was killed, or its disk full, as it was made: nothing of the others is lost.
        files = [str(file) for file in self._folder.glob("*.db") if file.stat().st_size]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return merged


def make_app(health: Callable[[], dict[str, Any]], metrics_dir: str) -> web.Application:
    """`health` returns the body of /health; its `status` is "ok" (answered with 200) or something else (503).

    /metrics adds up what the worker processes wrote to `metrics_dir`.
    """
    workers = _Workers(metrics_dir)

    async def get_health(_request: web.Request) -> web.Response:
        body = health()
        return web.json_response(body, status=200 if body["status"] == "ok" else 503)

    async def get_metrics(_request: web.Request) -> web.Response:
        registry = CollectorRegistry()
        registry.register(workers)
        # A Gauge made here lives in this registry only: the workers' files are not touched.
        active = Gauge("media_service_active_streams", "Streams that have a worker now", registry=registry)
        active.set(len(health()["streams"]))
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get("/health", get_health)
    app.router.add_get("/metrics", get_metrics)
    return app
