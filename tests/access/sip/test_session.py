from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from opencpm.access.sip.session_settings import SessionSettings
from opencpm.protocols import sdp
from opencpm.protocols.msrp.uri import parse_uri
from tests.access.sip.session_rig import BOB_URI, EventsLog, Media, cpim_text, offer_sdp, offer_to_bob, running_sessions


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Files with a certificate of our own for 127.0.0.1, and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cpm.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return {"certificate": str(folder / "cert.pem"), "private_key": str(folder / "key.pem")}


async def test_msrp_over_tls(certificate):
    async with running_sessions(sessions={"msrps_port": 0}, **certificate) as rig:
        assert set(rig.sessions.endpoints) == {"msrp", "msrps"}
        alice = await rig.device("alice")
        alice.path = alice.path.replace("msrp://", "msrps://")
        body = offer_sdp(alice.path).replace(b" TCP/MSRP", b" TCP/TLS/MSRP")
        alice.send_invite(BOB_URI, body=body)
        ok = await alice.answered("INVITE")
        alice.confirm(ok)
        _, terms = sdp.msrp_media(sdp.parse(ok.body))
        uri = parse_uri(terms.path)
        assert (terms.secure, uri.secure, uri.port) == (True, True, rig.sessions.endpoints["msrps"][1])
        context = ssl.create_default_context(cafile=certificate["certificate"])
        media = Media(alice.path, terms.path)
        media.reader, media.writer = await asyncio.open_connection(uri.host, uri.port, ssl=context)
        media.text(cpim_text("in secret", "T1"))
        assert (await rig.inbox.events.messages.get()).text == "in secret"
        assert (await media.frame()).status == 200
        media.close()


async def test_the_fingerprint_of_our_certificate_is_in_the_answer(certificate):
    async with running_sessions(sessions={"msrps_port": 0}, **certificate) as rig:
        alice = await rig.device("alice")
        alice.send_invite(BOB_URI, body=offer_sdp(alice.path).replace(b" TCP/MSRP", b" TCP/TLS/MSRP"))
        ok = await alice.answered("INVITE")
        with open(certificate["certificate"], "rb") as file:
            digest = x509.load_pem_x509_certificate(file.read()).fingerprint(hashes.SHA256())
        assert b"a=fingerprint:sha-256 " + digest.hex(":").upper().encode() in ok.body


async def test_restart_keeps_nothing_of_sessions():
    async with running_sessions() as rig:
        bob = await rig.device("bob")
        opening = asyncio.create_task(rig.sip.open(offer_to_bob(), EventsLog()))
        await bob.accept(await bob.invited())
        await opening
        assert rig.sessions.standing == 1
    assert rig.sessions.standing == 0


@pytest.mark.parametrize("wrong", [{"ring": 0}, {"msrp_port": 70000}, {"expires": 10}, {"nonsense": 1}])
def test_settings_that_are_refused(wrong):
    with pytest.raises(ValidationError):
        SessionSettings.model_validate(wrong)
