"""The general-purpose data types, from Address to UsageContext.

Each block is a type and, after the colon, the type whose elements it inherits; each row is an element with its
cardinality, its type or types, the targets of a Reference and, after "=", its required value set (see bindings).
"*" stands for every type that an extension may hold. A deeper indent continues the row above. A target after "~" is
not R4's, but R4's own examples use it: it earns a warning only.
Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/
"""

ROWS = """
Address : Element
  use 0..1 code = address-use
  type 0..1 code = address-type
  text 0..1 string
  line 0..* string
  city 0..1 string
  district 0..1 string
  state 0..1 string
  postalCode 0..1 string
  country 0..1 string
  period 0..1 Period

Age : Quantity

Annotation : Element
  author[x] 0..1 Reference(Practitioner|Patient|RelatedPerson|Organization) | string
  time 0..1 dateTime
  text 1..1 markdown

Attachment : Element
  contentType 0..1 code
  language 0..1 code
  data 0..1 base64Binary
  url 0..1 url
  size 0..1 unsignedInt
  hash 0..1 base64Binary
  title 0..1 string
  creation 0..1 dateTime

CodeableConcept : Element
  coding 0..* Coding
  text 0..1 string

Coding : Element
  system 0..1 uri
  version 0..1 string
  code 0..1 code
  display 0..1 string
  userSelected 0..1 boolean

ContactDetail : Element
  name 0..1 string
  telecom 0..* ContactPoint

ContactPoint : Element
  system 0..1 code = contact-point-system
  value 0..1 string
  use 0..1 code = contact-point-use
  rank 0..1 positiveInt
  period 0..1 Period

Contributor : Element
  type 1..1 code = contributor-type
  name 1..1 string
  contact 0..* ContactDetail

Count : Quantity

DataRequirement : Element
  type 1..1 code = all-types
  profile 0..* canonical
  subject[x] 0..1 CodeableConcept | Reference(Group)
  mustSupport 0..* string
  codeFilter 0..* DataRequirementCodeFilter
  dateFilter 0..* DataRequirementDateFilter
  limit 0..1 positiveInt
  sort 0..* DataRequirementSort

DataRequirementCodeFilter : Element
  path 0..1 string
  searchParam 0..1 string
  valueSet 0..1 canonical
  code 0..* Coding

DataRequirementDateFilter : Element
  path 0..1 string
  searchParam 0..1 string
  value[x] 0..1 dateTime | Period | Duration

DataRequirementSort : Element
  path 1..1 string
  direction 1..1 code = data-requirement-sort-direction

Distance : Quantity

Dosage : BackboneElement
  sequence 0..1 integer
  text 0..1 string
  additionalInstruction 0..* CodeableConcept
  patientInstruction 0..1 string
  timing 0..1 Timing
  asNeeded[x] 0..1 boolean | CodeableConcept
  site 0..1 CodeableConcept
  route 0..1 CodeableConcept
  method 0..1 CodeableConcept
  doseAndRate 0..* DosageDoseAndRate
  maxDosePerPeriod 0..1 Ratio
  maxDosePerAdministration 0..1 Quantity
  maxDosePerLifetime 0..1 Quantity

DosageDoseAndRate : Element
  type 0..1 CodeableConcept
  dose[x] 0..1 Range | Quantity
  rate[x] 0..1 Ratio | Range | Quantity

Duration : Quantity

Expression : Element
  description 0..1 string
  name 0..1 id
  language 1..1 code
  expression 0..1 string
  reference 0..1 uri

Extension : Element
  url 1..1 uri
  value[x] 0..1 *

HumanName : Element
  use 0..1 code = human-name-use
  text 0..1 string
  family 0..1 string
  given 0..* string
  prefix 0..* string
  suffix 0..* string
  period 0..1 Period

Identifier : Element
  use 0..1 code = identifier-use
  type 0..1 CodeableConcept
  system 0..1 uri
  value 0..1 string
  period 0..1 Period
  assigner 0..1 Reference(Organization)

Meta : Element
  versionId 0..1 id
  lastUpdated 0..1 instant
  source 0..1 uri
  profile 0..* canonical
  security 0..* Coding
  tag 0..* Coding

Money : Element
  value 0..1 decimal
  currency 0..1 code = currencies

Narrative : Element
  status 1..1 code = narrative-status
  div 1..1 xhtml

ParameterDefinition : Element
  name 0..1 code
  use 1..1 code = parameter-definition-use
  min 0..1 integer
  max 0..1 string
  documentation 0..1 string
  type 1..1 code = all-types
  profile 0..1 canonical

Period : Element
  start 0..1 dateTime
  end 0..1 dateTime

Quantity : Element
  value 0..1 decimal
  comparator 0..1 code = quantity-comparator
  unit 0..1 string
  system 0..1 uri
  code 0..1 code

Range : Element
  low 0..1 Quantity
  high 0..1 Quantity

Ratio : Element
  numerator 0..1 Quantity
  denominator 0..1 Quantity

Reference : Element
  reference 0..1 string
  type 0..1 uri
  identifier 0..1 Identifier
  display 0..1 string

RelatedArtifact : Element
  type 1..1 code = related-artifact-type
  label 0..1 string
  display 0..1 string
  citation 0..1 markdown
  url 0..1 url
  document 0..1 Attachment
  resource 0..1 canonical

SampledData : Element
  origin 1..1 Quantity
  period 1..1 decimal
  factor 0..1 decimal
  lowerLimit 0..1 decimal
  upperLimit 0..1 decimal
  dimensions 1..1 positiveInt
  data 0..1 string

Signature : Element
  type 1..* Coding
  when 1..1 instant
  who 1..1 Reference(Practitioner|PractitionerRole|RelatedPerson|Patient|Device|Organization)
  onBehalfOf 0..1 Reference(Practitioner|PractitionerRole|RelatedPerson|Patient|Device|Organization)
  targetFormat 0..1 code
  sigFormat 0..1 code
  data 0..1 base64Binary

Timing : BackboneElement
  event 0..* dateTime
  repeat 0..1 TimingRepeat
  code 0..1 CodeableConcept

TimingRepeat : Element
  bounds[x] 0..1 Duration | Range | Period
  count 0..1 positiveInt
  countMax 0..1 positiveInt
  duration 0..1 decimal
  durationMax 0..1 decimal
  durationUnit 0..1 code = units-of-time
  frequency 0..1 positiveInt
  frequencyMax 0..1 positiveInt
  period 0..1 decimal
  periodMax 0..1 decimal
  periodUnit 0..1 code = units-of-time
  dayOfWeek 0..* code = days-of-week
  timeOfDay 0..* time
  when 0..* code = timing-repeat-when
  offset 0..1 unsignedInt

TriggerDefinition : Element
  type 1..1 code = trigger-definition-type
  name 0..1 string
  timing[x] 0..1 Timing | Reference(Schedule) | date | dateTime
  data 0..* DataRequirement
  condition 0..1 Expression

UsageContext : Element
  code 1..1 Coding
  value[x] 1..1
    CodeableConcept | Quantity | Range |
    Reference(PlanDefinition|ResearchStudy|InsurancePlan|HealthcareService|Group|Location|Organization)
"""
