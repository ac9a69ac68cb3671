"""The pieces of our resources: exact amounts, codes without words, moments in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from fhir_r4 import write
from fhir_r4.compose import concept, instant, money, own_concept, own_extension
from kernel.codes import CPT, LINE


def test_money_is_exact_to_the_cent() -> None:
    assert money(15500) == {"value": Decimal("155.00"), "currency": "USD"}
    assert b'"value":-0.05' in write({"resourceType": "Basic", "x": money(-5)})


def test_codes_stand_in_their_system_without_words() -> None:
    assert concept(CPT, "99213") == {"coding": [{"system": CPT, "code": "99213"}]}
    assert own_concept("work", "late-charge") == concept(f"{LINE}/CodeSystem/work", "late-charge")


def test_an_extension_is_ours_and_names_the_type_of_its_value() -> None:
    assert own_extension("units", "Decimal", 2) == {"url": f"{LINE}/StructureDefinition/units", "valueDecimal": 2}


def test_an_instant_has_milliseconds_and_its_zone() -> None:
    moment = datetime(2026, 2, 10, 13, 0, 0, 1999, UTC)
    assert instant(moment) == "2026-02-10T13:00:00.001Z"
    assert instant(moment.astimezone(timezone(timedelta(hours=-5)))) == "2026-02-10T08:00:00.001-05:00"
