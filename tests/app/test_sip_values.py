"""The flat section of the file is what the SIP access reads."""

from __future__ import annotations

from pathlib import Path

from opencpm.access.sip.session_settings import SessionSettings
from opencpm.access.sip.settings import SipSettings
from opencpm.app.sip_values import sip_values
from tests.app.settings_of import small


def test_the_rooms_models_take_it(tmp_path: Path) -> None:
    settings = small(
        tmp_path, sip={"udp_port": "off", "tcp_port": 5070, "msrp_port": 2856, "domains": ["cpm.test", "b.test"]}
    )
    values = sip_values(settings)
    room = SipSettings.model_validate(values)
    assert [(one.transport, one.port) for one in room.listen] == [("tcp", 5070)]
    assert (room.domain, room.aliases, room.realm) == ("cpm.test", ("b.test",), "cpm.test")
    assert SessionSettings.model_validate(values["sessions"]).msrp_port == 2856
