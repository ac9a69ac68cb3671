"""Search parameters of people, places, organizations, visits and appointments."""

ROWS = """
Patient
  active token
  @address
  birthdate date birthDate
  death-date date deceased
  deceased token deceased:exists
  @telecom
  family string name.family
  given string name.given
  name string
  gender token
  general-practitioner reference
  language token communication.language
  link reference link.other
  organization reference managingOrganization
  race token extension:us-core-race.extension.valueCoding
  ethnicity token extension:us-core-ethnicity.extension.valueCoding
  gender-identity token extension:us-core-genderIdentity.valueCodeableConcept

Person
  @address
  birthdate date birthDate
  @telecom
  gender token
  link reference link.target
  name string
  organization reference managingOrganization
  patient reference link.target > Patient
  practitioner reference link.target > Practitioner
  relatedperson reference link.target > RelatedPerson

RelatedPerson
  active token
  @address
  birthdate date birthDate
  @telecom
  gender token
  name string
  relationship token

Practitioner
  active token
  @address
  communication token
  @telecom
  family string name.family
  given string name.given
  name string
  gender token

PractitionerRole
  active token
  date date period
  @telecom
  endpoint reference
  location reference
  organization reference
  practitioner reference
  role token code
  service reference healthcareService
  specialty token

Organization
  active token
  @address
  endpoint reference
  name string name alias
  partof reference partOf
  type token

OrganizationAffiliation
  active token
  date date period
  @telecom
  endpoint reference
  location reference
  network reference
  participating-organization reference
  primary-organization reference organization
  role token code
  service reference healthcareService
  specialty token

HealthcareService
  active token
  characteristic token
  coverage-area reference
  endpoint reference
  location reference
  name string
  organization reference providedBy
  program token
  service-category token category
  service-type token type
  specialty token

Location
  @address
  endpoint reference
  name string name alias
  operational-status token
  organization reference managingOrganization
  partof reference partOf
  type token

Endpoint
  connection-type token
  name string
  organization reference managingOrganization
  payload-type token

Group
  actual token
  characteristic token characteristic.code
  code token
  exclude token characteristic.exclude
  managing-entity reference
  member reference member.entity
  type token
  value token characteristic.value

Encounter
  account reference
  appointment reference
  based-on reference
  class token
  date date period
  diagnosis reference diagnosis.condition
  discharge-disposition token hospitalization.dischargeDisposition
  episode-of-care reference
  length quantity
  location reference location.location
  location-period date location.period
  part-of reference
  participant reference participant.individual
  participant-type token participant.type
  practitioner reference participant.individual > Practitioner
  reason-code token
  reason-reference reference
  service-provider reference
  special-arrangement token hospitalization.specialArrangement
  type token

EpisodeOfCare
  care-manager reference
  condition reference diagnosis.condition
  date date period
  incoming-referral reference referralRequest
  organization reference managingOrganization
  type token

Appointment
  actor reference participant.actor
  appointment-type token
  based-on reference
  date date start
  location reference participant.actor > Location
  part-status token participant.status
  patient reference participant.actor > Patient
  practitioner reference participant.actor > Practitioner
  reason-code token
  reason-reference reference
  service-category token
  service-type token
  slot reference
  specialty token
  supporting-info reference supportingInformation

AppointmentResponse
  actor reference
  appointment reference
  location reference actor > Location
  part-status token participantStatus
  patient reference actor > Patient
  practitioner reference actor > Practitioner

Schedule
  active token
  actor reference
  date date planningHorizon
  service-category token
  service-type token
  specialty token

Slot
  appointment-type token
  schedule reference
  service-category token
  service-type token
  specialty token
  start date

Device
  device-name string deviceName.name type.coding.display type.text
  location reference
  manufacturer string
  model string modelNumber
  organization reference owner
  type token
  udi-carrier string udiCarrier.carrierHRF
  udi-di string udiCarrier.deviceIdentifier
  url uri

Flag
  author reference
  date date period
"""
