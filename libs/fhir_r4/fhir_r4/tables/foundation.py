"""The frame around every resource, and the resources about resources: Bundle, Parameters, Provenance and their kind.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
Resource
  id 0..1 id
  meta 0..1 Meta
  implicitRules 0..1 uri
  language 0..1 code

DomainResource : Resource
  text 0..1 Narrative
  contained 0..* Resource
  extension 0..* Extension
  modifierExtension 0..* Extension

Element
  id 0..1 string
  extension 0..* Extension

BackboneElement : Element
  modifierExtension 0..* Extension

Basic : DomainResource
  identifier 0..* Identifier
  code 1..1 CodeableConcept
  subject 0..1 Reference(Any)
  created 0..1 date
  author 0..1 Reference(Practitioner|PractitionerRole|Patient|RelatedPerson|Organization)

Binary : Resource
  contentType 1..1 code
  securityContext 0..1 Reference(Any)
  data 0..1 base64Binary

Bundle : Resource
  identifier 0..1 Identifier
  type 1..1 code = bundle-type
  timestamp 0..1 instant
  total 0..1 unsignedInt
  link 0..* BundleLink
  entry 0..* BundleEntry
  signature 0..1 Signature

BundleLink : BackboneElement
  relation 1..1 string
  url 1..1 uri

BundleEntry : BackboneElement
  link 0..* BundleLink
  fullUrl 0..1 uri
  resource 0..1 Resource
  search 0..1 BundleEntrySearch
  request 0..1 BundleEntryRequest
  response 0..1 BundleEntryResponse

BundleEntrySearch : BackboneElement
  mode 0..1 code = search-entry-mode
  score 0..1 decimal

BundleEntryRequest : BackboneElement
  method 1..1 code = http-verb
  url 1..1 uri
  ifNoneMatch 0..1 string
  ifModifiedSince 0..1 instant
  ifMatch 0..1 string
  ifNoneExist 0..1 string

BundleEntryResponse : BackboneElement
  status 1..1 string
  location 0..1 uri
  etag 0..1 string
  lastModified 0..1 instant
  outcome 0..1 Resource

CapabilityStatement : DomainResource
  url 0..1 uri
  version 0..1 string
  name 0..1 string
  title 0..1 string
  status 1..1 code = publication-status
  experimental 0..1 boolean
  date 1..1 dateTime
  publisher 0..1 string
  contact 0..* ContactDetail
  description 0..1 markdown
  useContext 0..* UsageContext
  jurisdiction 0..* CodeableConcept
  purpose 0..1 markdown
  copyright 0..1 markdown
  kind 1..1 code = capability-statement-kind
  instantiates 0..* canonical
  imports 0..* canonical
  software 0..1 CapabilityStatementSoftware
  implementation 0..1 CapabilityStatementImplementation
  fhirVersion 1..1 code = fhir-version
  format 1..* code
  patchFormat 0..* code
  implementationGuide 0..* canonical
  rest 0..* CapabilityStatementRest
  messaging 0..* CapabilityStatementMessaging
  document 0..* CapabilityStatementDocument

CapabilityStatementSoftware : BackboneElement
  name 1..1 string
  version 0..1 string
  releaseDate 0..1 dateTime

CapabilityStatementImplementation : BackboneElement
  description 1..1 string
  url 0..1 url
  custodian 0..1 Reference(Organization)

CapabilityStatementRest : BackboneElement
  mode 1..1 code = capability-statement-rest-mode
  documentation 0..1 markdown
  security 0..1 CapabilityStatementRestSecurity
  resource 0..* CapabilityStatementRestResource
  interaction 0..* CapabilityStatementRestInteraction
  searchParam 0..* CapabilityStatementRestResourceSearchParam
  operation 0..* CapabilityStatementRestResourceOperation
  compartment 0..* canonical

CapabilityStatementRestSecurity : BackboneElement
  cors 0..1 boolean
  service 0..* CodeableConcept
  description 0..1 markdown

CapabilityStatementRestResource : BackboneElement
  type 1..1 code = resource-types
  profile 0..1 canonical
  supportedProfile 0..* canonical
  documentation 0..1 markdown
  interaction 0..* CapabilityStatementRestResourceInteraction
  versioning 0..1 code = capability-statement-rest-resource-versioning
  readHistory 0..1 boolean
  updateCreate 0..1 boolean
  conditionalCreate 0..1 boolean
  conditionalRead 0..1 code = capability-statement-rest-resource-conditional-read
  conditionalUpdate 0..1 boolean
  conditionalDelete 0..1 code = capability-statement-rest-resource-conditional-delete
  referencePolicy 0..* code = capability-statement-rest-resource-reference-policy
  searchInclude 0..* string
  searchRevInclude 0..* string
  searchParam 0..* CapabilityStatementRestResourceSearchParam
  operation 0..* CapabilityStatementRestResourceOperation

CapabilityStatementRestResourceInteraction : BackboneElement
  code 1..1 code = capability-statement-rest-resource-interaction-code
  documentation 0..1 markdown

CapabilityStatementRestResourceSearchParam : BackboneElement
  name 1..1 string
  definition 0..1 canonical
  type 1..1 code = capability-statement-rest-resource-search-param-type
  documentation 0..1 markdown

CapabilityStatementRestResourceOperation : BackboneElement
  name 1..1 string
  definition 1..1 canonical
  documentation 0..1 markdown

CapabilityStatementRestInteraction : BackboneElement
  code 1..1 code = capability-statement-rest-interaction-code
  documentation 0..1 markdown

CapabilityStatementMessaging : BackboneElement
  endpoint 0..* CapabilityStatementMessagingEndpoint
  reliableCache 0..1 unsignedInt
  documentation 0..1 markdown
  supportedMessage 0..* CapabilityStatementMessagingSupportedMessage

CapabilityStatementMessagingEndpoint : BackboneElement
  protocol 1..1 Coding
  address 1..1 url

CapabilityStatementMessagingSupportedMessage : BackboneElement
  mode 1..1 code = capability-statement-messaging-supported-message-mode
  definition 1..1 canonical

CapabilityStatementDocument : BackboneElement
  mode 1..1 code = capability-statement-document-mode
  documentation 0..1 markdown
  profile 1..1 canonical

Composition : DomainResource
  identifier 0..1 Identifier
  status 1..1 code = composition-status
  type 1..1 CodeableConcept
  category 0..* CodeableConcept
  subject 0..1 Reference(Any)
  encounter 0..1 Reference(Encounter)
  date 1..1 dateTime
  author 1..* Reference(Practitioner|PractitionerRole|Device|Patient|RelatedPerson|Organization)
  title 1..1 string
  confidentiality 0..1 code = composition-confidentiality
  attester 0..* CompositionAttester
  custodian 0..1 Reference(Organization)
  relatesTo 0..* CompositionRelatesTo
  event 0..* CompositionEvent
  section 0..* CompositionSection

CompositionAttester : BackboneElement
  mode 1..1 code = composition-attester-mode
  time 0..1 dateTime
  party 0..1 Reference(Patient|RelatedPerson|Practitioner|PractitionerRole|Organization)

CompositionRelatesTo : BackboneElement
  code 1..1 code = document-relationship-type
  target[x] 1..1 Identifier | Reference(Composition)

CompositionEvent : BackboneElement
  code 0..* CodeableConcept
  period 0..1 Period
  detail 0..* Reference(Any)

CompositionSection : BackboneElement
  title 0..1 string
  code 0..1 CodeableConcept
  author 0..* Reference(Practitioner|PractitionerRole|Device|Patient|RelatedPerson|Organization)
  focus 0..1 Reference(Any)
  text 0..1 Narrative
  mode 0..1 code = list-mode
  orderedBy 0..1 CodeableConcept
  entry 0..* Reference(Any)
  emptyReason 0..1 CodeableConcept
  section 0..* CompositionSection

AuditEvent : DomainResource
  type 1..1 Coding
  subtype 0..* Coding
  action 0..1 code = audit-event-action
  period 0..1 Period
  recorded 1..1 instant
  outcome 0..1 code = audit-event-outcome
  outcomeDesc 0..1 string
  purposeOfEvent 0..* CodeableConcept
  agent 1..* AuditEventAgent
  source 1..1 AuditEventSource
  entity 0..* AuditEventEntity

AuditEventAgent : BackboneElement
  type 0..1 CodeableConcept
  role 0..* CodeableConcept
  who 0..1 Reference(PractitionerRole|Practitioner|Organization|Device|Patient|RelatedPerson)
  altId 0..1 string
  name 0..1 string
  requestor 1..1 boolean
  location 0..1 Reference(Location)
  policy 0..* uri
  media 0..1 Coding
  network 0..1 AuditEventAgentNetwork
  purposeOfUse 0..* CodeableConcept

AuditEventAgentNetwork : BackboneElement
  address 0..1 string
  type 0..1 code = audit-event-agent-network-type

AuditEventSource : BackboneElement
  site 0..1 string
  observer 1..1 Reference(PractitionerRole|Practitioner|Organization|Device|Patient|RelatedPerson)
  type 0..* Coding

AuditEventEntity : BackboneElement
  what 0..1 Reference(Any)
  type 0..1 Coding
  role 0..1 Coding
  lifecycle 0..1 Coding
  securityLabel 0..* Coding
  name 0..1 string
  description 0..1 string
  query 0..1 base64Binary
  detail 0..* AuditEventEntityDetail

AuditEventEntityDetail : BackboneElement
  type 1..1 string
  value[x] 1..1 string | base64Binary

Endpoint : DomainResource
  identifier 0..* Identifier
  status 1..1 code = endpoint-status
  connectionType 1..1 Coding
  name 0..1 string
  managingOrganization 0..1 Reference(Organization)
  contact 0..* ContactPoint
  period 0..1 Period
  payloadType 1..* CodeableConcept
  payloadMimeType 0..* code
  address 1..1 url
  header 0..* string

List : DomainResource
  identifier 0..* Identifier
  status 1..1 code = list-status
  mode 1..1 code = list-mode
  title 0..1 string
  code 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Group|Device|Location)
  encounter 0..1 Reference(Encounter)
  date 0..1 dateTime
  source 0..1 Reference(Practitioner|PractitionerRole|Patient|Device)
  orderedBy 0..1 CodeableConcept
  note 0..* Annotation
  entry 0..* ListEntry
  emptyReason 0..1 CodeableConcept

ListEntry : BackboneElement
  flag 0..1 CodeableConcept
  deleted 0..1 boolean
  date 0..1 dateTime
  item 1..1 Reference(Any)

MessageHeader : DomainResource
  event[x] 1..1 Coding | uri
  destination 0..* MessageHeaderDestination
  sender 0..1 Reference(Practitioner|PractitionerRole|Organization)
  enterer 0..1 Reference(Practitioner|PractitionerRole)
  author 0..1 Reference(Practitioner|PractitionerRole)
  source 1..1 MessageHeaderSource
  responsible 0..1 Reference(Practitioner|PractitionerRole|Organization)
  reason 0..1 CodeableConcept
  response 0..1 MessageHeaderResponse
  focus 0..* Reference(Any)
  definition 0..1 canonical

MessageHeaderDestination : BackboneElement
  name 0..1 string
  target 0..1 Reference(Device)
  endpoint 1..1 url
  receiver 0..1 Reference(Practitioner|PractitionerRole|Organization)

MessageHeaderSource : BackboneElement
  name 0..1 string
  software 0..1 string
  version 0..1 string
  contact 0..1 ContactPoint
  endpoint 1..1 url

MessageHeaderResponse : BackboneElement
  identifier 1..1 id
  code 1..1 code = message-header-response-code
  details 0..1 Reference(OperationOutcome)

OperationOutcome : DomainResource
  issue 1..* OperationOutcomeIssue

OperationOutcomeIssue : BackboneElement
  severity 1..1 code = issue-severity
  code 1..1 code = issue-type
  details 0..1 CodeableConcept
  diagnostics 0..1 string
  location 0..* string
  expression 0..* string

Parameters : Resource
  parameter 0..* ParametersParameter

ParametersParameter : BackboneElement
  name 1..1 string
  value[x] 0..1 *
  resource 0..1 Resource
  part 0..* ParametersParameter

Provenance : DomainResource
  target 1..* Reference(Any)
  occurred[x] 0..1 Period | dateTime
  recorded 1..1 instant
  policy 0..* uri
  location 0..1 Reference(Location)
  reason 0..* CodeableConcept
  activity 0..1 CodeableConcept
  agent 1..* ProvenanceAgent
  entity 0..* ProvenanceEntity
  signature 0..* Signature

ProvenanceAgent : BackboneElement
  type 0..1 CodeableConcept
  role 0..* CodeableConcept
  who 1..1 Reference(Practitioner|PractitionerRole|RelatedPerson|Patient|Device|Organization)
  onBehalfOf 0..1 Reference(Practitioner|PractitionerRole|RelatedPerson|Patient|Device|Organization)

ProvenanceEntity : BackboneElement
  role 1..1 code = provenance-entity-role
  what 1..1 Reference(Any)
  agent 0..* ProvenanceAgent

Subscription : DomainResource
  status 1..1 code = subscription-status
  contact 0..* ContactPoint
  end 0..1 instant
  reason 1..1 string
  criteria 1..1 string
  error 0..1 string
  channel 1..1 SubscriptionChannel

SubscriptionChannel : BackboneElement
  type 1..1 code = subscription-channel-type
  endpoint 0..1 url
  payload 0..1 code
  header 0..* string

Consent : DomainResource
  identifier 0..* Identifier
  status 1..1 code = consent-status
  scope 1..1 CodeableConcept
  category 1..* CodeableConcept
  patient 0..1 Reference(Patient)
  dateTime 0..1 dateTime
  performer 0..* Reference(Organization|Patient|Practitioner|RelatedPerson|PractitionerRole)
  organization 0..* Reference(Organization)
  source[x] 0..1 Attachment | Reference(Consent|DocumentReference|Contract|QuestionnaireResponse)
  policy 0..* ConsentPolicy
  policyRule 0..1 CodeableConcept
  verification 0..* ConsentVerification
  provision 0..1 ConsentProvision

ConsentPolicy : BackboneElement
  authority 0..1 uri
  uri 0..1 uri

ConsentVerification : BackboneElement
  verified 1..1 boolean
  verifiedWith 0..1 Reference(Patient|RelatedPerson)
  verificationDate 0..1 dateTime

ConsentProvision : BackboneElement
  type 0..1 code = consent-provision-type
  period 0..1 Period
  actor 0..* ConsentProvisionActor
  action 0..* CodeableConcept
  securityLabel 0..* Coding
  purpose 0..* Coding
  class 0..* Coding
  code 0..* CodeableConcept
  dataPeriod 0..1 Period
  data 0..* ConsentProvisionData
  provision 0..* ConsentProvision

ConsentProvisionActor : BackboneElement
  role 1..1 CodeableConcept
  reference 1..1 Reference(Device|Group|CareTeam|Organization|Patient|Practitioner|RelatedPerson|PractitionerRole)

ConsentProvisionData : BackboneElement
  meaning 1..1 code = consent-provision-data-meaning
  reference 1..1 Reference(Any)
"""
