from opencpm.domain.report import Status
from opencpm.interworking.sms.profile import profile_of
from opencpm.interworking.sms.settings import read


def test_sms_claims_only_what_it_can():
    profile = profile_of(read({"type": "sms"}))
    assert profile.schemes == {"tel"}
    assert profile.stores
    assert not profile.sessions
    assert Status.DELIVERED in profile.reports
    assert Status.DISPLAYED not in profile.reports
    assert Status.DELIVERED not in profile_of(read({"type": "sms", "receipts": "never"})).reports
