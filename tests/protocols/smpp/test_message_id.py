import pytest

from opencpm.protocols.smpp.message_id import Form, ReceiptIds, check_digits, forms, normal


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


# ------------------------------------------------------------------------------------------- learning from receipts


def taught(count, receipt, response="{:x}", start=0x1A2B3C):
    """A centre whose responses and receipts write numbers in these forms; so many receipts came."""
    ids = ReceiptIds()
    for number in range(start, start + count):
        found = ids.forms(response.format(number))
        assert ids.key(receipt.format(number)) in [form.key for form in found]
    return ids


@pytest.mark.parametrize(
    ("receipt", "response", "form"),
    [
        ("{:x}", "{:x}", "same"),
        ("{:X}", "{:x}", "same"),
        ("{:010}", "{}", "same"),
        ("{}", "{:x}", "hex2dec"),
        ("{:x}", "{}", "dec2hex"),
    ],
)
def test_the_form_of_receipts_is_learned(receipt, response, form):
    assert taught(19, receipt, response).form == "auto"
    ids = taught(20, receipt, response)
    assert ids.form == form
    found = ids.forms(response.format(0xABCDEF))
    assert len(found) == 1
    assert not found[0].weak
    assert ids.key(receipt.format(0xABCDEF)) == found[0].key


def test_another_form_is_understood_and_begins_anew():
    ids = taught(25, "{:x}")
    ((key, _),) = ids.forms("abcdef")
    assert ids.key(str(0xABCDEF)) == key
    assert ids.form == "auto"
    assert len(ids.forms("abcdf0")) == 2


def test_receipts_of_unknown_messages_teach_nothing():
    ids = taught(19, "{:x}")
    for number in range(50):
        assert ids.key(f"{number:x}") == f"{number:x}"
    assert ids.form == "auto"


def test_a_setting_is_not_overruled():
    ids = ReceiptIds("hex2dec")
    for number in range(100, 200):
        ids.forms(f"{number:x}")
        ids.key(f"{number:x}")
    assert ids.form == "hex2dec"
    assert [form.key for form in ids.forms("ff")] == ["255"]
