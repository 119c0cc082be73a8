"""TLS at a door: certificate, key and whose clients are let in, read from files, with what is wrong told by setting."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Unusable(Exception):
    """A file that TLS cannot be spoken with, and the setting that names it."""

    def __init__(self, setting: str, text: str) -> None:
        """Say which and why."""
        super().__init__(text)
        self.setting = setting


def server_context(certificate: str, private_key: str, client_ca: str) -> ssl.SSLContext:
    """Make the way to speak TLS (1.2 or newer) from paths of PEM files; raises Unusable.

    `private_key` "" means that the key is in the file of the certificate; with `client_ca`, clients must show a
    certificate that it has signed.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with _about("certificate", certificate):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)  # so that it is not the key's fault
    key = private_key or certificate
    with _about("private_key" if private_key else "certificate", key):
        Path(key).read_bytes()
        context.load_cert_chain(certificate, key, password=_no_password)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        with _about("client_ca", client_ca):
            context.load_verify_locations(client_ca)
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted; leave it unencrypted, readable by ncipd alone")


@contextmanager
def _about(setting: str, file: str) -> Iterator[None]:
    """Tell what goes wrong as being about a file."""
    try:
        yield
    except ssl.SSLError as error:
        reason = {
            "KEY_VALUES_MISMATCH": "it is not the key of the certificate",
            "NO_CERTIFICATE_OR_CRL_FOUND": "there is no certificate (PEM) in it",
            None: "there is no private key (PEM) in it",
        }.get(error.reason, error.reason)
        raise Unusable(setting, f"{file} cannot be used: {reason}") from error
    except OSError as error:
        raise Unusable(setting, f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(setting, f"{file} cannot be used: {error}") from error
