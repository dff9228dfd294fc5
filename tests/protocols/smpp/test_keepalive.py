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
