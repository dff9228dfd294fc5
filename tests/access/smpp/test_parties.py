import pytest

from opencpm.access.smpp.parties import Parties, home, own, read
from opencpm.domain.address import Address
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.smpp.party import Party
from tests.interworking.sms.support import State

SHOP = Address("tel", "60606")
ALICE = Address("sip", "alice@cpm.test")


@pytest.mark.parametrize(
    ("ton", "digits", "address"),
    [
        (1, "447700900123", Address("tel", "+447700900123")),
        (0, "60606", Address("tel", "60606")),
        (5, "Shop", Address("alpha", "Shop")),
        (0, "alice@CPM.test", ALICE),
        (0, "a\x01@b", None),
        (0, "", None),
        (0, "  ", None),
    ],
)
def test_read(ton, digits, address):
    assert read(NumberPlan(), ton, digits) == address


def test_home_is_a_number_then_a_name_then_anything():
    def person(*addresses):
        return Subscriber(id="x", name="x", addresses=addresses)

    assert home(person(ALICE, Address("alpha", "Shop"), SHOP)) == SHOP
    assert home(person(ALICE, Address("alpha", "Shop"))) == Address("alpha", "Shop")
    assert home(person(ALICE)) == ALICE


def test_written_and_meant():
    parties = Parties(Replies(State(), "replies"))
    assert parties.written(Address("tel", "+447700900123"), SHOP) == Party(1, 1, "447700900123")
    assert parties.written(ALICE, SHOP) == Party(5, 0, "alice")
    assert parties.meant(Address("alpha", "alice"), SHOP) == ALICE
    assert parties.meant(Address("alpha", "alice"), Address("tel", "70707")) is None
    assert parties.written(Address("sip", "žluťoučký.kůň@cpm.test"), SHOP).digits.isascii()
    assert parties.written(Address("msn", "@x"), SHOP) == Party(5, 0, "unknown")


def test_own():
    assert own(SHOP) == Party(3, 0, "60606")
    assert own(Address("alpha", "Shop 24")) == Party(5, 0, "Shop 24")
    assert own(ALICE) == Party(5, 0, "alice")
