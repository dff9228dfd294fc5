import pytest

from opencpm.protocols.sdp import SdpError
from opencpm.protocols.sip.message import Message
from opencpm.protocols.telephone.audio import Audio, agreed, read
from opencpm.protocols.telephone.caller import called_of, caller_of, number_of


def invite(uri="sip:+4420@gw", **headers):
    return Message("INVITE", uri, 0, "", {name.replace("_", "-"): [value] for name, value in headers.items()})


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("sip:+44 20-7946@gw".replace(" ", ""), "+44207946"),
        ("tel:+44-20-7946", "+44207946"),
        ("sip:02079460000;phone-context=x@gw", "02079460000"),
        ("sip:alice@gw", ""),
        ("mailto:x", ""),
        ("sip:gw", ""),
    ],
)
def test_numbers_in_uris(uri, number):
    assert number_of(uri) == number


def test_who_calls():
    plain = {"from": "<sip:123@gw>;tag=a"}
    assert caller_of(invite(**plain)) == "123"
    assert caller_of(invite(p_asserted_identity="<sip:+44456@gw>", **plain)) == "+44456"
    assert caller_of(invite(p_asserted_identity='"x" <tel:+44456>, <sip:x@gw>', **plain)) == "+44456"
    assert caller_of(invite(remote_party_id="<sip:789@gw>", **plain)) == "789"
    assert caller_of(invite(**{"from": "<sip:anonymous@anonymous.invalid>;tag=a"})) == ""
    assert caller_of(invite(privacy="id", **plain)) == ""
    assert caller_of(invite(**{"from": "nonsense"})) == ""


def test_who_is_called():
    assert called_of(invite("sip:gw", to="<sip:123@gw>")) == "123"
    assert called_of(invite("sip:456@gw", to="<sip:123@gw>")) == "456"


def test_audio_there_and_back():
    audio = Audio("127.0.0.1", 4000, (0, 8))
    assert read(audio.describe()) == audio
    assert read(Audio("::1", 4000).describe()) == Audio("::1", 4000)
    assert agreed((8, 0), audio) == 0
    with pytest.raises(SdpError):
        agreed((8,), Audio("127.0.0.1", 4000, (0,)))


@pytest.mark.parametrize(
    ("media", "warning"),
    [
        ("m=image 9000 udptl t38", 304),
        ("m=audio 0 RTP/AVP 8", 304),
        ("m=audio 9000 RTP/SAVP 8", 302),
        ("m=audio 9000 RTP/AVP 18 101", 305),
        ("m=audio 9000 RTP/AVP 8\r\na=inactive", 399),
    ],
)
def test_what_will_not_do(media, warning):
    head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    with pytest.raises(SdpError) as error:
        read(f"{head}{media}\r\n".encode())
    assert error.value.warning == warning
