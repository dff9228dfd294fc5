from opencpm.protocols.gsm.reassembly import Key, Reassembler

KEY = Key("link", "447700900123", "60606", 7, 8, 2)


def test_out_of_order_with_tags():
    joined = Reassembler()
    assert joined.add(KEY, 2, b"b", "second", 0.0) == []
    (message,) = joined.add(KEY, 1, b"a", "first", 1.0)
    assert message.parts == (b"a", b"b")
    assert message.tags == ("second", "first")
    assert message.complete
    assert len(joined) == 0
    assert joined.deadline() is None


def test_a_repeated_segment_adds_its_tag_only():
    joined = Reassembler()
    joined.add(KEY, 1, b"a", 1, 0.0)
    joined.add(KEY, 1, b"a", 2, 200.0)
    assert joined.deadline() == 300.0
    (message,) = joined.add(KEY, 2, b"b", 3, 250.0)
    assert message.tags == (1, 2, 3)


def test_a_reused_reference_begins_anew():
    joined = Reassembler()
    joined.add(KEY, 1, b"old", 1, 0.0)
    (old,) = joined.add(KEY, 1, b"new", 2, 1.0)
    assert old.parts == (b"old", None)
    assert not old.complete
    (new,) = joined.add(KEY, 2, b"end", 3, 2.0)
    assert new.parts == (b"new", b"end")


def test_time_out_then_a_late_segment():
    joined = Reassembler(timeout=300)
    joined.add(KEY, 2, b"b", 1, 0.0)
    assert joined.expire(299.0) == []
    (message,) = joined.expire(300.0)
    assert message.parts == (None, b"b")
    (late,) = joined.add(KEY, 1, b"a", 2, 400.0)
    assert late.late
    assert late.parts == (b"a",)
    assert joined.add(KEY, 2, b"x", 3, 401.0) == []  # a new message with the same reference


def test_lifetime_ends_what_keeps_growing():
    joined = Reassembler(timeout=300, lifetime=500)
    key = KEY._replace(total=9)
    for number, now in enumerate((0.0, 250.0, 499.0), 1):
        joined.add(key, number, b"x", number, now)
    assert joined.deadline() == 500.0
    assert len(joined.expire(500.0)) == 1


def test_sets_between_two_numbers_are_bounded():
    joined = Reassembler(per_pair=2)
    for reference in (1, 2):
        assert joined.add(KEY._replace(reference=reference), 1, b"x", reference, 0.0) == []
    (oldest,) = joined.add(KEY._replace(reference=3), 1, b"x", 3, 0.0)
    assert oldest.key.reference == 1
    assert joined.add(KEY._replace(originator="other"), 1, b"x", 4, 0.0) == []


def test_sets_in_all_are_bounded():
    joined = Reassembler(limit=2)
    for originator in "ab":
        joined.add(KEY._replace(originator=originator), 1, b"x", None, 0.0)
    assert [m.key.originator for m in joined.add(KEY._replace(originator="c"), 1, b"x", None, 0.0)] == ["a"]
