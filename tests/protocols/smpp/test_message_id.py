import pytest

from opencpm.protocols.smpp.message_id import Form, check_digits, forms, normal


@pytest.mark.parametrize(
    ("response", "receipt"),
    [
        ("1A2B3C", "1715004"),
        ("1a2b3c", "1A2B3C"),
        ("6b7a04", "7043588"),
        ("1715004", "1A2B3C"),
        ("0000000004", "0000000004"),
        ("0000000004", "4"),
        ("0221067780", "221067780"),
        (" 77 ", "77"),
        ("00", "0"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3F2504E0-4F89-41D3-9A0C-0305E82C3301"),
    ],
)
def test_a_receipt_finds_its_response(response, receipt):
    assert normal(receipt) in {form.key for form in forms(response)}


def test_converted_forms_are_weak():
    assert forms("1A2B3C") == (Form("1a2b3c"), Form("1715004", weak=True))
    assert forms("16") == (Form("16"), Form("22", weak=True), Form("10", weak=True))
    assert forms("no-number") == (Form("no-number"),)
    assert forms("7") == (Form("7"),)


def test_settings_limit_the_forms():
    assert forms("16", "same") == (Form("16"),)
    assert forms("16", "hex2dec") == (Form("22"),)
    assert forms("16", "dec2hex") == (Form("10"),)
    assert forms("uuid-1", "hex2dec") == (Form("uuid-1"),)


def test_check_digits():
    assert check_digits("+447700900123") == check_digits("07700900123") == "0900123"
