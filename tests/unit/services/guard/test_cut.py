from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.guard.cut import Cut


def frame(stream: int, content: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


def content_of(stream: bytes) -> bytes:
    """Return what the frames hold; they must be whole."""
    content = b""
    while stream:
        length = int.from_bytes(stream[4:8], "big")
        assert len(stream) >= 8 + length, "a frame that is not whole"
        content, stream = content + stream[8 : 8 + length], stream[8 + length :]
    return content


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=30)), max_size=8),
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.integers(1, 100),
)
def test_frames_pass_in_any_pieces_up_to_the_limit(
    frames: list[tuple[int, bytes]], sizes: list[int], limit: int
) -> None:
    stream = b"".join(frame(number, content) for number, content in frames)
    whole = content_of(stream)
    cut = Cut(limit)
    passed = b""
    for size in [*sizes, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        passed += cut.passed(piece)
    assert content_of(passed) == whole[:limit]
    assert cut.is_full == (len(whole) >= limit)
