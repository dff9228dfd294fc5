"""A stand-in CPM device: a SIP and MSRP user agent on real sockets, whose journal is evidence.

async with LabDevice("sip:alice@cpm.test", "secret", ("127.0.0.1", 5060)) as device:
    await device.register()
    await device.message("tel:+12025550101", "Hello")
    await device.journal.wait("imdn", lambda entry: entry.what == "delivered")
"""

from opencpm.lab.device.chat import DeviceChat
from opencpm.lab.device.device import LabDevice, Refused, Sent
from opencpm.lab.device.files import DeviceFiles, File, Got
from opencpm.lab.device.groups import DeviceGroup, convene, group_of, rejoin
from opencpm.lab.device.journal import Entry, Journal
from opencpm.lab.device.texts import Heard

__all__ = [
    "DeviceChat",
    "DeviceFiles",
    "DeviceGroup",
    "Entry",
    "File",
    "Got",
    "Heard",
    "Journal",
    "LabDevice",
    "Refused",
    "Sent",
    "convene",
    "group_of",
    "rejoin",
]
