"""Samples: decoding, channels, sample rates. Decoding and resampling are FFmpeg's, through PyAV (no process a call)."""

import io
from itertools import chain

import av
import numpy as np
import numpy.typing as npt

from .contract import MAX_FRAGMENT_MS

MAX_DECODED_MS = MAX_FRAGMENT_MS + 1000
"""An encoder's padding makes a file longer than what it stands for. 8 MB of AAC can be hours of silence."""

Samples = npt.NDArray[np.int16]
"""Shape (frames,): mono, signed 16 bit."""


class AudioDecodeError(ValueError):
    """The bytes are not audio in the format they claim to be."""


def resample(samples: Samples, rate_from: int, rate_to: int) -> Samples:
    """Change the sample rate (Hz). The length is right to within a few samples: the resampler's own rounding."""
    if rate_from == rate_to or not len(samples):
        return samples
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_to)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = rate_from
    # A resampler may give nothing at all for a sample or two.
    blocks = [samples[:0], *(out.to_ndarray()[0] for out in [*resampler.resample(frame), *resampler.resample(None)])]
    return np.concatenate(blocks).astype(np.int16, copy=False)


def decode_pcm(data: bytes, channels: int) -> Samples:
    """Interleaved s16le bytes to mono: the mean of the channels."""
    interleaved = np.frombuffer(data, dtype="<i2").reshape(-1, channels)
    if channels == 1:
        return interleaved[:, 0].astype(np.int16)
    return np.asarray(interleaved.mean(axis=1), dtype=np.int16)


def container_of(data: bytes) -> str | None:
    """FFmpeg's name of the format that the bytes are, whatever they are called; None for anything that is not taken.

    By hand: FFmpeg's own search also finds formats that name other files.
    """
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[:4] == b"OggS":
        return "ogg"
    # ADTS: 12 bits sync, 1 bit MPEG version, 2 bits layer, always 0.
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return "aac"
    return None


def decode_file(data: bytes, rate: int) -> Samples:
    """Decode the first audio stream of an MP4, ADTS, WAV or Ogg file to mono at `rate` Hz. Raises AudioDecodeError."""
    container_format = container_of(data)
    if container_format is None:
        raise AudioDecodeError(f"audio does not decode: {data[:8].hex()}… begins no MP4, ADTS, WAV or Ogg file")
    try:
        with av.open(io.BytesIO(data), "r", format=container_format) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            blocks, samples = [], 0
            for frame in chain(container.decode(audio=0), [None]):
                for out in resampler.resample(frame):
                    blocks.append(out.to_ndarray()[0])
                    samples += out.samples
                if samples > rate * MAX_DECODED_MS / 1000:
                    raise AudioDecodeError(f"audio is longer than {MAX_DECODED_MS} ms")
    except (av.FFmpegError, IndexError, ValueError) as error:
        if isinstance(error, AudioDecodeError):
            raise
        raise AudioDecodeError(f"audio does not decode: {error}") from error
    if not blocks:
        raise AudioDecodeError("audio holds no samples")
    return np.concatenate(blocks).astype(np.int16, copy=False)


def encode_pcm(samples: Samples, channels: int) -> bytes:
    """Mono samples to interleaved s16le bytes with the same signal in every channel."""
    return np.repeat(samples.astype("<i2"), channels).tobytes()
