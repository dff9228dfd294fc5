"""A stand-in MSN service on real sockets: Passport login, notification server, switchboard, and buddies.

    async with LabMsn() as lab:
        alice = lab.account("alice@msn.test", name="Alice")
        bob = lab.buddy("bob@msn.test", "Bob")
        lab.befriend("alice@msn.test", "bob@msn.test")
        await bob.sign_in()
        ...                                   # sign in with alice.password, by the program under test
        bob.chat.send("hello")
        lab.log.of("CAL", direction="C")      # evidence

Loopback only. `lab.faults` holds the switches for trouble, `await lab.down()` and `await lab.up()` the mains.
"""

from opencpm.lab.msn.buddy import Buddy, Calls
from opencpm.lab.msn.chat import Chat, Said
from opencpm.lab.msn.faults import Faults
from opencpm.lab.msn.happenings import Happening
from opencpm.lab.msn.log import CommandLog, Line
from opencpm.lab.msn.service import LabMsn

__all__ = ["Buddy", "Calls", "Chat", "CommandLog", "Faults", "Happening", "LabMsn", "Line", "Said"]
