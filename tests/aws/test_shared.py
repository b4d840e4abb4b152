"""Clients share what they read of files, and nothing that is one client's own."""

from __future__ import annotations

import ssl

from aiobotocore.session import AioSession
from botocore.httpsession import get_cert_path

from aws.shared import SharedTrust, share_models


def _trusts(verify: bool | str, proxy_url: str | None = None) -> ssl.SSLContext:
    made: ssl.SSLContext = SharedTrust(verify=verify)._build_ssl_contexts(proxy_url)[0]
    return made


def test_clients_that_trust_the_same_authorities_read_them_once() -> None:
    everybodys = _trusts(True)
    assert _trusts(True) is everybodys
    assert everybodys.verify_mode is ssl.CERT_REQUIRED
    assert everybodys.check_hostname
    assert everybodys.get_ca_certs()


def test_whom_a_client_trusts_is_never_changed_by_another() -> None:
    own, none = _trusts(get_cert_path(True)), _trusts(False)
    assert own is not _trusts(True)
    assert none.verify_mode is ssl.CERT_NONE
    assert own.verify_mode is ssl.CERT_REQUIRED


def test_behind_a_proxy_a_client_has_a_context_of_its_own() -> None:
    assert _trusts(True, "http://proxy.test:3128") is not _trusts(True, "http://proxy.test:3128")


def test_sessions_share_awss_models() -> None:
    one, other = AioSession(), AioSession()
    share_models(one)
    share_models(other)
    assert one.get_component("data_loader") is other.get_component("data_loader")
