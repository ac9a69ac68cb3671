"""Situations of the remittance (005010X221A1), with the X12 RFI where one decided."""

_TO_BANK = "ACH,BOP,FWT"
# reasons that say too little without a remark
_REMARKED = "16,96,129,148,226,227,234,252,A1"
_REVERSED = r"-.*|0*\.?0*"

ROWS = rf"""
835.root.negative-payment | root | BPR02 | !BPR02~-.* \
  | no negative payment: PLB FB carries it forward (X12 RFI 1604, 2660)
835.root.guide-named? | root | ST03 | !ST03 | a remittance names its guide in GS08 only
835.root.no-payment | root | BPR04=NON | BPR02~0*\.?0* | nothing paid where no payment is made
835.root.notification | root | BPR01=H | BPR04=NON | a notification moves no money
835.root.ach-format | root | BPR04=ACH | BPR05 | the format of the payment
835.root.paying-bank | root | BPR04={_TO_BANK} | BPR07 | the bank that pays
835.root.paying-account | root | BPR04={_TO_BANK} | BPR09 | the account that pays
835.root.receiving-bank | root | BPR04={_TO_BANK} | BPR13 | the bank that receives
835.root.receiving-account | root | BPR04={_TO_BANK} | BPR15 | the account that receives
835.root.trace-origin? | root | TRN03 | TRN03~[139]\d{{9}} | 1 and the payer's tax number
835.1000B.payee-npi? | 1000B | N1*PE | N103=XX,FI,XV | the payee's number
835.2100.reversal-charge | 2100 | CLP02=22 | CLP03~{_REVERSED} | a reversal negates the charge (X12 RFI 1429)
835.2100.reversal-payment | 2100 | CLP02=22 | CLP04~{_REVERSED} | a reversal takes the payment back (X12 RFI 1429)
835.2100.negative-charge | 2100 | CLP03~-.*[1-9].* | CLP02=22 | only a reversal has a negative charge (X12 RFI 1429)
835.2100.predetermination | 2100 | CLP02=25 | CLP04~0*\.?0* | a predetermination pays nothing
835.2100.not-ours | 2100 | CLP02=23 | CLP04~0*\.?0* | a claim of somebody else pays nothing
835.2100.unknown-patient-paid | 2100 | CLP02=4 | CLP04~0*\.?0* \
  | a patient who is not recognised is not paid for (X12 RFI 1423, 1079)
835.2100.crossover | 2100 | CLP02=19,20,21,23 | NM1*TT | whom the claim was forwarded to
835.2100.payer-claim-number? | 2100 | CLP02=1,2,3,22 | !CLP07=0 | the payer's control number
835.2100.one-answer | 2100 | MIA | !MOA | inpatient or outpatient adjudication, not both
835.2100.remark? | 2100 | CAS={_REMARKED} | \
  MOA03 or MOA04 or MOA05 or MOA06 or MOA07 or MIA05 or MIA20 or MIA21 or MIA22 or MIA23 or 2110/LQ*HE \
  | a remark to a reason that says too little
835.2100.statement-end? | 2100 | DTM*233 | DTM*232 | the start of a period that has an end
835.2100.patient-paid-negative? | 2100 | CLP05~-.*[1-9].* | CLP02=22 | what the patient owes is not negative
835.2110.service-date | 2110 | SVC | DTM*472,150 or ^2100/DTM*232 \
  | the day of the service, on the line or for the claim
835.2110.period-end | 2110 | DTM*150 | DTM*151 | the end of a period
835.2110.period-start | 2110 | DTM*151 | DTM*150 | the start of a period
835.2110.one-date | 2110 | DTM*472 | !DTM*150 | a day or a period, not both
835.2110.remark? | 2110 | CAS={_REMARKED} | LQ*HE,RX or ^2100/MOA03 or ^2100/MOA04 or ^2100/MIA05 or ^2100/MIA20 \
  | a remark to a reason that says too little
835.2110.reversal-charge | 2110 | SVC02~-.*[1-9].* | ^2100/CLP02=22 \
  | only a reversal has a negative charge (X12 RFI 1429)
835.2110.original-units? | 2110 | SVC07 | SVC05 | what was paid where what was billed differs
"""
