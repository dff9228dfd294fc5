from opencpm.protocols.sip.gruu import (
    binding_key,
    gruu_instance,
    instance_of,
    public_gruu,
    reg_id_of,
    temporary_gruu,
    temporary_name,
)
from opencpm.protocols.sip.uri import parse_uri

INSTANCE = "urn:uuid:6f474eac-f1a1-4085-b654-c9ed5c9cf1c3"


def test_a_public_gruu_names_the_device():
    gruu = public_gruu("alice", "cpm.test", INSTANCE)
    assert gruu == f"sip:alice@cpm.test;gr={INSTANCE}"
    assert gruu_instance(parse_uri(gruu)) == INSTANCE
    assert gruu_instance(parse_uri(public_gruu("a", "b", 'x;y"z> %41'))) == 'x;y"z> %41'
    assert gruu_instance(parse_uri("sip:alice@cpm.test")) is None


def test_a_temporary_gruu_does_not_tell_the_user():
    gruu = temporary_gruu("alice", "cpm.test", INSTANCE, b"key")
    assert "alice" not in gruu
    assert gruu == f"sip:tgruu.{temporary_name('alice', INSTANCE, b'key')}@cpm.test;gr"
    assert gruu != temporary_gruu("alice", "cpm.test", INSTANCE, b"other key")


def test_bindings_are_keyed_by_instance_and_reg_id_else_by_contact():
    contact = parse_uri("sip:alice@192.0.2.1:5070;transport=TCP;x=1")
    parameters = {"+sip.instance": f"<{INSTANCE}>", "reg-id": "1"}
    assert binding_key(contact, parameters) == f"{INSTANCE}|1"
    assert binding_key(contact, parameters | {"reg-id": "0"}) == f"{INSTANCE}|0"
    assert binding_key(contact, {}) == "sip:alice@192.0.2.1:5070|tcp"
    assert instance_of({}) == ""
    assert reg_id_of({"reg-id": "x"}) == 0
