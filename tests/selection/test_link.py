"""What a network cannot carry goes as a text with a link, after every network that carries it whole."""

from __future__ import annotations

from dataclasses import replace

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.plan import Action, Form
from opencpm.domain.profile import Fit, Profile
from opencpm.selection import NetworkView, Request, select
from tests.selection.cast import (
    BOB,
    BOB_TEL,
    DOWN,
    MSN,
    SMS,
    candidate,
    chosen,
    limit,
    operate,
    prefer,
    sms,
    to_bob,
)

NO_PICTURES = Fit(error=SendError(Reason.UNSUPPORTED_MEDIA, detail="SMS carries text only, not image/jpeg"))
MMS: Profile = replace(SMS, label="MMS", kind="mms", content_types=("*/*",), max_segments=0)


def picture_by_sms(**more: object) -> NetworkView:
    return sms(fit=NO_PICTURES, linked=Fit())._replace(**more)


def picture_by_mms(**more: object) -> NetworkView:
    return sms(name="mms", profile=MMS)._replace(**more)


def picture(*networks: NetworkView) -> Request:
    return operate(to_bob(*networks), routes=(), order=("sms", "mms"))


def test_it_goes_as_a_link_where_nothing_carries_it() -> None:
    plan = select(picture(picture_by_sms()))
    assert plan.action is Action.SEND
    assert plan.chosen is not None
    assert plan.chosen.form is Form.LINK
    assert plan.chosen.losses == ("goes as a text with a link",)
    assert plan.chosen.notes[0].evidence == "a text with a link instead: SMS carries text only, not image/jpeg"


def test_whole_comes_before_a_link_whatever_is_preferred() -> None:
    request = replace(picture(picture_by_sms(), picture_by_mms()), contact=replace(BOB, networks=("sms", "mms")))
    plan = select(prefer(request, networks=("sms",)))
    assert chosen(plan) == "mms"
    assert plan.reason.endswith("it carries the message itself, and not a link to it")
    assert candidate(plan, "sms").form is Form.LINK


def test_the_senders_own_choice_comes_first() -> None:
    plan = select(replace(picture(picture_by_sms(), picture_by_mms()), route="sms"))
    assert plan.chosen is not None
    assert (plan.chosen.network, plan.chosen.form) == ("sms", Form.LINK)


def test_a_network_that_refused_it_or_is_down_leaves_the_link() -> None:
    refused = replace(picture(picture_by_sms(), picture_by_mms()), tried=frozenset({"mms"}))
    down = picture(picture_by_sms(), picture_by_mms(health=DOWN))
    for request in (refused, down):
        plan = select(request)
        assert plan.chosen is not None
        assert (plan.chosen.network, plan.chosen.form) == ("sms", Form.LINK)


def test_a_text_that_is_too_long_goes_as_a_link() -> None:
    request = limit(to_bob(sms(fit=Fit(segments=9), linked=Fit(segments=2))), segments=4)
    plan = select(request)
    assert plan.chosen is not None
    assert plan.chosen.form is Form.LINK
    assert plan.chosen.notes[0].evidence == "a text with a link instead: 9 segments, and at most 4 are allowed"


def test_no_link_where_it_does_not_fit_either_or_the_sender_wants_none_or_there_are_none() -> None:
    for request in (
        limit(picture(picture_by_sms(linked=Fit(segments=5))), segments=4),
        prefer(picture(picture_by_sms()), links=False),
        picture(picture_by_sms(linked=None)),
    ):
        plan = select(request)
        assert plan.action is Action.REFUSE
        assert plan.error is not None
        assert plan.error.reason is Reason.UNSUPPORTED_MEDIA


def test_a_link_waits_like_any_message() -> None:
    plan = select(picture(picture_by_sms(health=DOWN)))
    assert (plan.action, plan.waits_for) == (Action.DEFER, "network:sms")


def test_other_networks_than_sms_carry_links_too() -> None:
    view = NetworkView("msn", MSN, sms().health, BOB_TEL, sms().reach, NO_PICTURES, Fit())
    plan = select(picture(view))
    assert plan.chosen is not None
    assert plan.chosen.form is Form.LINK
