"""Whatever the values are, they come back from the store as they were."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.delivery import DeliveryState, Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, MessageKind, Part
from opencpm.domain.profile import Availability
from opencpm.domain.report import Report, Status
from opencpm.domain.session import SessionState
from opencpm.domain.subscriber import Preferences, SessionFeedback, Subscriber, WhenUnavailable
from opencpm.interfaces import Changes, DeliveryRecord, SessionRecord
from opencpm.storage.sqlite import open_store
from opencpm.storage.sqlite.values import (
    contact_from,
    contact_text,
    report_from,
    report_text,
    subscriber_from,
    subscriber_text,
)
from tests.contract.drive import stored

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.text("0123456789abcdef", min_size=1, max_size=24)
times = st.floats(0, 1e10)
schemes = st.from_regex(r"[a-z][a-z0-9+.-]{0,8}", fullmatch=True)
addresses = st.builds(Address, schemes, texts)
parts = st.builds(Part, texts, st.binary(max_size=50), texts, texts)
messages = st.builds(
    Message,
    id=ids,
    message_id=texts,
    sender=addresses,
    recipients=st.lists(addresses, max_size=3).map(tuple),
    parts=st.lists(parts, max_size=3).map(tuple),
    sent_at=times,
    received_at=times,
    origin=texts,
    conversation_id=texts,
    contribution_id=texts,
    in_reply_to=texts,
    wants=st.integers(0, 31).map(Disposition),
    expires_at=st.none() | times,
    subject=texts,
    kind=st.sampled_from(MessageKind),
    session_id=texts,
    route=texts,
    headers=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
)
notices = st.builds(
    Notice,
    message_id=texts,
    original_sent_at=times,
    recipient=addresses,
    status=st.sampled_from(Status),
    network=texts,
    reason=texts,
)
records = st.builds(
    DeliveryRecord,
    id=ids,
    message=messages,
    recipient=addresses,
    state=st.sampled_from(DeliveryState),
    created_at=times,
    expires_at=times,
    network=texts,
    source=st.none() | addresses,
    target=st.none() | addresses,
    attempt=st.integers(0, 1000),
    token=st.integers(0, 1000),
    not_before=times,
    lease_until=times,
    queue=texts,
    notice=st.none() | notices,
    sent_thread=texts,
    received_thread=texts,
    segments=st.integers(0, 255),
    confirmed=st.integers(0, 2**62),
    error=texts,
    detail=texts,
    updated_at=times,
)
sessions = st.builds(
    SessionRecord,
    id=ids,
    initiator=addresses,
    target=addresses,
    network=texts,
    origin=texts,
    state=st.sampled_from(SessionState),
    opened_at=times,
    owner_threads=st.just(("o|p",)) | st.tuples(st.just("o|p"), texts),
    conversation_id=texts,
    contribution_id=texts,
    answered_at=times,
    closed_at=times,
    reason=texts,
)
errors = st.builds(
    SendError,
    st.sampled_from(Reason),
    retryable=st.booleans(),
    detail=texts,
    retry_after=times,
    code=texts,
)
reports = st.builds(
    Report,
    status=st.sampled_from(Status),
    network=texts,
    source=texts,
    at=times,
    delivery_id=texts,
    key=texts,
    check=texts,
    message_id=texts,
    reporter=st.none() | addresses,
    original_sender=st.none() | addresses,
    detail=texts,
)
names = st.lists(texts, max_size=3).map(tuple)
subscribers = st.builds(
    Subscriber,
    id=texts,
    name=texts,
    addresses=st.lists(addresses, max_size=3).map(tuple),
    preferences=st.builds(
        Preferences,
        networks=names,
        denied=st.frozensets(texts, max_size=3),
        max_segments=st.integers(0, 99),
        session_feedback=st.sampled_from(SessionFeedback),
        when_unavailable=st.sampled_from(WhenUnavailable),
        status=st.sampled_from(Availability),
    ),
    accounts=st.just(()),
)
contacts = st.builds(
    Contact, id=texts, owner=texts, name=texts, addresses=st.lists(addresses, max_size=3).map(tuple), networks=names
)


@settings(max_examples=60, deadline=None)
@given(st.lists(records, max_size=4, unique_by=lambda r: (r.id, r.message.id)), st.lists(sessions, max_size=3))
async def test_messages_deliveries_and_sessions(some: list[DeliveryRecord], talks: list[SessionRecord]) -> None:
    firsts = {record.message.id: record.message for record in reversed(some)}
    chosen = {r.id: r for r in reversed(some) if r.message is firsts[r.message.id]}
    store = await open_store("")
    changes = Changes(messages=list(firsts.values()), deliveries=list(chosen.values()), sessions=talks)
    await stored(store, changes)
    for one in firsts.values():
        assert store.message(one.id) == one
    for record in chosen.values():
        assert store.delivery(record.id) == record
    last = {talk.id: talk for talk in talks}
    assert {talk.id: talk for talk in store.sessions("o", "p")} == last
    await store.close()


@settings(deadline=None)
@given(reports, st.none() | errors)
def test_reports(report: Report, error: SendError | None) -> None:
    found = report_from(report_text(report))
    assert found == report
    whole = report_from(report_text(Report(status=Status.FAILED, network="n", source="s", at=0.0, error=error)))
    assert repr(whole.error) == repr(error)


@settings(deadline=None)
@given(subscribers, contacts)
def test_people(subscriber: Subscriber, contact: Contact) -> None:
    assert subscriber_from(subscriber_text(subscriber)) == subscriber
    assert contact_from(contact_text(contact)) == contact
