"""TLS to the SMSC: its certificate is checked, ours is shown, and both the other way round where it connects to us."""

import asyncio
import ssl

import pytest

from opencpm.interworking.sms import build
from opencpm.lab.smsc import LabSmsc
from opencpm.settings import parse
from tests.transport.certificates import client_tls, make_certificate, server_tls

from .support import Inbox, context, delivery, eventually


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


async def running(settings, body):
    connector, inbox = build({"type": "sms", "reconnect_min": 0.01, **settings}, context()), Inbox()
    task = asyncio.create_task(connector.run(inbox))
    try:
        await body(connector, inbox)
    finally:
        task.cancel()
        await asyncio.wait([task])


def link(smsc, certificate, **more):
    return {"host": "127.0.0.1", "port": smsc.address[1], "tls": True, "tls_ca": certificate[0], **more}


async def test_bound_over_tls(certificate):
    async with LabSmsc(tls=server_tls(certificate)) as smsc:

        async def body(connector, inbox):
            await smsc.wait_bound()
            connector.send([delivery()])
            await inbox.until(lambda: inbox.reports)

        await running(link(smsc, certificate), body)


async def test_a_certificate_of_another_name_is_not_believed(certificate):
    async with LabSmsc(tls=server_tls(certificate)) as smsc:

        async def body(connector, inbox):
            await eventually(lambda: "certificate" in connector.describe()["links"][0]["detail"])
            assert smsc.bound == 0

        await running(link(smsc, certificate, tls_name="smsc.example"), body)


async def test_without_the_authority_nothing_is_believed(certificate):
    async with LabSmsc(tls=server_tls(certificate)) as smsc:

        async def body(connector, inbox):
            await eventually(lambda: "certificate" in connector.describe()["links"][0]["detail"])

        await running({**link(smsc, certificate), "tls_ca": ""}, body)


async def test_our_own_certificate_is_shown(certificate):
    theirs = server_tls(certificate)
    theirs.load_verify_locations(certificate[0])
    theirs.verify_mode = ssl.CERT_REQUIRED
    async with LabSmsc(tls=theirs) as smsc:

        async def body(connector, inbox):
            await smsc.wait_bound()

        await running(link(smsc, certificate, tls_certificate=certificate[0], tls_key=certificate[1]), body)


async def test_outbind_over_tls(certificate):
    files = {"tls_certificate": certificate[0], "tls_key": certificate[1]}
    async with LabSmsc(client_tls=client_tls(certificate)) as smsc:

        async def body(connector, inbox):
            await eventually(lambda: connector.describe()["links"][0]["listening"])
            await smsc.outbind("127.0.0.1", connector.describe()["links"][0]["listening"])
            await smsc.wait_bound()

        await running({"port": 0, "outbind": True, "tls": True, **files}, body)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tls": True, "tls_ca": "/nowhere.pem"}, "No such file"),
        ({"tls_certificate": "c.pem"}, "go together"),
        ({"outbind": True, "tls": True}, "outbind over TLS needs"),
        ({"outbind": True, "version": "3.3"}, "outbind is of SMPP 3.4"),
        ({"port": 0}, "port 0"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(ValueError, match=words):
        build({"type": "sms", **settings}, context())


def test_files_are_found_from_the_folder_of_the_settings(tmp_path):
    networks = {
        "sms": {"type": "sms", "links": [{"tls": True, "tls_ca": "ca.pem"}]},
        "two": {"type": "sms", "tls_ca": ""},
    }
    settings = parse({"domain": "cpm.test", "secret_key": "k" * 40, "networks": networks}, tmp_path)
    assert settings.networks["sms"]["links"][0]["tls_ca"] == str(tmp_path / "ca.pem")
    assert settings.networks["two"]["tls_ca"] == ""
