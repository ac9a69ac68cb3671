"""Which code systems the line knows, by which addresses, and what their codes look like. No code's meaning is here."""

from __future__ import annotations

import re

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
NDC = "http://hl7.org/fhir/sid/ndc"
CVX = "http://hl7.org/fhir/sid/cvx"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NPI = "http://hl7.org/fhir/sid/us-npi"
SSN = "http://hl7.org/fhir/sid/us-ssn"
TAX_ID = "urn:oid:2.16.840.1.113883.4.4"
POS = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
NAIC = "urn:oid:2.16.840.1.113883.6.300"
TAXONOMY = "http://nucc.org/provider-taxonomy"
UCUM = "http://unitsofmeasure.org"
REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
DISCHARGE = "http://www.nubc.org/patient-discharge"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"

# Our own code systems, extensions and naming systems stand under this address.
LINE = "https://throughline.example/fhir"

CARC = "https://x12.org/codes/claim-adjustment-reason-codes"
CAS_GROUP = "https://x12.org/codes/claim-adjustment-group-codes"
RARC = "https://x12.org/codes/remittance-advice-remark-codes"
X12_CLAIM_STATUS = "https://x12.org/codes/claim-status-codes"
X12_CLAIM_STATUS_CATEGORY = "https://x12.org/codes/claim-status-category-codes"
X12_SERVICE_TYPE = "https://codesystem.x12.org/005010/1365"
X12_ENTITY = "https://codesystem.x12.org/005010/98"
X12_REVIEW_ACTION = "https://codesystem.x12.org/005010/306"
X12_REVIEW_REASON = "https://codesystem.x12.org/external/886"
X12_REQUEST_CATEGORY = "https://codesystem.x12.org/005010/1525"
X12_CERTIFICATION_TYPE = "https://codesystem.x12.org/005010/1322"
X12_REJECT_REASON = "https://codesystem.x12.org/005010/901"
X12_FOLLOW_UP = "https://codesystem.x12.org/005010/889"
X12_REPORT_TYPE = "https://codesystem.x12.org/005010/755"
X12_FILING_INDICATOR = "https://codesystem.x12.org/005010/1032"

# Addresses that senders use for the same system. Keys are compared without regard to case or a trailing slash.
_ALIASES = {
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "http://terminology.hl7.org/codesystem/hcpcs-all-codes": HCPCS,
    "http://www.cms.gov/medicare/coding/hcpcsreleasecodesets": HCPCS,
    "https://www.cms.gov/medicare/coding/hcpcsreleasecodesets": HCPCS,
    "urn:oid:2.16.840.1.113883.6.12": CPT,
    "urn:oid:2.16.840.1.113883.6.90": ICD10CM,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.12.292": CVX,
    "urn:oid:2.16.840.1.113883.4.6": NPI,
    "https://www.cms.gov/medicare/coding/place-of-service-codes/place_of_service_code_set": POS,
    "https://www.cms.gov/medicare/coding/place-of-service-codes/place_of_service_code_set.html": POS,
    "http://terminology.hl7.org/codesystem/cmsplaceofservicecodes": POS,
}

_CPT = re.compile(r"[0-9]{4}[0-9FMTU]")
_HCPCS = re.compile(r"[A-EGHJ-MP-V][0-9]{4}")
_ICD10CM = re.compile(r"[A-Z][0-9][0-9AB](?:\.?[0-9A-Z]{1,4})?")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_PLACE = re.compile(r"[0-9]{2}")
_NDC_HYPHENATED = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})")
_NDC_LABELLED_DIGITS = (10, 11)


def canonical_system(uri: str) -> str:
    """The address under which we file a system that senders name in several ways; unknown ones come back unchanged."""
    return _ALIASES.get(uri.rstrip("/").lower(), uri)


def is_cpt(code: str) -> bool:
    """CPT: category I and the suffixed F, T, U and M codes. Shape only."""
    return _CPT.fullmatch(code) is not None


def is_hcpcs(code: str) -> bool:
    """HCPCS level II: a letter and four digits. Shape only."""
    return _HCPCS.fullmatch(code) is not None


def is_procedure_code(code: str) -> bool:
    """What SV101-2 takes under qualifier HC: CPT or HCPCS."""
    return is_cpt(code) or is_hcpcs(code)


def is_icd10cm(code: str) -> bool:
    """ICD-10-CM of three to seven characters, upper case, with or without the dot. Shape only."""
    return _ICD10CM.fullmatch(code) is not None


def icd10cm_plain(code: str) -> str:
    """Without the dot, as X12 HI carries it."""
    return code.replace(".", "")


def icd10cm_dotted(code: str) -> str:
    """With the dot after the third character, as FHIR carries it."""
    plain = icd10cm_plain(code)
    return plain if len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}"


def is_modifier(code: str) -> bool:
    return _MODIFIER.fullmatch(code) is not None


def is_place_of_service(code: str) -> bool:
    return _PLACE.fullmatch(code) is not None


def ndc11(code: str) -> str | None:
    """The 11-digit 5-4-2 form that claims carry; None when the text is no NDC or its layout cannot be known.

    Ten digits without hyphens may be 4-4-2, 5-3-2 or 5-4-1, so they are not guessed.
    """
    if len(code) == 11 and code.isascii() and code.isdigit():
        return code
    match = _NDC_HYPHENATED.fullmatch(code)
    if match is None or sum(map(len, match.groups())) not in _NDC_LABELLED_DIGITS:
        return None
    labeler, product, package = match.groups()
    return labeler.zfill(5) + product.zfill(4) + package.zfill(2)
