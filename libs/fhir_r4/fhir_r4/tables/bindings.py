"""The value sets of required bindings: which codes an element may hold at all.

A row is a value set and its codes; an indented row continues the one above; "@name" stands for the codes of another.
`CONCEPTS` are the required value sets of CodeableConcepts, with the code system that their codes belong to. Media types
(BCP 13) are required too, but theirs is an open registry that R4's own examples do not keep to ("json"): they are
checked as codes only.

Facts of FHIR R4 (4.0.1), https://hl7.org/fhir/R4/terminologies-valuesets.html, and of ISO 4217 for currencies.
"""

CODES = """
account-status: active inactive entered-in-error on-hold unknown
address-type: postal physical both
address-use: home work temp old billing
administrative-gender: male female other unknown
adverse-event-actuality: actual potential
all-types:
  @resource-types Address Age Annotation Any Attachment BackboneElement CodeableConcept Coding ContactDetail
  ContactPoint Contributor Count DataRequirement Distance Dosage Duration Element ElementDefinition Expression
  Extension HumanName Identifier MarketingStatus Meta Money MoneyQuantity Narrative ParameterDefinition Period
  Population ProdCharacteristic ProductShelfLife Quantity Range Ratio Reference RelatedArtifact SampledData Signature
  SimpleQuantity SubstanceAmount Timing TriggerDefinition Type UsageContext base64Binary boolean canonical code date
  dateTime decimal id instant integer markdown oid positiveInt string time unsignedInt uri url uuid xhtml
allergy-intolerance-category: food medication environment biologic
allergy-intolerance-criticality: low high unable-to-assess
allergy-intolerance-reaction-severity: mild moderate severe
allergy-intolerance-type: allergy intolerance
appointment-participant-required: required optional information-only
appointment-status: proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist
audit-event-action: C R U D E
audit-event-agent-network-type: 1 2 3 4 5
audit-event-outcome: 0 4 8 12
bundle-type: document message transaction transaction-response batch batch-response history searchset collection
capability-statement-document-mode: producer consumer
capability-statement-kind: instance capability requirements
capability-statement-messaging-supported-message-mode: sender receiver
capability-statement-rest-interaction-code: transaction batch search-system history-system
capability-statement-rest-mode: client server
capability-statement-rest-resource-conditional-delete: not-supported single multiple
capability-statement-rest-resource-conditional-read: not-supported modified-since not-match full-support
capability-statement-rest-resource-interaction-code:
  read vread update patch delete history-instance history-type create search-type
capability-statement-rest-resource-reference-policy: literal logical resolves enforced local
capability-statement-rest-resource-search-param-type:
  number date string token reference composite quantity uri special
capability-statement-rest-resource-versioning: no-version versioned versioned-update
care-plan-activity-detail-kind:
  Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder Task ServiceRequest
  VisionPrescription
care-plan-activity-detail-status:
  not-started scheduled in-progress on-hold completed cancelled stopped unknown entered-in-error
care-plan-intent: proposal plan order option
care-team-status: proposed active suspended inactive entered-in-error
charge-item-status: planned billable not-billable aborted billed entered-in-error unknown
claim-use: claim preauthorization predetermination
clinical-impression-status: in-progress completed entered-in-error
composition-attester-mode: personal professional legal official
composition-confidentiality: U L M N R V
composition-status: preliminary final amended entered-in-error
consent-provision-data-meaning: instance related dependents authoredby
consent-provision-type: deny permit
consent-status: draft proposed active rejected inactive entered-in-error
contact-point-system: phone fax email pager url sms other
contact-point-use: home work temp old mobile
contributor-type: author editor reviewer endorser
currencies:
  AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
  CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GGP GHS GIP
  GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
  KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD
  OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SVC SYP SZL
  THB TJS TMT TND TOP TRY TTD TVD TWD TZS UAH UGX USD USN UYI UYU UZS VEF VND VUV WST XAF XAG XAU XBA XBB XBC XBD
  XCD XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWL
data-requirement-sort-direction: ascending descending
days-of-week: mon tue wed thu fri sat sun
detected-issue-severity: high moderate low
device-device-name-type: udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other
device-status: active inactive entered-in-error unknown
device-udi-carrier-entry-type: barcode rfid manual card self-reported unknown
device-use-statement-status: active completed entered-in-error intended stopped on-hold
diagnostic-report-status:
  registered partial preliminary final amended corrected appended cancelled entered-in-error unknown
document-reference-status: current superseded entered-in-error
document-relationship-type: replaces transforms signs appends
eligibility-purpose: auth-requirements benefits discovery validation
encounter-location-status: planned active reserved completed
encounter-status: planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown
endpoint-status: active suspended error off entered-in-error test
episode-of-care-status: planned waitlist active onhold finished cancelled entered-in-error
event-status: preparation in-progress not-done on-hold stopped completed entered-in-error unknown
family-member-history-status: partial completed entered-in-error health-unknown
fhir-version:
  0.01 0.05 0.06 0.11 0.0.80 0.0.81 0.0.82 0.4.0 0.5.0 1.0.0 1.0.1 1.0.2 1.1.0 1.4.0 1.6.0 1.8.0 3.0.0 3.0.1 3.3.0
  3.5.0 4.0.0 4.0.1
fm-status: active cancelled draft entered-in-error
goal-lifecycle-status: proposed planned accepted active on-hold completed cancelled entered-in-error rejected
group-type: person animal practitioner device medication substance
guidance-response-status: success data-requested data-required in-progress failure entered-in-error
http-verb: GET HEAD POST PUT DELETE PATCH
human-name-use: usual official temp nickname anonymous old maiden
identifier-use: usual official temp secondary old
imaging-study-status: registered available cancelled entered-in-error unknown
immunization-status: completed entered-in-error not-done
invoice-status: draft issued balanced cancelled entered-in-error
issue-severity: fatal error warning information
issue-type:
  invalid structure required value invariant security login unknown expired forbidden suppressed processing
  not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly
  business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational
list-mode: working snapshot changes
list-status: current retired entered-in-error
location-mode: instance kind
location-status: active suspended inactive
medication-administration-status: in-progress not-done on-hold completed entered-in-error stopped unknown
medication-dispense-status:
  preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown
medication-request-intent: proposal plan order original-order reflex-order filler-order instance-order option
medication-request-status: active on-hold cancelled completed entered-in-error stopped draft unknown
medication-statement-status: active completed entered-in-error intended stopped on-hold unknown not-taken
medication-status: active inactive entered-in-error
message-header-response-code: ok transient-error fatal-error
narrative-status: generated extensions additional empty
note-type: display print printoper
observation-status: registered preliminary final amended corrected cancelled entered-in-error unknown
parameter-definition-use: in out
participation-status: accepted declined tentative needs-action
patient-link-type: replaced-by replaces refer seealso
person-link-assurance: level1 level2 level3 level4
price-component-type: base surcharge deduction discount tax informational
provenance-entity-role: derivation revision quotation source removal
publication-status: draft active retired unknown
quantity-comparator: < <= >= >
questionnaire-item-enable-behavior: all any
questionnaire-item-enable-when-operator: exists = != > < >= <=
questionnaire-item-type:
  group display question boolean decimal integer date dateTime time string text url choice open-choice attachment
  reference quantity
questionnaire-response-status: in-progress completed amended entered-in-error stopped
related-artifact-type: documentation justification citation predecessor successor derived-from depends-on composed-of
remittance-outcome: queued complete error partial
request-group-action-cardinality-behavior: single multiple
request-group-action-condition-kind: applicability start stop
request-group-action-grouping-behavior: visual-group logical-group sentence-group
request-group-action-precheck-behavior: yes no
request-group-action-related-action-relationship:
  before-start before before-end concurrent-with-start concurrent concurrent-with-end after-start after after-end
request-group-action-required-behavior: must could must-unless-documented
request-group-action-selection-behavior: any all all-or-none exactly-one at-most-one one-or-more
request-intent: proposal plan directive order original-order reflex-order filler-order instance-order option
request-priority: routine urgent asap stat
request-status: draft active on-hold revoked completed entered-in-error unknown
resource-types:
  Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic Binary
  BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
  ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
  CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest
  CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement
  DiagnosticReport DocumentManifest DocumentReference DomainResource EffectEvidenceSynthesis Encounter Endpoint
  EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario
  ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService
  ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan
  Invoice Library Linkage List Location Measure MeasureReport Media Medication MedicationAdministration
  MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
  MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
  MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
  MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
  Observation ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation
  Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure
  Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
  ResearchElementDefinition ResearchStudy ResearchSubject Resource RiskAssessment RiskEvidenceSynthesis Schedule
  SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap Subscription
  Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation
  SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport
  TestScript ValueSet VerificationResult VisionPrescription
search-entry-mode: match include outcome
slot-status: busy free busy-unavailable busy-tentative entered-in-error
specimen-status: available unavailable unsatisfactory entered-in-error
subscription-channel-type: rest-hook websocket email sms message
subscription-status: requested active error off
supply-delivery-status: in-progress completed abandoned entered-in-error
supply-request-status: draft active suspended cancelled completed entered-in-error unknown
task-intent: unknown proposal plan order original-order reflex-order filler-order instance-order option
task-status:
  draft requested received accepted rejected ready cancelled in-progress on-hold failed completed entered-in-error
timing-repeat-when:
  MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM CD CV AC ACM
  ACD ACV PC PCM PCD PCV
trigger-definition-type:
  named-event periodic data-changed data-added data-modified data-removed data-accessed data-access-ended
units-of-time: s min h d wk mo a
vision-prescription-lens-specification-eye: right left
vision-prescription-lens-specification-prism-base: up down in out
"""

CONCEPTS = """
condition-clinical http://terminology.hl7.org/CodeSystem/condition-clinical
  active recurrence relapse inactive remission resolved
condition-ver-status http://terminology.hl7.org/CodeSystem/condition-ver-status
  unconfirmed provisional differential confirmed refuted entered-in-error
allergyintolerance-clinical http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical
  active inactive resolved
allergyintolerance-verification http://terminology.hl7.org/CodeSystem/allergyintolerance-verification
  unconfirmed confirmed refuted entered-in-error
"""
