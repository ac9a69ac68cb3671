"""Search parameters of what was seen, thought, done and written down."""

ROWS = """
AdverseEvent
  actuality token
  category token
  date date
  event token
  location reference
  recorder reference
  resultingcondition reference resultingCondition
  seriousness token
  severity token
  study reference
  substance reference suspectEntity.instance

AllergyIntolerance
  asserter reference
  category token
  clinical-status token
  code token code reaction.substance
  criticality token
  date date recordedDate
  last-date date lastOccurrence
  manifestation token reaction.manifestation
  onset date reaction.onset
  recorder reference
  route token reaction.exposureRoute
  severity token reaction.severity
  type token
  verification-status token

CarePlan
  activity-code token activity.detail.code
  activity-date date activity.detail.scheduled
  activity-reference reference activity.reference
  based-on reference
  care-team reference
  category token
  condition reference addresses
  date date period
  goal reference
  instantiates-canonical uri
  instantiates-uri uri
  intent token
  part-of reference
  performer reference activity.detail.performer
  replaces reference

CareTeam
  category token
  date date period
  participant reference participant.member
  role token participant.role

ClinicalImpression
  assessor reference
  date date
  finding-code token finding.itemCodeableConcept
  finding-ref reference finding.itemReference
  investigation reference investigation.item
  previous reference
  problem reference
  supporting-info reference

Composition
  attester reference attester.party
  author reference
  category token
  confidentiality token
  context token event.code
  date date
  entry reference section.entry
  period date event.period
  related-id token relatesTo.targetIdentifier
  related-ref reference relatesTo.targetReference
  section token section.code
  title string
  type token

Condition
  abatement-age quantity abatement
  abatement-date date abatement
  abatement-string string abatement
  asserted-date date extension:condition-assertedDate.valueDateTime
  asserter reference
  body-site token
  category token
  clinical-status token
  code token
  evidence token evidence.code
  evidence-detail reference evidence.detail
  onset-age quantity onset
  onset-date date onset
  onset-info string onset
  recorded-date date
  severity token
  stage token stage.summary
  verification-status token

DetectedIssue
  author reference
  code token
  identified date
  implicated reference

DiagnosticReport
  based-on reference
  category token
  code token
  conclusion token conclusionCode
  date date effective
  issued date
  media reference media.link
  performer reference
  result reference
  results-interpreter reference
  specimen reference

DocumentReference
  authenticator reference
  author reference
  category token
  contenttype token content.attachment.contentType
  custodian reference
  date date
  description string
  encounter reference context.encounter
  event token context.event
  facility token context.facilityType
  format token content.format
  identifier token masterIdentifier identifier
  language token content.attachment.language
  location uri content.attachment.url
  period date context.period
  related reference context.related
  relatesto reference relatesTo.target
  relation token relatesTo.code
  security-label token
  setting token context.practiceSetting
  type token

FamilyMemberHistory
  code token condition.code
  date date
  instantiates-canonical uri
  instantiates-uri uri
  relationship token
  sex token

Goal
  achievement-status token
  category token
  description token
  lifecycle-status token
  start-date date start
  target-date date target.due

GuidanceResponse
  request token requestIdentifier

ImagingStudy
  basedon reference basedOn
  bodysite token series.bodySite
  dicom-class token series.instance.sopClass
  endpoint reference endpoint series.endpoint
  instance token series.instance.uid
  interpreter reference
  modality token series.modality
  performer reference series.performer.actor
  reason token reasonCode
  referrer reference
  series token series.uid
  started date

Immunization
  date date occurrence
  location reference
  lot-number string
  manufacturer reference
  performer reference performer.actor
  reaction reference reaction.detail
  reaction-date date reaction.date
  reason-code token
  reason-reference reference
  series string protocolApplied.series
  status-reason token
  target-disease token protocolApplied.targetDisease
  vaccine-code token

List
  code token
  date date
  empty-reason token
  item reference entry.item
  notes string note.text
  source reference
  title string

Media
  based-on reference
  created date
  device reference
  modality token
  operator reference
  site token bodySite
  type token
  view token

Observation
  based-on reference
  category token
  code token
  combo-code token code component.code
  combo-data-absent-reason token dataAbsentReason component.dataAbsentReason
  combo-value-concept token valueCodeableConcept component.valueCodeableConcept
  combo-value-quantity quantity valueQuantity component.valueQuantity
  component-code token component.code
  component-data-absent-reason token component.dataAbsentReason
  component-value-concept token component.valueCodeableConcept
  component-value-quantity quantity component.valueQuantity
  data-absent-reason token
  date date effective
  derived-from reference
  device reference
  focus reference
  has-member reference
  method token
  part-of reference
  performer reference
  specimen reference
  value-concept token valueCodeableConcept
  value-date date value
  value-quantity quantity valueQuantity
  value-string string valueString valueCodeableConcept.text

Procedure
  based-on reference
  category token
  code token
  date date performed
  instantiates-canonical uri
  instantiates-uri uri
  location reference
  part-of reference
  performer reference performer.actor
  reason-code token
  reason-reference reference

Questionnaire
  code token item.code
  context token useContext.value
  context-quantity quantity useContext.value
  context-type token useContext.code
  date date
  definition uri item.definition
  description string
  effective date effectivePeriod
  jurisdiction token
  name string
  publisher string
  subject-type token
  title string
  url uri
  version token

QuestionnaireResponse
  author reference
  authored date
  based-on reference
  part-of reference
  questionnaire uri
  source reference

RiskAssessment
  condition reference
  date date occurrence
  method token
  performer reference
  probability number prediction.probability
  risk token prediction.qualitativeRisk

Specimen
  accession token accessionIdentifier
  bodysite token collection.bodySite
  collected date collection.collected
  collector reference collection.collector
  container token container.type
  container-id token container.identifier
  parent reference
  type token
"""
