from opencpm.domain.address import Address
from opencpm.domain.replies import Replies
from tests.interworking.sms.support import ALICE, BOB, State

SHARED = Address("tel", "60606")
OTHER = Address("sip", "alice@cpm.test")


def test_the_last_writer_is_meant_in_every_life():
    state = State()
    replies = Replies(state, "r")
    assert replies.meant(SHARED, BOB) is None
    replies.sent("60606", BOB, ALICE)
    replies.sent("60606", BOB, OTHER)
    assert replies.meant(SHARED, BOB) == OTHER
    assert Replies(state, "r").meant(SHARED, BOB) == OTHER
    assert replies.meant(SHARED, ALICE) is None


def test_it_is_written_once():
    state = State()
    replies = Replies(state, "r")
    replies.sent("60606", BOB, ALICE)
    state.rooms.clear()
    replies.sent("60606", BOB, ALICE)
    assert state.all_state("r") == {}
