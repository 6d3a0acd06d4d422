"""Counts and times: complete, consistent, and cheap to read at any moment."""

import threading

from runner.service.engine.statistics import Duration, Ledger, Run, Statistics

THREADS, TIMES = 4, 500


def test_ledger_adds_up_over_threads() -> None:
    """What several threads write is all there, and every reading is consistent."""
    ledger = Ledger("scale", "1")
    readings = []

    def write() -> None:
        for _ in range(TIMES):
            ledger.record_run(Run(3, 1, 2, 4))
            ledger.record_successes(2, 20, 6, Run(3, 1, 2, 4))
            ledger.record_failure("REJECTED", 5)
            readings.append(ledger.read())

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in (*readings, ledger.read()):
        assert found.inference_count == 3 * found.execution_count
        assert found.success.ns == 10 * found.success.count
        assert sum(found.failures.values()) == found.fail.count
    count = THREADS * TIMES
    assert found.success == Duration(2 * count, 20 * count)
    assert found.queue == Duration(2 * count, 6 * count)
    assert found.compute_input == Duration(2 * count, 2 * count)
    assert found.compute_infer == Duration(2 * count, 4 * count)
    assert found.compute_output == Duration(2 * count, 8 * count)
    assert found.fail == Duration(count, 5 * count)
    (batch,) = found.batches
    assert (batch.batch_size, batch.compute_infer) == (3, Duration(count, 2 * count))


def test_statistics_are_sorted_and_found_by_name() -> None:
    """All models come by name; a model that is not loaded has none."""
    ledgers = [Ledger("table", "1"), Ledger("mean", "4")]
    statistics = Statistics(lambda: ledgers)
    assert [(found.name, found.version) for found in statistics.read()] == [
        ("mean", "4"),
        ("table", "1"),
    ]
    assert [found.version for found in statistics.read("mean")] == ["4"]
    assert statistics.read("scale") == ()
