"""Situations that the professional and the institutional claim share."""

CLAIM = r"""
{guide}.2000B.patient-level | 2000B | SBR & !SBR02=18 | >2000C \
  | a dependent's level when the subscriber is not the patient
{guide}.2000B.patient-is-subscriber | 2000B | SBR02=18 | !>2000C \
  | no dependent's level when the subscriber is the patient
{guide}.2000B.subscriber-address | 2000B | SBR02=18 | 2010BA/N3 | the address of a subscriber who is the patient
{guide}.2000B.subscriber-city | 2000B | SBR02=18 | 2010BA/N4 | the city of a subscriber who is the patient
{guide}.2000B.subscriber-demographics | 2000B | SBR02=18 | 2010BA/DMG \
  | birth date and sex of a subscriber who is the patient
{guide}.2000B.medicare-secondary | 2000B | SBR09=MA,MB & !SBR01=P,U | SBR05 or SBR09=MA | why Medicare is not primary
{guide}.2010BA.member-id | 2010BA | NM102=1 | NM109 | the member id of a person
{guide}.city.state | 2010AA,2010AB,2010BA,2010BB,2010CA,2310C,2310E,2330A | N4 & !N404 | N402 \
  | a state in the United States
{guide}.city.postal-code | 2010AA,2010AB,2010BA,2010BB,2010CA,2310C,2310E,2330A | N4 & !N404 | N403 \
  | a postal code in the United States
{guide}.city.postal-form | 2010AA,2010AB,2010BA,2010BB,2010CA,2310C,2310E,2330A | N403 & !N404 | N403~\d{5}(\d{4})? \
  | five or nine digits
{guide}.2010AA.full-postal-code? | 2010AA | N403 & !N404 | N403~\d{9} \
  | all nine digits of the billing provider's postal code
{guide}.2010AA.street? | 2010AA | N3 | !N301~(?i)(p\.? ?o\.?|post office) ?box .* \
  | a street, boxes belong to the pay-to address
{guide}.2010AA.npi? | 2010AA | NM1 | NM109 | the billing provider's NPI
{guide}.2300.original-claim | 2300 | CLM05.3=7,8 | REF*F8 \
  | the payer's control number of the claim that is replaced or voided
{guide}.2300.original-claim-unasked? | 2300 | CLM05.3=1 & !>2320 | !REF*F8 \
  | no payer's control number on an original claim
{guide}.2300.negative-charge | 2300 | CLM02 | !CLM02~-.* | no negative claims: void or replace (X12 RFI 2499)
{guide}.2300.control-number-length? | 2300 | CLM01 | !CLM01~.{21,} | at most twenty characters, payers cut the rest
{guide}.2300.attachment-control | 2300,2400 | PWK02=BM,EL,EM,FT,FX | PWK06 \
  | the control number of an attachment that is sent apart
{guide}.2320.paid-amount | 2320 | CAS | AMT*D | what the payer paid where it adjusted
{guide}.2320.paid-date | 2320 | AMT*D | 2330B/DTP*573 or ^2300/2400/2430/DTP*573 \
  | the day on which the other payer decided
{guide}.2320.not-adjudicated | 2320 | AMT*A8 | !AMT*D | no paid amount where the claim was not adjudicated
{guide}.2320.not-adjusted | 2320 | AMT*A8 | !CAS | no adjustments where the claim was not adjudicated
{guide}.2410.national-drug-code | 2410 | LIN02=N4 | LIN03~\d{11} | eleven digits without hyphens
{guide}.2410.quantity | 2410 | LIN02=N4 | CTP04 | the quantity of the drug
"""
