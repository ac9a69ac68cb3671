"""Search parameters that every resource has, and those of records about records, of messages and of the server."""

# Of every resource type.
COMMON = """
  _id token id
  _lastUpdated date meta.lastUpdated
  _profile uri meta.profile
  _security token meta.security
  _source uri meta.source
  _tag token meta.tag
"""

ROWS = """
AuditEvent
  action token
  address string agent.network.address
  agent reference agent.who
  agent-name string agent.name
  agent-role token agent.role
  altid token agent.altId
  date date recorded
  entity reference entity.what
  entity-name string entity.name
  entity-role token entity.role
  entity-type token entity.type
  outcome token
  patient reference agent.who entity.what > Patient
  policy uri agent.policy
  site token source.site
  source reference source.observer
  subtype token
  type token

Basic
  author reference
  code token
  created date

Bundle
  timestamp date
  type token

CapabilityStatement
  context token useContext.value
  context-quantity quantity useContext.value
  context-type token useContext.code
  date date
  description string
  fhirversion token fhirVersion
  format token
  guide uri implementationGuide
  jurisdiction token
  mode token rest.mode
  name string
  publisher string
  resource token rest.resource.type
  resource-profile uri rest.resource.profile
  security-service token rest.security.service
  software string software.name
  supported-profile uri rest.resource.supportedProfile
  title string
  url uri
  version token

Consent
  action token provision.action
  actor reference provision.actor.reference
  category token
  consentor reference performer
  data reference provision.data.reference
  date date dateTime
  organization reference
  period date provision.period
  purpose token provision.purpose
  scope token
  security-label token provision.securityLabel
  source-reference reference

MessageHeader
  author reference
  code token response.code
  destination string destination.name
  destination-uri uri destination.endpoint
  enterer reference
  event token
  focus reference
  receiver reference destination.receiver
  response-id token response.identifier
  responsible reference
  sender reference
  source string source.name
  source-uri uri source.endpoint
  target reference destination.target

Provenance
  agent reference agent.who
  agent-role token agent.role
  agent-type token agent.type
  entity reference entity.what
  location reference
  patient reference target > Patient
  recorded date
  signature-type token signature.type
  target reference
  when date occurred

Subscription
  contact token
  criteria string
  payload token channel.payload
  type token channel.type
  url uri channel.endpoint
"""
