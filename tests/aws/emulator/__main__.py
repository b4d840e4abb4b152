"""Runs the emulator as a process: moto with what it lacks, going wrong on demand, until stdin closes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.elbv2.exceptions import DuplicateListenerError
from moto.elbv2.models import ELBv2Backend, elbv2_backends
from moto.iam import models as iam_models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.aws.emulator import auth, bus, meters
from tests.aws.emulator.account import ACCOUNT, REGION
from tests.aws.emulator.balancer import Balancer
from tests.aws.emulator.codebuild import Builds
from tests.aws.emulator.ecs import Services
from tests.aws.emulator.faults import App, Faults, Rule, with_faults
from tests.aws.emulator.rollout import Place
from tests.aws.emulator.sessions import Sessions, with_sessions
from tests.aws.emulator.single import SingleTasks
from tests.aws.emulator.tasks import Machine

CONTROL = "/_emulator/"
LOCK_PORT = 8079
"""On an address of loopback's that nobody else uses: whoever listens there has all that begin like it."""


def main() -> None:
    """Tell the address on stdout once it answers."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _look_once_for_services()
    _look_for_keys_in_one_partition()
    elb = elbv2_backends[ACCOUNT][REGION]
    network, lock = _network()
    machine = Machine(network)
    single = SingleTasks()
    single.install()
    meters.install()
    auth.install()
    place = Place(machine, Balancer(elb), ended=single.note)
    services = Services(place)
    services.install()
    builds = Builds()
    builds.install()
    _change_for_real(place.balancer)
    _listen_for_real(machine, place.balancer)
    faults, sessions = Faults(), Sessions()
    sessions.install()
    app = with_sessions(with_faults(DomainDispatcherApplication(create_backend_app), faults), sessions)
    app = _with_control(app, faults, place, builds, services, sessions, single)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    bus.install(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    sys.stdin.read()
    services.stop_everything()
    builds.stop_everything()
    lock.close()
    os._exit(0)


def _look_once_for_services() -> None:
    """Which services moto knows, and what each can do: it looks for both at every request, a sixth of all its work."""
    known = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: known
    responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]


def _look_for_keys_in_one_partition() -> None:
    """Whose a key is; moto looks in China's and the governments' partitions too, and lays out IAM in each for that."""
    iam_models.PARTITION_NAMES = ["aws"]  # type: ignore[attr-defined]


def _network() -> tuple[str, socket.socket]:
    """The first two bytes of loopback addresses that are this process's alone, for as long as the socket is open."""
    for number in range(os.getpid(), os.getpid() + 250):
        network = f"127.{number % 250 + 2}"
        with contextlib.suppress(OSError):
            return network, socket.create_server((f"{network}.0.1", LOCK_PORT))
    raise RuntimeError("other emulators have all loopback addresses")


def _listen_for_real(machine: Machine, balancer: Balancer) -> None:
    """Load balancers get an address of this machine for a name, and listeners a socket there.

    Asked for one that is there, AWS answers it: one load balancer of a name, and one listener at each of its ports.
    """
    make_balancer, make_listener = ELBv2Backend.create_load_balancer, ELBv2Backend.create_listener

    def create_load_balancer(self: ELBv2Backend, name: str, *words: Any, **named: Any) -> Any:
        for known in self.load_balancers.values():
            if known.name == name:
                return known
        made = make_balancer(self, name, *words, **named)
        made.dns_name = machine.address()
        return made

    def create_listener(
        self: ELBv2Backend, load_balancer_arn: str, protocol: str, port: str, *words: Any, **named: Any
    ) -> Any:
        for known in self.load_balancers[load_balancer_arn].listeners.values():
            if str(known.port) == str(port):
                return known
        made = make_listener(self, load_balancer_arn, protocol, port, *words, **named)
        balancer.listen(self.load_balancers[made.load_balancer_arn].dns_name, made)
        return made

    ELBv2Backend.create_load_balancer = create_load_balancer  # type: ignore[method-assign]
    ELBv2Backend.create_listener = create_listener  # type: ignore[method-assign]


def _change_for_real(balancer: Balancer) -> None:
    """A listener that is changed answers at its new port, which is no other's; one that is deleted answers nowhere."""
    change_listener, drop_listener = ELBv2Backend.modify_listener, ELBv2Backend.delete_listener

    def modify_listener(self: ELBv2Backend, arn: str, port: str | None = None, *words: Any, **named: Any) -> Any:
        known = self.describe_listeners(None, [arn])[0]
        front = self.load_balancers[known.load_balancer_arn]
        if any(str(one.port) == str(port) and one.arn != arn for one in front.listeners.values()):
            raise DuplicateListenerError
        changed = change_listener(self, arn, port, *words, **named)
        if changed.protocol == "HTTP":
            changed.certificates = []  # AWS takes the certificate away with the protocol
        balancer.listen(front.dns_name, changed)
        return changed

    def delete_listener(self: ELBv2Backend, listener_arn: str) -> Any:
        balancer.close(listener_arn)
        return drop_listener(self, listener_arn)

    ELBv2Backend.modify_listener = modify_listener  # type: ignore[method-assign]
    ELBv2Backend.delete_listener = delete_listener  # type: ignore[method-assign]


def _with_control(
    app: App,
    faults: Faults,
    place: Place,
    builds: Builds,
    services: Services,
    sessions: Sessions,
    single: SingleTasks,
) -> App:
    """Answer the tests' own requests beside AWS's."""
    told: dict[str, Callable[[Any], Any]] = {
        "faults": lambda body: _set_faults(faults, body),
        "calls": lambda body: faults.calls,
        "rest": lambda body: _rest(services),
        "images": lambda body: place.machine.images.update(body),
        "started": lambda body: place.machine.started,
        "place": lambda body: vars(place).update(body),
        "deployments": lambda body: services.told(),
        "sources": lambda body: builds.sources.update(body),
        "builds": lambda body: vars(builds).update(body),
        "tasks": lambda body: single.forget(),
        "sessions": lambda body: vars(sessions).update(body) or sessions.told(),
        "forget": lambda body: sessions.forget(),
        "answered": lambda body: [[*key, count] for key, count in place.balancer.answered.items()],
    }

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith(CONTROL):
            return app(environ, start_response)
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.dumps(told[path.removeprefix(CONTROL)](json.loads(raw or b"{}"))).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _rest(services: Services) -> None:
    """Nothing runs any more, and nothing was measured."""
    services.stop_everything()
    meters.forget()


def _set_faults(faults: Faults, body: list[dict[str, Any]] | dict[str, Any]) -> list[dict[str, Any]]:
    """Replace the rules where a list is given; answers those in force, with how often each fired."""
    if isinstance(body, list):
        faults.rules[:] = [Rule(**given) for given in body]
        faults.calls.clear()
    return [dataclasses.asdict(rule) for rule in faults.rules]


if __name__ == "__main__":
    main()
