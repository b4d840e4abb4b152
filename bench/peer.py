"""What the ingress bench is measured with: the Probot peer, a real push payload, one server at a time, and wrk."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.figure import CannotMeasure

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shipmate-bench"
SECRET = "bench-secret"
PROBOT = "Probot 14"
CONNECTIONS = 32
START_LIMIT_S = 20.0
SERVER_CORE, LOAD_CORE = "0", "1"


@dataclass(frozen=True, slots=True)
class Run:
    """One load on one server: deliveries answered per second, latencies, what was not answered 2xx, CPU, memory."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    bad: int
    cpu_us: float
    """Processor time for each delivery, which other programs on the machine disturb less than the rate."""
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one of the servers; `{port}` stands for its port."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]


def prepare() -> Path:
    """Install the peer into a cache folder outside the repository and answer that folder. Raises CannotMeasure."""
    peer = CACHE / "probot"
    peer.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "app.mjs"):
        shutil.copy(HERE / "probot" / name, peer / name)
    if not (peer / "node_modules" / "probot").exists():
        _install(peer)
    if not (peer / "key.pem").exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (peer / "key.pem").write_bytes(pem)
    (peer / "push.json").write_bytes(_real_push(peer))
    return peer


def _install(peer: Path) -> None:
    try:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=peer, check=True)
    except subprocess.CalledProcessError as error:
        raise CannotMeasure("npm could not install Probot: see to its registry, then repeat") from error


def probot(peer: Path) -> Server:
    """The minimal app that stores nothing."""
    return Server(PROBOT, ("node", str(peer / "app.mjs")), {"KEY_FILE": str(peer / "key.pem"), "PORT": "{port}"})


def shipmate(file: Path) -> Server:
    """The real handler over the real store, on a new file."""
    return Server("Shipmate", (sys.executable, "-m", "bench.ingress_server", "{port}", str(file)), {})


def measure_server(server: Server, peer: Path, seconds: int) -> Run:
    """Start the server, warm it, load it, end it."""
    port = _free_port()
    with _running(server, port) as process:
        _load(port, peer, 2)
        before_s = _cpu_s(process.pid)
        result = _load(port, peer, seconds)
        cpu_us = (_cpu_s(process.pid) - before_s) / result["requests"] * 1e6
        memory_mb = _memory_mb(process.pid)
    rate = result["requests"] / result["seconds"]
    requests, bad = int(result["requests"]), int(result["bad"])
    return Run(requests, rate, result["p50_ms"], result["p99_ms"], bad, cpu_us, memory_mb)


@contextlib.contextmanager
def _running(server: Server, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = ["taskset", "-c", SERVER_CORE, *(part.format(port=port) for part in server.command)]
    given = {name: value.format(port=port) for name, value in server.environment.items()}
    environment = {**os.environ, "SECRET": SECRET, "NODE_ENV": "production", **given}
    process = subprocess.Popen(command, env=environment, cwd=HERE.parent)
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {process.args!r}")


def _load(port: int, peer: Path, seconds: int) -> dict[str, float]:
    body = (peer / "push.json").read_bytes()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    environment = {
        **os.environ,
        "BODY_FILE": str(peer / "push.json"),
        "SIGNATURE": signature,
        "RUN": secrets.token_hex(4),
    }
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "deliver.lua")]
    command = ["taskset", "-c", LOAD_CORE, *wrk, f"http://127.0.0.1:{port}"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    line = next(line for line in told.splitlines() if line.startswith("RESULT "))
    result: dict[str, float] = json.loads(line.removeprefix("RESULT "))
    return result


def _real_push(peer: Path) -> bytes:
    """A push as GitHub sends it to an app, from the published examples."""
    index = peer / "node_modules" / "@octokit" / "webhooks-examples" / "api.github.com" / "index.json"
    hooks = json.loads(index.read_bytes())
    examples = next(hook["examples"] for hook in hooks if hook["name"] == "push")
    push = next(example for example in examples if "installation" in example)
    return json.dumps(push, separators=(",", ":")).encode()


def _cpu_s(pid: int) -> float:
    """Seconds of processor time of all its threads (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
