"""Conversions of audio between the stream (S16LE stereo) and the STS (mono, or whatever it answers with)."""

import math
import time

from media_service.gst import Gst
from media_service.segmenter import BYTES_PER_FRAME, CHANNELS

LENGTH_TOLERANCE = 0.10
FILE_FORMATS = ("m4a", "aac", "adts", "wav", "opus")
"""They describe themselves: one that is called by another's name is decoded as what it is."""
_CONVERT_TIMEOUT_S = 2
# With its default, cubic, the audio comes out an eighth of a sample off, which is a step at each splice.
_STRETCHER = "audioresample sinc-filter-mode=interpolated sinc-filter-interpolation=linear"
_PULL_TIMEOUT_NS = 20_000_000


class AudioError(ValueError):
    """Audio that cannot be used; the message says why."""


def fit_length(pcm: bytes, samples: int) -> bytes:
    """Trim `pcm` (S16LE stereo) at the end or pad it with silence to `samples` samples a channel.

    Raises AudioError when its length differs by more than 10 %: it would be cut mid-speech or leave a hole.
    """
    seen = len(pcm) // BYTES_PER_FRAME
    if abs(seen - samples) > samples * LENGTH_TOLERANCE:
        raise AudioError(f"dubbed audio has {seen} samples, expected {samples} +/- 10 %")
    size = samples * BYTES_PER_FRAME
    return pcm[:size].ljust(size, b"\0")


def stretch(before: bytes, pcm: bytes, after: bytes, samples: int) -> bytes:
    """Play `pcm` (S16LE stereo) faster or slower so that it has `samples` samples a channel.

    `before` and `after` is the audio around it, empty where there is none: each sample is made of those on both sides of
    it, so the splices would click without.
    """
    seen = len(pcm) // BYTES_PER_FRAME
    # The audio before is cut to what is a whole number of samples at both speeds, to 0.003 of a sample: one more at the
    # one than at the other. So `pcm` begins at a sample of the result, and not between two.
    context = round(seen / abs(samples - seen))
    size = context * BYTES_PER_FRAME
    data = before[-size:].rjust(size, b"\0") + pcm + after[:size]
    result = _run(data, f"{_STRETCHER} ! {_caps(samples, CHANNELS)}", _caps(seen, CHANNELS))
    begin, size = round(context * samples / seen) * BYTES_PER_FRAME, samples * BYTES_PER_FRAME
    return result[begin : begin + size].ljust(size, b"\0")


def to_mono(pcm: bytes, rate_hz: int) -> bytes:
    """S16LE stereo to S16LE mono, same rate and length in samples."""
    return _run(pcm, f"audioconvert dithering=none ! {_caps(rate_hz, 1)}", _caps(rate_hz, CHANNELS))


def to_stream_format(
    data: bytes, audio_format: str, rate_hz: int, channels: int, wanted_rate_hz: int, most_samples: int
) -> bytes:
    """What an STS answered, as S16LE stereo at `wanted_rate_hz`.

    `audio_format` is pcm_s16le (then `rate_hz` and `channels` describe it), or one of FILE_FORMATS.
    Raises AudioError if it cannot be converted or has more than `most_samples` samples: some MB can be hours of audio.
    """
    tail = f"audioconvert dithering=none ! audioresample ! {_caps(wanted_rate_hz, CHANNELS)}"
    if audio_format == "pcm_s16le":
        if not (1 <= channels <= 8 and 1000 <= rate_hz <= 384_000):
            raise AudioError(f"pcm_s16le with {channels} channels at {rate_hz} Hz, expected 1-8 channels, 1-384 kHz")
        if not data or len(data) % (2 * channels):
            raise AudioError(f"pcm_s16le of {len(data)} bytes, expected a multiple of {2 * channels}, not 0")
        return _run(data, tail, _caps(rate_hz, channels), most_samples)
    if audio_format in FILE_FORMATS:
        return _run(data, f"decodebin ! {tail}", None, most_samples)
    raise AudioError(f"audio format {audio_format!r}, expected pcm_s16le, {', '.join(FILE_FORMATS)}")


def _caps(rate_hz: int, channels: int) -> str:
    # More than stereo needs positions to be mixed down: the first ones in the usual order (front, centre, LFE, rear).
    mask = f",channel-mask=(bitmask){(1 << channels) - 1:#x}" if channels > 2 else ""
    return f"audio/x-raw,format=S16LE,layout=interleaved,rate={rate_hz},channels={channels}{mask}"


def _run(data: bytes, elements: str, caps: str | None, most_samples: float = math.inf) -> bytes:
    """Push `data` through `elements` and return what comes out; raises AudioError."""
    if not data:  # GStreamer crashes
        raise AudioError("there is no sound")
    pipeline = Gst.parse_launch(f"appsrc name=src max-bytes=0 ! {elements} ! appsink name=sink sync=false")
    source, sink = pipeline.get_by_name("src"), pipeline.get_by_name("sink")
    if caps:
        source.set_property("caps", Gst.Caps.from_string(caps))
        source.set_property("format", Gst.Format.TIME)
    buffer = Gst.Buffer.new_wrapped(data)
    if caps:
        buffer.pts = 0
    pipeline.set_state(Gst.State.PLAYING)
    try:
        source.emit("push-buffer", buffer)
        source.emit("end-of-stream")
        result = bytearray()
        deadline = time.monotonic() + _CONVERT_TIMEOUT_S
        while not sink.get_property("eos"):
            sample = sink.emit("try-pull-sample", _PULL_TIMEOUT_NS)
            if sample is not None:
                out = sample.get_buffer()
                result += out.extract_dup(0, out.get_size())
                if len(result) > most_samples * BYTES_PER_FRAME:
                    raise AudioError(f"dubbed audio has more than {most_samples} samples")
                continue
            error = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
            if error is not None:
                raise AudioError(f"cannot decode: {error.parse_error()[0].message}")
            if time.monotonic() > deadline:
                raise AudioError(f"cannot decode: not done after {_CONVERT_TIMEOUT_S} s")
        return bytes(result)
    finally:
        pipeline.set_state(Gst.State.NULL)
