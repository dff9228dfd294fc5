"""What conversion cost, found again in the trail."""

from __future__ import annotations

import json

from opencpm.domain.report import Report, Status
from opencpm.domain.trail import Step, TrailEntry
from opencpm.messaging.trail import losses_of
from tests.messaging.world import World


async def test_what_the_network_said_stands_before_what_was_foreseen(world: World) -> None:
    message = world.message("Hello", subject="Plan", route="sms")
    await world.send(message)
    delivery = (await world.sms.until(1))[0]
    await world.settle()
    before = losses_of(world.store.trail(message.id)).get(delivery.id)
    world.sms.bring(delivery, "the picture was made smaller")
    await world.settle()
    assert losses_of(world.store.trail(message.id)) == {delivery.id: ["the picture was made smaller"]}
    assert before != ["the picture was made smaller"]


def test_only_what_was_chosen_counts() -> None:
    def candidate(form: str, *losses: str, kept: bool = True) -> dict[str, object]:
        return {"network": "sms", "target": "tel:+1", "kept": kept, "losses": losses, "form": form}

    def selected(form: str) -> TrailEntry:
        plan = {
            "chosen": {"network": "sms", "target": "tel:+1", "form": form},
            "candidates": [
                candidate("whole", "the subject goes first"),
                candidate("link", "goes as a text with a link"),
            ],
        }
        return TrailEntry("m", 1.0, Step.SELECTED, "", "m.0", json.dumps(plan))

    assert losses_of([selected("link")]) == {"m.0": ["goes as a text with a link"]}
    assert losses_of([selected("link"), selected("whole")]) == {"m.0": ["the subject goes first"]}
    assert losses_of([TrailEntry("m", 1.0, Step.RECEIVED, "x")]) == {}


async def test_an_answer_after_the_receipt_still_leaves_its_line(world: World) -> None:
    """The device's own word overtakes the answer to the request: nothing of what the answer says is lost."""
    message = world.message("Hello", route="sms")
    await world.send(message)
    delivery = (await world.sms.until(1))[0]
    report = Report(
        status=Status.DELIVERED, network="sms", source="device", at=world.clock.now(), delivery_id=delivery.id
    )
    world.messaging.reported([report])
    await world.settle()
    world.sms.bring(delivery, "the picture was made smaller")
    await world.settle()
    assert losses_of(world.store.trail(message.id)) == {delivery.id: ["the picture was made smaller"]}
    assert world.steps(message.id).count("delivered") == 1
