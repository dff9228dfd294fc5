from opencpm.protocols.gsm.text import normalise, without_controls


def test_normal_form_and_line_ends():
    assert normalise("cafe\u0301\r\nnext\rlast") == "café\nnext\nlast"


def test_typographic():
    assert normalise("“Hi” – it’s 5…", "typographic") == '"Hi" - it\'s 5...'
    assert normalise("a\tb\u00a0c\ufe0e", "typographic") == "a b c"


def test_latin_drops_only_what_gsm_lacks():
    assert normalise("çaé ñ áê тест", "latin") == "caé ñ ae тест"


def test_a_url_is_left_alone():
    assert normalise("“x” https://a.example/–… y–", "typographic") == '"x" https://a.example/–… y-'


def test_controls_go_line_feeds_stay():
    assert without_controls("a\x00b\nc\x7f\x1b") == "ab\nc"
