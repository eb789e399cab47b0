# SPDX-License-Identifier: Apache-2.0
"""The server over https: certificates, keys, what it refuses, and that all it does works over it."""

import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest
import requests

from conftest import Program, Server, free_port
from test_security import compat_ports  # noqa: F401 (a fixture)

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs openssl")


class Identity:
    """A certificate for this machine, signed with its own key."""

    def __init__(self, folder):
        folder.mkdir()
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        subprocess.run([OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True, timeout=60)

    def arguments(self):
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return Identity(tmp_path_factory.mktemp("tls") / "own")


@pytest.fixture(scope="module")
def more_port():
    return free_port()


@pytest.fixture(scope="module")
def secure(identity, more_port, tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("workspace"), *identity.arguments(), "--also-listen", f"127.0.0.1:{more_port}",
                     ready=False, trust=identity.certificate)
    yield running
    assert running.stop() == 0
    assert f"dashboard and API: https://localhost:{running.port}" in running.process.stdout.read()


def session_of(secure):
    session = requests.Session()
    session.trust_env = False  # a bundle named there would win over the next line
    session.verify = secure.trust
    return session


def handshake(port, identity, version):
    """The version agreed upon with a client that speaks only this one."""
    context = ssl.create_default_context(cafile=identity.certificate)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it is the server who refuses
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as channel:
            return channel.version()


def test_who_trusts_the_certificate_is_answered(secure):
    session = session_of(secure)
    assert session.get(secure.url + "/health", timeout=10).json()["status"] == "ok"
    page = session.get(secure.url + "/", headers={"Accept": "text/html"}, timeout=10)
    assert page.status_code == 200 and "<html" in page.text
    assert session.post(secure.url + "/predict", data=b"x" * 5_000_000, timeout=10).status_code == 503, "a body of many records"
    assert len(session.get(secure.url + "/openapi.json", timeout=10).json()["paths"]) > 20


def test_who_does_not_is_not(secure):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(secure.url + "/health", timeout=10)


def test_every_port_speaks_tls(secure, more_port):
    assert requests.get(f"https://127.0.0.1:{more_port}/health", verify=secure.trust, timeout=10).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{more_port}/health", timeout=10)


def test_the_ports_of_older_clients_speak_tls_too(identity, tmp_path, compat_ports):
    for probe in compat_ports.values():
        probe.close()
    running = Server(tmp_path / "workspace", *identity.arguments(), "--compat", ready=False, trust=identity.certificate)
    try:
        assert compat_ports, "somebody else has all of them"
        for port in compat_ports:
            assert requests.get(f"https://localhost:{port}/health", verify=running.trust, timeout=10).json()["status"] == "ok"
            with pytest.raises(requests.ConnectionError):
                requests.get(f"http://localhost:{port}/health", timeout=10)
    finally:
        assert running.stop() == 0


def test_plain_http_gets_nothing_and_does_no_harm(secure):
    session = session_of(secure)
    session.get(secure.url + "/health", timeout=10)
    for _ in range(20):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{secure.port}/health", timeout=10)
    for garbage in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x40\x00" + b"\xff" * 3000, bytes(range(256)) * 20):
        with socket.create_connection(("127.0.0.1", secure.port), timeout=10) as connection:
            connection.sendall(garbage)
    assert session.get(secure.url + "/health", timeout=10).status_code == 200


def test_who_says_nothing_holds_nobody_up(secure):
    idle = [socket.create_connection(("127.0.0.1", secure.port), timeout=10) for _ in range(30)]
    try:
        assert session_of(secure).get(secure.url + "/health", timeout=5).status_code == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_speaks_tls_of_today(secure, identity, version):
    assert handshake(secure.port, identity, version) == version.name.replace("_", ".")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_refuses_tls_of_yesterday(secure, identity, version):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(secure.port, identity, version)
    assert handshake(secure.port, identity, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def test_a_connection_is_kept(secure, identity):
    """A second request on the same TLS session is answered."""
    context = ssl.create_default_context(cafile=identity.certificate)
    with socket.create_connection(("127.0.0.1", secure.port), timeout=10) as connection:
        with context.wrap_socket(connection, server_hostname="localhost") as channel:
            for _ in range(3):
                channel.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"}"):
                    piece = channel.recv(4096)
                    assert piece, "closed"
                    answer += piece
                assert answer.startswith(b"HTTP/1.1 200")


def test_events_come_as_they_happen(secure):
    with session_of(secure).get(secure.url + "/v1/jobs/events", stream=True, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        start = time.monotonic()
        first = next(answer.iter_lines())
        assert first and time.monotonic() - start < 5


@pytest.mark.parametrize("arguments, text", [
    (["--tls-cert", "CERT"], "go together"),
    (["--tls-key", "KEY"], "go together"),
    (["--tls-cert", "CERT", "--tls-key", "NOSUCH"], "nosuch.pem"),
    (["--tls-cert", "NOSUCH", "--tls-key", "KEY"], "nosuch.pem"),
    (["--tls-cert", "CERT", "--tls-key", "OTHER"], "is not that of the certificate"),
    (["--tls-cert", "KEY", "--tls-key", "KEY"], "is not a certificate"),
    (["--tls-cert", "CERT", "--tls-key", "CERT"], "is not a private key"),
    (["--tls-cert", "CERT", "--tls-key", "FOLDER"], "it is a folder"),
])
def test_what_does_not_serve_is_refused_at_the_start(identity, tmp_path, arguments, text):
    files = {"CERT": identity.certificate, "KEY": identity.key, "NOSUCH": tmp_path / "nosuch.pem", "FOLDER": tmp_path}
    if "OTHER" in arguments:
        files["OTHER"] = Identity(tmp_path / "other").key
    refused = Program(tmp_path / "workspace").run("serve", "--port", "0", *(files.get(each, each) for each in arguments), check=False, timeout=30)
    assert refused.returncode == 1 and text in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr


def test_a_key_that_all_may_read_is_warned_of(identity, tmp_path):
    key = tmp_path / "key.pem"
    shutil.copy(identity.key, key)
    for mode, warned in ((0o644, True), (0o640, False)):
        key.chmod(mode)
        running = Server(tmp_path / "workspace", "--tls-cert", str(identity.certificate), "--tls-key", str(key), ready=False,
                         trust=identity.certificate)
        assert running.stop() == 0
        assert bool(re.search(r"key\.pem is open to every user", running.process.stdout.read())) == warned, oct(mode)


def serial_seen(port):
    """The serial number of the certificate that a new connection is shown, as openssl prints it."""
    shown = subprocess.run([OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}"], input="", capture_output=True, text=True, timeout=20).stdout
    return subprocess.run([OPENSSL, "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True, timeout=20, check=True).stdout


def serial_of(identity):
    return subprocess.run([OPENSSL, "x509", "-noout", "-serial", "-in", identity.certificate], capture_output=True, text=True, timeout=20).stdout


def put(source, target, name):
    """As renewal tools do: a new file renamed over the old one."""
    staged = target.with_suffix(".new")
    shutil.copy(getattr(source, name), staged)
    staged.rename(target)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_a_renewed_certificate_is_taken_while_it_runs(tmp_path):
    first, second, third = (Identity(tmp_path / name) for name in ("first", "second", "third"))
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    put(first, certificate, "certificate")
    put(first, key, "key")
    running = Server(tmp_path / "workspace", "--tls-cert", str(certificate), "--tls-key", str(key), ready=False, trust=first.certificate)
    try:
        assert serial_seen(running.port) == serial_of(first)
        kept = session_of(running)
        assert kept.get(running.url + "/health", timeout=10).status_code == 200
        put(second, certificate, "certificate")  # its key is not there yet: nothing changes
        running.process.send_signal(signal.SIGHUP)
        assert serial_seen(running.port) == serial_of(first)
        put(second, key, "key")
        wait_until(lambda: serial_seen(running.port) == serial_of(second))
        assert requests.get(running.url + "/health", verify=str(second.certificate), timeout=10).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(running.url + "/health", verify=str(first.certificate), timeout=10)
        assert kept.get(running.url + "/health", timeout=10).status_code == 200, "a connection that is open stays"
        certificate.write_text("nonsense")
        running.process.send_signal(signal.SIGHUP)
        time.sleep(1.5)  # longer than it looks at the files
        assert serial_seen(running.port) == serial_of(second)
        put(third, key, "key")
        put(third, certificate, "certificate")
        running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: serial_seen(running.port) == serial_of(third), seconds=3)
    finally:
        assert running.stop() == 0
    said = running.process.stdout.read()
    assert "keeps the certificate it has" in said and "is not that of the certificate" in said and "is not a certificate" in said
    assert said.count("new connections get the certificate") >= 2
