"""What a client sends, by version; what is recorded of versions 9 and 10 is compared in test_transcripts."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg import requests
from opencpm.protocols.ymsg.packet import Packet, pairs
from opencpm.protocols.ymsg.services import INVISIBLE, NEW_STYLE, OFFLINE_STATUS, Service


@pytest.mark.parametrize("version", range(9, 17))
def test_a_text(version: int) -> None:
    packet = requests.message(version, "alice", "bob", "Grüße", "id-1")
    assert packet.service == Service.MESSAGE
    assert packet.status == (OFFLINE_STATUS if version >= 11 else 0)
    assert (packet.text(1), packet.text(5), packet.text(14), packet.text(97)) == ("alice", "bob", "Grüße", "1")
    assert packet.text(429) == ("id-1" if version == 16 else "")


@pytest.mark.parametrize("version", range(9, 17))
def test_typing(version: int) -> None:
    packet = requests.typing(version, "alice", "bob", True)
    assert packet.text(1 if version >= NEW_STYLE else 4) == "alice"
    assert (packet.text(13), packet.text(49), packet.status) == ("1", "TYPING", 0x16)


def test_an_acknowledgement() -> None:
    packet = requests.acknowledge("alice", "bob", "id-1")
    assert [key for key, _ in packet.pairs] == [1, 5, 302, 430, 303, 450]


@pytest.mark.parametrize("version", range(9, 17))
@pytest.mark.parametrize(("state", "note", "away"), [(0, "", 0), (2, "", 0), (0, "in Rome", 1), (INVISIBLE, "", 0)])
def test_presence(version: int, state: int, note: str, away: int) -> None:
    packets = requests.status(version, state, note, away)
    services = [packet.service for packet in packets]
    if version < NEW_STYLE:
        (packet,) = packets
        assert services == [Service.ISBACK if not state and not note else Service.ISAWAY]
        assert packet.status == packet.number(10) == (99 if note else state)
        assert packet.text(19) == note
    elif state == INVISIBLE:
        assert services == [Service.VISIBLE_TOGGLE]
        assert packets[0].number(13) == 2
    else:
        assert services == [Service.VISIBLE_TOGGLE, Service.STATUS_UPDATE]
        assert (packets[1].text(19), packets[1].number(47)) == (note, away)


@pytest.mark.parametrize("version", range(9, 17))
def test_the_list(version: int) -> None:
    added = requests.add(version, "alice", "bob", "Friends", "please")
    assert (added.text(7), added.text(65), added.text(14), added.text(1)) == ("bob", "Friends", "please", "alice")
    assert (added.pairs[0][0] == 14) == (version >= NEW_STYLE)
    assert requests.ignore("alice", "bob", True).number(13) == 1
    assert requests.ignore("alice", "bob", False).number(13) == 2


@pytest.mark.parametrize("version", range(9, 17))
def test_the_answer_to_who_asks(version: int) -> None:
    yes, no = (requests.answer(version, "alice", "bob", accepted, "sorry") for accepted in (True, False))
    assert no is not None
    if version < NEW_STYLE:  # they have us already
        assert yes is None
        assert (no.service, no.text(7), no.text(14)) == (Service.CONTACTDENY, "bob", "sorry")
    else:
        assert yes is not None
        assert (yes.number(13), no.number(13), no.text(14)) == (1, 2, "sorry")


def test_conferences() -> None:
    assert requests.invite("alice", ["bob", "carol"], "r", "x").all(52) == ("bob", "carol")
    assert requests.join("alice", ["bob", "carol"], "r").all(3) == ("bob", "carol")
    assert requests.leave("alice", ["bob"], "r").service == Service.CONFLOGOFF
    assert requests.decline("alice", "bob", "r", "no").text(3) == "bob"
    assert requests.room_text("alice", ["bob", "carol"], "r", "x").all(53) == ("bob", "carol")


@pytest.mark.parametrize(
    ("service", "values", "refused"),
    [
        (Service.P2PFILEXFER, ((4, "bob"), (13, 1), (27, "a.jpg"), (49, "FILEXFER")), (13, 2)),
        (Service.P2PFILEXFER, ((4, "bob"), (13, 2), (27, "a.jpg"), (49, "FILEXFER")), None),
        (Service.P2PFILEXFER, ((4, "bob"), (13, 1), (49, "IMVIRONMENT")), None),
        (Service.FILETRANSFER_OFFER, ((4, "bob"), (222, 1), (265, "t")), (222, 4)),
        (Service.FILETRANSFER_OFFER, ((4, "bob"), (222, 2), (265, "t")), None),
    ],
)
def test_files(service: Service, values: tuple[tuple[int, str | int], ...], refused: tuple[int, int] | None) -> None:
    answer = requests.refuse_file("alice", Packet(service, 1, pairs(*values)))
    if refused is None:
        assert answer is None
    else:
        assert answer is not None
        assert (answer.number(refused[0]), answer.text(5)) == (refused[1], "bob")
