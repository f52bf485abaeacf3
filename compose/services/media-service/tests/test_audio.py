import array
import base64
import io
import math
import wave

import pytest

from media_service.audio import AudioError, _run, fit_length, stretch, to_mono, to_stream_format

RATE = 44_100


def stereo(*samples: int) -> bytes:
    return array.array("h", [s for sample in samples for s in (sample, sample)]).tobytes()


def test_fit_keeps_the_right_length() -> None:
    assert fit_length(stereo(*range(100)), 100) == stereo(*range(100))


def test_fit_trims_what_is_up_to_ten_percent_longer() -> None:
    assert fit_length(stereo(*range(110)), 100) == stereo(*range(100))


def test_fit_pads_what_is_up_to_ten_percent_shorter() -> None:
    assert fit_length(stereo(*range(90)), 100) == stereo(*range(90), *[0] * 10)


@pytest.mark.parametrize("length", [0, 89, 111])
def test_fit_refuses_other_lengths(length: int) -> None:
    with pytest.raises(AudioError, match=r"expected 100 \+/- 10 %"):
        fit_length(stereo(*range(length)), 100)


def tone(first: int, count: int, speed: float = 1) -> list[int]:
    return [round(20_000 * math.sin((first + n * speed) * 2 * math.pi * 1000 / RATE)) for n in range(count)]


@pytest.mark.parametrize("slew", [89, -89, 529, -1323])
def test_stretched_sound_has_no_seams(slew: int) -> None:
    wanted, taken = 6 * RATE, 6 * RATE - slew
    around = (stereo(*tone(0, RATE)), stereo(*tone(RATE, taken)), stereo(*tone(RATE + taken, RATE)))
    seen = array.array("h", stretch(*around, wanted))[::2]
    expected = tone(RATE, wanted, taken / wanted)
    assert len(seen) == wanted
    assert max(abs(a - b) for a, b in zip(seen, expected, strict=True)) < 30


def test_stretched_sound_may_have_nothing_around_it() -> None:
    assert len(stretch(b"", stereo(*tone(0, 1000)), b"", 1004)) == 1004 * 4


def test_mono_has_the_same_samples() -> None:
    assert to_mono(stereo(*range(2000)), RATE) == array.array("h", range(2000)).tobytes()


def test_mono_of_the_stream_rate_comes_back_as_stereo() -> None:
    mono = array.array("h", range(6000)).tobytes()
    assert to_stream_format(mono, "pcm_s16le", RATE, 1, RATE, RATE) == stereo(*range(6000))


@pytest.mark.parametrize(("rate", "channels"), [(22_050, 1), (16_000, 1), (48_000, 2), (44_100, 6)])
def test_other_rates_and_channels_keep_their_duration(rate: int, channels: int) -> None:
    pcm = to_stream_format(bytes(rate * channels * 2), "pcm_s16le", rate, channels, RATE, 2 * RATE)
    assert abs(len(pcm) // 4 - RATE) < 10


def test_wav_is_decoded() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(array.array("h", range(6000)).tobytes())
    assert to_stream_format(file.getvalue(), "wav", 0, 0, RATE, RATE) == stereo(*range(6000))


ENCODERS = {
    "m4a": "avenc_aac ! mp4mux",
    "adts": "avenc_aac ! aacparse ! audio/mpeg,stream-format=adts",
    "opus": "opusenc ! oggmux",
}


@pytest.mark.parametrize(("kind", "called"), [*((kind, kind) for kind in ENCODERS), ("adts", "m4a"), ("adts", "aac")])
def test_compressed_dubs_are_decoded(kind: str, called: str) -> None:
    rate = 48_000 if kind == "opus" else RATE
    caps = f"audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels=1"
    file = _run(bytes(2 * rate), f"audioconvert ! {ENCODERS[kind]}", caps)
    pcm = to_stream_format(file, called, 0, 0, RATE, 2 * RATE)
    # An encoder pads what it is given.
    assert abs(len(pcm) // 4 - RATE) < 3000


@pytest.mark.parametrize(
    ("data", "audio_format", "rate", "channels"),
    [
        (b"", "pcm_s16le", RATE, 1),
        (b"\0\0\0", "pcm_s16le", RATE, 1),
        (b"\0\0", "pcm_s16le", 0, 1),
        (b"not audio" * 100, "wav", 0, 0),
        (base64.b64encode(bytes(100)), "m4a", 0, 0),
        (b"\0\0", "mp3", RATE, 1),
    ],
)
def test_unusable_audio_is_refused(data: bytes, audio_format: str, rate: int, channels: int) -> None:
    with pytest.raises(AudioError):
        to_stream_format(data, audio_format, rate, channels, RATE, 2 * RATE)
