"""A phone with MMS: notified over a handset of the lab's SMS centre, it fetches, acknowledges and sends over HTTP.

    async with LabSmsc() as smsc, MmsPhone(smsc.handset("+12025550101"), "http://127.0.0.1:8002/mms") as bob:
        ...                                    # our server notifies; the phone fetches by itself
        mms = await bob.wait_mms()
        await bob.read(mms)
        sent = await bob.send(["let us talk", picture], to="+12025550100")
        bob.behaviour = "deferred"             # or "rejecting", "silent", "impatient"
        bob.happened                           # evidence

Loopback only.
"""

from .phone import Fetched, MmsPhone, Notification, Sent

__all__ = ["Fetched", "MmsPhone", "Notification", "Sent"]
