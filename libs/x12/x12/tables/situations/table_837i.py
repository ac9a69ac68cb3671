"""Situations of the institutional claim (005010X223A2). A type of bill is CLM05-1 and, for its frequency, CLM05-3."""

# hospital and skilled nursing inpatients; those whose start of care is an admission; outpatients billed by line dates
_INPATIENT = "11,18,21,41"
_ADMITTED = "11,12,18,21,22,32,41,81,82"
_OUTPATIENT = "13,14,23,34,71,72,73,74,75,76,77,83,85"

ROWS = rf"""
837I.2300.admission-date | 2300 | CLM05.1={_INPATIENT} | DTP*435 | the admission of an inpatient
837I.2300.start-of-care? | 2300 | CLM05.1={_ADMITTED} | DTP*435 | the day on which care began
837I.2300.admission-hour? | 2300 | CLM05.1=11 & DTP*435 | DTP*435#02=DT | the hour of an inpatient's admission
837I.2300.admission-type | 2300 | CLM05.1={_INPATIENT} | CL101 | the type of an inpatient's admission
837I.2300.admission-source? | 2300 | CLM05.1={_INPATIENT} | CL102 | where an inpatient came from
837I.2300.newborn-source | 2300 | CL101=4 | CL102=5,6 | born here or elsewhere
837I.2300.admitting-diagnosis | 2300 | CLM05.1={_INPATIENT} | HI*ABJ,BJ | the diagnosis at admission
837I.2300.discharge-hour | 2300 | CLM05.1=11 & CLM05.3=1,4 & !CL103=30 | DTP*096 \
  | the hour of discharge on a final bill
837I.2300.still-patient | 2300 | CLM05.1=11 & CLM05.3=1,4 | !CL103=30 | a status that ends the stay on a final bill
837I.2300.discharge-hour-form | 2300 | DTP*096 | DTP*096#03~([01]\d|2[0-3])[0-5]\d | an hour and a minute
837I.2300.reason-for-visit | 2300 | CLM05.1=13,78,85 & CL101=1,2,5 & 2400/SV201~045\d|0516|0526|0762 | HI*APR,PR \
  | the patient's reason for an unscheduled visit
837I.2300.reason-for-inpatient? | 2300 | CLM05.1={_INPATIENT} | !HI*APR,PR | no reason for visit on an inpatient bill
837I.2300.attending | 2300 | 2400/SV201~(?!054).* | >2310A | who attended, unless only transport is billed
837I.2300.operating | 2300 | HI*BBR,BR | >2310B | who operated
837I.2300.principal-procedure | 2300 | HI*BBQ,BQ | HI*BBR,BR,CAH | a principal procedure before others
837I.2300.other-operating | 2300 | >2310C | >2310B | an operating provider before another one
837I.2300.accident-state? | 2300 | HI*BH=01 | REF*LU | the state of an auto accident
837I.2300.covered-days? | 2300 | CLM05.1=11 & ^2000B/SBR09=MA | HI*BE=80 | the days that Medicare covers
837I.2300.estimated-due-negative | 2300 | AMT*F3 | !AMT*F3#02~-.* | no negative amount
837I.2310A.npi? | 2310A | NM1 | NM109 | the attending provider's NPI
837I.2320.inpatient-answer? | 2320 | MIA & ^2300/CLM05.1={_OUTPATIENT} | !MIA \
  | inpatient adjudication only for inpatients
837I.2320.one-answer | 2320 | MIA | !MOA | inpatient or outpatient adjudication, not both
837I.2400.line-date | 2400 | SV202 & ^2300/CLM05.1={_OUTPATIENT} | DTP*472 | the day of an outpatient service
837I.2400.total-line | 2400 | SV201 | !SV201=0001,001 | no line for the total
837I.2400.drug-code | 2400 | SV201=0636 & ^2300/CLM05.1={_OUTPATIENT} | SV202 \
  | the code of a drug that is billed apart
837I.2400.room-days? | 2400 | SV201~01[0-7]\d|020\d|021[0-4] | SV204=DA | days of room and board
837I.2400.units? | 2400 | SV205 | !SV205~0*\.?0* | more than nothing
837I.2400.revenue-form | 2400 | SV201 | SV201~\d{{4}} | four digits
837I.2400.negative-charge | 2400 | SV203 | !SV203~-.* | no negative lines: void or replace (X12 RFI 2499)
837I.2400.unlisted? | 2400 | SV202.2=99499,99199,E1399,J3490,J3590,J9999 | SV202.7 \
  | what was done, for a code that names nothing in particular
"""
