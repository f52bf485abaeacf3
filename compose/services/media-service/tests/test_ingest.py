import pytest

from media_service.ingest import missing_track


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"video", "audio"}, None),
        ({"video"}, "audio track required for dubbing"),
        ({"audio"}, "video track required for dubbing"),
        (set(), "audio track required for dubbing"),
    ],
)
def test_a_source_needs_both_tracks(kinds: set[str], expected: str | None) -> None:
    assert missing_track(kinds) == expected
