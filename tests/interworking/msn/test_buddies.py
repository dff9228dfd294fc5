import pytest

from opencpm.domain.profile import Availability
from opencpm.interworking.msn.buddies import ABSENT_FOR, Buddies
from opencpm.interworking.msn.roster import undecided_about
from opencpm.protocols.msnp.commands import Contact, Lists, Presence

BOB = "bob@msn.test"


class Known(Buddies):
    def __init__(self) -> None:
        self.time = 0.0
        super().__init__(lambda: self.time)
        self.begin([Contact(BOB, "Bob", Lists.FL | Lists.AL), Contact("stranger@msn.test", "Stranger", Lists.RL)])


@pytest.mark.parametrize(
    ("state", "availability"),
    [
        ("NLN", Availability.AVAILABLE),
        ("BSY", Availability.BUSY),
        ("PHN", Availability.BUSY),
        ("AWY", Availability.AWAY),
        ("LUN", Availability.AWAY),
        ("XXX", Availability.AWAY),
        ("FLN", Availability.OFFLINE),
    ],
)
def test_states(state: str, availability: Availability) -> None:
    buddies = Known()
    buddies.changed(Presence(BOB, state))
    assert buddies.reach(BOB).availability is availability


def test_offline_until_told_otherwise_and_unknown_when_not_on_the_list() -> None:
    buddies = Known()
    assert buddies.reach(BOB).availability is Availability.OFFLINE
    assert buddies.reach("stranger@msn.test").availability is Availability.UNKNOWN
    assert (buddies.on_list(BOB), buddies.on_list("stranger@msn.test")) == (True, False)
    assert [c.address for c in buddies.contacts if undecided_about(c)] == ["stranger@msn.test"]


def test_absence_is_believed_for_a_while() -> None:
    buddies = Known()
    buddies.absent("desk@msn.test")
    assert buddies.reach("desk@msn.test").availability is Availability.OFFLINE
    buddies.time = ABSENT_FOR
    assert buddies.reach("desk@msn.test").availability is Availability.UNKNOWN


def test_signed_off_nothing_is_known() -> None:
    buddies = Known()
    buddies.changed(Presence(BOB, "NLN"))
    assert buddies.counts() == (1, 1)
    assert buddies.end() == [BOB]
    assert buddies.reach(BOB).availability is Availability.UNKNOWN


def test_lists_change() -> None:
    buddies = Known()
    buddies.unlisted(Contact(BOB, "Bob", Lists.AL))
    assert buddies.status(BOB) == ""
    buddies.listed(Contact("desk@msn.test", "Desk", Lists.FL))
    assert buddies.status("desk@msn.test") == "FLN"
