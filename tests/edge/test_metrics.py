"""What is counted, and how it is shown."""

from __future__ import annotations

import re

from ncipd import __version__
from ncipd.metrics import MEASURES, MOST_SERIES, Metrics


def shown(metrics):
    return metrics.render().decode().splitlines()


def test_messages_are_counted_by_service_and_verdict_and_timed_by_service():
    metrics = Metrics()
    metrics.message("CheckOutItem", "ok", 0.003)
    metrics.message("CheckOutItem", "ok", 0.3)
    metrics.message("CheckOutItem", "Unknown Item", 0.001)
    lines = shown(metrics)
    assert 'ncipd_messages_total{service="CheckOutItem",verdict="ok"} 2.0' in lines
    assert 'ncipd_messages_total{service="CheckOutItem",verdict="Unknown Item"} 1.0' in lines
    assert 'ncipd_message_seconds_bucket{le="0.005",service="CheckOutItem"} 2.0' in lines
    assert 'ncipd_message_seconds_count{service="CheckOutItem"} 3.0' in lines


def test_repairs_resends_deliveries_and_refusals_are_counted():
    metrics = Metrics()
    metrics.repaired("no-namespace")
    metrics.resent("AcceptItem")
    metrics.sent("RenewItem", "answered")
    metrics.refused(413)
    lines = shown(metrics)
    assert 'ncipd_repairs_total{repair="no-namespace"} 1.0' in lines
    assert 'ncipd_resends_total{service="AcceptItem"} 1.0' in lines
    assert 'ncipd_sent_total{outcome="answered",service="RenewItem"} 1.0' in lines
    assert 'ncipd_http_refused_total{status="413"} 1.0' in lines


def test_a_commit_is_timed_and_its_batch_measured():
    metrics = Metrics()
    metrics.committed(0.002, 3)
    lines = shown(metrics)
    assert "ncipd_commit_seconds_sum 0.002" in lines
    assert 'ncipd_batch_messages_bucket{le="2.0"} 0.0' in lines
    assert 'ncipd_batch_messages_bucket{le="4.0"} 1.0' in lines


def test_the_outbox_is_asked_when_somebody_looks():
    metrics, depths = Metrics(), {"waiting": 2}
    metrics.watch_outbox(lambda: depths)
    assert 'ncipd_outbox_messages{state="waiting"} 2.0' in shown(metrics)
    depths["waiting"] = 1
    assert 'ncipd_outbox_messages{state="waiting"} 1.0' in shown(metrics)


def test_the_version_and_the_process_are_shown():
    lines = shown(Metrics())
    assert f'ncipd_build_info{{version="{__version__}"}} 1.0' in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


def test_every_measure_of_the_list_is_shown_and_nothing_else_of_ours():
    listed = {measure.name for measure in MEASURES}
    families = re.findall(r"^# HELP (ncipd_\w+) ", Metrics().render().decode(), re.MULTILINE)
    assert set(families) == listed
    assert len(families) == len(listed)


def test_strange_labels_do_not_fill_memory():
    """Beyond a thousand series the rest is counted together."""
    metrics = Metrics()
    for number in range(MOST_SERIES + 5):
        metrics.repaired(f"r{number}")
    assert 'ncipd_repairs_total{repair="other"} 5.0' in shown(metrics)


def test_two_ncipds_in_one_process_count_apart():
    one, two = Metrics(), Metrics()
    one.repaired("x")
    assert 'ncipd_repairs_total{repair="x"} 1.0' not in shown(two)
