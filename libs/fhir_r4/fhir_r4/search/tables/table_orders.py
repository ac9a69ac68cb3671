"""Search parameters of orders, supplies, medications, messages between people, and work to be done."""

ROWS = """
Communication
  based-on reference
  category token
  instantiates-canonical uri
  instantiates-uri uri
  medium token
  part-of reference
  received date
  recipient reference
  sender reference
  sent date

CommunicationRequest
  authored date authoredOn
  based-on reference
  category token
  group-identifier token
  medium token
  occurrence date
  priority token
  recipient reference
  replaces reference
  requester reference
  sender reference

DeviceRequest
  authored-on date
  based-on reference
  code token codeCodeableConcept
  device reference codeReference
  event-date date occurrence
  group-identifier token
  instantiates-canonical uri
  instantiates-uri uri
  insurance reference
  intent token
  performer reference
  prior-request reference
  requester reference

DeviceUseStatement
  device reference

Medication
  code token
  expiration-date date batch.expirationDate
  form token
  ingredient reference ingredient.itemReference
  ingredient-code token ingredient.itemCodeableConcept
  lot-number token batch.lotNumber
  manufacturer reference

MedicationAdministration
  code token medicationCodeableConcept
  context reference
  device reference
  effective-time date effective
  medication reference medicationReference
  performer reference performer.actor
  reason-given token reasonCode
  reason-not-given token statusReason
  request reference

MedicationDispense
  code token medicationCodeableConcept
  context reference
  destination reference
  medication reference medicationReference
  performer reference performer.actor
  prescription reference authorizingPrescription
  receiver reference
  responsibleparty reference substitution.responsibleParty
  type token
  whenhandedover date whenHandedOver
  whenprepared date whenPrepared

MedicationRequest
  authoredon date authoredOn
  category token
  code token medicationCodeableConcept
  date date dosageInstruction.timing
  intended-dispenser reference dispenseRequest.performer
  intended-performer reference performer
  intended-performertype token performerType
  intent token
  medication reference medicationReference
  priority token
  requester reference

MedicationStatement
  category token
  code token medicationCodeableConcept
  context reference
  effective date
  medication reference medicationReference
  part-of reference
  source reference informationSource

NutritionOrder
  additive token enteralFormula.additiveType
  datetime date dateTime
  formula token enteralFormula.baseFormulaType
  instantiates-canonical uri
  instantiates-uri uri
  oraldiet token oralDiet.type
  provider reference orderer
  supplement token supplement.type

RequestGroup
  author reference
  authored date authoredOn
  code token
  group-identifier token
  instantiates-canonical uri
  instantiates-uri uri
  intent token
  participant reference action.participant
  priority token

ServiceRequest
  authored date authoredOn
  based-on reference
  body-site token
  category token
  code token
  instantiates-canonical uri
  instantiates-uri uri
  intent token
  occurrence date
  performer reference
  performer-type token
  priority token
  replaces reference
  requester reference
  requisition token
  specimen reference

Substance
  category token
  code token code ingredient.substanceCodeableConcept
  container-identifier token instance.identifier
  expiry date instance.expiry
  quantity quantity instance.quantity
  substance-reference reference ingredient.substanceReference

SupplyDelivery
  receiver reference
  supplier reference

SupplyRequest
  category token
  date date authoredOn
  requester reference
  subject reference deliverTo
  supplier reference

Task
  authored-on date
  based-on reference
  business-status token
  code token
  focus reference
  group-identifier token
  intent token
  modified date lastModified
  owner reference
  part-of reference
  patient reference for > Patient
  performer token performerType
  period date executionPeriod
  priority token
  requester reference
  subject reference for

VisionPrescription
  datewritten date dateWritten
  prescriber reference
"""
