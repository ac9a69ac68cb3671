"""Coverage, claims and their answers, charges and payments.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
ChargeItem : DomainResource
  identifier 0..* Identifier
  definitionUri 0..* uri
  definitionCanonical 0..* canonical
  status 1..1 code = charge-item-status
  partOf 0..* Reference(ChargeItem)
  code 1..1 CodeableConcept
  subject 1..1 Reference(Patient|Group)
  context 0..1 Reference(Encounter|EpisodeOfCare)
  occurrence[x] 0..1 dateTime | Period | Timing
  performer 0..* ChargeItemPerformer
  performingOrganization 0..1 Reference(Organization)
  requestingOrganization 0..1 Reference(Organization)
  costCenter 0..1 Reference(Organization)
  quantity 0..1 Quantity
  bodysite 0..* CodeableConcept
  factorOverride 0..1 decimal
  priceOverride 0..1 Money
  overrideReason 0..1 string
  enterer 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|Device|RelatedPerson)
  enteredDate 0..1 dateTime
  reason 0..* CodeableConcept
  service 0..*
    Reference(DiagnosticReport|ImagingStudy|Immunization|MedicationAdministration|
    MedicationDispense|Observation|Procedure|SupplyDelivery)
  product[x] 0..1 Reference(Device|Medication|Substance) | CodeableConcept
  account 0..* Reference(Account)
  note 0..* Annotation
  supportingInformation 0..* Reference(Any)

ChargeItemPerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Organization|CareTeam|Patient|Device|RelatedPerson)

ChargeItemDefinition : DomainResource
  url 1..1 uri
  identifier 0..* Identifier
  version 0..1 string
  title 0..1 string
  derivedFromUri 0..* uri
  partOf 0..* canonical
  replaces 0..* canonical
  status 1..1 code = publication-status
  experimental 0..1 boolean
  date 0..1 dateTime
  publisher 0..1 string
  contact 0..* ContactDetail
  description 0..1 markdown
  useContext 0..* UsageContext
  jurisdiction 0..* CodeableConcept
  copyright 0..1 markdown
  approvalDate 0..1 date
  lastReviewDate 0..1 date
  effectivePeriod 0..1 Period
  code 0..1 CodeableConcept
  instance 0..* Reference(Medication|Substance|Device)
  applicability 0..* ChargeItemDefinitionApplicability
  propertyGroup 0..* ChargeItemDefinitionPropertyGroup

ChargeItemDefinitionApplicability : BackboneElement
  description 0..1 string
  language 0..1 string
  expression 0..1 string

ChargeItemDefinitionPropertyGroup : BackboneElement
  applicability 0..* ChargeItemDefinitionApplicability
  priceComponent 0..* ChargeItemDefinitionPropertyGroupPriceComponent

ChargeItemDefinitionPropertyGroupPriceComponent : BackboneElement
  type 1..1 code = price-component-type
  code 0..1 CodeableConcept
  factor 0..1 decimal
  amount 0..1 Money

Claim : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  type 1..1 CodeableConcept
  subType 0..1 CodeableConcept
  use 1..1 code = claim-use
  patient 1..1 Reference(Patient)
  billablePeriod 0..1 Period
  created 1..1 dateTime
  enterer 0..1 Reference(Practitioner|PractitionerRole)
  insurer 0..1 Reference(Organization)
  provider 1..1 Reference(Practitioner|PractitionerRole|Organization)
  priority 1..1 CodeableConcept
  fundsReserve 0..1 CodeableConcept
  related 0..* ClaimRelated
  prescription 0..1 Reference(DeviceRequest|MedicationRequest|VisionPrescription)
  originalPrescription 0..1 Reference(DeviceRequest|MedicationRequest|VisionPrescription)
  payee 0..1 ClaimPayee
  referral 0..1 Reference(ServiceRequest)
  facility 0..1 Reference(Location)
  careTeam 0..* ClaimCareTeam
  supportingInfo 0..* ClaimSupportingInfo
  diagnosis 0..* ClaimDiagnosis
  procedure 0..* ClaimProcedure
  insurance 1..* ClaimInsurance
  accident 0..1 ClaimAccident
  item 0..* ClaimItem
  total 0..1 Money

ClaimRelated : BackboneElement
  claim 0..1 Reference(Claim)
  relationship 0..1 CodeableConcept
  reference 0..1 Identifier

ClaimPayee : BackboneElement
  type 1..1 CodeableConcept
  party 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson)

ClaimCareTeam : BackboneElement
  sequence 1..1 positiveInt
  provider 1..1 Reference(Practitioner|PractitionerRole|Organization)
  responsible 0..1 boolean
  role 0..1 CodeableConcept
  qualification 0..1 CodeableConcept

ClaimSupportingInfo : BackboneElement
  sequence 1..1 positiveInt
  category 1..1 CodeableConcept
  code 0..1 CodeableConcept
  timing[x] 0..1 date | Period
  value[x] 0..1 boolean | string | Quantity | Attachment | Reference(Any)
  reason 0..1 CodeableConcept

ClaimDiagnosis : BackboneElement
  sequence 1..1 positiveInt
  diagnosis[x] 1..1 CodeableConcept | Reference(Condition)
  type 0..* CodeableConcept
  onAdmission 0..1 CodeableConcept
  packageCode 0..1 CodeableConcept

ClaimProcedure : BackboneElement
  sequence 1..1 positiveInt
  type 0..* CodeableConcept
  date 0..1 dateTime
  procedure[x] 1..1 CodeableConcept | Reference(Procedure)
  udi 0..* Reference(Device)

ClaimInsurance : BackboneElement
  sequence 1..1 positiveInt
  focal 1..1 boolean
  identifier 0..1 Identifier
  coverage 1..1 Reference(Coverage)
  businessArrangement 0..1 string
  preAuthRef 0..* string
  claimResponse 0..1 Reference(ClaimResponse)

ClaimAccident : BackboneElement
  date 1..1 date
  type 0..1 CodeableConcept
  location[x] 0..1 Address | Reference(Location)

ClaimItem : BackboneElement
  sequence 1..1 positiveInt
  careTeamSequence 0..* positiveInt
  diagnosisSequence 0..* positiveInt
  procedureSequence 0..* positiveInt
  informationSequence 0..* positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  serviced[x] 0..1 date | Period
  location[x] 0..1 CodeableConcept | Address | Reference(Location)
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)
  bodySite 0..1 CodeableConcept
  subSite 0..* CodeableConcept
  encounter 0..* Reference(Encounter)
  detail 0..* ClaimItemDetail

ClaimItemDetail : BackboneElement
  sequence 1..1 positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)
  subDetail 0..* ClaimItemDetailSubDetail

ClaimItemDetailSubDetail : BackboneElement
  sequence 1..1 positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)

ClaimResponse : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  type 1..1 CodeableConcept
  subType 0..1 CodeableConcept
  use 1..1 code = claim-use
  patient 1..1 Reference(Patient)
  created 1..1 dateTime
  insurer 1..1 Reference(Organization)
  requestor 0..1 Reference(Practitioner|PractitionerRole|Organization)
  request 0..1 Reference(Claim)
  outcome 1..1 code = remittance-outcome
  disposition 0..1 string
  preAuthRef 0..1 string
  preAuthPeriod 0..1 Period
  payeeType 0..1 CodeableConcept
  item 0..* ClaimResponseItem
  addItem 0..* ClaimResponseAddItem
  adjudication 0..* ClaimResponseItemAdjudication
  total 0..* ClaimResponseTotal
  payment 0..1 ClaimResponsePayment
  fundsReserve 0..1 CodeableConcept
  formCode 0..1 CodeableConcept
  form 0..1 Attachment
  processNote 0..* ClaimResponseProcessNote
  communicationRequest 0..* Reference(CommunicationRequest)
  insurance 0..* ClaimResponseInsurance
  error 0..* ClaimResponseError

ClaimResponseItem : BackboneElement
  itemSequence 1..1 positiveInt
  noteNumber 0..* positiveInt
  adjudication 1..* ClaimResponseItemAdjudication
  detail 0..* ClaimResponseItemDetail

ClaimResponseItemAdjudication : BackboneElement
  category 1..1 CodeableConcept
  reason 0..1 CodeableConcept
  amount 0..1 Money
  value 0..1 decimal

ClaimResponseItemDetail : BackboneElement
  detailSequence 1..1 positiveInt
  noteNumber 0..* positiveInt
  adjudication 1..* ClaimResponseItemAdjudication
  subDetail 0..* ClaimResponseItemDetailSubDetail

ClaimResponseItemDetailSubDetail : BackboneElement
  subDetailSequence 1..1 positiveInt
  noteNumber 0..* positiveInt
  adjudication 0..* ClaimResponseItemAdjudication

ClaimResponseAddItem : BackboneElement
  itemSequence 0..* positiveInt
  detailSequence 0..* positiveInt
  subdetailSequence 0..* positiveInt
  provider 0..* Reference(Practitioner|PractitionerRole|Organization)
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  serviced[x] 0..1 date | Period
  location[x] 0..1 CodeableConcept | Address | Reference(Location)
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  bodySite 0..1 CodeableConcept
  subSite 0..* CodeableConcept
  noteNumber 0..* positiveInt
  adjudication 1..* ClaimResponseItemAdjudication
  detail 0..* ClaimResponseAddItemDetail

ClaimResponseAddItemDetail : BackboneElement
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  noteNumber 0..* positiveInt
  adjudication 1..* ClaimResponseItemAdjudication
  subDetail 0..* ClaimResponseAddItemDetailSubDetail

ClaimResponseAddItemDetailSubDetail : BackboneElement
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  noteNumber 0..* positiveInt
  adjudication 1..* ClaimResponseItemAdjudication

ClaimResponseTotal : BackboneElement
  category 1..1 CodeableConcept
  amount 1..1 Money

ClaimResponsePayment : BackboneElement
  type 1..1 CodeableConcept
  adjustment 0..1 Money
  adjustmentReason 0..1 CodeableConcept
  date 0..1 date
  amount 1..1 Money
  identifier 0..1 Identifier

ClaimResponseProcessNote : BackboneElement
  number 0..1 positiveInt
  type 0..1 code = note-type
  text 1..1 string
  language 0..1 CodeableConcept

ClaimResponseInsurance : BackboneElement
  sequence 1..1 positiveInt
  focal 1..1 boolean
  coverage 1..1 Reference(Coverage)
  businessArrangement 0..1 string
  claimResponse 0..1 Reference(ClaimResponse)

ClaimResponseError : BackboneElement
  itemSequence 0..1 positiveInt
  detailSequence 0..1 positiveInt
  subDetailSequence 0..1 positiveInt
  code 1..1 CodeableConcept

Coverage : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  type 0..1 CodeableConcept
  policyHolder 0..1 Reference(Patient|RelatedPerson|Organization)
  subscriber 0..1 Reference(Patient|RelatedPerson)
  subscriberId 0..1 string
  beneficiary 1..1 Reference(Patient)
  dependent 0..1 string
  relationship 0..1 CodeableConcept
  period 0..1 Period
  payor 1..* Reference(Organization|Patient|RelatedPerson)
  class 0..* CoverageClass
  order 0..1 positiveInt
  network 0..1 string
  costToBeneficiary 0..* CoverageCostToBeneficiary
  subrogation 0..1 boolean
  contract 0..* Reference(Contract)

CoverageClass : BackboneElement
  type 1..1 CodeableConcept
  value 1..1 string
  name 0..1 string

CoverageCostToBeneficiary : BackboneElement
  type 0..1 CodeableConcept
  value[x] 1..1 Quantity | Money
  exception 0..* CoverageCostToBeneficiaryException

CoverageCostToBeneficiaryException : BackboneElement
  type 1..1 CodeableConcept
  period 0..1 Period

CoverageEligibilityRequest : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  priority 0..1 CodeableConcept
  purpose 1..* code = eligibility-purpose
  patient 1..1 Reference(Patient)
  serviced[x] 0..1 date | Period
  created 1..1 dateTime
  enterer 0..1 Reference(Practitioner|PractitionerRole)
  provider 0..1 Reference(Practitioner|PractitionerRole|Organization)
  insurer 1..1 Reference(Organization)
  facility 0..1 Reference(Location)
  supportingInfo 0..* CoverageEligibilityRequestSupportingInfo
  insurance 0..* CoverageEligibilityRequestInsurance
  item 0..* CoverageEligibilityRequestItem

CoverageEligibilityRequestSupportingInfo : BackboneElement
  sequence 1..1 positiveInt
  information 1..1 Reference(Any)
  appliesToAll 0..1 boolean

CoverageEligibilityRequestInsurance : BackboneElement
  focal 0..1 boolean
  coverage 1..1 Reference(Coverage)
  businessArrangement 0..1 string

CoverageEligibilityRequestItem : BackboneElement
  supportingInfoSequence 0..* positiveInt
  category 0..1 CodeableConcept
  productOrService 0..1 CodeableConcept
  modifier 0..* CodeableConcept
  provider 0..1 Reference(Practitioner|PractitionerRole)
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  facility 0..1 Reference(Location|Organization)
  diagnosis 0..* CoverageEligibilityRequestItemDiagnosis
  detail 0..* Reference(Any)

CoverageEligibilityRequestItemDiagnosis : BackboneElement
  diagnosis[x] 0..1 CodeableConcept | Reference(Condition)

CoverageEligibilityResponse : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  purpose 1..* code = eligibility-purpose
  patient 1..1 Reference(Patient)
  serviced[x] 0..1 date | Period
  created 1..1 dateTime
  requestor 0..1 Reference(Practitioner|PractitionerRole|Organization)
  request 1..1 Reference(CoverageEligibilityRequest)
  outcome 1..1 code = remittance-outcome
  disposition 0..1 string
  insurer 1..1 Reference(Organization)
  insurance 0..* CoverageEligibilityResponseInsurance
  preAuthRef 0..1 string
  form 0..1 CodeableConcept
  error 0..* CoverageEligibilityResponseError

CoverageEligibilityResponseInsurance : BackboneElement
  coverage 1..1 Reference(Coverage)
  inforce 0..1 boolean
  benefitPeriod 0..1 Period
  item 0..* CoverageEligibilityResponseInsuranceItem

CoverageEligibilityResponseInsuranceItem : BackboneElement
  category 0..1 CodeableConcept
  productOrService 0..1 CodeableConcept
  modifier 0..* CodeableConcept
  provider 0..1 Reference(Practitioner|PractitionerRole)
  excluded 0..1 boolean
  name 0..1 string
  description 0..1 string
  network 0..1 CodeableConcept
  unit 0..1 CodeableConcept
  term 0..1 CodeableConcept
  benefit 0..* CoverageEligibilityResponseInsuranceItemBenefit
  authorizationRequired 0..1 boolean
  authorizationSupporting 0..* CodeableConcept
  authorizationUrl 0..1 uri

CoverageEligibilityResponseInsuranceItemBenefit : BackboneElement
  type 1..1 CodeableConcept
  allowed[x] 0..1 unsignedInt | string | Money
  used[x] 0..1 unsignedInt | string | Money

CoverageEligibilityResponseError : BackboneElement
  code 1..1 CodeableConcept

EnrollmentRequest : DomainResource
  identifier 0..* Identifier
  status 0..1 code = fm-status
  created 0..1 dateTime
  insurer 0..1 Reference(Organization)
  provider 0..1 Reference(Practitioner|PractitionerRole|Organization)
  candidate 0..1 Reference(Patient)
  coverage 0..1 Reference(Coverage)

EnrollmentResponse : DomainResource
  identifier 0..* Identifier
  status 0..1 code = fm-status
  request 0..1 Reference(EnrollmentRequest)
  outcome 0..1 code = remittance-outcome
  disposition 0..1 string
  created 0..1 dateTime
  organization 0..1 Reference(Organization)
  requestProvider 0..1 Reference(Practitioner|PractitionerRole|Organization)

ExplanationOfBenefit : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  type 1..1 CodeableConcept
  subType 0..1 CodeableConcept
  use 1..1 code = claim-use
  patient 1..1 Reference(Patient)
  billablePeriod 0..1 Period
  created 1..1 dateTime
  enterer 0..1 Reference(Practitioner|PractitionerRole)
  insurer 1..1 Reference(Organization)
  provider 1..1 Reference(Practitioner|PractitionerRole|Organization)
  priority 0..1 CodeableConcept
  fundsReserveRequested 0..1 CodeableConcept
  fundsReserve 0..1 CodeableConcept
  related 0..* ExplanationOfBenefitRelated
  prescription 0..1 Reference(MedicationRequest|VisionPrescription)
  originalPrescription 0..1 Reference(MedicationRequest)
  payee 0..1 ExplanationOfBenefitPayee
  referral 0..1 Reference(ServiceRequest)
  facility 0..1 Reference(Location)
  claim 0..1 Reference(Claim)
  claimResponse 0..1 Reference(ClaimResponse)
  outcome 1..1 code = remittance-outcome
  disposition 0..1 string
  preAuthRef 0..* string
  preAuthRefPeriod 0..* Period
  careTeam 0..* ExplanationOfBenefitCareTeam
  supportingInfo 0..* ExplanationOfBenefitSupportingInfo
  diagnosis 0..* ExplanationOfBenefitDiagnosis
  procedure 0..* ExplanationOfBenefitProcedure
  precedence 0..1 positiveInt
  insurance 1..* ExplanationOfBenefitInsurance
  accident 0..1 ExplanationOfBenefitAccident
  item 0..* ExplanationOfBenefitItem
  addItem 0..* ExplanationOfBenefitAddItem
  adjudication 0..* ExplanationOfBenefitItemAdjudication
  total 0..* ExplanationOfBenefitTotal
  payment 0..1 ExplanationOfBenefitPayment
  formCode 0..1 CodeableConcept
  form 0..1 Attachment
  processNote 0..* ExplanationOfBenefitProcessNote
  benefitPeriod 0..1 Period
  benefitBalance 0..* ExplanationOfBenefitBenefitBalance

ExplanationOfBenefitRelated : BackboneElement
  claim 0..1 Reference(Claim)
  relationship 0..1 CodeableConcept
  reference 0..1 Identifier

ExplanationOfBenefitPayee : BackboneElement
  type 0..1 CodeableConcept
  party 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson)

ExplanationOfBenefitCareTeam : BackboneElement
  sequence 1..1 positiveInt
  provider 1..1 Reference(Practitioner|PractitionerRole|Organization)
  responsible 0..1 boolean
  role 0..1 CodeableConcept
  qualification 0..1 CodeableConcept

ExplanationOfBenefitSupportingInfo : BackboneElement
  sequence 1..1 positiveInt
  category 1..1 CodeableConcept
  code 0..1 CodeableConcept
  timing[x] 0..1 date | Period
  value[x] 0..1 boolean | string | Quantity | Attachment | Reference(Any)
  reason 0..1 Coding

ExplanationOfBenefitDiagnosis : BackboneElement
  sequence 1..1 positiveInt
  diagnosis[x] 1..1 CodeableConcept | Reference(Condition)
  type 0..* CodeableConcept
  onAdmission 0..1 CodeableConcept
  packageCode 0..1 CodeableConcept

ExplanationOfBenefitProcedure : BackboneElement
  sequence 1..1 positiveInt
  type 0..* CodeableConcept
  date 0..1 dateTime
  procedure[x] 1..1 CodeableConcept | Reference(Procedure)
  udi 0..* Reference(Device)

ExplanationOfBenefitInsurance : BackboneElement
  focal 1..1 boolean
  coverage 1..1 Reference(Coverage)
  preAuthRef 0..* string

ExplanationOfBenefitAccident : BackboneElement
  date 0..1 date
  type 0..1 CodeableConcept
  location[x] 0..1 Address | Reference(Location)

ExplanationOfBenefitItem : BackboneElement
  sequence 1..1 positiveInt
  careTeamSequence 0..* positiveInt
  diagnosisSequence 0..* positiveInt
  procedureSequence 0..* positiveInt
  informationSequence 0..* positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  serviced[x] 0..1 date | Period
  location[x] 0..1 CodeableConcept | Address | Reference(Location)
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)
  bodySite 0..1 CodeableConcept
  subSite 0..* CodeableConcept
  encounter 0..* Reference(Encounter)
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication
  detail 0..* ExplanationOfBenefitItemDetail

ExplanationOfBenefitItemAdjudication : BackboneElement
  category 1..1 CodeableConcept
  reason 0..1 CodeableConcept
  amount 0..1 Money
  value 0..1 decimal

ExplanationOfBenefitItemDetail : BackboneElement
  sequence 1..1 positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication
  subDetail 0..* ExplanationOfBenefitItemDetailSubDetail

ExplanationOfBenefitItemDetailSubDetail : BackboneElement
  sequence 1..1 positiveInt
  revenue 0..1 CodeableConcept
  category 0..1 CodeableConcept
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  udi 0..* Reference(Device)
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication

ExplanationOfBenefitAddItem : BackboneElement
  itemSequence 0..* positiveInt
  detailSequence 0..* positiveInt
  subDetailSequence 0..* positiveInt
  provider 0..* Reference(Practitioner|PractitionerRole|Organization)
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  programCode 0..* CodeableConcept
  serviced[x] 0..1 date | Period
  location[x] 0..1 CodeableConcept | Address | Reference(Location)
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  bodySite 0..1 CodeableConcept
  subSite 0..* CodeableConcept
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication
  detail 0..* ExplanationOfBenefitAddItemDetail

ExplanationOfBenefitAddItemDetail : BackboneElement
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication
  subDetail 0..* ExplanationOfBenefitAddItemDetailSubDetail

ExplanationOfBenefitAddItemDetailSubDetail : BackboneElement
  productOrService 1..1 CodeableConcept
  modifier 0..* CodeableConcept
  quantity 0..1 Quantity
  unitPrice 0..1 Money
  factor 0..1 decimal
  net 0..1 Money
  noteNumber 0..* positiveInt
  adjudication 0..* ExplanationOfBenefitItemAdjudication

ExplanationOfBenefitTotal : BackboneElement
  category 1..1 CodeableConcept
  amount 1..1 Money

ExplanationOfBenefitPayment : BackboneElement
  type 0..1 CodeableConcept
  adjustment 0..1 Money
  adjustmentReason 0..1 CodeableConcept
  date 0..1 date
  amount 0..1 Money
  identifier 0..1 Identifier

ExplanationOfBenefitProcessNote : BackboneElement
  number 0..1 positiveInt
  type 0..1 code = note-type
  text 0..1 string
  language 0..1 CodeableConcept

ExplanationOfBenefitBenefitBalance : BackboneElement
  category 1..1 CodeableConcept
  excluded 0..1 boolean
  name 0..1 string
  description 0..1 string
  network 0..1 CodeableConcept
  unit 0..1 CodeableConcept
  term 0..1 CodeableConcept
  financial 0..* ExplanationOfBenefitBenefitBalanceFinancial

ExplanationOfBenefitBenefitBalanceFinancial : BackboneElement
  type 1..1 CodeableConcept
  allowed[x] 0..1 unsignedInt | string | Money
  used[x] 0..1 unsignedInt | Money

InsurancePlan : DomainResource
  identifier 0..* Identifier
  status 0..1 code = publication-status
  type 0..* CodeableConcept
  name 0..1 string
  alias 0..* string
  period 0..1 Period
  ownedBy 0..1 Reference(Organization)
  administeredBy 0..1 Reference(Organization)
  coverageArea 0..* Reference(Location)
  contact 0..* InsurancePlanContact
  endpoint 0..* Reference(Endpoint)
  network 0..* Reference(Organization)
  coverage 0..* InsurancePlanCoverage
  plan 0..* InsurancePlanPlan

InsurancePlanContact : BackboneElement
  purpose 0..1 CodeableConcept
  name 0..1 HumanName
  telecom 0..* ContactPoint
  address 0..1 Address

InsurancePlanCoverage : BackboneElement
  type 1..1 CodeableConcept
  network 0..* Reference(Organization)
  benefit 1..* InsurancePlanCoverageBenefit

InsurancePlanCoverageBenefit : BackboneElement
  type 1..1 CodeableConcept
  requirement 0..1 string
  limit 0..* InsurancePlanCoverageBenefitLimit

InsurancePlanCoverageBenefitLimit : BackboneElement
  value 0..1 Quantity
  code 0..1 CodeableConcept

InsurancePlanPlan : BackboneElement
  identifier 0..* Identifier
  type 0..1 CodeableConcept
  coverageArea 0..* Reference(Location)
  network 0..* Reference(Organization)
  generalCost 0..* InsurancePlanPlanGeneralCost
  specificCost 0..* InsurancePlanPlanSpecificCost

InsurancePlanPlanGeneralCost : BackboneElement
  type 0..1 CodeableConcept
  groupSize 0..1 positiveInt
  cost 0..1 Money
  comment 0..1 string

InsurancePlanPlanSpecificCost : BackboneElement
  category 1..1 CodeableConcept
  benefit 0..* InsurancePlanPlanSpecificCostBenefit

InsurancePlanPlanSpecificCostBenefit : BackboneElement
  type 1..1 CodeableConcept
  cost 0..* InsurancePlanPlanSpecificCostBenefitCost

InsurancePlanPlanSpecificCostBenefitCost : BackboneElement
  type 1..1 CodeableConcept
  applicability 0..1 CodeableConcept
  qualifiers 0..* CodeableConcept
  value 0..1 Quantity

Invoice : DomainResource
  identifier 0..* Identifier
  status 1..1 code = invoice-status
  cancelledReason 0..1 string
  type 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Group)
  recipient 0..1 Reference(Organization|Patient|RelatedPerson)
  date 0..1 dateTime
  participant 0..* InvoiceParticipant
  issuer 0..1 Reference(Organization)
  account 0..1 Reference(Account)
  lineItem 0..* InvoiceLineItem
  totalPriceComponent 0..* InvoiceLineItemPriceComponent
  totalNet 0..1 Money
  totalGross 0..1 Money
  paymentTerms 0..1 markdown
  note 0..* Annotation

InvoiceParticipant : BackboneElement
  role 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|Organization|Patient|PractitionerRole|Device|RelatedPerson)

InvoiceLineItem : BackboneElement
  sequence 0..1 positiveInt
  chargeItem[x] 1..1 Reference(ChargeItem) | CodeableConcept
  priceComponent 0..* InvoiceLineItemPriceComponent

InvoiceLineItemPriceComponent : BackboneElement
  type 1..1 code = price-component-type
  code 0..1 CodeableConcept
  factor 0..1 decimal
  amount 0..1 Money

PaymentNotice : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  request 0..1 Reference(Any)
  response 0..1 Reference(Any)
  created 1..1 dateTime
  provider 0..1 Reference(Practitioner|PractitionerRole|Organization)
  payment 1..1 Reference(PaymentReconciliation)
  paymentDate 0..1 date
  payee 0..1 Reference(Practitioner|PractitionerRole|Organization)
  recipient 1..1 Reference(Organization)
  amount 1..1 Money
  paymentStatus 0..1 CodeableConcept

PaymentReconciliation : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  period 0..1 Period
  created 1..1 dateTime
  paymentIssuer 0..1 Reference(Organization)
  request 0..1 Reference(Task)
  requestor 0..1 Reference(Practitioner|PractitionerRole|Organization)
  outcome 0..1 code = remittance-outcome
  disposition 0..1 string
  paymentDate 1..1 date
  paymentAmount 1..1 Money
  paymentIdentifier 0..1 Identifier
  detail 0..* PaymentReconciliationDetail
  formCode 0..1 CodeableConcept
  processNote 0..* PaymentReconciliationProcessNote

PaymentReconciliationDetail : BackboneElement
  identifier 0..1 Identifier
  predecessor 0..1 Identifier
  type 1..1 CodeableConcept
  request 0..1 Reference(Any)
  submitter 0..1 Reference(Practitioner|PractitionerRole|Organization)
  response 0..1 Reference(Any)
  date 0..1 date
  responsible 0..1 Reference(PractitionerRole)
  payee 0..1 Reference(Practitioner|PractitionerRole|Organization)
  amount 0..1 Money

PaymentReconciliationProcessNote : BackboneElement
  type 0..1 code = note-type
  text 0..1 string
"""
