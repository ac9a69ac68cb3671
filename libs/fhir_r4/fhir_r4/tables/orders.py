"""What was asked for, given and supplied: requests, medications, communications and tasks.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
Communication : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(Any)
  partOf 0..* Reference(Any)
  inResponseTo 0..* Reference(Communication)
  status 1..1 code = event-status
  statusReason 0..1 CodeableConcept
  category 0..* CodeableConcept
  priority 0..1 code = request-priority
  medium 0..* CodeableConcept
  subject 0..1 Reference(Patient|Group)
  topic 0..1 CodeableConcept
  about 0..* Reference(Any)
  encounter 0..1 Reference(Encounter)
  sent 0..1 dateTime
  received 0..1 dateTime
  recipient 0..*
    Reference(Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson|Group|
    CareTeam|HealthcareService)
  sender 0..1 Reference(Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson|HealthcareService)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  payload 0..* CommunicationPayload
  note 0..* Annotation

CommunicationPayload : BackboneElement
  content[x] 1..1 string | Attachment | Reference(Any)

CommunicationRequest : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(Any)
  replaces 0..* Reference(CommunicationRequest)
  groupIdentifier 0..1 Identifier
  status 1..1 code = request-status
  statusReason 0..1 CodeableConcept
  category 0..* CodeableConcept
  priority 0..1 code = request-priority
  doNotPerform 0..1 boolean
  medium 0..* CodeableConcept
  subject 0..1 Reference(Patient|Group)
  about 0..* Reference(Any)
  encounter 0..1 Reference(Encounter)
  payload 0..* CommunicationRequestPayload
  occurrence[x] 0..1 dateTime | Period
  authoredOn 0..1 dateTime
  requester 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)
  recipient 0..*
    Reference(Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson|Group|
    CareTeam|HealthcareService)
  sender 0..1 Reference(Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson|HealthcareService)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  note 0..* Annotation

CommunicationRequestPayload : BackboneElement
  content[x] 1..1 string | Attachment | Reference(Any)

DeviceRequest : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(Any)
  priorRequest 0..* Reference(Any)
  groupIdentifier 0..1 Identifier
  status 0..1 code = request-status
  intent 1..1 code = request-intent
  priority 0..1 code = request-priority
  code[x] 1..1 Reference(Device) | CodeableConcept
  parameter 0..* DeviceRequestParameter
  subject 1..1 Reference(Patient|Group|Location|Device)
  encounter 0..1 Reference(Encounter)
  occurrence[x] 0..1 dateTime | Period | Timing
  authoredOn 0..1 dateTime
  requester 0..1 Reference(Device|Practitioner|PractitionerRole|Organization)
  performerType 0..1 CodeableConcept
  performer 0..1
    Reference(Practitioner|PractitionerRole|Organization|CareTeam|HealthcareService|Patient|
    Device|RelatedPerson)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  insurance 0..* Reference(Coverage|ClaimResponse)
  supportingInfo 0..* Reference(Any)
  note 0..* Annotation
  relevantHistory 0..* Reference(Provenance)

DeviceRequestParameter : BackboneElement
  code 0..1 CodeableConcept
  value[x] 0..1 CodeableConcept | Quantity | Range | boolean

DeviceUseStatement : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(ServiceRequest)
  status 1..1 code = device-use-statement-status
  subject 1..1 Reference(Patient|Group)
  derivedFrom 0..* Reference(ServiceRequest|Procedure|Claim|Observation|QuestionnaireResponse|DocumentReference)
  timing[x] 0..1 Timing | Period | dateTime
  recordedOn 0..1 dateTime
  source 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson)
  device 1..1 Reference(Device)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference|Media)
  bodySite 0..1 CodeableConcept
  note 0..* Annotation

GuidanceResponse : DomainResource
  requestIdentifier 0..1 Identifier
  identifier 0..* Identifier
  module[x] 1..1 uri | canonical | CodeableConcept
  status 1..1 code = guidance-response-status
  subject 0..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  occurrenceDateTime 0..1 dateTime
  performer 0..1 Reference(Device)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  note 0..* Annotation
  evaluationMessage 0..* Reference(OperationOutcome)
  outputParameters 0..1 Reference(Parameters)
  result 0..1 Reference(CarePlan|RequestGroup)
  dataRequirement 0..* DataRequirement

Medication : DomainResource
  identifier 0..* Identifier
  code 0..1 CodeableConcept
  status 0..1 code = medication-status
  manufacturer 0..1 Reference(Organization)
  form 0..1 CodeableConcept
  amount 0..1 Ratio
  ingredient 0..* MedicationIngredient
  batch 0..1 MedicationBatch

MedicationIngredient : BackboneElement
  item[x] 1..1 CodeableConcept | Reference(Substance|Medication)
  isActive 0..1 boolean
  strength 0..1 Ratio

MedicationBatch : BackboneElement
  lotNumber 0..1 string
  expirationDate 0..1 dateTime

MedicationAdministration : DomainResource
  identifier 0..* Identifier
  instantiates 0..* uri
  partOf 0..* Reference(MedicationAdministration|Procedure)
  status 1..1 code = medication-administration-status
  statusReason 0..* CodeableConcept
  category 0..1 CodeableConcept
  medication[x] 1..1 CodeableConcept | Reference(Medication)
  subject 1..1 Reference(Patient|Group)
  context 0..1 Reference(Encounter|EpisodeOfCare)
  supportingInformation 0..* Reference(Any)
  effective[x] 1..1 dateTime | Period
  performer 0..* MedicationAdministrationPerformer
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport)
  request 0..1 Reference(MedicationRequest)
  device 0..* Reference(Device)
  note 0..* Annotation
  dosage 0..1 MedicationAdministrationDosage
  eventHistory 0..* Reference(Provenance)

MedicationAdministrationPerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Patient|RelatedPerson|Device)

MedicationAdministrationDosage : BackboneElement
  text 0..1 string
  site 0..1 CodeableConcept
  route 0..1 CodeableConcept
  method 0..1 CodeableConcept
  dose 0..1 Quantity
  rate[x] 0..1 Ratio | Quantity

MedicationDispense : DomainResource
  identifier 0..* Identifier
  partOf 0..* Reference(Procedure)
  status 1..1 code = medication-dispense-status
  statusReason[x] 0..1 CodeableConcept | Reference(DetectedIssue)
  category 0..1 CodeableConcept
  medication[x] 1..1 CodeableConcept | Reference(Medication)
  subject 0..1 Reference(Patient|Group)
  context 0..1 Reference(Encounter|EpisodeOfCare)
  supportingInformation 0..* Reference(Any)
  performer 0..* MedicationDispensePerformer
  location 0..1 Reference(Location)
  authorizingPrescription 0..* Reference(MedicationRequest)
  type 0..1 CodeableConcept
  quantity 0..1 Quantity
  daysSupply 0..1 Quantity
  whenPrepared 0..1 dateTime
  whenHandedOver 0..1 dateTime
  destination 0..1 Reference(Location)
  receiver 0..* Reference(Patient|Practitioner)
  note 0..* Annotation
  dosageInstruction 0..* Dosage
  substitution 0..1 MedicationDispenseSubstitution
  detectedIssue 0..* Reference(DetectedIssue)
  eventHistory 0..* Reference(Provenance)

MedicationDispensePerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Organization|Patient|Device|RelatedPerson)

MedicationDispenseSubstitution : BackboneElement
  wasSubstituted 1..1 boolean
  type 0..1 CodeableConcept
  reason 0..* CodeableConcept
  responsibleParty 0..* Reference(Practitioner|PractitionerRole)

MedicationRequest : DomainResource
  identifier 0..* Identifier
  status 1..1 code = medication-request-status
  statusReason 0..1 CodeableConcept
  intent 1..1 code = medication-request-intent
  category 0..* CodeableConcept
  priority 0..1 code = request-priority
  doNotPerform 0..1 boolean
  reported[x] 0..1 boolean | Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Organization)
  medication[x] 1..1 CodeableConcept | Reference(Medication)
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  supportingInformation 0..* Reference(Any)
  authoredOn 0..1 dateTime
  requester 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)
  performer 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|Device|RelatedPerson|CareTeam)
  performerType 0..1 CodeableConcept
  recorder 0..1 Reference(Practitioner|PractitionerRole)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation)
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(CarePlan|MedicationRequest|ServiceRequest|ImmunizationRecommendation)
  groupIdentifier 0..1 Identifier
  courseOfTherapyType 0..1 CodeableConcept
  insurance 0..* Reference(Coverage|ClaimResponse)
  note 0..* Annotation
  dosageInstruction 0..* Dosage
  dispenseRequest 0..1 MedicationRequestDispenseRequest
  substitution 0..1 MedicationRequestSubstitution
  priorPrescription 0..1 Reference(MedicationRequest)
  detectedIssue 0..* Reference(DetectedIssue)
  eventHistory 0..* Reference(Provenance)

MedicationRequestDispenseRequest : BackboneElement
  initialFill 0..1 MedicationRequestDispenseRequestInitialFill
  dispenseInterval 0..1 Duration
  validityPeriod 0..1 Period
  numberOfRepeatsAllowed 0..1 unsignedInt
  quantity 0..1 Quantity
  expectedSupplyDuration 0..1 Duration
  performer 0..1 Reference(Organization|~Practitioner)

MedicationRequestDispenseRequestInitialFill : BackboneElement
  quantity 0..1 Quantity
  duration 0..1 Duration

MedicationRequestSubstitution : BackboneElement
  allowed[x] 1..1 boolean | CodeableConcept
  reason 0..1 CodeableConcept

MedicationStatement : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(MedicationRequest|CarePlan|ServiceRequest)
  partOf 0..* Reference(MedicationAdministration|MedicationDispense|MedicationStatement|Procedure|Observation)
  status 1..1 code = medication-statement-status
  statusReason 0..* CodeableConcept
  category 0..1 CodeableConcept
  medication[x] 1..1 CodeableConcept | Reference(Medication)
  subject 1..1 Reference(Patient|Group)
  context 0..1 Reference(Encounter|EpisodeOfCare)
  effective[x] 0..1 dateTime | Period
  dateAsserted 0..1 dateTime
  informationSource 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Organization)
  derivedFrom 0..* Reference(Any)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport)
  note 0..* Annotation
  dosage 0..* Dosage

NutritionOrder : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  instantiates 0..* uri
  status 1..1 code = request-status
  intent 1..1 code = request-intent
  patient 1..1 Reference(Patient)
  encounter 0..1 Reference(Encounter)
  dateTime 1..1 dateTime
  orderer 0..1 Reference(Practitioner|PractitionerRole)
  allergyIntolerance 0..* Reference(AllergyIntolerance)
  foodPreferenceModifier 0..* CodeableConcept
  excludeFoodModifier 0..* CodeableConcept
  oralDiet 0..1 NutritionOrderOralDiet
  supplement 0..* NutritionOrderSupplement
  enteralFormula 0..1 NutritionOrderEnteralFormula
  note 0..* Annotation

NutritionOrderOralDiet : BackboneElement
  type 0..* CodeableConcept
  schedule 0..* Timing
  nutrient 0..* NutritionOrderOralDietNutrient
  texture 0..* NutritionOrderOralDietTexture
  fluidConsistencyType 0..* CodeableConcept
  instruction 0..1 string

NutritionOrderOralDietNutrient : BackboneElement
  modifier 0..1 CodeableConcept
  amount 0..1 Quantity

NutritionOrderOralDietTexture : BackboneElement
  modifier 0..1 CodeableConcept
  foodType 0..1 CodeableConcept

NutritionOrderSupplement : BackboneElement
  type 0..1 CodeableConcept
  productName 0..1 string
  schedule 0..* Timing
  quantity 0..1 Quantity
  instruction 0..1 string

NutritionOrderEnteralFormula : BackboneElement
  baseFormulaType 0..1 CodeableConcept
  baseFormulaProductName 0..1 string
  additiveType 0..1 CodeableConcept
  additiveProductName 0..1 string
  caloricDensity 0..1 Quantity
  routeofAdministration 0..1 CodeableConcept
  administration 0..* NutritionOrderEnteralFormulaAdministration
  maxVolumeToDeliver 0..1 Quantity
  administrationInstruction 0..1 string

NutritionOrderEnteralFormulaAdministration : BackboneElement
  schedule 0..1 Timing
  quantity 0..1 Quantity
  rate[x] 0..1 Quantity | Ratio

RequestGroup : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(Any)
  replaces 0..* Reference(Any)
  groupIdentifier 0..1 Identifier
  status 1..1 code = request-status
  intent 1..1 code = request-intent
  priority 0..1 code = request-priority
  code 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  authoredOn 0..1 dateTime
  author 0..1 Reference(Device|Practitioner|PractitionerRole)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  note 0..* Annotation
  action 0..* RequestGroupAction

RequestGroupAction : BackboneElement
  prefix 0..1 string
  title 0..1 string
  description 0..1 string
  textEquivalent 0..1 string
  priority 0..1 code = request-priority
  code 0..* CodeableConcept
  documentation 0..* RelatedArtifact
  condition 0..* RequestGroupActionCondition
  relatedAction 0..* RequestGroupActionRelatedAction
  timing[x] 0..1 dateTime | Age | Period | Duration | Range | Timing
  participant 0..* Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Device)
  type 0..1 CodeableConcept
  groupingBehavior 0..1 code = request-group-action-grouping-behavior
  selectionBehavior 0..1 code = request-group-action-selection-behavior
  requiredBehavior 0..1 code = request-group-action-required-behavior
  precheckBehavior 0..1 code = request-group-action-precheck-behavior
  cardinalityBehavior 0..1 code = request-group-action-cardinality-behavior
  resource 0..1 Reference(Any)
  action 0..* RequestGroupAction

RequestGroupActionCondition : BackboneElement
  kind 1..1 code = request-group-action-condition-kind
  expression 0..1 Expression

RequestGroupActionRelatedAction : BackboneElement
  actionId 1..1 id
  relationship 1..1 code = request-group-action-related-action-relationship
  offset[x] 0..1 Duration | Range

ServiceRequest : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(CarePlan|ServiceRequest|MedicationRequest)
  replaces 0..* Reference(ServiceRequest)
  requisition 0..1 Identifier
  status 1..1 code = request-status
  intent 1..1 code = request-intent
  category 0..* CodeableConcept
  priority 0..1 code = request-priority
  doNotPerform 0..1 boolean
  code 0..1 CodeableConcept
  orderDetail 0..* CodeableConcept
  quantity[x] 0..1 Quantity | Ratio | Range
  subject 1..1 Reference(Patient|Group|Location|Device)
  encounter 0..1 Reference(Encounter)
  occurrence[x] 0..1 dateTime | Period | Timing
  asNeeded[x] 0..1 boolean | CodeableConcept
  authoredOn 0..1 dateTime
  requester 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)
  performerType 0..1 CodeableConcept
  performer 0..*
    Reference(Practitioner|PractitionerRole|Organization|CareTeam|HealthcareService|Patient|
    Device|RelatedPerson)
  locationCode 0..* CodeableConcept
  locationReference 0..* Reference(Location)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  insurance 0..* Reference(Coverage|ClaimResponse)
  supportingInfo 0..* Reference(Any)
  specimen 0..* Reference(Specimen)
  bodySite 0..* CodeableConcept
  note 0..* Annotation
  patientInstruction 0..1 string
  relevantHistory 0..* Reference(Provenance)

SupplyDelivery : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(SupplyRequest)
  partOf 0..* Reference(SupplyDelivery|Contract)
  status 0..1 code = supply-delivery-status
  patient 0..1 Reference(Patient)
  type 0..1 CodeableConcept
  suppliedItem 0..1 SupplyDeliverySuppliedItem
  occurrence[x] 0..1 dateTime | Period | Timing
  supplier 0..1 Reference(Practitioner|PractitionerRole|Organization)
  destination 0..1 Reference(Location)
  receiver 0..* Reference(Practitioner|PractitionerRole)

SupplyDeliverySuppliedItem : BackboneElement
  quantity 0..1 Quantity
  item[x] 0..1 CodeableConcept | Reference(Medication|Substance|Device)

SupplyRequest : DomainResource
  identifier 0..* Identifier
  status 0..1 code = supply-request-status
  category 0..1 CodeableConcept
  priority 0..1 code = request-priority
  item[x] 1..1 CodeableConcept | Reference(Medication|Substance|Device)
  quantity 1..1 Quantity
  parameter 0..* SupplyRequestParameter
  occurrence[x] 0..1 dateTime | Period | Timing
  authoredOn 0..1 dateTime
  requester 0..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)
  supplier 0..* Reference(Organization|HealthcareService)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  deliverFrom 0..1 Reference(Organization|Location)
  deliverTo 0..1 Reference(Organization|Location|Patient)

SupplyRequestParameter : BackboneElement
  code 0..1 CodeableConcept
  value[x] 0..1 CodeableConcept | Quantity | Range | boolean

Task : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..1 canonical
  instantiatesUri 0..1 uri
  basedOn 0..* Reference(Any)
  groupIdentifier 0..1 Identifier
  partOf 0..* Reference(Task)
  status 1..1 code = task-status
  statusReason 0..1 CodeableConcept
  businessStatus 0..1 CodeableConcept
  intent 1..1 code = task-intent
  priority 0..1 code = request-priority
  code 0..1 CodeableConcept
  description 0..1 string
  focus 0..1 Reference(Any)
  for 0..1 Reference(Any)
  encounter 0..1 Reference(Encounter)
  executionPeriod 0..1 Period
  authoredOn 0..1 dateTime
  lastModified 0..1 dateTime
  requester 0..1 Reference(Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson)
  performerType 0..* CodeableConcept
  owner 0..1
    Reference(Practitioner|PractitionerRole|Organization|CareTeam|HealthcareService|Patient|
    Device|RelatedPerson)
  location 0..1 Reference(Location)
  reasonCode 0..1 CodeableConcept
  reasonReference 0..1 Reference(Any)
  insurance 0..* Reference(Coverage|ClaimResponse)
  note 0..* Annotation
  relevantHistory 0..* Reference(Provenance)
  restriction 0..1 TaskRestriction
  input 0..* TaskInput
  output 0..* TaskOutput

TaskRestriction : BackboneElement
  repetitions 0..1 positiveInt
  period 0..1 Period
  recipient 0..* Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Group|Organization)

TaskInput : BackboneElement
  type 1..1 CodeableConcept
  value[x] 1..1 *

TaskOutput : BackboneElement
  type 1..1 CodeableConcept
  value[x] 1..1 *

VisionPrescription : DomainResource
  identifier 0..* Identifier
  status 1..1 code = fm-status
  created 1..1 dateTime
  patient 1..1 Reference(Patient)
  encounter 0..1 Reference(Encounter)
  dateWritten 1..1 dateTime
  prescriber 1..1 Reference(Practitioner|PractitionerRole)
  lensSpecification 1..* VisionPrescriptionLensSpecification

VisionPrescriptionLensSpecification : BackboneElement
  product 1..1 CodeableConcept
  eye 1..1 code = vision-prescription-lens-specification-eye
  sphere 0..1 decimal
  cylinder 0..1 decimal
  axis 0..1 integer
  prism 0..* VisionPrescriptionLensSpecificationPrism
  add 0..1 decimal
  power 0..1 decimal
  backCurve 0..1 decimal
  diameter 0..1 decimal
  duration 0..1 Quantity
  color 0..1 string
  brand 0..1 string
  note 0..* Annotation

VisionPrescriptionLensSpecificationPrism : BackboneElement
  amount 1..1 decimal
  base 1..1 code = vision-prescription-lens-specification-prism-base
"""
