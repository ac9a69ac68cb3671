"""People, organizations, places, encounters, appointments and devices.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
Account : DomainResource
  identifier 0..* Identifier
  status 1..1 code = account-status
  type 0..1 CodeableConcept
  name 0..1 string
  subject 0..* Reference(Patient|Device|Practitioner|PractitionerRole|Location|HealthcareService|Organization)
  servicePeriod 0..1 Period
  coverage 0..* AccountCoverage
  owner 0..1 Reference(Organization)
  description 0..1 string
  guarantor 0..* AccountGuarantor
  partOf 0..1 Reference(Account)

AccountCoverage : BackboneElement
  coverage 1..1 Reference(Coverage)
  priority 0..1 positiveInt

AccountGuarantor : BackboneElement
  party 1..1 Reference(Patient|RelatedPerson|Organization)
  onHold 0..1 boolean
  period 0..1 Period

Appointment : DomainResource
  identifier 0..* Identifier
  status 1..1 code = appointment-status
  cancelationReason 0..1 CodeableConcept
  serviceCategory 0..* CodeableConcept
  serviceType 0..* CodeableConcept
  specialty 0..* CodeableConcept
  appointmentType 0..1 CodeableConcept
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Procedure|Observation|ImmunizationRecommendation)
  priority 0..1 unsignedInt
  description 0..1 string
  supportingInformation 0..* Reference(Any)
  start 0..1 instant
  end 0..1 instant
  minutesDuration 0..1 positiveInt
  slot 0..* Reference(Slot)
  created 0..1 dateTime
  comment 0..1 string
  patientInstruction 0..1 string
  basedOn 0..* Reference(ServiceRequest)
  participant 1..* AppointmentParticipant
  requestedPeriod 0..* Period

AppointmentParticipant : BackboneElement
  type 0..* CodeableConcept
  actor 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Device|HealthcareService|Location)
  required 0..1 code = appointment-participant-required
  status 1..1 code = participation-status
  period 0..1 Period

AppointmentResponse : DomainResource
  identifier 0..* Identifier
  appointment 1..1 Reference(Appointment)
  start 0..1 instant
  end 0..1 instant
  participantType 0..* CodeableConcept
  actor 0..1 Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Device|HealthcareService|Location)
  participantStatus 1..1 code = participation-status
  comment 0..1 string

Device : DomainResource
  identifier 0..* Identifier
  definition 0..1 Reference(DeviceDefinition)
  udiCarrier 0..* DeviceUdiCarrier
  status 0..1 code = device-status
  statusReason 0..* CodeableConcept
  distinctIdentifier 0..1 string
  manufacturer 0..1 string
  manufactureDate 0..1 dateTime
  expirationDate 0..1 dateTime
  lotNumber 0..1 string
  serialNumber 0..1 string
  deviceName 0..* DeviceDeviceName
  modelNumber 0..1 string
  partNumber 0..1 string
  type 0..1 CodeableConcept
  specialization 0..* DeviceSpecialization
  version 0..* DeviceVersion
  property 0..* DeviceProperty
  patient 0..1 Reference(Patient)
  owner 0..1 Reference(Organization)
  contact 0..* ContactPoint
  location 0..1 Reference(Location)
  url 0..1 uri
  note 0..* Annotation
  safety 0..* CodeableConcept
  parent 0..1 Reference(Device)

DeviceUdiCarrier : BackboneElement
  deviceIdentifier 0..1 string
  issuer 0..1 uri
  jurisdiction 0..1 uri
  carrierAIDC 0..1 base64Binary
  carrierHRF 0..1 string
  entryType 0..1 code = device-udi-carrier-entry-type

DeviceDeviceName : BackboneElement
  name 1..1 string
  type 1..1 code = device-device-name-type

DeviceSpecialization : BackboneElement
  systemType 1..1 CodeableConcept
  version 0..1 string

DeviceVersion : BackboneElement
  type 0..1 CodeableConcept
  component 0..1 Identifier
  value 1..1 string

DeviceProperty : BackboneElement
  type 1..1 CodeableConcept
  valueQuantity 0..* Quantity
  valueCode 0..* CodeableConcept

Encounter : DomainResource
  identifier 0..* Identifier
  status 1..1 code = encounter-status
  statusHistory 0..* EncounterStatusHistory
  class 1..1 Coding
  classHistory 0..* EncounterClassHistory
  type 0..* CodeableConcept
  serviceType 0..1 CodeableConcept
  priority 0..1 CodeableConcept
  subject 0..1 Reference(Patient|Group)
  episodeOfCare 0..* Reference(EpisodeOfCare)
  basedOn 0..* Reference(ServiceRequest)
  participant 0..* EncounterParticipant
  appointment 0..* Reference(Appointment)
  period 0..1 Period
  length 0..1 Duration
  reasonCode 0..* CodeableConcept
  reasonReference 0..* Reference(Condition|Procedure|Observation|ImmunizationRecommendation)
  diagnosis 0..* EncounterDiagnosis
  account 0..* Reference(Account)
  hospitalization 0..1 EncounterHospitalization
  location 0..* EncounterLocation
  serviceProvider 0..1 Reference(Organization)
  partOf 0..1 Reference(Encounter)

EncounterStatusHistory : BackboneElement
  status 1..1 code = encounter-status
  period 1..1 Period

EncounterClassHistory : BackboneElement
  class 1..1 Coding
  period 1..1 Period

EncounterParticipant : BackboneElement
  type 0..* CodeableConcept
  period 0..1 Period
  individual 0..1 Reference(Practitioner|PractitionerRole|RelatedPerson)

EncounterDiagnosis : BackboneElement
  condition 1..1 Reference(Condition|Procedure)
  use 0..1 CodeableConcept
  rank 0..1 positiveInt

EncounterHospitalization : BackboneElement
  preAdmissionIdentifier 0..1 Identifier
  origin 0..1 Reference(Location|Organization)
  admitSource 0..1 CodeableConcept
  reAdmission 0..1 CodeableConcept
  dietPreference 0..* CodeableConcept
  specialCourtesy 0..* CodeableConcept
  specialArrangement 0..* CodeableConcept
  destination 0..1 Reference(Location|Organization)
  dischargeDisposition 0..1 CodeableConcept

EncounterLocation : BackboneElement
  location 1..1 Reference(Location)
  status 0..1 code = encounter-location-status
  physicalType 0..1 CodeableConcept
  period 0..1 Period

EpisodeOfCare : DomainResource
  identifier 0..* Identifier
  status 1..1 code = episode-of-care-status
  statusHistory 0..* EpisodeOfCareStatusHistory
  type 0..* CodeableConcept
  diagnosis 0..* EpisodeOfCareDiagnosis
  patient 1..1 Reference(Patient)
  managingOrganization 0..1 Reference(Organization)
  period 0..1 Period
  referralRequest 0..* Reference(ServiceRequest)
  careManager 0..1 Reference(Practitioner|PractitionerRole)
  team 0..* Reference(CareTeam)
  account 0..* Reference(Account)

EpisodeOfCareStatusHistory : BackboneElement
  status 1..1 code = episode-of-care-status
  period 1..1 Period

EpisodeOfCareDiagnosis : BackboneElement
  condition 1..1 Reference(Condition)
  role 0..1 CodeableConcept
  rank 0..1 positiveInt

Group : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  type 1..1 code = group-type
  actual 1..1 boolean
  code 0..1 CodeableConcept
  name 0..1 string
  quantity 0..1 unsignedInt
  managingEntity 0..1 Reference(Organization|RelatedPerson|Practitioner|PractitionerRole)
  characteristic 0..* GroupCharacteristic
  member 0..* GroupMember

GroupCharacteristic : BackboneElement
  code 1..1 CodeableConcept
  value[x] 1..1 CodeableConcept | boolean | Quantity | Range | Reference(Any)
  exclude 1..1 boolean
  period 0..1 Period

GroupMember : BackboneElement
  entity 1..1 Reference(Patient|RelatedPerson|Practitioner|PractitionerRole|Device|Medication|Substance|Group)
  period 0..1 Period
  inactive 0..1 boolean

HealthcareService : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  providedBy 0..1 Reference(Organization)
  category 0..* CodeableConcept
  type 0..* CodeableConcept
  specialty 0..* CodeableConcept
  location 0..* Reference(Location)
  name 0..1 string
  comment 0..1 string
  extraDetails 0..1 markdown
  photo 0..1 Attachment
  telecom 0..* ContactPoint
  coverageArea 0..* Reference(Location)
  serviceProvisionCode 0..* CodeableConcept
  eligibility 0..* HealthcareServiceEligibility
  program 0..* CodeableConcept
  characteristic 0..* CodeableConcept
  communication 0..* CodeableConcept
  referralMethod 0..* CodeableConcept
  appointmentRequired 0..1 boolean
  availableTime 0..* HealthcareServiceAvailableTime
  notAvailable 0..* HealthcareServiceNotAvailable
  availabilityExceptions 0..1 string
  endpoint 0..* Reference(Endpoint)

HealthcareServiceEligibility : BackboneElement
  code 0..1 CodeableConcept
  comment 0..1 markdown

HealthcareServiceAvailableTime : BackboneElement
  daysOfWeek 0..* code = days-of-week
  allDay 0..1 boolean
  availableStartTime 0..1 time
  availableEndTime 0..1 time

HealthcareServiceNotAvailable : BackboneElement
  description 1..1 string
  during 0..1 Period

Location : DomainResource
  identifier 0..* Identifier
  status 0..1 code = location-status
  operationalStatus 0..1 Coding
  name 0..1 string
  alias 0..* string
  description 0..1 string
  mode 0..1 code = location-mode
  type 0..* CodeableConcept
  telecom 0..* ContactPoint
  address 0..1 Address
  physicalType 0..1 CodeableConcept
  position 0..1 LocationPosition
  managingOrganization 0..1 Reference(Organization)
  partOf 0..1 Reference(Location)
  hoursOfOperation 0..* LocationHoursOfOperation
  availabilityExceptions 0..1 string
  endpoint 0..* Reference(Endpoint)

LocationPosition : BackboneElement
  longitude 1..1 decimal
  latitude 1..1 decimal
  altitude 0..1 decimal

LocationHoursOfOperation : BackboneElement
  daysOfWeek 0..* code = days-of-week
  allDay 0..1 boolean
  openingTime 0..1 time
  closingTime 0..1 time

Organization : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  type 0..* CodeableConcept
  name 0..1 string
  alias 0..* string
  telecom 0..* ContactPoint
  address 0..* Address
  partOf 0..1 Reference(Organization)
  contact 0..* OrganizationContact
  endpoint 0..* Reference(Endpoint)

OrganizationContact : BackboneElement
  purpose 0..1 CodeableConcept
  name 0..1 HumanName
  telecom 0..* ContactPoint
  address 0..1 Address

OrganizationAffiliation : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  period 0..1 Period
  organization 0..1 Reference(Organization)
  participatingOrganization 0..1 Reference(Organization)
  network 0..* Reference(Organization)
  code 0..* CodeableConcept
  specialty 0..* CodeableConcept
  location 0..* Reference(Location)
  healthcareService 0..* Reference(HealthcareService)
  telecom 0..* ContactPoint
  endpoint 0..* Reference(Endpoint)

Patient : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  name 0..* HumanName
  telecom 0..* ContactPoint
  gender 0..1 code = administrative-gender
  birthDate 0..1 date
  deceased[x] 0..1 boolean | dateTime
  address 0..* Address
  maritalStatus 0..1 CodeableConcept
  multipleBirth[x] 0..1 boolean | integer
  photo 0..* Attachment
  contact 0..* PatientContact
  communication 0..* PatientCommunication
  generalPractitioner 0..* Reference(Organization|Practitioner|PractitionerRole)
  managingOrganization 0..1 Reference(Organization)
  link 0..* PatientLink

PatientContact : BackboneElement
  relationship 0..* CodeableConcept
  name 0..1 HumanName
  telecom 0..* ContactPoint
  address 0..1 Address
  gender 0..1 code = administrative-gender
  organization 0..1 Reference(Organization)
  period 0..1 Period

PatientCommunication : BackboneElement
  language 1..1 CodeableConcept
  preferred 0..1 boolean

PatientLink : BackboneElement
  other 1..1 Reference(Patient|RelatedPerson)
  type 1..1 code = patient-link-type

Person : DomainResource
  identifier 0..* Identifier
  name 0..* HumanName
  telecom 0..* ContactPoint
  gender 0..1 code = administrative-gender
  birthDate 0..1 date
  address 0..* Address
  photo 0..1 Attachment
  managingOrganization 0..1 Reference(Organization)
  active 0..1 boolean
  link 0..* PersonLink

PersonLink : BackboneElement
  target 1..1 Reference(Patient|Practitioner|RelatedPerson|Person)
  assurance 0..1 code = person-link-assurance

Practitioner : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  name 0..* HumanName
  telecom 0..* ContactPoint
  address 0..* Address
  gender 0..1 code = administrative-gender
  birthDate 0..1 date
  photo 0..* Attachment
  qualification 0..* PractitionerQualification
  communication 0..* CodeableConcept

PractitionerQualification : BackboneElement
  identifier 0..* Identifier
  code 1..1 CodeableConcept
  period 0..1 Period
  issuer 0..1 Reference(Organization)

PractitionerRole : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  period 0..1 Period
  practitioner 0..1 Reference(Practitioner)
  organization 0..1 Reference(Organization)
  code 0..* CodeableConcept
  specialty 0..* CodeableConcept
  location 0..* Reference(Location)
  healthcareService 0..* Reference(HealthcareService)
  telecom 0..* ContactPoint
  availableTime 0..* PractitionerRoleAvailableTime
  notAvailable 0..* PractitionerRoleNotAvailable
  availabilityExceptions 0..1 string
  endpoint 0..* Reference(Endpoint)

PractitionerRoleAvailableTime : BackboneElement
  daysOfWeek 0..* code = days-of-week
  allDay 0..1 boolean
  availableStartTime 0..1 time
  availableEndTime 0..1 time

PractitionerRoleNotAvailable : BackboneElement
  description 1..1 string
  during 0..1 Period

RelatedPerson : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  patient 1..1 Reference(Patient)
  relationship 0..* CodeableConcept
  name 0..* HumanName
  telecom 0..* ContactPoint
  gender 0..1 code = administrative-gender
  birthDate 0..1 date
  address 0..* Address
  photo 0..* Attachment
  period 0..1 Period
  communication 0..* RelatedPersonCommunication

RelatedPersonCommunication : BackboneElement
  language 1..1 CodeableConcept
  preferred 0..1 boolean

Schedule : DomainResource
  identifier 0..* Identifier
  active 0..1 boolean
  serviceCategory 0..* CodeableConcept
  serviceType 0..* CodeableConcept
  specialty 0..* CodeableConcept
  actor 1..* Reference(Patient|Practitioner|PractitionerRole|RelatedPerson|Device|HealthcareService|Location)
  planningHorizon 0..1 Period
  comment 0..1 string

Slot : DomainResource
  identifier 0..* Identifier
  serviceCategory 0..* CodeableConcept
  serviceType 0..* CodeableConcept
  specialty 0..* CodeableConcept
  appointmentType 0..1 CodeableConcept
  schedule 1..1 Reference(Schedule)
  status 1..1 code = slot-status
  start 1..1 instant
  end 1..1 instant
  overbooked 0..1 boolean
  comment 0..1 string

Substance : DomainResource
  identifier 0..* Identifier
  status 0..1 code = medication-status
  category 0..* CodeableConcept
  code 1..1 CodeableConcept
  description 0..1 string
  instance 0..* SubstanceInstance
  ingredient 0..* SubstanceIngredient

SubstanceInstance : BackboneElement
  identifier 0..1 Identifier
  expiry 0..1 dateTime
  quantity 0..1 Quantity

SubstanceIngredient : BackboneElement
  quantity 0..1 Ratio
  substance[x] 1..1 CodeableConcept | Reference(Substance)
"""
