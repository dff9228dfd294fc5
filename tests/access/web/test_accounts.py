import asyncio

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ContactRequest, RosterEntry

from .world import BOB_MSN, World, events, listening, world

ME = Address("msn", "alice@msn.test")
LINK = {"network": "msn", "address": "alice@msn.test", "password": "new secret"}


def tell(w: World, state: AccountState, detail: str = "") -> None:
    w.messaging.account_changed("msn", "alice", ME, AccountStatus(state, detail))


async def test_how_accounts_are() -> None:
    async with world() as w:
        tell(w, AccountState.BAD_CREDENTIALS, "MSN refused the password; link the account again.")
        (shown,) = await w.get("/accounts")
        assert (shown["network"], shown["address"], shown["state"]) == ("msn", "msn:alice@msn.test", "bad-credentials")
        assert "refused the password" in shown["detail"]
        (shown,) = await w.get("/operation/accounts")
        assert shown["user"] == "alice"
        figures = (await w.client.get("/api/v1/metrics")).text
        assert 'opencpm_accounts{network="msn",state="bad-credentials"} 1' in figures


async def test_linking_waits_for_how_it_went() -> None:
    async with world() as w:
        answering = asyncio.create_task(w.client.post("/api/v1/accounts", json={**LINK, "wait": 10}))
        while w.people.subscriber("alice").accounts[0].revision == 0:
            await asyncio.sleep(0)
        tell(w, AccountState.CONNECTED)
        answer = await answering
        assert answer.status_code == 201
        assert answer.json()["state"] == "connected"
        assert "secret" not in answer.text
        assert w.people.password(w.people.subscriber("alice").accounts[0]) == "new secret"


async def test_a_second_account_and_what_cannot_be_linked() -> None:
    async with world() as w:
        answer = await w.client.post("/api/v1/accounts", json={**LINK, "address": "msn:a2@msn.test"})
        assert (answer.status_code, answer.json()["state"]) == (201, "connecting")
        assert len(await w.get("/accounts")) == 2
        sms = await w.client.post("/api/v1/accounts", json={**LINK, "network": "sms"})
        assert (sms.status_code, sms.json()["reason"]) == (422, "unknown-network")
        assert "msn" in sms.json()["detail"]
        taken = await w.client.post("/api/v1/accounts", json=LINK, headers=w.desk())
        assert taken.status_code == 409


async def test_verify_switch_and_unlink() -> None:
    async with world() as w:
        tell(w, AccountState.ELSEWHERE, "Signed in elsewhere.")
        path = "/api/v1/accounts/msn/alice@msn.test"
        verifying = asyncio.create_task(w.client.post(f"{path}/verify", json={"wait": 10}))
        while w.people.subscriber("alice").accounts[0].revision == 0:
            await asyncio.sleep(0)
        tell(w, AccountState.UNREACHABLE, "The service does not answer.")
        assert (await verifying).json()["state"] == "unreachable"
        off = await w.client.patch(path, json={"enabled": False})
        assert off.json()["state"] == "disabled"
        assert list(w.people.linked("msn")) == []
        assert (await w.client.post(f"{path}/verify", json={})).status_code == 409
        assert (await w.client.delete(path, headers=w.desk())).status_code == 404, "nobody else's business"
        assert (await w.client.delete("/api/v1/accounts/msn/msn:ALICE@msn.test")).status_code == 204
        assert await w.get("/accounts") == []


async def test_appearing_otherwise() -> None:
    async with world() as w:
        assert (await w.get("/me/presence"))["availability"] == "available"
        answer = await w.client.put("/api/v1/me/presence", json={"availability": "away", "note": "in Rome"})
        assert (answer.json()["availability"], answer.json()["note"]) == ("away", "in Rome")
        assert answer.json()["since"]
        assert (await w.get("/presence"))["published"]["note"] == "in Rome"
        wrong = await w.client.put("/api/v1/me/presence", json={"availability": "sleeping"})
        assert wrong.status_code == 422
        patched = await w.client.patch("/api/v1/me/preferences", json={"status": "busy"})
        assert (patched.json()["status"], patched.json()["note"]) == ("busy", "in Rome")
        assert w.people.subscriber("alice").presence.availability is Availability.BUSY


async def test_subscribers_see_what_others_publish() -> None:
    async with listening() as w, events(w) as following:
        w.people.add_contact("alice", "The desk", [Address("sip", "desk@cpm.test")])
        async with events(w, headers=w.desk()):
            w.messaging.publish("desk", Availability.AWAY, "back at two")
            _, told = await following(lambda d: d.get("note") == "back at two")
            assert (told["address"], told["availability"]) == ("sip:desk@cpm.test", "away")
            (seen,) = (await w.get("/presence"))["contacts"]["the-desk"]
            assert (seen["availability"], seen["note"]) == ("away", "back at two")


async def test_presence_of_others_with_note_and_time() -> None:
    async with world() as w:
        w.messaging.presence_changed("msn", "alice", BOB_MSN, Presence(Availability.AVAILABLE, "at home", 1.0), ME)
        seen = (await w.get("/presence"))["contacts"]["bob"]
        msn = next(one for one in seen if one["network"] == "msn")
        assert (msn["note"], msn["since"]) == ("at home", "1970-01-01T00:00:01.000Z")


async def test_contact_requests() -> None:
    carol = Address("msn", "carol@msn.test")
    async with world() as w:
        for address in (carol, Address("msn", "dave@msn.test")):
            asked = ContactRequest(owner="alice", network="msn", address=address, at=1.0, name="C", account=ME)
            w.messaging.contact_asked(asked)
        first, second = await w.get("/contact-requests")
        answer = await w.client.post(
            f"/api/v1/contact-requests/{first['id']}", json={"answer": "accept", "name": "Carol"}
        )
        assert (answer.json()["answer"], answer.json()["contact"]) == ("accepted", "carol")
        await w.client.post(f"/api/v1/contact-requests/{second['id']}", json={"answer": "decline"})
        assert await w.get("/contact-requests") == []
        kinds = [c.kind.value for c in w.people.roster_changes("msn", "alice", frozenset({"msn"}), ME)]
        assert sorted(kinds) == ["accept", "decline"]
        again = await w.client.post(f"/api/v1/contact-requests/{second['id']}", json={"answer": "accept"})
        assert again.status_code == 404


async def test_contacts_show_what_lists_say() -> None:
    async with world() as w:
        w.messaging.roster("msn", "alice", [RosterEntry(address=BOB_MSN, name="Bobby", groups=("Friends",))], ME)
        (bob,) = await w.get("/contacts")
        assert bob["name"] == "Bob"
        assert [(one["name"], one["groups"], one["tie"]) for one in bob["lists"]] == [("Bobby", ["Friends"], "listed")]
        kept = await w.client.put("/api/v1/contacts/bob", json={"name": "Robert", "addresses": [str(BOB_MSN)]})
        assert kept.json()["lists"] == bob["lists"]


async def test_a_page_hears_of_accounts_and_requests() -> None:
    async with listening() as w, events(w) as following:
        tell(w, AccountState.CONNECTED)
        _, data = await following(lambda d: d.get("state") == "connected")
        assert data["network"] == "msn"
        w.messaging.contact_asked(
            ContactRequest(owner="alice", network="msn", address=Address("msn", "c@msn.test"), at=1.0, account=ME)
        )
        _, data = await following(lambda d: "request" in d)
        assert data["address"] == "msn:c@msn.test"
