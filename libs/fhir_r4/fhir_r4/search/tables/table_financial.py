"""Search parameters of coverage, charges, claims, answers and money."""

ROWS = """
Account
  name string
  owner reference
  period date servicePeriod
  type token

ChargeItem
  account reference
  code token
  context reference
  entered-date date
  enterer reference
  factor-override number
  occurrence date
  performer-actor reference performer.actor
  performer-function token performer.function
  performing-organization reference
  price-override quantity
  quantity quantity
  requesting-organization reference
  service reference

ChargeItemDefinition
  context token useContext.value
  context-quantity quantity useContext.value
  context-type token useContext.code
  date date
  description string
  effective date effectivePeriod
  jurisdiction token
  publisher string
  title string
  url uri
  version token

Claim
  care-team reference careTeam.provider
  created date
  detail-udi reference item.detail.udi
  encounter reference item.encounter
  enterer reference
  facility reference
  insurer reference
  item-udi reference item.udi
  payee reference payee.party
  priority token
  procedure-udi reference procedure.udi
  provider reference
  subdetail-udi reference item.detail.subDetail.udi
  use token

ClaimResponse
  created date
  disposition string
  insurer reference
  outcome token
  payment-date date payment.date
  request reference
  requestor reference
  use token

Coverage
  beneficiary reference
  class-type token class.type
  class-value string class.value
  dependent string
  patient reference beneficiary
  payor reference
  policy-holder reference
  subscriber reference
  type token

CoverageEligibilityRequest
  created date
  enterer reference
  facility reference
  provider reference

CoverageEligibilityResponse
  created date
  disposition string
  insurer reference
  outcome token
  request reference
  requestor reference

EnrollmentRequest
  patient reference candidate
  subject reference candidate

EnrollmentResponse
  request reference

ExplanationOfBenefit
  care-team reference careTeam.provider
  claim reference
  coverage reference insurance.coverage
  created date
  detail-udi reference item.detail.udi
  disposition string
  encounter reference item.encounter
  enterer reference
  facility reference
  item-udi reference item.udi
  payee reference payee.party
  procedure-udi reference procedure.udi
  provider reference
  subdetail-udi reference item.detail.subDetail.udi

InsurancePlan
  administered-by reference
  @address contact.address
  endpoint reference
  name string name alias
  owned-by reference
  type token

Invoice
  account reference
  date date
  issuer reference
  participant reference participant.actor
  participant-role token participant.role
  recipient reference
  totalgross quantity totalGross
  totalnet quantity totalNet
  type token

PaymentNotice
  created date
  payment-status token
  provider reference
  request reference
  response reference

PaymentReconciliation
  created date
  disposition string
  outcome token
  payment-issuer reference
  request reference
  requestor reference
"""
