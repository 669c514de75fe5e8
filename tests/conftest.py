"""A PostgreSQL server of the test run's own, started from the system's programs where they are installed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PASSWORD = "p@ss:w/rd?"


def _programs() -> Path | None:
    """Folder of initdb and pg_ctl: the newest version that the system has."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(here).parent if here else None


def _other_user() -> int | None:
    """PostgreSQL refuses to run as root: who it runs as then."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known.get("nobody"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty database on the loopback address; the server ends with the session."""
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("the system has no PostgreSQL server programs")
    from urllib.parse import quote

    user, port = _other_user(), _free_port()
    folder = Path(tempfile.mkdtemp(prefix="subsim_pg_"))
    (folder / "password").write_text(PASSWORD)
    if user is not None:
        for path in (folder, folder / "password"):
            os.chown(path, user, -1)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        done = subprocess.run(
            command, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            log = folder / "log"
            pytest.fail(f"{program}: {done.stderr}\n{log.read_text() if log.exists() else ''}")

    try:
        password = f"--pwfile={folder / 'password'}"
        run("initdb", "-U", "finance", "--auth=scram-sha-256", password, "-E", "UTF8", "--locale=C", "--no-sync")
        settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off"}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://finance:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
