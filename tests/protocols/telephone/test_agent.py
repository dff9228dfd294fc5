"""Two agents joined in memory; time is a number."""

import itertools

import pytest

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.headers import parse_auth
from opencpm.protocols.sip.message import encode_request, parse
from opencpm.protocols.sip.response import encode_response
from opencpm.protocols.telephone.agent import CallAgent
from opencpm.protocols.telephone.audio import Audio
from opencpm.protocols.telephone.events import (
    Answered,
    Credentials,
    HungUp,
    Offered,
    Pinged,
    Progress,
    Refused,
    Registered,
    Stage,
)


class End:
    def __init__(self, name, port):
        tokens = itertools.count(1)
        self.agent = CallAgent(("127.0.0.1", port), lambda: f"{name}{next(tokens)}")
        self.name, self.audio = name, Audio("127.0.0.1", port + 1000)
        self.events = []
        self.sent = []  # datagrams, as they left

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


class Pair:
    def __init__(self):
        self.us, self.them = End("us", 5070), End("them", 5060)
        self.now = 0.0
        self.drop = lambda data: False

    def run(self):
        """Pass datagrams until nobody has any."""
        moved = True
        while moved:
            moved = False
            for here, there in ((self.us, self.them), (self.them, self.us)):
                for _, data in here.agent.take():
                    here.sent.append(data)
                    moved = True
                    if not self.drop(data):
                        there.events += there.agent.receive("flow", data, self.now)
        return self

    def wait(self, seconds):
        """Let time pass, timers included."""
        end = self.now + seconds
        while True:
            self.run()
            due = min((t for e in (self.us, self.them) if (t := e.agent.next_timeout()) is not None), default=end + 1)
            if due > end:
                self.now = end
                return
            self.now = max(self.now, due)
            for one in (self.us, self.them):
                one.events += one.agent.due(self.now)

    def dial(self, number="+4420", caller="4430", **options):
        call = self.us.agent.dial("flow", number, caller, "trunk.test", self.us.audio, self.now, **options)
        self.run()
        return call

    def up(self):
        call = self.dial()
        (offered,) = self.them.of(Offered)
        self.them.agent.accept(offered.call, self.them.audio, self.now)
        self.run()
        return call, offered.call


@pytest.fixture
def pair():
    return Pair()


def starts(end):
    return [data.split(b"\r\n")[0].decode() for data in end.sent]


def test_a_call_from_dialling_to_hanging_up(pair):
    mine, theirs = pair.up()
    assert (theirs.caller, theirs.called) == ("4430", "+4420")
    assert pair.us.of(Answered) == [Answered(mine)]
    assert mine.remote == Audio("127.0.0.1", 6060, (8, 0))
    assert theirs.remote == Audio("127.0.0.1", 6070, (8, 0))
    assert mine.stage is theirs.stage is Stage.UP
    pair.us.agent.hang_up(mine, pair.now)
    pair.run()
    assert pair.them.of(HungUp)[0].call is theirs
    assert "Q.850;cause=16" in pair.them.of(HungUp)[0].reason
    assert pair.us.agent.calls == pair.them.agent.calls == 0
    assert starts(pair.us) == [
        "INVITE sip:+4420@trunk.test SIP/2.0",
        "ACK sip:cpm@127.0.0.1:5060 SIP/2.0",
        "BYE sip:cpm@127.0.0.1:5060 SIP/2.0",
    ]


def test_the_other_side_hangs_up(pair):
    mine, theirs = pair.up()
    pair.them.agent.hang_up(theirs, pair.now)
    pair.run()
    assert pair.us.of(HungUp)[0].call is mine


def test_what_is_offered_is_only_g711_without_silence_suppression(pair):
    pair.dial()
    body = parse(pair.us.sent[0]).body.decode()
    assert "m=audio 6070 RTP/AVP 8 0" in body
    assert "a=silenceSupp:off - - - -" in body
    assert "13" not in body.replace("5130", "")


def test_a_refusal_names_its_reason(pair):
    call = pair.dial()
    pair.them.agent.refuse(pair.them.of(Offered)[0].call, 486, pair.now)
    pair.run()
    assert pair.us.of(Refused) == [Refused(call, 486, "Busy Here")]
    assert pair.us.agent.calls == 0


def test_ringing_is_told(pair):
    pair.dial()
    pair.them.agent.ring(pair.them.of(Offered)[0].call, pair.now)
    pair.run()
    assert [(event.status, event.early) for event in pair.us.of(Progress)] == [(180, False)]


def test_withdrawn_while_it_rings(pair):
    call = pair.dial()
    offered = pair.them.of(Offered)[0].call
    pair.them.agent.ring(offered, pair.now)
    pair.run()
    pair.us.agent.hang_up(call, pair.now)
    pair.run()
    assert pair.them.of(HungUp)[0].call is offered
    assert pair.us.of(Refused)[0].status == 487


def test_withdrawn_before_anything_came_is_cancelled_at_the_first_word(pair):
    call = pair.us.agent.dial("flow", "1", "2", "trunk.test", pair.us.audio, 0.0)
    pair.us.agent.hang_up(call, 0.0)
    pair.run()
    assert not any(line.startswith("CANCEL") for line in starts(pair.us))
    pair.them.agent.ring(pair.them.of(Offered)[0].call, pair.now)
    pair.run()
    assert any(line.startswith("CANCEL") for line in starts(pair.us))


def test_an_answer_that_crosses_the_withdrawal_is_hung_up(pair):
    call = pair.dial()
    offered = pair.them.of(Offered)[0].call
    pair.us.agent.hang_up(call, pair.now)
    pair.them.agent.accept(offered, pair.them.audio, pair.now)
    pair.run()
    assert pair.them.of(HungUp)[0].call is offered
    assert not pair.us.of(Answered)


def test_a_lost_answer_is_repeated_and_acknowledged_twice(pair):
    lost = []

    def drop(data):
        if b"SIP/2.0 200" in data and not lost:
            lost.append(data)
            return True
        return False

    pair.drop = drop
    pair.up()
    pair.wait(1.0)
    assert len(pair.us.of(Answered)) == 1


def test_an_answer_that_is_never_acknowledged_ends_the_call(pair):
    pair.drop = lambda data: data.startswith(b"ACK")
    _, theirs = pair.up()
    pair.wait(40.0)
    assert pair.them.of(HungUp)[0].call is theirs


def test_nobody_there(pair):
    pair.drop = lambda data: True
    call = pair.dial()
    pair.wait(40.0)
    assert pair.us.of(Refused) == [Refused(call, 0, "no answer from the trunk")]


def test_pings(pair):
    pair.us.agent.errands.ping("flow", "trunk.test", "trunk", pair.now)
    pair.run()
    assert pair.us.of(Pinged) == [Pinged("trunk", 200)]
    pair.drop = lambda data: True
    pair.us.agent.errands.ping("flow", "trunk.test", "trunk", pair.now)
    pair.wait(40.0)
    assert pair.us.of(Pinged)[-1] == Pinged("trunk", 0)


# -- media


T38 = b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=image 9000 udptl t38\r\n"
G729 = T38.replace(b"m=image 9000 udptl t38", b"m=audio 9000 RTP/AVP 18 101")
HOLD = T38.replace(b"m=image 9000 udptl t38", b"m=audio 9000 RTP/AVP 8\r\na=inactive")
MOVED = T38.replace(b"m=image 9000 udptl t38", b"m=audio 9999 RTP/AVP 8")
OTHER = T38.replace(b"m=image 9000 udptl t38", b"m=audio 9999 RTP/AVP 0")


def reinvite(pair, call, body, method="INVITE"):
    uri, head = call.dialog.next_request(method)
    via = ("Via", f"SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKre{call.dialog.local_cseq};rport")
    data = encode_request(method, uri, [via, *head, ("Content-Type", "application/sdp")], body)
    pair.us.events += pair.us.agent.receive("flow", data, pair.now)
    return [parse(data) for _, data in pair.us.agent.take()][-1]


@pytest.mark.parametrize("body", [T38, G729, HOLD, OTHER, b"nonsense"], ids=["t38", "g729", "hold", "mu-law", "junk"])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_other_media_are_refused_and_the_call_goes_on(pair, body, method):
    mine, theirs = pair.up()
    before = (mine.remote, mine.law)
    answer = reinvite(pair, theirs, body, method)
    assert answer.status == 488
    assert (mine.remote, mine.law) == before
    assert mine.stage is Stage.UP


def test_the_same_law_from_elsewhere_will_do(pair):
    mine, theirs = pair.up()
    answer = reinvite(pair, theirs, MOVED)
    assert answer.status == 200
    assert mine.remote.port == 9999


@pytest.mark.parametrize("body", [T38, G729])
def test_an_offer_without_g711_is_refused(pair, body):
    pair.drop = lambda data: data.startswith(b"INVITE")
    pair.dial()
    data = pair.us.sent[0].replace(parse(pair.us.sent[0]).body, b"")
    head = data.split(b"\r\nContent-Length")[0]
    data = head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    pair.them.events += pair.them.agent.receive("flow", data, 0.0)
    assert [parse(data).status for _, data in pair.them.agent.take()] == [488]
    assert not pair.them.of(Offered)


def test_an_offer_that_comes_with_the_acknowledgement(pair):
    """No SDP in the INVITE: ours is in the answer, theirs in the ACK."""
    lines = [
        ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx"),
        ("Max-Forwards", "70"),
        ("From", "<sip:4430@127.0.0.1>;tag=a"),
        ("To", "<sip:4420@127.0.0.1>"),
        ("Call-ID", "c"),
        ("Contact", "<sip:them@127.0.0.1:5060>"),
    ]
    invite = encode_request("INVITE", "sip:4420@127.0.0.1", [*lines, ("CSeq", "1 INVITE")])
    (offered,) = pair.us.agent.receive("flow", invite, 0.0)
    pair.us.agent.accept(offered.call, pair.us.audio, 0.0)
    answer = parse(pair.us.agent.take()[0][1])
    assert b"m=audio" in answer.body
    lines[0] = ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKy")
    lines[3] = ("To", answer.get("to"))
    ack = encode_request("ACK", "sip:cpm@127.0.0.1", [*lines, ("CSeq", "1 ACK")], MOVED)
    assert pair.us.agent.receive("flow", ack, 0.0) == []
    assert offered.call.remote.port == 9999


def test_early_sound_is_told(pair):
    call = pair.dial()
    invite = parse(pair.us.sent[0])
    early = encode_response(invite, 183, to_tag="x", fields=[("Content-Type", "application/sdp")], body=MOVED)
    assert pair.us.agent.receive("flow", early, 0.0) == [Progress(call, 183, True)]


# -- accounts, and requests that are not calls


def test_a_trunk_that_asks_for_a_password(pair):
    call = pair.us.agent.dial(
        "flow", "1", "2", "trunk.test", pair.us.audio, 0.0, credentials=Credentials("us", "secret")
    )
    invite = parse(pair.us.agent.take()[0][1])
    challenge = 'Digest realm="trunk", nonce="n", algorithm=MD5, qop="auth", opaque="o"'
    pair.us.agent.receive(
        "flow", encode_response(invite, 407, to_tag="x", fields=[("Proxy-Authenticate", challenge)]), 0.0
    )
    again = [parse(data) for _, data in pair.us.agent.take()][-1]
    auth = parse_auth(again.get("proxy-authorization"))
    expected = digest.answer(digest.ha1("us", "trunk", "secret", "MD5"), auth, "INVITE", "MD5")
    assert auth.get("response") == expected
    assert (again.get("cseq"), auth.get("opaque")) == ("2 INVITE", "o")
    refusal = encode_response(again, 407, to_tag="y", fields=[("Proxy-Authenticate", challenge)])
    assert pair.us.agent.receive("flow", refusal, 0.0) == [Refused(call, 407, "Proxy Authentication Required")]


def test_an_account_is_registered_and_refreshed(pair):
    account = pair.us.agent.errands.account("flow", "trunk.test", Credentials("us", "secret"), 600, "trunk")
    pair.us.agent.errands.register(account, 0.0)
    first = parse(pair.us.agent.take()[0][1])
    assert (first.get("contact"), first.get("expires")) == ("<sip:us@127.0.0.1:5070>", "600")
    challenge = 'Digest realm="trunk", nonce="n", algorithm=SHA-256, qop="auth"'
    refusal = encode_response(first, 401, to_tag="x", fields=[("WWW-Authenticate", challenge)])
    assert pair.us.agent.receive("flow", refusal, 0.0) == []
    again = parse(pair.us.agent.take()[0][1])
    auth = parse_auth(again.get("authorization"))
    secret = digest.ha1("us", "trunk", "secret", "SHA-256")
    assert auth.get("response") == digest.answer(secret, auth, "REGISTER", "SHA-256")
    assert (again.get("cseq"), again.get("call-id")) == ("2 REGISTER", first.get("call-id"))
    contacts = "<sip:other@127.0.0.1:1>;expires=5, <sip:us@127.0.0.1:5070>;expires=300"
    granted = encode_response(again, 200, to_tag="x", fields=[("Contact", contacts)])
    assert pair.us.agent.receive("flow", granted, 0.0) == [Registered("trunk", 200, 300)]
    pair.us.agent.errands.register(account, 150.0)
    third = parse(pair.us.agent.take()[0][1])
    assert third.get("cseq") == "3 REGISTER"
    wrong = encode_response(third, 403, to_tag="x")
    assert pair.us.agent.receive("flow", wrong, 150.0) == [Registered("trunk", 403, 0)]


def test_a_wrong_password_is_asked_once(pair):
    account = pair.us.agent.errands.account("flow", "trunk.test", Credentials("us", "secret"), 600, "trunk")
    pair.us.agent.errands.register(account, 0.0)
    challenge = ("WWW-Authenticate", 'Digest realm="trunk", nonce="n"')
    events = []
    for _ in range(2):
        sent = parse(pair.us.agent.take()[0][1])
        events += pair.us.agent.receive("flow", encode_response(sent, 401, to_tag="x", fields=[challenge]), 0.0)
    assert events == [Registered("trunk", 401, 0)]
    assert pair.us.agent.take() == []


def test_a_registration_that_nobody_answers(pair):
    pair.drop = lambda data: True
    account = pair.us.agent.errands.account("flow", "trunk.test", Credentials("us", "secret"), 600, "trunk")
    pair.us.agent.errands.register(account, 0.0)
    pair.wait(40.0)
    assert pair.us.of(Registered) == [Registered("trunk", 0, 0)]


def request(method, **fields):
    lines = {
        "Via": "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKq" + method,
        "Max-Forwards": "70",
        "From": "<sip:a@127.0.0.1>;tag=a",
        "To": "<sip:b@127.0.0.1>",
        "Call-ID": "c",
        "CSeq": f"1 {method}",
        **fields,
    }
    return encode_request(method, "sip:b@127.0.0.1", list(lines.items()))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("OPTIONS"), 200),
        (request("MESSAGE"), 405),
        (request("BYE", To="<sip:b@127.0.0.1>;tag=zz"), 481),
        (request("CANCEL"), 481),
        (request("INVITE", Require="100rel"), 420),
        (request("INVITE", **{"Max-Forwards": "0"}), 483),
    ],
)
def test_other_requests(pair, data, status):
    assert pair.us.agent.receive("flow", data, 0.0) == []
    assert parse(pair.us.agent.take()[0][1]).status == status
    assert pair.us.agent.calls == 0


def test_what_is_no_sip_is_dropped(pair):
    assert pair.us.agent.receive("flow", b"hello", 0.0) == []
    assert pair.us.agent.take() == []
