"""The measurements of `service.py`: closed loop, open loop, overload, health checks."""

import statistics
import sys
from collections.abc import Callable, Iterable
from typing import Any

from service_servers import (
    NETWORKS,
    Bench,
    Contender,
    PeerSettings,
    Server,
    start_server,
    write_probe,
    write_request,
)

MAX_BATCH = 64
CLIENTS = (1, 8, 32, 64)
RATES = {"lenet5": (250, 500, 1000), "style": (5, 10, 20)}  # requests a second
PEAK_CLIENTS = 16
TRIAL_CLIENTS = 32
OVERLOAD = 3
GENTLE_RATE = 50  # of LeNet-5 beside the overload
PROBE_RATE = 50
MEASURES = ("per_second", "p50", "p95", "p99", "cpu_ms")
Finding = dict[str, Any]
Peering = dict[str, PeerSettings]
Load = Callable[[Server, Contender], Finding]


def list_contenders(network: str, peering: Peering) -> list[Contender]:
    """Return both servers, with batching and without."""
    peer = peering[network]
    return [
        Contender("impasto", network, MAX_BATCH),
        Contender("LitServe", network, MAX_BATCH, peer),
        Contender("impasto, no batches", network, 1),
        Contender("LitServe, no batches", network, 1, peer),
    ]


def list_setups(processors: int) -> list[PeerSettings]:
    """Return the ways of setting LitServe up that its manual recommends, to choose the fastest."""
    counts = sorted({1, processors})
    return [
        PeerSettings(workers, servers, timeout_s)
        for workers in counts
        for servers in counts
        for timeout_s in (0.001, 0.005)
    ]


def choose_setup(bench: Bench, network: str) -> PeerSettings:
    """Return the set-up with which LitServe answers most requests of 32 clients."""
    found: dict[PeerSettings, float] = {}
    for setup in list_setups(bench.processors):
        contender = Contender("LitServe", network, MAX_BATCH, setup)
        with start_server(bench, contender) as server:
            clients = {"name": "load", "request": write_request(bench, contender)}
            report = server.load(clients | {"clients": TRIAL_CLIENTS})
        found[setup] = report["streams"]["load"]["per_second"]
        print(f"LitServe, {network}, {setup}: {found[setup]:.1f}/s", file=sys.stderr)
    return max(found, key=lambda setup: found[setup])


def summarize(report: Finding) -> Finding:
    """Return the numbers of a load's only stream of inferences."""
    stream = report["streams"]["load"]
    answered = max(1.0, stream["per_second"] * report["seconds"])
    return {
        "per_second": stream["per_second"],
        **stream["ms"],
        "cpu_ms": 1000 * report["server_cpu_s"] / answered,
        "client_cpu": report["client_cpu_s"] / report["seconds"],
        "failed": sum(n for status, n in stream["statuses"].items() if status != "200"),
        "missed": stream["missed"],
    }


def take_turns(bench: Bench, contenders: Iterable[Contender], loads: dict[str, Load]) -> Finding:
    """Load each server in turn, A B A B; return the medians of each load by contender."""
    rounds: dict[str, dict[str, list[Finding]]] = {name: {} for name in loads}
    listed = list(contenders)
    for number in range(bench.rounds):
        for contender in listed:
            with start_server(bench, contender) as server:
                for name, load in loads.items():
                    found = load(server, contender)
                    rounds[name].setdefault(contender.name, []).append(found)
                    numbers = ", ".join(f"{key} {value:.4g}" for key, value in found.items())
                    print(f"{number + 1}: {contender.name}, {name}: {numbers}", file=sys.stderr)
    return {
        name: {contender: take_medians(found) for contender, found in by_contender.items()}
        for name, by_contender in rounds.items()
    }


def take_medians(found: list[Finding]) -> Finding:
    """Return the median of each number, and the range of the throughput."""
    keys = {key for each in found for key in each}
    rates = [each["per_second"] for each in found]
    medians = {key: statistics.median(each.get(key, 0.0) for each in found) for key in sorted(keys)}
    return {**medians, "range_per_second": [min(rates), max(rates)]}


def measure_closed(bench: Bench, network: str, peering: Peering) -> Finding:
    """Measure clients that each wait for their answers."""

    def build(clients: int) -> Load:
        def load(server: Server, contender: Contender) -> Finding:
            request = write_request(bench, contender)
            return summarize(server.load({"name": "load", "request": request, "clients": clients}))

        return load

    loads = {f"{clients} clients": build(clients) for clients in CLIENTS}
    return take_turns(bench, list_contenders(network, peering), loads)


def measure_open(bench: Bench, network: str, peering: Peering) -> Finding:
    """Measure requests that arrive at random, whether or not others are answered."""

    def build(rate: float) -> Load:
        def load(server: Server, contender: Contender) -> Finding:
            request = write_request(bench, contender)
            return summarize(server.load({"name": "load", "request": request, "rate": rate}))

        return load

    loads = {f"{rate}/s arrive": build(rate) for rate in RATES[network]}
    return take_turns(bench, list_contenders(network, peering), loads)


def measure_health(bench: Bench, network: str, peering: Peering) -> Finding:
    """Measure health checks while 64 clients keep the server busy."""

    def load(server: Server, contender: Contender) -> Finding:
        busy = {"name": "load", "request": write_request(bench, contender), "clients": CLIENTS[-1]}
        probe = write_probe(bench, contender)
        checks = {"name": "health", "request": probe, "rate": PROBE_RATE, "even": True}
        report = server.load(busy, checks)
        health = report["streams"]["health"]
        return {"per_second": health["per_second"], **health["ms"]}

    contenders = list_contenders(network, peering)[:2]
    return take_turns(bench, contenders, {f"{CLIENTS[-1]} clients": load})


def measure_overload(bench: Bench, network: str, peering: Peering) -> Finding:
    """Send our server three times the pictures that it can paint, and digits beside them.

    Digits and checks need processors too, so the most that it can paint is measured without
    them and with them; the first decides what three times is.
    """
    del network, peering
    style = Contender("impasto", "style", MAX_BATCH)
    digits = {
        "name": "lenet5",
        "request": write_request(bench, Contender("impasto", "lenet5", MAX_BATCH)),
        "rate": GENTLE_RATE,
    }
    probe = {
        "name": "health",
        "request": write_probe(bench, style),
        "rate": PROBE_RATE,
        "even": True,
    }
    pictures = {"name": "load", "request": write_request(bench, style)}
    rounds = []
    for _ in range(bench.rounds):
        with start_server(bench, style) as server:
            waiting = pictures | {"clients": PEAK_CLIENTS}
            alone = summarize(server.load(waiting))
            beside = summarize(server.load(waiting, digits, probe))
            arriving = pictures | {"rate": OVERLOAD * alone["per_second"]}
            report = server.load(arriving, digits, probe)
        rounds.append(describe_overload(alone, beside, report))
        print(rounds[-1], file=sys.stderr)
    return {f"{OVERLOAD}x": rounds}


def describe_overload(alone: Finding, beside: Finding, report: Finding) -> Finding:
    """Return what became of the pictures, of the digits and of the health checks."""
    loads = {"alone": alone, "beside": beside, "overload": summarize(report)}
    rates = {name: found["per_second"] for name, found in loads.items()}
    return {
        "per_second": rates,
        "kept": rates["overload"] / rates["beside"],
        "kept_of_alone": rates["overload"] / rates["alone"],
        "client_processors": {name: found["client_cpu"] for name, found in loads.items()},
        **{name: report["streams"][name] for name in ("load", "lenet5", "health")},
    }


ROWS: dict[str, Callable[[Bench, str, Peering], Finding]] = {
    "closed": measure_closed,
    "open": measure_open,
    "health": measure_health,
    "overload": measure_overload,
}
ALONE = ("overload",)  # not per network


def measure(
    bench: Bench, rows: Iterable[str], networks: Iterable[str], *, setup: PeerSettings | None
) -> Finding:
    """Measure the rows that were asked for.

    Args:
        bench: see there.
        rows: keys of ``ROWS``.
        networks: keys of ``NETWORKS``.
        setup: of LitServe; the fastest is looked for when None.
    """
    wanted = [network for network in NETWORKS if network in networks]
    peered = any(row not in ALONE for row in rows)
    peering = {name: setup or choose_setup(bench, name) for name in wanted if peered}
    found: Finding = {"peer": {name: str(chosen) for name, chosen in peering.items()}}
    for row in rows:
        for network in ("style",) if row in ALONE else wanted:
            found[f"{row} {network}"] = ROWS[row](bench, network, peering)
    return found
