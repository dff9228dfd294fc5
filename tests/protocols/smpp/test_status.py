from opencpm.protocols.smpp.status import STATUSES, Retry, status_of


def test_known_codes():
    assert status_of(0x58).reason == "throttled"
    assert status_of(0x14).retry is Retry.LATER
    assert status_of(0x0B).name == "ESME_RINVDSTADR"
    assert status_of(0x0E).retry is Retry.LOGIN
    assert len(STATUSES) > 60


def test_vendor_codes_are_temporary():
    assert status_of(0x401).retry is Retry.FEW
    assert status_of(0x401).name == "00000401"
