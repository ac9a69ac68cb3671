"""R4's search parameters as rows.

A block opens with a resource type; each row is a parameter: name, kind, then its element paths, then `>` and the target
types when the parameter allows fewer than its element does. Without a path the name itself is the path (`care-team` is
careTeam). A choice element goes by its stem. `telecom:email` are the telecoms of that system,
`extension:us-core-race` the extensions whose address ends so, `deceased:exists` is whether there is one and it is not
false. `@address` and `@telecom` stand for the parameters that every address and telecom has. `identifier`, `status`,
`encounter`, `subject` and `patient` are left out where they are just the element of that name, or the subject that is a
patient.

Composite, phonetic and positional parameters are left out, and those into the entries of a Bundle. A parameter on a
canonical address is of kind uri: R4 calls it a reference, yet its value is an address.

https://hl7.org/fhir/R4/searchparameter-registry.html, https://hl7.org/fhir/us/core/
"""
