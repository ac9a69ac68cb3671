"""The health desk: what each service says, what its metrics show, and what is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from chassis.http import HttpServer
from console_under_test import NOW, facts_of, signed_in, tell
from fastapi import FastAPI, Response
from journey.console.desks.vitals import Flow, flow_of
from owners_under_test import JOURNEY, FakeOwners

METRICS = """# HELP rcm_bus_consumer_lag facts to hear
# TYPE rcm_bus_consumer_lag gauge
rcm_bus_consumer_lag{rcm_event_type="claim.built"} 3.0
rcm_bus_consumer_lag{rcm_event_type="claim.denied"} 4.0
# TYPE rcm_bus_dead_letters_total counter
rcm_bus_dead_letters_total{rcm_event_type="claim.built"} 2.0
# TYPE rcm_bus_outbox_pending gauge
rcm_bus_outbox_pending 5.0
# TYPE rcm_bus_outbox_age_seconds gauge
rcm_bus_outbox_age_seconds 90.5
# TYPE target_info gauge
target_info{service_name="coding",service_version="0.1.0"} 1.0
"""


def test_metrics_are_added_up_and_what_is_not_there_is_not_known() -> None:
    assert flow_of(METRICS) == Flow(lag=7, dead_letters=2, outbox=5, oldest_s=90.5, version="0.1.0")
    assert flow_of("") == Flow()


@pytest.mark.parametrize("text", ["<html>no metrics</html>", "rcm_bus_consumer_lag{ 3"])
def test_what_is_no_page_of_metrics_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        flow_of(text)


@asynccontextmanager
async def metrics_page(text: str) -> AsyncIterator[str]:
    """A service's metrics door that says this."""
    app = FastAPI()
    app.add_api_route("/metrics", lambda: Response(text, media_type="text/plain"), methods=["GET"])
    server = HttpServer(app)
    port = await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}/metrics"
    await server.stop()


async def test_health_lags_and_what_is_away(platform: Any, tenant: str, owners: FakeOwners) -> None:
    owners.away.add("remittance")
    async with metrics_page(METRICS) as here, metrics_page("<no metrics>") as odd:
        urls = {"coding": here, "charge-capture": odd, "journey": "http://127.0.0.1:9/metrics"}
        how = {"channels": owners.channel, "metrics_urls": urls}
        async with signed_in(platform, tenant, "viewer", **how) as browser:
            begin = NOW - timedelta(days=2)
            rows = [("encounter.finished", "", 0, {"encounter": "Encounter/1"})]
            await tell(browser.console, facts_of(JOURNEY, begin, rows))
            page = await browser.get("/health")
    assert page.status_code == 200
    rows_of = {part.partition("<br>")[0]: part for part in page.text.split('<tr><th scope="row">')[1:]}
    assert "serving" in rows_of["coding"] and "1 min 30 s" in rows_of["coding"] and ">7<" in rows_of["coding"]
    assert "0.1.0" in rows_of["coding"]
    assert "away" in rows_of["remittance"] and "is not configured" in rows_of["remittance"]
    assert "metrics do not answer" in rows_of["charge-capture"] and "metrics do not answer" in rows_of["journey"]
    assert "<b>" in page.text and "remittance" in page.text and "All services serve" not in page.text
    assert "stage=coding" in page.text and "2 d" in page.text


async def test_a_service_without_an_address_is_not_configured(platform: Any, tenant: str) -> None:
    async with signed_in(platform, tenant, "viewer") as browser:
        page = await browser.get("/health")
        assert page.status_code == 200 and page.text.count("not configured") >= 7
