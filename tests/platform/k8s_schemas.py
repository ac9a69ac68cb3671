"""Schemas of the custom resources that we use: only the fields that we use, and no others.

Kinds of Kubernetes itself are checked by kubernetes-validate against the published schemas. What is here was written
from the API references of cert-manager 1.18, KEDA 2.17, External Secrets 0.17, CloudNativePG 1.26 and its Barman Cloud
plugin 0.5, Prometheus operator 0.84 and Gateway API 1.3.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import kubernetes_validate
from k8s_render import Manifest, name_of

Schema = dict[str, Any]
KUBERNETES = "1.33"  # the oldest that we say we run on; matchLabelKeys are older

TEXT: Schema = {"type": "string", "minLength": 1}
NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h|d))+$"}
SIZE: Schema = {"type": "string", "pattern": r"^[0-9]+(Mi|Gi|Ti)$"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def object_of(required: str = "", /, **fields: Schema) -> Schema:
    """Exactly these fields; `required` names those that must be there."""
    return {"type": "object", "properties": fields, "required": required.split(), "additionalProperties": False}


def list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


METADATA = object_of("name namespace", name=NAME, namespace=NAME, labels=TEXTS, annotations=TEXTS)
REFERENCE = object_of("name", name=NAME, kind=TEXT)
KEY = object_of("name key", name=NAME, key=TEXT)
SELECTOR = object_of("matchLabels", matchLabels=TEXTS)
RESOURCES = object_of(
    "requests limits", requests=object_of(cpu=TEXT, memory=SIZE), limits=object_of(cpu=TEXT, memory=SIZE)
)

CERTIFICATE = object_of(
    "secretName issuerRef",
    secretName=NAME,
    issuerRef=REFERENCE,
    isCA=YES_NO,
    commonName=TEXT,
    dnsNames=list_of({"type": "string", "pattern": r"^(\*\.)?[a-z0-9.-]+$"}),
    duration={"type": "string", "pattern": r"^[0-9]+h$"},
    renewBefore={"type": "string", "pattern": r"^[0-9]+h$"},
    privateKey=object_of(
        algorithm=one_of("RSA", "ECDSA", "Ed25519"), size=WHOLE, rotationPolicy=one_of("Never", "Always")
    ),
    usages=list_of(one_of("digital signature", "key encipherment", "server auth", "client auth")),
)
ISSUER: Schema = {
    "oneOf": [
        object_of("selfSigned", selfSigned=object_of()),
        object_of("ca", ca=object_of("secretName", secretName=NAME)),
    ]
}

EXTERNAL_SECRET = object_of(
    "refreshInterval secretStoreRef dataFrom",
    refreshInterval=DURATION,
    secretStoreRef=object_of("name kind", name=NAME, kind=one_of("SecretStore", "ClusterSecretStore")),
    dataFrom=list_of(object_of("extract", extract=object_of("key", key=TEXT))),
    target=object_of("template", template=object_of("data", data=TEXTS)),
)

LAG = object_of(
    "natsServerMonitoringEndpoint account stream consumer lagThreshold",
    natsServerMonitoringEndpoint={"type": "string", "pattern": r"^[a-z0-9.-]+:[0-9]+$"},
    account=TEXT,
    stream=TEXT,
    consumer=TEXT,
    lagThreshold={"type": "string", "pattern": "^[0-9]+$"},
    activationLagThreshold={"type": "string", "pattern": "^[0-9]+$"},
)
SCALED_OBJECT = object_of(
    "scaleTargetRef triggers minReplicaCount maxReplicaCount",
    scaleTargetRef=object_of("name", name=NAME),
    minReplicaCount=WHOLE,
    maxReplicaCount=WHOLE,
    pollingInterval=WHOLE,
    cooldownPeriod=WHOLE,
    fallback=object_of("failureThreshold replicas", failureThreshold=WHOLE, replicas=WHOLE),
    advanced=object_of(
        horizontalPodAutoscalerConfig=object_of(
            behavior=object_of(scaleDown=object_of(stabilizationWindowSeconds=WHOLE)),
        )
    ),
    triggers=list_of(object_of("type metadata", type=one_of("nats-jetstream"), metadata=LAG)),
)

SERVICE_MONITOR = object_of(
    "selector endpoints",
    selector=SELECTOR,
    jobLabel=TEXT,
    endpoints=list_of(object_of("port", port=TEXT, interval=DURATION, scrapeTimeout=DURATION)),
)
POD_MONITOR = object_of(
    "selector podMetricsEndpoints", selector=SELECTOR, podMetricsEndpoints=list_of(object_of("port", port=TEXT))
)
RULE: Schema = {
    "oneOf": [
        object_of("record expr", record={"type": "string", "pattern": r"^[a-zA-Z_:][\w:]*$"}, expr=TEXT, labels=TEXTS),
        object_of(
            "alert expr",
            **{"for": DURATION},
            alert={"type": "string", "pattern": r"^\w+$"},
            expr=TEXT,
            keep_firing_for=DURATION,
            labels=TEXTS,
            annotations=TEXTS,
        ),
    ]
}
PROMETHEUS_RULE = object_of(
    "groups", groups=list_of(object_of("name rules", name=TEXT, interval=DURATION, rules=list_of(RULE)))
)

HTTP_ROUTE = object_of(
    "parentRefs hostnames rules",
    parentRefs=list_of(object_of("name", name=NAME, namespace=NAME, sectionName=NAME)),
    hostnames=list_of({"type": "string", "pattern": r"^[a-z0-9.-]+\.[a-z]+$"}),
    rules=list_of(
        object_of(
            "matches backendRefs",
            matches=list_of(
                object_of(
                    "path", path=object_of("type value", type=one_of("Exact", "PathPrefix"), value={"pattern": "^/"})
                )
            ),
            backendRefs=list_of(object_of("name port", name=NAME, port=WHOLE)),
            timeouts=object_of(request=DURATION),
        )
    ),
)

BARMAN = one_of("barman-cloud.cloudnative-pg.io")
POSTGRES_CLUSTER = object_of(
    "instances imageName bootstrap postgresql storage resources plugins",
    instances={"type": "integer", "minimum": 3},
    imageName=TEXT,
    primaryUpdateStrategy=one_of("unsupervised", "supervised"),
    primaryUpdateMethod=one_of("restart", "switchover"),
    bootstrap=object_of("initdb", initdb=object_of("database owner", database=NAME, owner=NAME, dataChecksums=YES_NO)),
    managed=object_of(
        roles=list_of(object_of("name", name=NAME, ensure=one_of("present", "absent"), login=YES_NO, createrole=YES_NO))
    ),
    postgresql=object_of(
        "synchronous",
        synchronous=object_of(
            "method number", method=one_of("any", "first"), number=WHOLE, dataDurability=one_of("required", "preferred")
        ),
        parameters=TEXTS,
    ),
    storage=object_of("size", size=SIZE),
    walStorage=object_of("size", size=SIZE),
    resources=RESOURCES,
    affinity=object_of(
        enablePodAntiAffinity=YES_NO, podAntiAffinityType=one_of("preferred", "required"), topologyKey=TEXT
    ),
    plugins=list_of(object_of("name", name=BARMAN, isWALArchiver=YES_NO, parameters=object_of(barmanObjectName=NAME))),
)
PACKING = object_of(compression=one_of("gzip", "bzip2", "snappy"), encryption=one_of("AES256", "aws:kms"))
OBJECT_STORE = object_of(
    "configuration",
    retentionPolicy={"type": "string", "pattern": "^[1-9][0-9]*[dwm]$"},
    configuration=object_of(
        "destinationPath s3Credentials",
        destinationPath={"type": "string", "pattern": "^s3://"},
        s3Credentials=object_of(accessKeyId=KEY, secretAccessKey=KEY),
        wal=PACKING,
        data=PACKING,
    ),
)
SCHEDULED_BACKUP = object_of(
    "schedule cluster method",
    schedule={"type": "string", "pattern": r"^(\S+ ){5}\S+$"},
    immediate=YES_NO,
    backupOwnerReference=one_of("none", "self", "cluster"),
    cluster=object_of("name", name=NAME),
    method=one_of("plugin"),
    pluginConfiguration=object_of("name", name=BARMAN),
)

SCHEMAS: dict[tuple[str, str], Schema] = {
    ("cert-manager.io/v1", "Certificate"): CERTIFICATE,
    ("cert-manager.io/v1", "Issuer"): ISSUER,
    ("external-secrets.io/v1", "ExternalSecret"): EXTERNAL_SECRET,
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
    ("monitoring.coreos.com/v1", "ServiceMonitor"): SERVICE_MONITOR,
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): HTTP_ROUTE,
    ("postgresql.cnpg.io/v1", "Cluster"): POSTGRES_CLUSTER,
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): SCHEDULED_BACKUP,
    ("barmancloud.cnpg.io/v1", "ObjectStore"): OBJECT_STORE,
}


def schema_error(manifest: Manifest) -> str:
    """What is wrong with a manifest by the schema of its kind; "" when nothing is."""
    own = SCHEMAS.get((manifest["apiVersion"], manifest["kind"]))
    try:
        if own is None:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        else:
            whole = object_of("apiVersion kind metadata spec", apiVersion=TEXT, kind=TEXT, metadata=METADATA, spec=own)
            jsonschema.Draft202012Validator(whole).validate(manifest)
    except (kubernetes_validate.ValidationError, jsonschema.ValidationError) as error:
        return f"{name_of(manifest)}: {getattr(error, 'message', error)}"
    except kubernetes_validate.SchemaNotFoundError:
        return f"{name_of(manifest)}: no schema of {manifest['apiVersion']} is known"
    return ""
