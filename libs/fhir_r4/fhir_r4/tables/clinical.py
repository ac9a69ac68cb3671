"""What was found and done: conditions, procedures, observations, reports, immunizations, plans and questionnaires.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
AdverseEvent : DomainResource
  identifier 0..1 Identifier
  actuality 1..1 code = adverse-event-actuality
  category 0..* CodeableConcept
  event 0..1 CodeableConcept
  subject 1..1 Reference(Patient|Group|Practitioner|RelatedPerson)
  encounter 0..1 Reference(Encounter)
  date 0..1 dateTime
  detected 0..1 dateTime
  recordedDate 0..1 dateTime
  resultingCondition 0..* Reference(Condition)
  location 0..1 Reference(Location)
  seriousness 0..1 CodeableConcept
  severity 0..1 CodeableConcept
  outcome 0..1 CodeableConcept
  recorder 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson)
  contributor 0..* Reference(Practitioner|PractitionerRole|Device)
  suspectEntity 0..* AdverseEventSuspectEntity
  subjectMedicalHistory 0..*
    Reference(Condition|Observation|AllergyIntolerance|FamilyMemberHistory|Immunization|Procedure|
    Media|DocumentReference)
  referenceDocument 0..* Reference(DocumentReference)
  study 0..* Reference(ResearchStudy)

AdverseEventSuspectEntity : BackboneElement
  instance 1..1
    Reference(Immunization|Procedure|Substance|Medication|MedicationAdministration|
    MedicationStatement|Device)
  causality 0..* AdverseEventSuspectEntityCausality

AdverseEventSuspectEntityCausality : BackboneElement
  assessment 0..1 CodeableConcept
  productRelatedness 0..1 string
  author 0..1 Reference(Practitioner|PractitionerRole)
  method 0..1 CodeableConcept

AllergyIntolerance : DomainResource
  identifier 0..* Identifier
  clinicalStatus 0..1 CodeableConcept = allergyintolerance-clinical
  verificationStatus 0..1 CodeableConcept = allergyintolerance-verification
  type 0..1 code = allergy-intolerance-type
  category 0..* code = allergy-intolerance-category
  criticality 0..1 code = allergy-intolerance-criticality
  code 0..1 CodeableConcept
  patient 1..1 Reference(Patient)
  encounter 0..1 Reference(Encounter)
  onset[x] 0..1 dateTime | Age | Period | Range | string
  recordedDate 0..1 dateTime
  recorder 0..1 Reference(Practitioner|PractitionerRole|Patient|RelatedPerson)
  asserter 0..1 Reference(Patient|RelatedPerson|Practitioner|PractitionerRole)
  lastOccurrence 0..1 dateTime
  note 0..* Annotation
  reaction 0..* AllergyIntoleranceReaction

AllergyIntoleranceReaction : BackboneElement
  substance 0..1 CodeableConcept
  manifestation 1..* CodeableConcept
  description 0..1 string
  onset 0..1 dateTime
  severity 0..1 code = allergy-intolerance-reaction-severity
  exposureRoute 0..1 CodeableConcept
  note 0..* Annotation

CarePlan : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(CarePlan)
  replaces 0..* Reference(CarePlan)
  partOf 0..* Reference(CarePlan)
  status 1..1 code = request-status
  intent 1..1 code = care-plan-intent
  category 0..* CodeableConcept
  title 0..1 string
  description 0..1 string
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  period 0..1 Period
  created 0..1 dateTime
  author 0..1 Reference(Patient|Practitioner|PractitionerRole|Device|RelatedPerson|Organization|CareTeam)
  contributor 0..* Reference(Patient|Practitioner|PractitionerRole|Device|RelatedPerson|Organization|CareTeam)
  careTeam 0..* Reference(CareTeam)
  addresses 0..* Reference(Condition)
  supportingInfo 0..* Reference(Any)
  goal 0..* Reference(Goal)
  activity 0..* CarePlanActivity
  note 0..* Annotation

CarePlanActivity : BackboneElement
  outcomeCodeableConcept 0..* CodeableConcept
  outcomeReference 0..* Reference(Any)
  progress 0..* Annotation
  reference 0..1
    Reference(Appointment|CommunicationRequest|DeviceRequest|MedicationRequest|NutritionOrder|Task|
    ServiceRequest|VisionPrescription|RequestGroup)
  detail 0..1 CarePlanActivityDetail

CarePlanActivityDetail : BackboneElement
  kind 0..1 code = care-plan-activity-detail-kind
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  code 0..1 CodeableConcept
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  goal 0..* Reference(Goal)
  status 1..1 code = care-plan-activity-detail-status
  statusReason 0..1 CodeableConcept
  doNotPerform 0..1 boolean
  scheduled[x] 0..1 Timing | Period | string
  location 0..1 Reference(Location)
  performer 0..*
    Reference(Practitioner|PractitionerRole|Organization|RelatedPerson|Patient|CareTeam|
    HealthcareService|Device)
  product[x] 0..1 CodeableConcept | Reference(Medication|Substance)
  dailyAmount 0..1 Quantity
  quantity 0..1 Quantity
  description 0..1 string

CareTeam : DomainResource
  identifier 0..* Identifier
  status 0..1 code = care-team-status
  category 0..* CodeableConcept
  name 0..1 string
  subject 0..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  period 0..1 Period
  participant 0..* CareTeamParticipant
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition)
  managingOrganization 0..* Reference(Organization)
  telecom 0..* ContactPoint
  note 0..* Annotation

CareTeamParticipant : BackboneElement
  role 0..* CodeableConcept
  member 0..1 Reference(Practitioner|PractitionerRole|RelatedPerson|Patient|Organization|CareTeam)
  onBehalfOf 0..1 Reference(Organization)
  period 0..1 Period

ClinicalImpression : DomainResource
  identifier 0..* Identifier
  status 1..1 code = clinical-impression-status
  statusReason 0..1 CodeableConcept
  code 0..1 CodeableConcept
  description 0..1 string
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  effective[x] 0..1 dateTime | Period
  date 0..1 dateTime
  assessor 0..1 Reference(Practitioner|PractitionerRole)
  previous 0..1 Reference(ClinicalImpression)
  problem 0..* Reference(Condition|AllergyIntolerance)
  investigation 0..* ClinicalImpressionInvestigation
  protocol 0..* uri
  summary 0..1 string
  finding 0..* ClinicalImpressionFinding
  prognosisCodeableConcept 0..* CodeableConcept
  prognosisReference 0..* Reference(RiskAssessment)
  supportingInfo 0..* Reference(Any)
  note 0..* Annotation

ClinicalImpressionInvestigation : BackboneElement
  code 1..1 CodeableConcept
  item 0..*
    Reference(Observation|QuestionnaireResponse|FamilyMemberHistory|DiagnosticReport|RiskAssessment|
    ImagingStudy|Media)

ClinicalImpressionFinding : BackboneElement
  itemCodeableConcept 0..1 CodeableConcept
  itemReference 0..1 Reference(Condition|Observation|Media)
  basis 0..1 string

Condition : DomainResource
  identifier 0..* Identifier
  clinicalStatus 0..1 CodeableConcept = condition-clinical
  verificationStatus 0..1 CodeableConcept = condition-ver-status
  category 0..* CodeableConcept
  severity 0..1 CodeableConcept
  code 0..1 CodeableConcept
  bodySite 0..* CodeableConcept
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  onset[x] 0..1 dateTime | Age | Period | Range | string
  abatement[x] 0..1 dateTime | Age | Period | Range | string
  recordedDate 0..1 dateTime
  recorder 0..1 Reference(Practitioner|PractitionerRole|Patient|RelatedPerson)
  asserter 0..1 Reference(Practitioner|PractitionerRole|Patient|RelatedPerson)
  stage 0..* ConditionStage
  evidence 0..* ConditionEvidence
  note 0..* Annotation

ConditionStage : BackboneElement
  summary 0..1 CodeableConcept
  assessment 0..* Reference(ClinicalImpression|DiagnosticReport|Observation)
  type 0..1 CodeableConcept

ConditionEvidence : BackboneElement
  code 0..* CodeableConcept
  detail 0..* Reference(Any)

DetectedIssue : DomainResource
  identifier 0..* Identifier
  status 1..1 code = observation-status
  code 0..1 CodeableConcept
  severity 0..1 code = detected-issue-severity
  patient 0..1 Reference(Patient)
  identified[x] 0..1 dateTime | Period
  author 0..1 Reference(Practitioner|PractitionerRole|Device)
  implicated 0..* Reference(Any)
  evidence 0..* DetectedIssueEvidence
  detail 0..1 string
  reference 0..1 uri
  mitigation 0..* DetectedIssueMitigation

DetectedIssueEvidence : BackboneElement
  code 0..* CodeableConcept
  detail 0..* Reference(Any)

DetectedIssueMitigation : BackboneElement
  action 1..1 CodeableConcept
  date 0..1 dateTime
  author 0..1 Reference(Practitioner|PractitionerRole)

DiagnosticReport : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(CarePlan|ImmunizationRecommendation|MedicationRequest|NutritionOrder|ServiceRequest)
  status 1..1 code = diagnostic-report-status
  category 0..* CodeableConcept
  code 1..1 CodeableConcept
  subject 0..1 Reference(Patient|Group|Device|Location|Organization|Procedure|Practitioner|Medication|Substance)
  encounter 0..1 Reference(Encounter)
  effective[x] 0..1 dateTime | Period
  issued 0..1 instant
  performer 0..* Reference(Practitioner|PractitionerRole|Organization|CareTeam)
  resultsInterpreter 0..* Reference(Practitioner|PractitionerRole|Organization|CareTeam)
  specimen 0..* Reference(Specimen)
  result 0..* Reference(Observation)
  imagingStudy 0..* Reference(ImagingStudy)
  media 0..* DiagnosticReportMedia
  conclusion 0..1 string
  conclusionCode 0..* CodeableConcept
  presentedForm 0..* Attachment

DiagnosticReportMedia : BackboneElement
  comment 0..1 string
  link 1..1 Reference(Media)

DocumentReference : DomainResource
  masterIdentifier 0..1 Identifier
  identifier 0..* Identifier
  status 1..1 code = document-reference-status
  docStatus 0..1 code = composition-status
  type 0..1 CodeableConcept
  category 0..* CodeableConcept
  subject 0..1 Reference(Patient|Practitioner|Group|Device)
  date 0..1 instant
  author 0..* Reference(Practitioner|PractitionerRole|Organization|Device|Patient|RelatedPerson)
  authenticator 0..1 Reference(Practitioner|PractitionerRole|Organization)
  custodian 0..1 Reference(Organization)
  relatesTo 0..* DocumentReferenceRelatesTo
  description 0..1 string
  securityLabel 0..* CodeableConcept
  content 1..* DocumentReferenceContent
  context 0..1 DocumentReferenceContext

DocumentReferenceRelatesTo : BackboneElement
  code 1..1 code = document-relationship-type
  target 1..1 Reference(DocumentReference)

DocumentReferenceContent : BackboneElement
  attachment 1..1 Attachment
  format 0..1 Coding

DocumentReferenceContext : BackboneElement
  encounter 0..* Reference(Encounter|EpisodeOfCare)
  event 0..* CodeableConcept
  period 0..1 Period
  facilityType 0..1 CodeableConcept
  practiceSetting 0..1 CodeableConcept
  sourcePatientInfo 0..1 Reference(Patient)
  related 0..* Reference(Any)

FamilyMemberHistory : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  status 1..1 code = family-member-history-status
  dataAbsentReason 0..1 CodeableConcept
  patient 1..1 Reference(Patient)
  date 0..1 dateTime
  name 0..1 string
  relationship 1..1 CodeableConcept
  sex 0..1 CodeableConcept
  born[x] 0..1 Period | date | string
  age[x] 0..1 Age | Range | string
  estimatedAge 0..1 boolean
  deceased[x] 0..1 boolean | Age | Range | date | string
  reasonCode 0..* CodeableConcept
  reasonReference 0..*
    Reference(Condition|Observation|AllergyIntolerance|QuestionnaireResponse|DiagnosticReport|
    DocumentReference)
  note 0..* Annotation
  condition 0..* FamilyMemberHistoryCondition

FamilyMemberHistoryCondition : BackboneElement
  code 1..1 CodeableConcept
  outcome 0..1 CodeableConcept
  contributedToDeath 0..1 boolean
  onset[x] 0..1 Age | Range | Period | string
  note 0..* Annotation

Flag : DomainResource
  identifier 0..* Identifier
  status 1..1 code = medication-status
  category 0..* CodeableConcept
  code 1..1 CodeableConcept
  subject 1..1 Reference(Patient|Location|Group|Organization|Practitioner|PlanDefinition|Medication|Procedure)
  period 0..1 Period
  encounter 0..1 Reference(Encounter)
  author 0..1 Reference(Device|Organization|Patient|Practitioner|PractitionerRole)

Goal : DomainResource
  identifier 0..* Identifier
  lifecycleStatus 1..1 code = goal-lifecycle-status
  achievementStatus 0..1 CodeableConcept
  category 0..* CodeableConcept
  priority 0..1 CodeableConcept
  description 1..1 CodeableConcept
  subject 1..1 Reference(Patient|Group|Organization)
  start[x] 0..1 date | CodeableConcept
  target 0..* GoalTarget
  statusDate 0..1 date
  statusReason 0..1 string
  expressedBy 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson)
  addresses 0..* Reference(Condition|Observation|MedicationStatement|NutritionOrder|ServiceRequest|RiskAssessment)
  note 0..* Annotation
  outcomeCode 0..* CodeableConcept
  outcomeReference 0..* Reference(Observation)

GoalTarget : BackboneElement
  measure 0..1 CodeableConcept
  detail[x] 0..1 Quantity | Range | CodeableConcept | string | boolean | integer | Ratio
  due[x] 0..1 date | Duration

ImagingStudy : DomainResource
  identifier 0..* Identifier
  status 1..1 code = imaging-study-status
  modality 0..* Coding
  subject 1..1 Reference(Patient|Device|Group)
  encounter 0..1 Reference(Encounter)
  started 0..1 dateTime
  basedOn 0..* Reference(CarePlan|ServiceRequest|Appointment|AppointmentResponse|Task)
  referrer 0..1 Reference(Practitioner|PractitionerRole)
  interpreter 0..* Reference(Practitioner|PractitionerRole)
  endpoint 0..* Reference(Endpoint)
  numberOfSeries 0..1 unsignedInt
  numberOfInstances 0..1 unsignedInt
  procedureReference 0..1 Reference(Procedure)
  procedureCode 0..* CodeableConcept
  location 0..1 Reference(Location)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|Media|DiagnosticReport|DocumentReference)
  note 0..* Annotation
  description 0..1 string
  series 0..* ImagingStudySeries

ImagingStudySeries : BackboneElement
  uid 1..1 id
  number 0..1 unsignedInt
  modality 1..1 Coding
  description 0..1 string
  numberOfInstances 0..1 unsignedInt
  endpoint 0..* Reference(Endpoint)
  bodySite 0..1 Coding
  laterality 0..1 Coding
  specimen 0..* Reference(Specimen)
  started 0..1 dateTime
  performer 0..* ImagingStudySeriesPerformer
  instance 0..* ImagingStudySeriesInstance

ImagingStudySeriesPerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Organization|CareTeam|Patient|Device|RelatedPerson)

ImagingStudySeriesInstance : BackboneElement
  uid 1..1 id
  sopClass 1..1 Coding
  number 0..1 unsignedInt
  title 0..1 string

Immunization : DomainResource
  identifier 0..* Identifier
  status 1..1 code = immunization-status
  statusReason 0..1 CodeableConcept
  vaccineCode 1..1 CodeableConcept
  patient 1..1 Reference(Patient)
  encounter 0..1 Reference(Encounter)
  occurrence[x] 1..1 dateTime | string
  recorded 0..1 dateTime
  primarySource 0..1 boolean
  reportOrigin 0..1 CodeableConcept
  location 0..1 Reference(Location)
  manufacturer 0..1 Reference(Organization)
  lotNumber 0..1 string
  expirationDate 0..1 date
  site 0..1 CodeableConcept
  route 0..1 CodeableConcept
  doseQuantity 0..1 Quantity
  performer 0..* ImmunizationPerformer
  note 0..* Annotation
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport)
  isSubpotent 0..1 boolean
  subpotentReason 0..* CodeableConcept
  education 0..* ImmunizationEducation
  programEligibility 0..* CodeableConcept
  fundingSource 0..1 CodeableConcept
  reaction 0..* ImmunizationReaction
  protocolApplied 0..* ImmunizationProtocolApplied

ImmunizationPerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Organization)

ImmunizationEducation : BackboneElement
  documentType 0..1 string
  reference 0..1 uri
  publicationDate 0..1 dateTime
  presentationDate 0..1 dateTime

ImmunizationReaction : BackboneElement
  date 0..1 dateTime
  detail 0..1 Reference(Observation)
  reported 0..1 boolean

ImmunizationProtocolApplied : BackboneElement
  series 0..1 string
  authority 0..1 Reference(Organization)
  targetDisease 0..* CodeableConcept
  doseNumber[x] 1..1 positiveInt | string
  seriesDoses[x] 0..1 positiveInt | string

Media : DomainResource
  identifier 0..* Identifier
  basedOn 0..* Reference(ServiceRequest|CarePlan)
  partOf 0..* Reference(Any)
  status 1..1 code = event-status
  type 0..1 CodeableConcept
  modality 0..1 CodeableConcept
  view 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Practitioner|PractitionerRole|Group|Device|Specimen|Location)
  encounter 0..1 Reference(Encounter)
  created[x] 0..1 dateTime | Period
  issued 0..1 instant
  operator 0..1 Reference(Practitioner|PractitionerRole|Organization|CareTeam|Patient|Device|RelatedPerson)
  reasonCode 0..* CodeableConcept
  bodySite 0..1 CodeableConcept
  deviceName 0..1 string
  device 0..1 Reference(Device|DeviceMetric|Device)
  height 0..1 positiveInt
  width 0..1 positiveInt
  frames 0..1 positiveInt
  duration 0..1 decimal
  content 1..1 Attachment
  note 0..* Annotation

Observation : DomainResource
  identifier 0..* Identifier
  basedOn 0..*
    Reference(CarePlan|DeviceRequest|ImmunizationRecommendation|MedicationRequest|NutritionOrder|
    ServiceRequest)
  partOf 0..*
    Reference(MedicationAdministration|MedicationDispense|MedicationStatement|Procedure|
    Immunization|ImagingStudy)
  status 1..1 code = observation-status
  category 0..* CodeableConcept
  code 1..1 CodeableConcept
  subject 0..1 Reference(Patient|Group|Device|Location|Organization|Procedure|Practitioner|Medication|Substance)
  focus 0..* Reference(Any)
  encounter 0..1 Reference(Encounter)
  effective[x] 0..1 dateTime | Period | Timing | instant
  issued 0..1 instant
  performer 0..* Reference(Practitioner|PractitionerRole|Organization|CareTeam|Patient|RelatedPerson)
  value[x] 0..1
    Quantity | CodeableConcept | string | boolean | integer | Range | Ratio | SampledData | time |
    dateTime | Period
  dataAbsentReason 0..1 CodeableConcept
  interpretation 0..* CodeableConcept
  note 0..* Annotation
  bodySite 0..1 CodeableConcept
  method 0..1 CodeableConcept
  specimen 0..1 Reference(Specimen)
  device 0..1 Reference(Device|DeviceMetric)
  referenceRange 0..* ObservationReferenceRange
  hasMember 0..* Reference(Observation|QuestionnaireResponse|MolecularSequence)
  derivedFrom 0..* Reference(DocumentReference|ImagingStudy|Media|QuestionnaireResponse|Observation|MolecularSequence)
  component 0..* ObservationComponent

ObservationReferenceRange : BackboneElement
  low 0..1 Quantity
  high 0..1 Quantity
  type 0..1 CodeableConcept
  appliesTo 0..* CodeableConcept
  age 0..1 Range
  text 0..1 string

ObservationComponent : BackboneElement
  code 1..1 CodeableConcept
  value[x] 0..1
    Quantity | CodeableConcept | string | boolean | integer | Range | Ratio | SampledData | time |
    dateTime | Period
  dataAbsentReason 0..1 CodeableConcept
  interpretation 0..* CodeableConcept
  referenceRange 0..* ObservationReferenceRange

Procedure : DomainResource
  identifier 0..* Identifier
  instantiatesCanonical 0..* canonical
  instantiatesUri 0..* uri
  basedOn 0..* Reference(CarePlan|ServiceRequest)
  partOf 0..* Reference(Procedure|Observation|MedicationAdministration)
  status 1..1 code = event-status
  statusReason 0..1 CodeableConcept
  category 0..1 CodeableConcept
  code 0..1 CodeableConcept
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  performed[x] 0..1 dateTime | Period | string | Age | Range
  recorder 0..1 Reference(Patient|RelatedPerson|Practitioner|PractitionerRole)
  asserter 0..1 Reference(Patient|RelatedPerson|Practitioner|PractitionerRole)
  performer 0..* ProcedurePerformer
  location 0..1 Reference(Location)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|Procedure|DiagnosticReport|DocumentReference)
  bodySite 0..* CodeableConcept
  outcome 0..1 CodeableConcept
  report 0..* Reference(DiagnosticReport|DocumentReference|Composition)
  complication 0..* CodeableConcept
  complicationDetail 0..* Reference(Condition)
  followUp 0..* CodeableConcept
  note 0..* Annotation
  focalDevice 0..* ProcedureFocalDevice
  usedReference 0..* Reference(Device|Medication|Substance)
  usedCode 0..* CodeableConcept

ProcedurePerformer : BackboneElement
  function 0..1 CodeableConcept
  actor 1..1 Reference(Practitioner|PractitionerRole|Organization|Patient|RelatedPerson|Device)
  onBehalfOf 0..1 Reference(Organization)

ProcedureFocalDevice : BackboneElement
  action 0..1 CodeableConcept
  manipulated 1..1 Reference(Device)

Questionnaire : DomainResource
  url 0..1 uri
  identifier 0..* Identifier
  version 0..1 string
  name 0..1 string
  title 0..1 string
  derivedFrom 0..* canonical
  status 1..1 code = publication-status
  experimental 0..1 boolean
  subjectType 0..* code = resource-types
  date 0..1 dateTime
  publisher 0..1 string
  contact 0..* ContactDetail
  description 0..1 markdown
  useContext 0..* UsageContext
  jurisdiction 0..* CodeableConcept
  purpose 0..1 markdown
  copyright 0..1 markdown
  approvalDate 0..1 date
  lastReviewDate 0..1 date
  effectivePeriod 0..1 Period
  code 0..* Coding
  item 0..* QuestionnaireItem

QuestionnaireItem : BackboneElement
  linkId 1..1 string
  definition 0..1 uri
  code 0..* Coding
  prefix 0..1 string
  text 0..1 string
  type 1..1 code = questionnaire-item-type
  enableWhen 0..* QuestionnaireItemEnableWhen
  enableBehavior 0..1 code = questionnaire-item-enable-behavior
  required 0..1 boolean
  repeats 0..1 boolean
  readOnly 0..1 boolean
  maxLength 0..1 integer
  answerValueSet 0..1 canonical
  answerOption 0..* QuestionnaireItemAnswerOption
  initial 0..* QuestionnaireItemInitial
  item 0..* QuestionnaireItem

QuestionnaireItemEnableWhen : BackboneElement
  question 1..1 string
  operator 1..1 code = questionnaire-item-enable-when-operator
  answer[x] 1..1 boolean | decimal | integer | date | dateTime | time | string | Coding | Quantity | Reference(Any)

QuestionnaireItemAnswerOption : BackboneElement
  value[x] 1..1 integer | date | time | string | Coding | Reference(Any)
  initialSelected 0..1 boolean

QuestionnaireItemInitial : BackboneElement
  value[x] 1..1
    boolean | decimal | integer | date | dateTime | time | string | uri | Attachment | Coding | Quantity
    | Reference(Any)

QuestionnaireResponse : DomainResource
  identifier 0..1 Identifier
  basedOn 0..* Reference(CarePlan|ServiceRequest)
  partOf 0..* Reference(Observation|Procedure)
  questionnaire 0..1 canonical
  status 1..1 code = questionnaire-response-status
  subject 0..1 Reference(Any)
  encounter 0..1 Reference(Encounter)
  authored 0..1 dateTime
  author 0..1 Reference(Device|Practitioner|PractitionerRole|Patient|RelatedPerson|Organization)
  source 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson)
  item 0..* QuestionnaireResponseItem

QuestionnaireResponseItem : BackboneElement
  linkId 1..1 string
  definition 0..1 uri
  text 0..1 string
  answer 0..* QuestionnaireResponseItemAnswer
  item 0..* QuestionnaireResponseItem

QuestionnaireResponseItemAnswer : BackboneElement
  value[x] 0..1
    boolean | decimal | integer | date | dateTime | time | string | uri | Attachment | Coding | Quantity
    | Reference(Any)
  item 0..* QuestionnaireResponseItem

RiskAssessment : DomainResource
  identifier 0..* Identifier
  basedOn 0..1 Reference(Any)
  parent 0..1 Reference(Any)
  status 1..1 code = observation-status
  method 0..1 CodeableConcept
  code 0..1 CodeableConcept
  subject 1..1 Reference(Patient|Group)
  encounter 0..1 Reference(Encounter)
  occurrence[x] 0..1 dateTime | Period
  condition 0..1 Reference(Condition)
  performer 0..1 Reference(Practitioner|PractitionerRole|Device)
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Observation|DiagnosticReport|DocumentReference)
  basis 0..* Reference(Any)
  prediction 0..* RiskAssessmentPrediction
  mitigation 0..1 string
  note 0..* Annotation

RiskAssessmentPrediction : BackboneElement
  outcome 0..1 CodeableConcept
  probability[x] 0..1 decimal | Range
  qualitativeRisk 0..1 CodeableConcept
  relativeRisk 0..1 decimal
  when[x] 0..1 Period | Range
  rationale 0..1 string

Specimen : DomainResource
  identifier 0..* Identifier
  accessionIdentifier 0..1 Identifier
  status 0..1 code = specimen-status
  type 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Group|Device|Substance|Location)
  receivedTime 0..1 dateTime
  parent 0..* Reference(Specimen)
  request 0..* Reference(ServiceRequest)
  collection 0..1 SpecimenCollection
  processing 0..* SpecimenProcessing
  container 0..* SpecimenContainer
  condition 0..* CodeableConcept
  note 0..* Annotation

SpecimenCollection : BackboneElement
  collector 0..1 Reference(Practitioner|PractitionerRole)
  collected[x] 0..1 dateTime | Period
  duration 0..1 Duration
  quantity 0..1 Quantity
  method 0..1 CodeableConcept
  bodySite 0..1 CodeableConcept
  fastingStatus[x] 0..1 CodeableConcept | Duration

SpecimenProcessing : BackboneElement
  description 0..1 string
  procedure 0..1 CodeableConcept
  additive 0..* Reference(Substance)
  time[x] 0..1 dateTime | Period

SpecimenContainer : BackboneElement
  identifier 0..* Identifier
  description 0..1 string
  type 0..1 CodeableConcept
  capacity 0..1 Quantity
  specimenQuantity 0..1 Quantity
  additive[x] 0..1 CodeableConcept | Reference(Substance)
"""
