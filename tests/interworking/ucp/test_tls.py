"""TLS to the centre: its certificate is checked."""

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.interworking.ucp import build
from tests.transport.certificates import make_certificate, server_tls

from .support import context, delivery, eventually, rig


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


async def test_logged_in_over_tls(certificate):
    async with rig(centre={"tls": server_tls(certificate)}, tls=True, tls_ca=certificate[0]) as it:
        it.send(delivery())
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("believed", [{"tls_ca": ""}, {"tls_name": "centre.example"}])
async def test_a_certificate_that_is_not_believed(certificate, believed):
    settings = {"tls": True, "tls_ca": certificate[0], **believed}
    async with rig(up=False, centre={"tls": server_tls(certificate)}, **settings) as it:
        await eventually(lambda: "certificate" in it.connector.describe()["detail"])


def test_a_file_that_is_not_there():
    with pytest.raises(ValueError, match="No such file"):
        build({"tls": True, "tls_ca": "/nowhere.pem"}, context())
