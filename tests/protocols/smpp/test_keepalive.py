from opencpm.protocols.smpp.keepalive import KeepAlive, Verdict


def test_quiet_is_asked_about_and_silence_is_death():
    alive = KeepAlive(30.0, 10.0, 0.0)
    assert alive.due() == 30.0
    assert alive.judge(29.9) is Verdict.FINE
    assert alive.judge(30.0) is Verdict.ASK
    alive.asked(7, 30.0)
    assert alive.due() == 40.0
    assert alive.judge(40.0) is Verdict.ASK
    alive.asked(8, 40.0)
    assert alive.judge(50.0) is Verdict.DEAD


def test_any_sign_of_life_begins_anew():
    alive = KeepAlive(30.0, 10.0, 0.0)
    alive.asked(7, 30.0)
    alive.judge(40.0)
    alive.heard(41.0)
    assert alive.due() == 71.0
    alive.asked(8, 71.0)
    assert alive.judge(81.0) is Verdict.ASK


def test_switched_off():
    alive = KeepAlive(0.0, 10.0, 0.0)
    assert alive.due() is None
    assert alive.judge(1e9) is Verdict.FINE


def test_a_request_after_which_nothing_is_heard_calls_for_an_enquiry():
    alive = KeepAlive(30.0, 10.0, 0.0)
    alive.spoke(1.0)
    alive.spoke(9.0)
    assert alive.due() == 11.0
    assert alive.judge(11.0) is Verdict.ASK
    alive.asked(7, 11.0)
    assert alive.judge(21.0) is Verdict.ASK
    alive.asked(8, 21.0)
    assert alive.judge(31.0) is Verdict.DEAD


def test_whatever_is_heard_answers_for_what_was_sent_before():
    alive = KeepAlive(30.0, 10.0, 0.0)
    alive.spoke(1.0)
    alive.heard(2.0)
    assert alive.due() == 32.0
    alive.spoke(5.0)
    assert alive.due() == 15.0
    assert alive.silent_since(3.0)
    assert not alive.silent_since(1.0)
