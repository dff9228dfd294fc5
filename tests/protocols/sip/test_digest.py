"""Vectors: RFC 7616 §3.9.1, and the REGISTER of a deployed RCS client (MD5 without qop)."""

import pytest

from opencpm.protocols.sip import digest
from opencpm.protocols.sip.digest import NonceCounts, Policy, Verdict, verify
from opencpm.protocols.sip.headers import parse_auth

POLICY = Policy("cpm.test", b"key", lifetime=60)


def answered(password="alicepw", algorithm="SHA-256", *, nonce="", nc="00000001", qop="auth", now=1000.0, **changes):
    nonce = nonce or digest.make_nonce(POLICY, now, "salt")
    fields = {"username": "alice", "realm": "cpm.test", "nonce": nonce, "uri": "sip:cpm.test", "algorithm": algorithm}
    if qop:
        fields |= {"qop": qop, "nc": nc, "cnonce": "c"}
    fields |= changes
    text = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    auth = parse_auth(f"Digest {text}")
    right = digest.answer(digest.ha1("alice", "cpm.test", password, algorithm), auth, "REGISTER", algorithm)
    return parse_auth(f'Digest {text}, response="{changes.get("response", right)}"')


def judge(auth, counts=None, now=1000.0, policy=POLICY, known=True):
    algorithm = digest.algorithm_of(auth) or "MD5"
    secret = digest.ha1("alice", "cpm.test", "alicepw", algorithm) if known else None
    return verify(policy, auth, "REGISTER", secret, counts or NonceCounts(), now)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_example(algorithm, response):
    auth = parse_auth(
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth'
    )
    secret = digest.ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert digest.answer(secret, auth, "GET", algorithm) == response


def test_the_answer_of_a_deployed_client_without_qop():
    auth = parse_auth(
        'Digest username="alice@cpm.test", realm="cpm.test", nonce="8f2c4d1e5a7b90c3", uri="sip:cpm.test"'
    )
    secret = digest.ha1("alice@cpm.test", "cpm.test", "alicepw", "MD5")
    assert digest.answer(secret, auth, "REGISTER", "MD5") == "5cc0f8000ed989bdcdd06b5ee037c7bf"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_right_answers_are_accepted(algorithm, qop):
    assert judge(answered(algorithm=algorithm, qop=qop)) is Verdict.ACCEPTED


def test_an_empty_response_asks_for_a_challenge_and_is_no_failure():
    assert judge(answered(response="")) is Verdict.CHALLENGE
    assert judge(parse_auth('Digest username="alice", realm="cpm.test", uri="sip:cpm.test", response=""')) is (
        Verdict.CHALLENGE
    )


def test_wrong_password_and_unknown_user_are_told_alike():
    assert judge(answered("guess")) is Verdict.WRONG
    assert judge(answered(), known=False) is Verdict.WRONG


def test_an_old_nonce_is_stale_only_for_those_who_know_the_password():
    old = digest.make_nonce(POLICY, 900.0, "salt")
    assert judge(answered(nonce=old)) is Verdict.STALE
    assert judge(answered("guess", nonce=old)) is Verdict.WRONG


def test_a_nonce_of_another_key_or_realm_is_not_ours():
    for other in (Policy("cpm.test", b"other"), Policy("else", b"key")):
        assert judge(answered(nonce=digest.make_nonce(other, 1000.0, "salt"))) is Verdict.CHALLENGE
    assert judge(answered(nonce="abc")) is Verdict.CHALLENGE
    assert judge(answered(nonce="zz.zz.zz")) is Verdict.CHALLENGE


def test_a_count_is_taken_once():
    counts = NonceCounts()
    assert judge(answered(nc="00000002"), counts) is Verdict.ACCEPTED
    assert judge(answered(nc="00000002"), counts) is Verdict.STALE
    assert judge(answered(nc="00000001"), counts) is Verdict.ACCEPTED  # overtaken on UDP
    assert judge(answered(nc="00000001"), counts) is Verdict.STALE
    assert judge(answered(nc="0000000g"), counts) is Verdict.STALE


def test_the_count_window():
    counts = NonceCounts(capacity=1)
    assert counts.take("a", 100)
    assert not counts.take("a", 36)
    assert counts.take("a", 37)
    assert counts.take("a", 1000)
    assert not counts.take("a", 1000)
    assert counts.take("b", 1)  # the oldest nonce is forgotten


def test_what_the_policy_does_not_offer():
    assert judge(answered(qop="auth-int")) is Verdict.WRONG
    assert judge(answered(qop=""), policy=Policy("cpm.test", b"key", without_qop=False)) is Verdict.WRONG
    assert judge(answered(algorithm="MD5"), policy=Policy("cpm.test", b"key", algorithms=("SHA-256",))) is (
        Verdict.CHALLENGE
    )
    assert judge(answered(realm="else")) is Verdict.CHALLENGE


def test_challenges_offer_the_best_first():
    fields = digest.challenges(POLICY, "n", stale=True)
    assert [name for name, _ in fields] == ["WWW-Authenticate"] * 2
    assert fields[0][1] == 'Digest realm="cpm.test", nonce="n", algorithm=SHA-256, qop="auth", stale=true'
