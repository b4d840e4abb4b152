"""What is counted for Prometheus, over one registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.deliveries = Counter(
            "shipmate_webhooks", "Webhook deliveries by answer", ["answer"], registry=self._registry
        )
        self.settled = Counter("shipmate_deliveries", "Deliveries settled", ["acted"], registry=self._registry)
        self.jobs = Counter(
            "shipmate_jobs", "Jobs by the state they reached", ["kind", "state"], registry=self._registry
        )
        self.running = Gauge("shipmate_jobs_running", "Jobs under way in this process", registry=self._registry)
        self.seconds = Histogram(
            "shipmate_job_seconds",
            "From being asked for to the end",
            ["kind"],
            buckets=(1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1800),
            registry=self._registry,
        )

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
