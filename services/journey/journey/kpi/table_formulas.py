"""Every KPI as one row: what it says, where the formula comes from, what it cannot know, and the SQL of its rows.

The SQL yields key, journey_id, claim_id, at, numerator, denominator, and the sums are the value. In braces stand the
instants and days that `sql.py` puts in: as_of, since (90 days before), month (30), weeks (28), today, year (365 days
before today), and the last month whose cost is known. A change of a formula here is a new version.

HFMA MAP Keys are named by their numbers where those are published (PA-7, CL-1, CL-2, AR-1, AR-5, FM).
"""

from __future__ import annotations

from typing import Final

from journey.kpi.model import DAYS, HIGHER, LOWER, SHARE, TIME, Benchmark, Formula

# Days of the period that charges have been captured in: 90, or fewer in a system that is younger.
_DAYS = (
    "(select least(90, greatest(1, ceil(extract(epoch from {as_of} - min(at)) / 86400)))::bigint"
    " from money where kind = 'charge' and at > {since})"
)
# The same for submissions, between one month and three.
_MONTHS = (
    "(select least(90, greatest(30, ceil(extract(epoch from {as_of} - min(submitted_at)) / 86400)))::bigint"
    " from claim where is_primary and submitted_at > {since})"
)
_GROSS = """
select event_id, journey_id, claim_id, at, 0::bigint, gross_cents
from money where kind = 'charge' and at > {since}"""
_UNBILLED = f"""
select journey_id as key, journey_id, '' as claim_id, charged_at as at, gross_cents * {_DAYS} as numerator,
    0::bigint as denominator
from visit where gross_cents > 0 and not billed and not cancelled"""
_UNSENT = f"""
select claim_id as key, journey_id, claim_id, built_at as at, billed_cents * {_DAYS} as numerator,
    0::bigint as denominator
from claim where is_primary and built_at is not null and submitted_at is null and not voided"""
_YOUNG = "A system younger than 90 days divides by the days since its first charges."
_ANSWERED = "first_answer <> '' and submitted_at > {since}"


def _aged(name: str, title: str, low: int, high: int | None, **more: object) -> Formula:
    age = "({today} - coalesce(service_on, (submitted_at at time zone 'UTC')::date))"
    within = f"{age} >= {low}" + (f" and {age} <= {high}" if high is not None else "")
    if low == 0:
        within = f"{age} <= {high}"
    return Formula(
        name=name,
        version=1,
        title=title,
        group="accounts",
        unit=SHARE,
        text=f"Billed A/R aged {title.removeprefix('A/R ')} ÷ total billed A/R (HFMA MAP AR-1).",
        note="Aged from the date of service, from the first submission where none is known. Debit balances only.",
        missing="no billed claim has a balance",
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, submitted_at as at,
    case when {within} then receivable_cents else 0 end as numerator, receivable_cents as denominator
from claim where receivable_cents > 0""",
        ),
        **more,  # type: ignore[arg-type]
    )


FORMULAS: Final[tuple[Formula, ...]] = (
    Formula(
        name="net-days-in-ar",
        version=1,
        title="Net days in A/R",
        group="finance",
        unit=DAYS,
        better=LOWER,
        text="Net A/R ÷ average daily net patient service revenue of the last 90 days; claims with a credit balance"
        " count as nothing. Net revenue is gross charges less contractual adjustments (HFMA MAP, net days in A/R).",
        note="No service tells what a claim will be allowed: claims that no payer has answered stand at their charges,"
        f" so the figure errs high. {_YOUNG} Secondary claims are the patient's share of the primary one.",
        missing="no charges in the last 90 days",
        integrated=Benchmark("25-33 days", 25_000, 33_000),
        standalone=Benchmark("40-55 days", 40_000, 55_000),
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, submitted_at as at, receivable_cents * {_DAYS} as numerator,
    0::bigint as denominator
from claim where receivable_cents > 0""",
            _GROSS,
            """
select event_id, journey_id, claim_id, at, 0::bigint, -contractual_cents
from money where kind in ('posting', 'reversal') and at > {since}""",
        ),
    ),
    Formula(
        name="days-in-ar",
        version=1,
        title="Days in A/R",
        group="finance",
        unit=DAYS,
        better=LOWER,
        text="Total A/R ÷ (charges in the last 90 days ÷ days in the period); credit balances count, too (MGMA).",
        note=_YOUNG,
        missing="no charges in the last 90 days",
        integrated=Benchmark("25-33 days", 25_000, 33_000),
        standalone=Benchmark("40-55 days", 40_000, 55_000),
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, submitted_at as at, receivable_cents * {_DAYS} as numerator,
    0::bigint as denominator
from claim where receivable_cents <> 0""",
            _GROSS,
        ),
    ),
    _aged("aged-ar-0-30", "A/R 0-30 days", 0, 30),
    _aged("aged-ar-31-60", "A/R 31-60 days", 31, 60),
    _aged("aged-ar-61-90", "A/R 61-90 days", 61, 90),
    _aged("aged-ar-91-120", "A/R 91-120 days", 91, 120),
    _aged(
        "aged-ar-over-120",
        "A/R over 120 days",
        121,
        None,
        better=LOWER,
        integrated=Benchmark("< 10 %", 0, 99),
        standalone=Benchmark("18-25 %", 180, 250),
    ),
    Formula(
        name="dnfb-days",
        version=1,
        title="DNFB days",
        group="pre-billing",
        unit=DAYS,
        better=LOWER,
        text="Gross charges not final billed ÷ average daily gross charges of the last 90 days (HFMA MAP, DNFB).",
        note="Final billed means that a claim was built. Visits whose charges are not captured yet have no dollars and"
        f" count in the capture gap only. {_YOUNG}",
        missing="no charges in the last 90 days",
        rows=(_UNBILLED, _GROSS),
    ),
    Formula(
        name="fbns-days",
        version=1,
        title="FBNS days",
        group="pre-billing",
        unit=DAYS,
        better=LOWER,
        text="Charges of claims that were built and never submitted ÷ average daily gross charges of the last 90 days"
        " (HFMA MAP, FBNS).",
        note=_YOUNG,
        missing="no charges in the last 90 days",
        rows=(_UNSENT, _GROSS),
    ),
    Formula(
        name="dnsp-days",
        version=1,
        title="DNSP days",
        group="pre-billing",
        unit=DAYS,
        better=LOWER,
        text="(Not final billed + final billed, not submitted) ÷ average daily gross charges of the last 90 days"
        " (HFMA MAP, DNSP).",
        note=_YOUNG,
        missing="no charges in the last 90 days",
        rows=(_UNBILLED, _UNSENT, _GROSS),
    ),
    Formula(
        name="clean-claim-rate",
        version=1,
        title="Clean claim rate",
        group="claims",
        unit=SHARE,
        better=HIGHER,
        text="Claims that pass every edit and that nobody touches before they are first submitted ÷ claims built, of"
        " the last 90 days (HFMA MAP CL-1).",
        missing="no claim was built in the last 90 days",
        integrated=Benchmark("96-98 %", 960, 980),
        standalone=Benchmark("82-89 %", 820, 890),
        rows=(
            """
select claim_id as key, journey_id, claim_id, built_at as at, clean::int::bigint as numerator, 1::bigint as denominator
from claim where built_at > {since}""",
        ),
    ),
    Formula(
        name="claim-acceptance-rate",
        version=1,
        title="Claim acceptance rate",
        group="claims",
        unit=SHARE,
        better=HIGHER,
        text="Answers that accept a claim ÷ answers that accept or reject one (277CA and 999), of claims first"
        " submitted in the last 90 days; each submission counts.",
        missing="no submission of the last 90 days was answered",
        rows=(
            """
select claim_id as key, journey_id, claim_id, submitted_at as at, accepted::bigint as numerator,
    (accepted + rejected)::bigint as denominator
from claim where accepted + rejected > 0 and submitted_at > {since}""",
        ),
    ),
    Formula(
        name="first-pass-acceptance",
        version=1,
        title="First-pass acceptance",
        group="claims",
        unit=SHARE,
        better=HIGHER,
        text="Claims whose first answer from clearinghouse or payer accepts them ÷ claims answered, submitted in the"
        " last 90 days. There is no agreed definition of first-pass resolution: this is its clearinghouse half.",
        missing="no submission of the last 90 days was answered",
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, submitted_at as at,
    (first_answer = 'accepted')::int::bigint as numerator, 1::bigint as denominator
from claim where {_ANSWERED}""",
        ),
    ),
    Formula(
        name="first-pass-resolution",
        version=1,
        title="First-pass resolution by the payer",
        group="claims",
        unit=SHARE,
        better=HIGHER,
        text="Claims whose first 835 pays or assigns everything, with no denial and nothing left open ÷ claims first"
        " answered by an 835 in the last 90 days. There is no agreed definition: this is its payer half.",
        missing="no 835 was posted in the last 90 days",
        rows=(
            """
select claim_id as key, journey_id, claim_id, posted_at as at, resolved_first::int::bigint as numerator,
    1::bigint as denominator
from claim where posted_at > {since}""",
        ),
    ),
    Formula(
        name="initial-denial-rate",
        version=1,
        title="Initial denial rate",
        group="claims",
        unit=SHARE,
        better=LOWER,
        text="Primary claims first denied in the last 30 days ÷ the monthly average of primary claims first submitted"
        " in the last 90 days (HFMA MAP, by count).",
        note="A denied line of a partly paid claim counts its claim. In a younger system the average is over the days"
        " since the first submission, 30 at the least.",
        missing="no claim was submitted in the last 90 days",
        integrated=Benchmark("2-5 %", 20, 50),
        standalone=Benchmark("10-15 %", 100, 150),
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, coalesce(denied_at, submitted_at) as at,
    case when denied_at > {{month}} then {_MONTHS} else 0 end as numerator,
    case when submitted_at > {{since}} then 30 else 0 end::bigint as denominator
from claim where is_primary and (denied_at > {{month}} or submitted_at > {{since}})""",
        ),
    ),
    Formula(
        name="initial-denial-dollars",
        version=1,
        title="Initial denial rate, gross dollars",
        group="claims",
        unit=SHARE,
        better=LOWER,
        text="Dollars first denied in the last 30 days ÷ the monthly average of the charges of primary claims first"
        " submitted in the last 90 days (HFMA MAP, by gross dollars).",
        note="The dollars are what the first denial left open, at charges.",
        missing="no claim was submitted in the last 90 days",
        integrated=Benchmark("2-5 %", 20, 50),
        standalone=Benchmark("10-15 %", 100, 150),
        rows=(
            f"""
select claim_id as key, journey_id, claim_id, coalesce(denied_at, submitted_at) as at,
    case when denied_at > {{month}} then denied_cents * {_MONTHS} else 0 end as numerator,
    case when submitted_at > {{since}} then billed_cents * 30 else 0 end as denominator
from claim where is_primary and (denied_at > {{month}} or submitted_at > {{since}})""",
        ),
    ),
    Formula(
        name="primary-denial-rate",
        version=1,
        title="Primary denial rate",
        group="claims",
        unit=SHARE,
        better=LOWER,
        text="Zero-paid remits ÷ remits of primary claims, received in the last four weeks (HFMA MAP AR-5).",
        note="A remit is one claim in an 835 that was posted. One that puts everything on the patient's deductible is"
        " zero-paid, too, as the formula has it; payments that found no claim are not known to be primary.",
        missing="no 835 came in the last four weeks",
        rows=(
            """
select event_id as key, journey_id, claim_id, coalesce(received_at, at) as at,
    (paid_cents = 0)::int::bigint as numerator, 1::bigint as denominator
from money where kind = 'posting' and by_payer and is_primary and coalesce(received_at, at) > {weeks}""",
        ),
    ),
    Formula(
        name="net-collection-rate",
        version=1,
        title="Net collection rate",
        group="finance",
        unit=SHARE,
        better=HIGHER,
        text="Payments ÷ (charges − contractual adjustments), by date of service: claims of the last 365 days of"
        " service that a payer has answered.",
        note="Charges count once, with the primary claim. Claims that no payer has answered are left out, as their"
        " contractual part is not known. Patient payments that name no claim are left out.",
        missing="no payer has answered a claim with a known date of service",
        integrated=Benchmark("96-98 %", 960, 980),
        standalone=Benchmark("88-93 %", 880, 930),
        rows=(
            """
select claim_id as key, journey_id, claim_id, posted_at as at, paid_cents + patient_paid_cents as numerator,
    case when is_primary then billed_cents else 0 end - contractual_cents as denominator
from claim where posted_at is not null and service_on > {year}""",
        ),
    ),
    Formula(
        name="gross-collection-rate",
        version=1,
        title="Gross collection rate",
        group="finance",
        unit=SHARE,
        better=HIGHER,
        text="Payments of payers and patients, less takebacks ÷ charges captured, both of the last 90 days.",
        missing="no charges in the last 90 days",
        rows=(
            """
select event_id as key, journey_id, claim_id, at, paid_cents as numerator, 0::bigint as denominator
from money where kind in ('posting', 'reversal', 'patient') and at > {since}""",
            _GROSS,
        ),
    ),
    Formula(
        name="cost-to-collect",
        version=1,
        title="Cost to collect",
        group="finance",
        unit=SHARE,
        better=LOWER,
        text="Revenue-cycle cost ÷ patient-service cash, of the last whole month whose cost the site has told"
        " (HFMA MAP, cost to collect).",
        note="The cost is the site's own, from journey/costs.toml in its folder; no service knows it.",
        missing="no cash came in that month",
        integrated=Benchmark("3-5 %", 30, 50),
        standalone=Benchmark("8-14 %", 80, 140),
        needs_cost=True,
        rows=(
            """
select 'cost' as key, '' as journey_id, '' as claim_id, {cost_from} as at, {cost_cents} as numerator,
    0::bigint as denominator""",
            """
select event_id, journey_id, claim_id, at, 0::bigint, paid_cents
from money where kind in ('posting', 'reversal', 'patient') and at >= {cost_from} and at < {cost_to}""",
        ),
    ),
    Formula(
        name="point-of-service-cash",
        version=1,
        title="Point-of-service cash",
        group="access",
        unit=SHARE,
        better=HIGHER,
        text="Patient payments at the point of service ÷ all patient cash, of the last 90 days (HFMA MAP PA-7).",
        missing="no patient paid in the last 90 days",
        rows=(
            """
select event_id as key, journey_id, claim_id, at, case when point_of_service then paid_cents else 0 end as numerator,
    paid_cents as denominator
from money where kind = 'patient' and at > {since}""",
        ),
    ),
    Formula(
        name="charge-lag",
        version=1,
        title="Charge lag",
        group="pre-billing",
        unit=TIME,
        better=LOWER,
        text="Charges first captured − the beginning of the first day of service (UTC), of the last 90 days.",
        missing="no charges with a known date of service in the last 90 days",
        rows=(
            """
select journey_id as key, journey_id, '' as claim_id, charged_at as at,
    greatest(0, (extract(epoch from charged_at - (service_on::timestamp at time zone 'UTC')) * 1000000)::bigint)
        as numerator, 1::bigint as denominator
from visit where service_on is not null and charged_at > {since}""",
        ),
    ),
    Formula(
        name="payer-lag",
        version=1,
        title="Payer lag",
        group="accounts",
        unit=TIME,
        better=LOWER,
        text="First 835 received − first submitted, of claims posted in the last 90 days.",
        missing="no 835 was posted in the last 90 days",
        rows=(
            """
select claim_id as key, journey_id, claim_id, posted_at as at,
    greatest(0, (extract(epoch from coalesce(received_at, posted_at) - submitted_at) * 1000000)::bigint) as numerator,
    1::bigint as denominator
from claim where posted_at > {since}""",
        ),
    ),
    Formula(
        name="posting-lag",
        version=1,
        title="Posting lag",
        group="accounts",
        unit=TIME,
        better=LOWER,
        text="Posted − 835 received, of each claim payment of the last 90 days.",
        missing="no 835 was posted in the last 90 days",
        rows=(
            """
select event_id as key, journey_id, claim_id, at,
    greatest(0, (extract(epoch from at - received_at) * 1000000)::bigint) as numerator, 1::bigint as denominator
from money where kind = 'posting' and by_payer and received_at is not null and at > {since}""",
        ),
    ),
    Formula(
        name="denial-to-appeal",
        version=1,
        title="Denial to appeal",
        group="accounts",
        unit=TIME,
        better=LOWER,
        text="First appeal − denial, of denials appealed in the last 90 days: the mean.",
        missing="no denial was appealed in the last 90 days",
        rows=(
            """
select denial_id as key, journey_id, claim_id, appealed_at as at,
    (extract(epoch from appealed_at - denied_at) * 1000000)::bigint as numerator, 1::bigint as denominator
from denial where kind = 'denied' and appealed_at > {since}""",
        ),
    ),
    Formula(
        name="denial-to-resolution",
        version=1,
        title="Denial to resolution",
        group="accounts",
        unit=TIME,
        better=LOWER,
        text="Nothing open any more (paid, written off or voided) − denial, of denials resolved in the last 90 days:"
        " the mean.",
        missing="no denial was resolved in the last 90 days",
        rows=(
            """
select denial_id as key, journey_id, claim_id, resolved_at as at,
    (extract(epoch from resolved_at - denied_at) * 1000000)::bigint as numerator, 1::bigint as denominator
from denial where kind = 'denied' and resolved_at > {since}""",
        ),
    ),
    Formula(
        name="denials-overturned",
        version=1,
        title="Denials overturned",
        group="accounts",
        unit=SHARE,
        better=HIGHER,
        text="Initial denials for which payer or patient came to bear more afterwards ÷ initial denials, of the last"
        " 365 days, by count.",
        missing="nothing was denied in the last 365 days",
        rows=(
            """
select denial_id as key, journey_id, claim_id, denied_at as at, (overturned_cents > 0)::int::bigint as numerator,
    1::bigint as denominator
from denial where kind = 'denied' and initial and denied_at > {year_at}""",
        ),
    ),
    Formula(
        name="denials-overturned-dollars",
        version=1,
        title="Denials overturned, dollars",
        group="accounts",
        unit=SHARE,
        better=HIGHER,
        text="What payer and patient came to bear after an initial denial, at most what was denied ÷ dollars initially"
        " denied, of the last 365 days.",
        missing="nothing was denied in the last 365 days",
        rows=(
            """
select denial_id as key, journey_id, claim_id, denied_at as at, overturned_cents as numerator, cents as denominator
from denial where kind = 'denied' and initial and denied_at > {year_at}""",
        ),
    ),
    Formula(
        name="late-charges",
        version=1,
        title="Late charges",
        group="pre-billing",
        unit=SHARE,
        better=LOWER,
        text="Charges captured more than 3 days after the first day of service ÷ charges captured in the last 90 days"
        " (HFMA MAP CL-2).",
        note="What a later capture adds to the first counts as captured then; one that takes charges back is left out.",
        missing="no charges in the last 90 days",
        rows=(
            """
select event_id as key, journey_id, claim_id, at, case when late then gross_cents else 0 end as numerator,
    gross_cents as denominator
from money where kind = 'charge' and gross_cents > 0 and at > {since}""",
        ),
    ),
    Formula(
        name="auto-post-rate",
        version=1,
        title="Auto-post rate",
        group="accounts",
        unit=SHARE,
        better=HIGHER,
        text="Claims of 835s posted without a person ÷ claims in 835s received in the last 90 days; 70-80 % is average,"
        " over 92 % the top quartile.",
        note="Judged when the 835 is taken in: what waited for a match or was quarantined counts as touched.",
        missing="no 835 came in the last 90 days",
        rows=(
            """
select remittance_id as key, '' as journey_id, '' as claim_id, received_at as at,
    case when quarantined then 0 else claims - least(unmatched, claims) end as numerator, claims as denominator
from remit where received_at > {since}""",
        ),
    ),
    Formula(
        name="capture-gap",
        version=1,
        title="Capture gap",
        group="pre-billing",
        unit=SHARE,
        better=LOWER,
        text="Visits for which a missing charge was found ÷ visits finished in the last 90 days without the cancelled.",
        missing="no visit was finished in the last 90 days",
        rows=(
            """
select journey_id as key, journey_id, '' as claim_id, finished_at as at, missing_charge::int::bigint as numerator,
    1::bigint as denominator
from visit where not cancelled and finished_at > {since}""",
        ),
    ),
    Formula(
        name="encounter-to-payment",
        version=1,
        title="Encounter to payment",
        group="line",
        unit=TIME,
        better=LOWER,
        text="First end of a journey − its first move, of journeys that first ended in the last 90 days, as the lag"
        " ledger has it.",
        missing="no journey ended in the last 90 days",
        rows=(
            """
select journey_id as key, journey_id, claim_id, first_end_at as at, etp_us as numerator, 1::bigint as denominator
from journey where etp_us is not null and first_end_at > {since}""",
        ),
    ),
)
BY_NAME: Final = {formula.name: formula for formula in FORMULAS}
