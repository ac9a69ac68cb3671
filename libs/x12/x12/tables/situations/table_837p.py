"""Situations of the professional claim (005010X222A1)."""

# codes of services that name nothing in particular, so that the claim has to say what was done
_UNLISTED = (
    r"01999|15999|17999|19499|20999|21089|21299|21499|21899|22899|22999|23929|24999|25999|26989|27299|27599|27899|28899|"
    r"29799|29999|30999|31299|31599|31899|32999|33999|36299|37501|37799|38129|38589|38999|39499|39599|40799|40899|41599|"
    r"41899|42299|42699|42999|43289|43499|43659|43999|44238|44799|44899|44979|45399|45499|45999|46999|47379|47399|47579|"
    r"47999|48999|49329|49659|49999|50549|50949|51999|53899|54699|55559|55899|58578|58579|58679|58999|59897|59898|59899|"
    r"60659|60699|64999|66999|67299|67399|67599|67999|68399|68899|69399|69799|69949|69979|76496|76497|76498|76499|76999|"
    r"77299|77399|77499|77799|78099|78199|78299|78399|78499|78599|78699|78799|78999|79999|81099|81479|81599|84999|85999|"
    r"86849|86999|87999|88099|88199|88299|88399|88749|89240|89398|90399|90749|90899|90999|91299|92499|92700|93799|93998|"
    r"94799|95199|95999|96379|96549|96999|97039|97139|97799|99199|99429|99499|99600|A4641|A9999|B9998|B9999|E1399|J3490|"
    r"J3590|J7599|J7699|J7799|J8499|J8999|J9999|K0108|L0999|L1499|L2999|L3999|L5999|L7499|L8499|L8699|V2799|V5299"
)
_AMBULANCE = r"A04(2[5-9]|3[0-6])|A0998"

ROWS = rf"""
837P.2300.accident-date | 2300 | CLM11.1-3=AA,OA | DTP*439 | the day of the accident
837P.2300.accident-state | 2300 | CLM11.1-3=AA | CLM11.4 or CLM11.5 | the state of an auto accident
837P.2300.accident-state-unasked | 2300 | CLM11.4 | CLM11.1-3=AA | a state only with an auto accident
837P.2300.accident-cause | 2300 | DTP*439 | CLM11 | what the accident was related to
837P.2300.workers-compensation? | 2300 | CLM & ^2000B/SBR09=WC | CLM11.1-3=EM | related to employment
837P.2300.auto-insurance? | 2300 | CLM & ^2000B/SBR09=AM | CLM11.1-3=AA,OA | related to an accident
837P.2300.admission-date? | 2300 | CLM05.1=21,51,61 | DTP*435 | the admission of an inpatient
837P.2300.discharge-without-admission | 2300 | DTP*096 | DTP*435 | the admission that the discharge ended
837P.2300.patient-paid-negative | 2300 | AMT*F5 | !AMT*F5#02~-.* | no negative amount
837P.2300.referral-twice | 2300 | >2310A | 2310A/NM1*DN | who referred, before the primary care provider
837P.2300.screening-referral? | 2300 | 2400/SV111=Y | CRC*ZZ | the condition of an EPSDT screening
837P.2300.pregnancy-last-period? | 2300 | ^2000B/PAT09=Y | DTP*484 | the last menstrual period
837P.2300.supervisor-alone? | 2300 | >2310D | >2310B or ^2000A/2010AA/NM102=1 | who rendered under supervision
837P.2310B.npi? | 2310B | NM1 | NM109 | the rendering provider's NPI
837P.2310C.full-postal-code? | 2310C | N403 & !N404 | N403~\d{{9}} | all nine digits of the facility's postal code
837P.2400.negative-charge | 2400 | SV102 | !SV102~-.* | no negative lines: void or replace (X12 RFI 2499)
837P.2400.units? | 2400 | SV104 | !SV104~0*\.?0* | more than nothing
837P.2400.description | 2400 | SV101.2~{_UNLISTED} | SV101.7 or NTE \
  | what was done, for a code that names nothing in particular
837P.2400.ambulance | 2400 | SV101.2~{_AMBULANCE} | CR1 or ^2300/CR1 | how the patient was transported
837P.2400.ambulance-pick-up | 2400 | SV101.2~{_AMBULANCE} | >2420G or ^2300/>2310E | where the patient was picked up
837P.2400.ambulance-drop-off | 2400 | SV101.2~{_AMBULANCE} | >2420H or ^2300/>2310F | where the patient was brought
837P.2400.anesthesia-minutes? | 2400 | SV103=MJ | SV104~\d+ | whole minutes
837P.2400.reference-laboratory? | 2400 | SV101.3-6=90 | REF*F4 | the CLIA number of the laboratory that did the test
837P.2400.mammography? | 2400 | SV101.2=77065,77066,77067 | REF*EW or ^2300/REF*EW \
  | the mammography certification number
837P.2400.equipment-therapy-date | 2400 | CR3 | DTP*463 | the day on which therapy began
837P.2400.rental | 2400 | SV5 | SV504 or SV505 | a rental or a purchase price
837P.2400.pointer-unused? | 2400 | SV107 | !SV107.2=1 | the first pointer is the primary one
837P.2400.line-attachment | 2400 | PWK02=AA,AB,AD,AF,AG,NS | !PWK06 | no control number for what is not sent apart
837P.2430.remaining? | 2430 | AMT*EAF | !AMT*EAF#02~-.* | no negative liability
"""
