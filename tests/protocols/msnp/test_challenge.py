import pytest

from opencpm.protocols.msnp.challenge import MSN_6, MSN_7, MSN_8, MSN_14, Product, answer, keyed_answer, product_for


def test_md5_form() -> None:
    assert answer("15570131571988941333", MSN_6, 8) == "8f2f5a91b72102cd28355e9fc9000d6e"


@pytest.mark.parametrize(
    ("challenge", "product", "expected"),
    [
        ("22210219642164014968", MSN_7, "85ecb0db8f32113df79ce0892b9a102c"),
        ("22210219642164014968", MSN_8, "a400af809ac86fbdf6deec7286fc06b8"),
        ("1663122458434562624782678054", MSN_14, "f379e91748f9722568da550eccefec47"),
        ("36819795137093047918", MSN_7, "e7ad3cb09d3e9e4e7c720175984809e9"),
        (
            "11533365622852247127",
            Product("PROD0113H11T8$X_", "RG@XY*28Q5QHS%Q5"),
            "f086d1ded067186deca8dba2231602cf",
        ),
    ],
)
def test_keyed_form(challenge: str, product: Product, expected: str) -> None:
    assert keyed_answer(challenge, product) == expected


def test_product_goes_with_the_dialect() -> None:
    assert [product_for(n) for n in (8, 10, 11, 12, 15, 18)] == [MSN_6, MSN_6, MSN_7, MSN_7, MSN_8, MSN_14]
