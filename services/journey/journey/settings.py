"""Settings of the journey service."""

from pydantic import Field

from journey.console.settings import ConsoleSettings


class Settings(ConsoleSettings):
    """The ledger's own settings; those of its web console lie beside the console."""

    linger_ms: int = Field(100, ge=0, description="How long facts gather before they are recorded, in milliseconds.")
    fold_every_ms: int = Field(500, ge=10, description="How often heard facts are added up, in milliseconds.")
    fold_batch: int = Field(500, ge=1, description="How many journeys are added up in one transaction at the most.")
    settle_ms: int = Field(
        500, ge=0, description="How long a journey is told nothing before its spans are sent, in milliseconds."
    )
    gauges_every_s: float = Field(15.0, ge=0.1, description="How often what is unfinished is counted, in seconds.")
    kpi_every_s: float = Field(30.0, ge=0.1, description="How often the key figures are computed again, in seconds.")
    kpi_check_every_s: float = Field(
        900.0, ge=1, description="How often the second computation of the key figures is compared with the first."
    )
    metrics_urls: dict[str, str] = Field(
        default_factory=dict,
        description='Where the services show their metrics, for the health page, as JSON: {"coding": "http://coding:9464"}',
    )
