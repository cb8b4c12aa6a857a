"""`make bench`: what the engine costs, as ratios to bare scripts that are measured in the same run.

Runs are interleaved and each is a process of its own; a ratio is that of the medians. `--quick` takes fewer and smaller
runs, to see that everything works.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path


@contextlib.contextmanager
def provider(records: int = 0, ports: int = 1, certificate: Path | None = None):
    command = [sys.executable, "-m", "tests.bench.provider", "--records", str(records), "--ports", str(ports)]
    if certificate:
        command += ["--certificate", str(certificate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def run(name: str, ports: list[int], count: int = 0, authority: Path | None = None) -> dict:
    command = [sys.executable, "-m", "tests.bench.subjects", name, "--ports", json.dumps(ports), "--count", str(count)]
    if authority:
        command += ["--authority", str(authority)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def interleaved(names: list[str], times: int, *arguments) -> dict[str, list[dict]]:
    results: dict[str, list[dict]] = {name: [] for name in names}
    for _ in range(times):
        for name in names:
            results[name].append(run(name, *arguments))
    return results


def median(runs: list[dict], key: str) -> float:
    return statistics.median(found[key] / found["count"] if key != "rss" else found[key] for found in runs)


class Report:
    def __init__(self) -> None:
        self.failed = False

    def line(self, what: str, value: float, bound: float, *, most: bool, detail: str) -> None:
        holds = value <= bound if most else value >= bound
        self.failed |= not holds
        sign = "<=" if most else ">="
        print(f"{'ok  ' if holds else 'FAIL'} {what:<58} {value:6.2f}  ({sign} {bound:g})   {detail}", flush=True)


def reading(report: Report, records: int, times: int) -> None:
    with provider(records) as ports:
        found = interleaved(["bare_read", "engine_seen"], times, ports, records)
        bare, ours = (median(found[name], "cpu") * 1e6 for name in ("bare_read", "engine_seen"))
        detail = f"{ours:.1f} us a record, bare {bare:.1f}"
        report.line("a poll of records seen before: CPU, times bare reading", ours / bare, 2, most=True, detail=detail)
        found = interleaved(["bare_pipeline", "engine_news"], times, ports, records)
        bare, ours = (1 / median(found[name], "wall") for name in ("bare_pipeline", "engine_news"))
        detail = f"{ours:,.0f} records/s, bare {bare:,.0f}"
        report.line("a poll of news, committed: speed, of a bare pipeline", ours / bare, 0.5, most=False, detail=detail)


def memory(report: Report, small: int, large: int) -> None:
    peaks = []
    for records in (small, large):
        with provider(records) as ports:
            peaks.append(run("engine_news", ports, records)["rss"])
    detail = f"{peaks[0]:.0f} MB for {small:,}, {peaks[1]:.0f} MB for {large:,}"
    report.line("peak memory of a poll of news, MB", max(peaks), 80, most=True, detail=detail)
    report.line("growth of it with four times the records, MB", abs(peaks[1] - peaks[0]), 5, most=True, detail=detail)


def idle(report: Report, polls: int, times: int) -> None:
    with provider() as ports:
        found = interleaved(["bare_get", "engine_idle"], times, ports, polls)
    bare, ours = (median(found[name], "cpu") * 1e6 for name in ("bare_get", "engine_idle"))
    detail = f"{ours:.0f} us a poll, bare {bare:.0f}, {polls:,} instances"
    report.line("an idle poll: CPU, times Session.get", ours / bare, 2, most=True, detail=detail)


def tls(report: Report, hosts: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        certificate, authority = make_certificate(Path(folder))
        with provider(ports=hosts, certificate=certificate) as ports:
            found = interleaved(["bare_tls", "engine_tls"], times, ports, 0, authority)
    bare, ours = (median(found[name], "cpu") * 1e6 for name in ("bare_tls", "engine_tls"))
    detail = f"{ours:.0f} us a host, bare {bare:.0f}, {hosts} hosts"
    report.line("a poll over new TLS connections: CPU, times a bare script", ours / bare, 1.5, most=True, detail=detail)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A server's certificate with its key, and the bundle that trusts it among many others, as real ones do."""
    import certifi
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    served, trusted = folder / "server.pem", folder / "authority.pem"
    served.write_bytes(private + public)
    trusted.write_bytes(Path(certifi.where()).read_bytes() + public)
    return served, trusted


def start_up(report: Report, times: int) -> None:
    from .startup import compare

    for what, ours, bare in compare(times):
        detail = f"{ours * 1000:.0f} ms, bare {bare * 1000:.0f}"
        report.line(f"{what}: time, times a bare Typer app", ours / bare, 1.3, most=True, detail=detail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    times, records = (1, 5_000) if quick else (5, 50_000)
    report = Report()
    reading(report, records, times)
    memory(report, records, 4 * records)
    idle(report, 100 if quick else 1000, times)
    tls(report, 50 if quick else 500, times)
    start_up(report, 2 * times)
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
