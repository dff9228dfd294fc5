import pytest

from opencpm.protocols.msnp import chunks, payload
from opencpm.protocols.msnp.errors import MsnpError

ID = "{A1B2C3D4-0000-0000-0000-000000000001}"


def pieces(text: str) -> list[payload.Payload]:
    made = chunks.split(payload.text_headers(), text.encode(), ID)
    assert all(len(piece) <= payload.MAX_PAYLOAD for piece in made)
    return [payload.parse(piece) for piece in made]


def test_short_text_is_one_payload() -> None:
    assert chunks.split(payload.text_headers(), b"hello", ID) == [payload.text("hello")]


def test_there_and_back_cut_inside_a_character() -> None:
    text = "☃" * 1000
    parts = pieces(text)
    assert len(parts) == 3
    assert parts[0].headers["chunks"] == "3"
    assert dict(parts[2].headers) == {"message-id": ID, "chunk": "2"}
    assembler = chunks.Assembler()
    whole = [assembler.add("bob@x", part, 1.0) for part in parts]
    assert whole[:2] == [None, None]
    assert whole[2] is not None
    assert payload.decode_text(whole[2]) == text


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (0, 1, 1, 2), (2, 0, 1)])
def test_a_gap_drops_the_message(order: tuple[int, ...]) -> None:
    parts, assembler = pieces("x" * 4000), chunks.Assembler()
    assert [assembler.add("bob@x", parts[n], 1.0) for n in order] == [None] * len(order)


def test_two_senders_do_not_mix() -> None:
    parts, assembler = pieces("x" * 2000), chunks.Assembler()
    assert assembler.add("bob@x", parts[0], 1.0) is None
    assert assembler.add("stranger@x", parts[1], 1.0) is None
    assert assembler.add("bob@x", parts[1], 1.0) is not None


def test_stale_and_too_many() -> None:
    parts, assembler = pieces("x" * 2000), chunks.Assembler()
    assembler.add("bob@x", parts[0], 1.0)
    assert assembler.add("bob@x", parts[1], 62.0) is None
    for number in range(chunks.MAX_OPEN + 1):
        assembler.add(f"b{number}@x", parts[0], 100.0)
    assert assembler.add(f"b{chunks.MAX_OPEN}@x", parts[1], 100.0) is None
    assert assembler.add("b0@x", parts[1], 100.0) is not None


def test_too_long_to_send() -> None:
    with pytest.raises(MsnpError):
        chunks.split({}, b"x" * (chunks.CHUNK_BODY * chunks.MAX_CHUNKS + 1), ID)
