"""One worker process: dubs one stream from its begin to its end.

The supervisor starts it without a stream; the assignment comes as a JSON line on stdin. Everything that happens (media,
STS, signals) becomes an event in one queue, and one thread handles them in order: no state is shared between threads.
"""

import base64
import contextlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_service.audio import AudioError, fit_length, stretch, to_mono, to_stream_format
from media_service.breaker import BreakerState, CircuitBreaker, is_retryable
from media_service.config import WARM_FD_VARIABLE, Config
from media_service.dispatch import Dispatcher, Pacing
from media_service.ingest import Ingest, IngestEvent, SourceEnded
from media_service.log import logger, setup_logging
from media_service.metrics import BACKPRESSURE_ACTIONS, StreamMetrics
from media_service.output import Output, OutputError
from media_service.segment_store import SegmentStore
from media_service.segmenter import BYTES_PER_FRAME, AccessUnit, PcmChunk, Segment, Segmenter, TimestampError
from media_service.sts_client import StsClient, StsEvent, StsGaveUp, StsLost, StsMessage, StsReady

TICK_S = 0.02
COMPLETE_TIMEOUT_S = 2.0
# What is left to write when the worker ends; it has had the time of playing the last segments.
STORE_CLOSE_TIMEOUT_S = 0.5
# The longest distance between fragments that an STS may ask for: more is as good as a pause, for which there is a word.
MAX_DELAY_MS = 600_000
# Characters of what the STS says that go into the log.
MAX_SHOWN = 2000

EXIT_OK = 0
EXIT_FAILED = 1
MIN_TIMEOUT_MS, MAX_TIMEOUT_MS = 1000, 30_000
EXIT_ORPHANED = 3


def stream_init(config: Config, stream_id: str, worker_id: str) -> dict[str, Any]:
    """Payload of `stream:init`."""
    return {
        "stream_id": stream_id,
        "worker_id": worker_id,
        "config": {
            "source_language": config.source_language,
            "target_language": config.target_language,
            "voice_profile": config.voice_profile,
            "chunk_duration_ms": config.segment_duration_ms,
            "sample_rate_hz": config.audio_sample_rate_hz,
            "channels": 1,
            "format": "pcm_s16le",
        },
        "max_inflight": config.max_inflight,
        # What an STS takes; a worker that waits longer says so much.
        "timeout_ms": min(max(config.sts_timeout_ms, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS),
    }


@dataclass
class _Job:
    """A segment on its way to the output; `pcm` is set when its audio (S16LE stereo) is decided."""

    segment: Segment
    pcm: bytes | None = None
    source: str = ""  # dubbed | original


class Worker:
    """The life of one stream."""

    def __init__(self, config: Config, stream_id: str, worker_id: str, output_allowed: threading.Event) -> None:
        self._config = config
        self._stream_id = stream_id
        self._output_allowed = output_allowed
        self._metrics = StreamMetrics(stream_id)
        self._events: queue.SimpleQueue[IngestEvent | StsEvent] = queue.SimpleQueue()
        self._rate = config.audio_sample_rate_hz
        self._breaker = CircuitBreaker(
            config.breaker_failure_threshold, config.breaker_open_ms / 1000, self._on_breaker_change
        )
        self._pacing = Pacing()
        self._dispatcher = Dispatcher(self._breaker, self._pacing, config.max_inflight, config.sts_timeout_ms / 1000)
        self._segmenter = Segmenter(config.segment_duration_ms, self._rate, _stretch)
        self._store = SegmentStore(Path(config.segment_dir), stream_id, config.segments_kept)
        self._ingest = Ingest(f"{config.mediamtx_rtsp_url}/live/{stream_id}/in", self._rate, self._events.put)
        self._output = Output(f"{config.mediamtx_rtmp_url}/live/{stream_id}/out", self._rate)
        self._sts = StsClient(
            config.sts_service_url,
            stream_id,
            worker_id,
            stream_init(config, stream_id, worker_id),
            config.reconnect_base_delay_ms / 1000,
            config.reconnect_max_attempts,
            self._events.put,
        )
        self._jobs: dict[int, _Job] = {}  # by segment index; removed when sent to the output
        self._next_output = 0
        self._sequence_number = 0
        self._inflight = 0  # what the metric says
        self._connected = False
        self._failed = False
        self._is_unusable = False  # of the source, what comes now
        self._source_ended = False
        self._ended = False
        self._complete_deadline = 0.0  # how long to wait for stream:complete
        self.stop = False

    def run(self) -> int:
        """Work until the output is complete; returns the exit code."""
        # The STS first: connecting runs in the background and costs the ingest nothing.
        self._sts.start()
        self._ingest.start()
        try:
            while not self.stop:
                try:
                    self._handle(self._events.get(timeout=TICK_S))
                    while not self._events.empty():
                        self._handle(self._events.get())
                except queue.Empty:
                    pass
                self._advance(time.monotonic())
                if self._source_ended and not self._jobs and not self._ended:
                    self._end(time.monotonic())
                output_done = self._output.poll()
                if self._ended and output_done and time.monotonic() >= self._complete_deadline:
                    if self._failed:
                        return EXIT_FAILED
                    logger.info("stream complete", extra={"segments": self._next_output})
                    return EXIT_OK
            logger.info("worker was asked to stop")
            return EXIT_OK
        except (OutputError, _SourceError) as error:
            logger.error(str(error))
            return EXIT_FAILED
        finally:
            self._ingest.stop()
            self._sts.stop()
            self._output.close()
            self._store.close(STORE_CLOSE_TIMEOUT_S)

    # -- events

    def _handle(self, event: IngestEvent | StsEvent) -> None:
        match event:
            case AccessUnit() | PcmChunk():
                self._on_content(event)
            case SourceEnded(error):
                if error:
                    raise _SourceError(error)
                self._on_segments(self._segmenter.finish())
                self._source_ended = True
            case StsReady(max_inflight, again):
                self._connected = True
                self._sequence_number = 0
                self._dispatcher.ready(max_inflight)
                if again:
                    self._metrics.reconnections.inc()
                    logger.info("STS session established again")
            case StsLost(reason):
                if self._connected:
                    logger.warning("STS connection lost", extra={"reason": reason})
                self._connected = False
                self._fall_back(self._dispatcher.lost())
            case StsGaveUp(attempts):
                self._fail(
                    f"giving up on the STS after {attempts} attempts: the worker ends",
                    {"attempts": attempts, "url": self._config.sts_service_url},
                )
            case StsMessage(name, payload):
                self._on_message(name, payload)

    def _on_content(self, event: AccessUnit | PcmChunk) -> None:
        if self._is_unusable:
            return
        try:
            if isinstance(event, AccessUnit):
                self._on_segments(self._segmenter.add_video(event))
            else:
                self._on_segments(self._segmenter.add_audio(event))
        except TimestampError as error:
            self._is_unusable = True
            self._fail(f"the source cannot be dubbed any further: {error}", {})

    def _fail(self, message: str, fields: dict[str, object]) -> None:
        """End the worker with an error. What has come plays to its end; the SourceEnded that follows sees to it."""
        self._failed = True
        logger.error(message, extra=fields)
        self._ingest.finish()

    def _on_segments(self, segments: list[Segment]) -> None:
        for segment in segments:
            if segment.index == 0:
                self._tell_start_loss()
            self._jobs[segment.index] = _Job(segment)
            self._dispatcher.add(segment.index, time.monotonic())
            self._store.add(segment)
            logger.info(
                "segment cut",
                extra={
                    "segment": segment.index,
                    "start_ms": round(segment.start_ns / 1e6),
                    "duration_ms": round(segment.duration_ms),
                    "samples": segment.samples,
                    "frames": len(segment.video),
                },
            )
            if segment.speed != 1:
                logger.info(
                    "A/V drift corrected by slew",
                    extra={
                        "segment": segment.index,
                        "drift_ms": round(segment.drift_ms, 1),
                        "speed": round(segment.speed, 5),
                    },
                )

    def _tell_start_loss(self) -> None:
        loss = self._segmenter.start_loss
        if loss is None:
            return
        self._metrics.start_lost_ms.set(loss.ms)
        logger.info(
            "content before the first key frame is left out",
            extra={"lost_ms": round(loss.ms, 1), "frames": loss.frames},
        )

    def _on_message(self, name: str, payload: dict[str, Any]) -> None:
        if name == "fragment:processed":
            self._on_result(payload)
        elif name == "error":
            self._on_error(payload)
        elif name == "backpressure":
            action = str(payload.get("action", ""))
            delay = payload.get("recommended_delay_ms") or 0
            # True is an int in Python, and NaN is neither in nor out of any range.
            if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= MAX_DELAY_MS:
                logger.warning("delay that cannot be kept to is ignored", extra={"recommended_delay_ms": _shown(delay)})
                delay = 0
            delay_ms = float(delay)
            self._pacing.apply(action, delay_ms)
            if action in BACKPRESSURE_ACTIONS:
                self._metrics.backpressure[action].inc()
            logger.info(
                "backpressure",
                extra={
                    "action": _shown(action),
                    "recommended_delay_ms": delay_ms,
                    "severity": _shown(payload.get("severity")),
                },
            )
        elif name == "stream:complete":
            logger.info("STS completed the stream", extra={"statistics": _shown(payload.get("statistics"))})
            self._complete_deadline = 0.0
        else:
            logger.debug(name, extra={key: _shown(payload.get(key)) for key in ("fragment_id", "status")})

    def _on_result(self, payload: dict[str, Any]) -> None:
        job = self._answered_job(payload)
        if job is None:
            return
        index = job.segment.index
        error = payload.get("error")
        # Some STS say a status only by the error.
        if payload.get("status", "success" if error is None else "failed") not in ("success", "partial"):
            self._on_failure(index, error if isinstance(error, dict) else {})
            return
        self._breaker.success()
        try:
            job.pcm = self._decode(payload.get("dubbed_audio"), job.segment.samples)
        except AudioError as error:
            logger.warning(
                "dubbed audio cannot be used",
                extra={"fragment_id": self._fragment_id(index), "error": str(error)},
            )
            self._fall_back([(index, "error")])
            return
        job.source = "dubbed"
        self._metrics.fragments["processed"].inc()
        self._sts.send(
            "fragment:ack",
            {"fragment_id": self._fragment_id(index), "stream_id": self._stream_id, "status": "applied"},
        )
        logger.info(
            "fragment processed",
            extra={
                "fragment_id": self._fragment_id(index),
                **{
                    key: _shown(payload.get(key))
                    for key in ("status", "transcript", "translated_text", "processing_time_ms")
                },
            },
        )

    def _on_error(self, payload: dict[str, Any]) -> None:
        code = str(payload.get("code", ""))
        logger.warning(
            "STS error",
            extra={
                "code": _shown(code),
                "error": _shown(payload.get("message")),
                "severity": _shown(payload.get("severity")),
                "fragment_id": _shown(payload.get("fragment_id")),
            },
        )
        if payload.get("fragment_id"):
            job = self._answered_job(payload)
            if job is not None:
                self._on_failure(job.segment.index, payload)
        if code == "STREAM_NOT_FOUND":
            # The STS has forgotten the session (e.g. restarted behind a proxy): make a new one.
            self._sts.drop()

    def _on_failure(self, index: int, error: dict[str, Any]) -> None:
        code = str(error.get("code", "UNKNOWN"))[:MAX_SHOWN]
        if is_retryable(code, bool(error.get("retryable"))):
            self._breaker.failure(time.monotonic(), code)
        else:
            # The STS is alive; it only refuses this fragment.
            self._breaker.refused()
        self._fall_back([(index, "error")], code)

    def _answered_job(self, payload: dict[str, Any]) -> _Job | None:
        """The segment that `payload` answers, its slot freed; None, logged, when nobody waits for it."""
        fragment_id = str(payload.get("fragment_id", ""))
        index = next((i for i in self._jobs if self._fragment_id(i) == fragment_id), None)
        sent_at = None if index is None else self._dispatcher.answered(index)
        if index is None or sent_at is None:
            logger.warning("late or unknown result ignored", extra={"fragment_id": _shown(fragment_id)})
            return None
        self._metrics.sts_time_ms.observe((time.monotonic() - sent_at) * 1000)
        return self._jobs[index]

    def _decode(self, audio: object, samples: int) -> bytes:
        """`dubbed_audio`, an object or a bare base64 string, as S16LE stereo of `samples` samples; raises AudioError."""
        if isinstance(audio, str):
            audio = {"data_base64": audio}
        if not isinstance(audio, dict):
            raise AudioError(f"dubbed_audio is {type(audio).__name__}, expected an object or a base64 string")
        try:
            data = base64.b64decode(audio.get("data_base64") or "", validate=True)
            rate, channels = int(audio.get("sample_rate_hz") or self._rate), int(audio.get("channels") or 1)
        except (TypeError, ValueError, OverflowError) as error:  # int(inf) overflows
            raise AudioError(f"dubbed_audio is malformed: {error}") from error
        audio_format = str(audio.get("format") or "pcm_s16le")[:MAX_SHOWN]
        # Twice as long is too long in any case, and fit_length says by how much.
        return fit_length(to_stream_format(data, audio_format, rate, channels, self._rate, 2 * samples), samples)

    # -- what is due

    def _advance(self, now: float) -> None:
        if self._sts.is_sending:  # the STS sees it later than it was handed over
            self._pacing.sent(now)
        decision = self._dispatcher.advance(now)
        self._fall_back(decision.fall_back)
        for index in decision.send:
            self._send(self._jobs[index].segment)
        if self._inflight != self._dispatcher.inflight:  # a gauge is a file, and this comes 50 times a second
            self._inflight = self._dispatcher.inflight
            self._metrics.inflight.set(self._inflight)
        while (job := self._jobs.get(self._next_output)) and job.pcm is not None and self._output_allowed.is_set():
            self._put_out(job, job.pcm)

    def _send(self, segment: Segment) -> None:
        fragment_id = self._fragment_id(segment.index)
        fields = {
            "fragment_id": fragment_id,
            "stream_id": self._stream_id,
            "sequence_number": self._sequence_number,
            "timestamp": round(segment.start_ns / 1e6),
        }
        try:
            mono = to_mono(segment.pcm, self._rate)
        except AudioError as error:  # the machine is too busy
            logger.warning("sound not converted for the STS", extra={"fragment_id": fragment_id, "error": str(error)})
            self._dispatcher.unsent(segment.index)
            self._fall_back([(segment.index, "error")])
            return
        if not self._sts.send_fragment(fields, mono, self._rate, segment.source_pts_ns):
            return  # the StsLost that follows makes the fragment fall back
        self._dispatcher.sent(segment.index, time.monotonic())
        self._metrics.fragments["sent"].inc()
        logger.info("fragment sent", extra={"fragment_id": fragment_id, "sequence_number": self._sequence_number})
        self._sequence_number += 1

    def _fall_back(self, fallbacks: list[tuple[int, str]], code: str | None = None) -> None:
        for index, reason in fallbacks:
            job = self._jobs[index]
            job.pcm, job.source = job.segment.pcm, "original"
            self._metrics.fragments["fallback"].inc()
            self._metrics.fallbacks[reason].inc()
            logger.warning(
                "fallback to original audio",
                extra={
                    **{"fragment_id": self._fragment_id(index), "reason": reason, "code": code},
                    **({"timeout_ms": self._config.sts_timeout_ms} if reason == "timeout" else {}),
                },
            )

    def _put_out(self, job: _Job, pcm: bytes) -> None:
        first = not self._output.started
        timing = self._output.push(job.segment, pcm)
        if first:
            logger.info("output started")
        del self._jobs[self._next_output]
        self._next_output += 1
        for counter in self._metrics.segments.values():
            counter.inc()
        delta = timing.delta_ms
        if delta is not None:
            self._metrics.av_delta_ms.observe(abs(delta))
        logger.info(
            "pair sent to output",
            extra={
                "segment": job.segment.index,
                "audio": job.source,
                "delta_ms": None if delta is None else round(delta, 3),
                "frames": len(job.segment.video),
                "samples": job.segment.samples,
            },
        )

    def _end(self, now: float) -> None:
        """Every segment is on its way: finish the output and take leave of the STS."""
        self._ended = True
        self._output.finish()
        if self._connected and self._sts.send("stream:end", {"stream_id": self._stream_id, "reason": "source ended"}):
            self._complete_deadline = now + COMPLETE_TIMEOUT_S

    def _fragment_id(self, index: int) -> str:
        return f"{self._stream_id}_{index:04d}"

    def _on_breaker_change(self, state: BreakerState, trigger: str, failure_count: int) -> None:
        self._metrics.breaker.set(state.value)
        logger.warning(
            "circuit breaker changed",
            extra={"state": state.name.lower().replace("_", "-"), "trigger": trigger, "failure_count": failure_count},
        )


def _stretch(before: bytes, pcm: bytes, after: bytes, samples: int) -> bytes:
    """Like `stretch`; where that fails, because the machine is too busy, trimmed or padded by what it was to correct."""
    try:
        return stretch(before, pcm, after, samples)
    except AudioError as error:
        logger.warning("A/V drift corrected by a jump", extra={"error": str(error)})
        size = samples * BYTES_PER_FRAME
        return pcm[:size].ljust(size, b"\0")


def _shown(value: object) -> object:
    """What the STS said, as it may stand in a log: no longer than MAX_SHOWN, and JSON."""
    if isinstance(value, str):
        return value[:MAX_SHOWN]
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return repr(value)[:MAX_SHOWN]
    return value if len(text) <= MAX_SHOWN else text[:MAX_SHOWN]


class _SourceError(RuntimeError):
    """The source cannot be dubbed."""


def _log_thread_error(error: threading.ExceptHookArgs) -> None:
    """Socket.IO handles each message in a thread of its own; one that is malformed ends it, and nothing else."""
    logger.error(
        "a thread failed",
        extra={"failed_thread": error.thread.name if error.thread else None},
        exc_info=(error.exc_type, error.exc_value or error.exc_type(), error.exc_traceback),
    )


def main() -> int:
    """Wait for the assignment on stdin, then work; returns the exit code."""
    config = Config.from_env(os.environ)
    setup_logging(config.log_level)
    assigned, output_allowed = threading.Event(), threading.Event()
    assignment: dict[str, str] = {}
    worker: Worker | None = None

    def on_signal(_number: int, _frame: object) -> None:
        if worker is None:
            os._exit(EXIT_OK)
        worker.stop = True

    def read_stdin() -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if "stream_id" in order:
                assignment.update(order)
                assigned.set()
            if order.get("output_allowed"):
                output_allowed.set()
        # End of file: the supervisor was killed. A worker never outlives it, and cleans up in its place.
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
        os._exit(EXIT_ORPHANED)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=read_stdin, name="stdin", daemon=True).start()
    # Everything is imported: closing the pipe tells the supervisor so.
    if WARM_FD_VARIABLE in os.environ:
        os.close(int(os.environ[WARM_FD_VARIABLE]))
    assigned.wait()
    setup_logging(config.log_level, stream_id=assignment["stream_id"], worker_id=assignment["worker_id"])
    logger.info("worker started", extra={"pid": os.getpid()})
    threading.excepthook = _log_thread_error
    try:
        worker = Worker(config, assignment["stream_id"], assignment["worker_id"], output_allowed)
    except OSError as error:
        logger.error("the metrics cannot be written: the worker ends", extra={"error": str(error)})
        return EXIT_FAILED
    return worker.run()


if __name__ == "__main__":
    code = main()
    with contextlib.suppress(OSError):  # a disk that is full
        sys.stdout.flush()
    # The threads of GStreamer and Socket.IO have nothing left to do; waiting for them could only hang.
    os._exit(code)
