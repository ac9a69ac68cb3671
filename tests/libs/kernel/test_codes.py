"""Code shapes: what passes, and what must not."""

import pytest
from kernel import codes


@pytest.mark.parametrize("code", ["99213", "0001F", "0042T", "0001U", "0002M"])
def test_cpt(code: str) -> None:
    assert codes.is_cpt(code) and codes.is_procedure_code(code) and not codes.is_hcpcs(code)


@pytest.mark.parametrize("code", ["J3490", "G0438", "E0601", "V2020"])
def test_hcpcs(code: str) -> None:
    assert codes.is_hcpcs(code) and codes.is_procedure_code(code) and not codes.is_cpt(code)


@pytest.mark.parametrize("code", ["", "9921", "992133", "99213 ", "0001A", "I0001", "j3490", "W1234", "٩٩٢١٣"])
def test_no_procedure_code(code: str) -> None:
    assert not codes.is_procedure_code(code)


@pytest.mark.parametrize("code", ["I10", "E11.9", "E119", "C7A.00", "M1A.0110", "S72.001A", "U07.1", "Z3A.01"])
def test_icd10cm(code: str) -> None:
    assert codes.is_icd10cm(code)
    assert codes.is_icd10cm(codes.icd10cm_plain(code)) and codes.is_icd10cm(codes.icd10cm_dotted(code))
    assert codes.icd10cm_dotted(codes.icd10cm_plain(code)) == codes.icd10cm_dotted(code)


@pytest.mark.parametrize("code", ["", "I1", "I10.", "i10", "250.00", "S72.001AB", "E11.9.1", "I10 "])
def test_no_icd10cm(code: str) -> None:
    assert not codes.is_icd10cm(code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0002-3228-30", "00002322830"),
        ("50242-040-62", "50242004062"),
        ("60575-4112-1", "60575411201"),
        ("00002-3228-30", "00002322830"),
        ("00002322830", "00002322830"),
        ("0002322830", None),
        ("0002-322-30", None),
        ("1234-567-8", None),
        ("ABCDE-FGHI-JK", None),
        ("", None),
    ],
)
def test_ndc11(text: str, expected: str | None) -> None:
    assert codes.ndc11(text) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("urn:oid:2.16.840.1.113883.6.285", codes.HCPCS),
        ("http://terminology.hl7.org/CodeSystem/HCPCS-all-codes", codes.HCPCS),
        ("http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", codes.HCPCS),
        (codes.HCPCS, codes.HCPCS),
        (codes.POS.lower() + "/", codes.POS),
        ("https://example.org/own-codes", "https://example.org/own-codes"),
    ],
)
def test_canonical_system(uri: str, expected: str) -> None:
    assert codes.canonical_system(uri) == expected


def test_modifiers_and_places() -> None:
    assert (
        codes.is_modifier("25")
        and codes.is_modifier("LT")
        and not codes.is_modifier("2")
        and not codes.is_modifier("lt")
    )
    assert (
        codes.is_place_of_service("11") and not codes.is_place_of_service("1") and not codes.is_place_of_service("AB")
    )
