"""Rules, dashboards and the collector's configuration name what the code makes, and alert when they must."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chassis.metrics_page import family_name, word_of
from chassis.metrics_table import METRICS, MetricRow
from chassis.semconv import ALLOWED_ATTRIBUTES
from cli.stack import PROGRAMS
from journey.console.slo import OBJECTIVES
from prometheus_client.utils import floatToGoString
from promql import grouping_labels, selectors_of, variable_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "observability"
RULES = sorted((FOLDER / "prometheus" / "rules").glob("*.yml"))
RULE_TESTS = sorted((FOLDER / "prometheus" / "tests").glob("*.yml"))
DASHBOARDS = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
GUIDE = ROOT / "docs" / "observability.md"
TARGET = {"job", "instance"}  # what a scrape adds to every series
BUILT_IN = {
    "up": TARGET,
    "ALERTS": {"alertname", "alertstate", "severity"},
    "target_info": TARGET | {"service_name", "service_namespace", "service_instance_id"},
}
RESOURCE = {
    *("service.name", "service.namespace", "service.instance.id"),
    *("telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version"),
}
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")


def series_of(row: MetricRow) -> dict[str, set[str]]:
    """The series that a metric makes on the page, each with its labels."""
    labels, name = {word_of(label) for label in row.labels}, family_name(row)
    if row.kind == "counter":
        return {f"{name}_total": labels}
    if row.kind == "gauge":
        return {name: labels}
    return {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}


MADE = {name: labels | TARGET for row in METRICS for name, labels in series_of(row).items()}
BUCKETS = {f"{family_name(row)}_bucket": {floatToGoString(bound) for bound in row.buckets} for row in METRICS}  # type: ignore[no-untyped-call]


def rules_in(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


RECORDED = {rule["record"] for rule in rules_in(RULES) if "record" in rule}
ALERTS = [rule for rule in rules_in(RULES) if "alert" in rule]


def unknown_in(expression: str) -> list[str]:
    """What the expression names and nobody makes: metrics, labels of a metric, bounds of a histogram."""
    wrong = []
    for selector in selectors_of(expression):
        if selector.metric in RECORDED:
            continue
        labels = (MADE | BUILT_IN).get(selector.metric)
        if labels is None:
            wrong.append(selector.metric)
            continue
        wrong += [f"{selector.metric}{{{label}}}" for label, _ in selector.matchers if label not in labels]
        bounds = BUCKETS.get(selector.metric, set())
        wrong += [f"{selector.metric} le {le}" for label, le in selector.matchers if label == "le" and le not in bounds]
    every_label = {label for labels in (MADE | BUILT_IN).values() for label in labels} | {"rcm_slo"}
    return wrong + sorted(grouping_labels(expression) - every_label)


def panels_of(file: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(file.read_text())["panels"] if panel["type"] != "row"]


def anchors_of(guide: str) -> set[str]:
    """The anchors of a page's headings."""
    heads = re.findall(r"^#+ +(.+)$", guide, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


# Rules


@pytest.mark.parametrize("rule", list(rules_in(RULES)), ids=lambda rule: str(rule.get("alert") or rule.get("record")))
def test_a_rule_reads_only_what_the_code_makes(rule: dict[str, Any]) -> None:
    assert unknown_in(rule["expr"]) == []


@pytest.mark.parametrize(
    "expression",
    [
        "sum(rcm_stage_duration_bucket)",
        'rcm_unfinished_count{patient="x"}',
        'http_client_request_duration_seconds_bucket{le="19"}',
        "sum by (member_id) (up)",
        "rate(rcm_bus_handled[5m]) / (rcm_slo:objective:ratio > 0)",
    ],
)
def test_the_check_notices_a_name_that_nobody_makes(expression: str) -> None:
    assert unknown_in(expression) != []


def test_no_recording_rule_is_written_in_vain() -> None:
    read = {selector.metric for rule in rules_in(RULES) for selector in selectors_of(rule["expr"])}
    read |= {selector.metric for file in DASHBOARDS for text in expressions_of(file) for selector in selectors_of(text)}
    for_people = {"rcm_feed:encounter_to_payment_seconds:p50_1d", "rcm_feed:encounter_to_payment_seconds:p95_1d"}
    for_people |= {"rcm_stage:duration_seconds:p50_1d", "rcm_stage:duration_seconds:p95_1d"}
    assert RECORDED - read - for_people == set()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_how_grave_it_is_what_is_wrong_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert set(alert["annotations"]) == {"summary", "action", "runbook"}
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/observability.md"
    assert anchor == alert["alert"].lower()
    assert anchor in anchors_of(GUIDE.read_text())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_tells_labels_from_the_allow_list_only(alert: dict[str, Any]) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"])))
    assert told <= {word_of(label) for row in METRICS for label in row.labels} | TARGET
    assert not re.search(r"\$externalLabels|query|printf", str(alert["annotations"]))


def test_every_section_of_the_runbook_has_its_alert() -> None:
    sections = {anchor for anchor in anchors_of(GUIDE.read_text()) if anchor.startswith("rcm") and "-" not in anchor}
    assert sections == {alert["alert"].lower() for alert in ALERTS}


def test_what_burns_in_dollars_burns_in_dollars() -> None:
    money = [
        rule for rule in rules_in(RULES) if rule.get("record", "").startswith("rcm_slo:missed") and "labels" not in rule
    ]
    assert len(money) == 7
    assert all(
        {selector.metric for selector in selectors_of(rule["expr"])} == {"rcm_slo_cents_total"} for rule in money
    )


def test_the_alerts_the_guide_and_the_console_promise_the_same() -> None:
    in_rules = {
        rule["labels"]["rcm_slo"]: round(1000 * float(re.findall(r"vector\(([0-9.]+)\)", rule["expr"])[0]))
        for rule in rules_in(RULES)
        if rule.get("record") == "rcm_slo:objective:ratio"
    }
    on_pages = {one.name: one.target for one in OBJECTIVES if one.name != "filing"}  # of this every claim counts
    rows = re.findall(r"^\| ([a-z-]+) \| [^|]+ \| ([0-9]+) % \|", GUIDE.read_text(), re.MULTILINE)
    assert in_rules == on_pages == {name: 10 * int(share) for name, share in rows}


def test_every_objective_has_its_misses_and_none_has_two() -> None:
    objectives = [
        rule["labels"]["rcm_slo"] for rule in rules_in(RULES) if rule.get("record") == "rcm_slo:objective:ratio"
    ]
    assert len(objectives) == len(set(objectives)) == 8
    by_count = {
        rule["labels"]["rcm_slo"]
        for rule in rules_in(RULES)
        if "missed" in str(rule.get("record")) and "labels" in rule
    }
    assert by_count == {"eligibility-answer", "prior-authorization"} < set(objectives)


@promtool
@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_promtool_takes_the_rules(file: Path) -> None:
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout


@promtool
@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda file: file.name)
def test_alerts_fire_when_they_must_and_are_silent_when_they_must_not(file: Path) -> None:
    command = ["promtool", "test", "rules", file.name]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout


@promtool
def test_promtool_takes_the_scrape_configuration() -> None:
    command = ["promtool", "check", "config", str(FOLDER / "prometheus" / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout


def test_every_alert_that_pages_is_tried_out() -> None:
    tried = {case["alertname"] for file in RULE_TESTS for test in yaml.safe_load(file.read_text())["tests"]
             for case in test.get("alert_rule_test", []) if case["exp_alerts"]}  # fmt: skip
    assert {alert["alert"] for alert in ALERTS if alert["labels"]["severity"] == "page"} - tried == set()


def test_every_service_is_scraped_under_its_name() -> None:
    config = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yml").read_text())
    assert {job["job_name"] for job in config["scrape_configs"]} == {program.name for program in PROGRAMS}
    down = next(alert["expr"] for alert in ALERTS if alert["alert"] == "RcmServiceDown")
    watched = set(re.findall(r'job=~"([^"]+)"', down)[0].split("|"))
    assert watched == {program.name for program in PROGRAMS} - {"simulator"}


# Dashboards


def expressions_of(file: Path) -> list[str]:
    board = json.loads(file.read_text())
    notes = [note["expr"] for note in board["annotations"]["list"]]
    return notes + [target["expr"] for panel in panels_of(file) for target in panel["targets"]]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_reads_only_what_the_code_makes(file: Path) -> None:
    assert {text: wrong for text in expressions_of(file) if (wrong := unknown_in(text))} == {}


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_knows_one_datasource_and_its_own_variables(file: Path) -> None:
    text = file.read_text()
    board = json.loads(text)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__field", "__all"}
    assert used <= variables
    assert set(re.findall(r'"uid": "(\$[^"]+)"', text)) == {"${metrics}"}
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = variable_of(variable["query"]["query"])
            assert label in (MADE | BUILT_IN)[metric]


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_no_panel_lies_on_another(file: Path) -> None:
    board = json.loads(file.read_text())
    taken: dict[tuple[int, int], str] = {}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in ((x + place["x"], y + place["y"]) for x in range(place["w"]) for y in range(place["h"])):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


def test_a_number_on_the_stages_leads_to_a_journey() -> None:
    stages = next(file for file in DASHBOARDS if file.stem == "stage-lags")
    with_dots = [panel for panel in panels_of(stages) if any(target.get("exemplar") for target in panel["targets"])]
    assert len(with_dots) >= 4
    sources = yaml.safe_load((FOLDER / "grafana" / "provisioning" / "datasources.yml").read_text())["datasources"]
    metrics = next(source for source in sources if source["type"] == "prometheus")
    to = metrics["jsonData"]["exemplarTraceIdDestinations"]
    assert [one["name"] for one in to] == ["trace_id"]
    assert to[0]["datasourceUid"] in {source["uid"] for source in sources if source["type"] == "tempo"}


def test_the_four_dashboards_are_there_once_each() -> None:
    assert [file.stem for file in DASHBOARDS] == ["line-overview", "messaging-health", "payer-scorecard", "stage-lags"]
    assert len({json.loads(file.read_text())["uid"] for file in DASHBOARDS}) == 4


# The collector


@pytest.fixture(scope="module")
def collector() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "collector" / "collector.yml").read_text())
    return loaded


def test_the_collector_lets_through_what_the_sdk_lets_out_and_nothing_else(collector: dict[str, Any]) -> None:
    spans, metrics = (collector["processors"][name] for name in ("redaction/spans", "redaction/metrics"))
    assert sorted(spans["allowed_keys"]) == sorted(ALLOWED_ATTRIBUTES | RESOURCE)
    assert sorted(metrics["allowed_keys"]) == sorted({label for row in METRICS for label in row.labels} | RESOURCE)
    for processor in (spans, metrics):
        assert processor["allow_all_keys"] is False
        assert processor["summary"] == "silent"


def test_nothing_passes_by_the_collectors_lists(collector: dict[str, Any]) -> None:
    pipelines = collector["service"]["pipelines"]
    assert set(pipelines) == {"traces", "metrics"}
    for signal, needed in (("traces", ["redaction/spans", "transform/texts"]), ("metrics", ["redaction/metrics"])):
        processors = pipelines[signal]["processors"]
        assert [name for name in processors if name in needed] == needed
        for kind, names in (
            ("processors", processors),
            *((kind, pipelines[signal][kind]) for kind in ("receivers", "exporters")),
        ):
            assert set(names) <= set(collector[kind])
    used = {name for pipeline in pipelines.values() for name in pipeline["processors"]}
    assert used == set(collector["processors"])


def test_the_collector_keeps_every_metric_of_the_table(collector: dict[str, Any]) -> None:
    patterns = collector["processors"]["filter/metrics"]["metrics"]["include"]["metric_names"]
    kept = {row.name for row in METRICS if any(re.search(pattern, row.name) for pattern in patterns)}
    assert kept == {row.name for row in METRICS}
    assert not any(re.search(pattern, "patient.name") for pattern in patterns)
