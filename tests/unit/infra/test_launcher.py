"""The launcher `./pulse` in a checkout of stubs: no package manager and no network is touched."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.settings import ROOT

COREUTILS = ("dirname", "env", "flock", "id", "mkdir", "rm", "sha256sum", "sh", "cat", "touch", "chmod")


class Machine:
    """A folder as a checkout, and a PATH on which only stubs and a few basic tools are."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "check out"
        self.bin = folder / "bin"
        self.calls = folder / "calls.txt"
        for path in (self.root / "infra" / "flink", self.bin):
            path.mkdir(parents=True)
        shutil.copy(ROOT / "pulse", self.root / "pulse")
        (self.root / "uv.lock").write_text("locked\n")
        (self.root / "infra" / "flink" / "pom.xml").write_text("<project/>\n")
        for name in COREUTILS:
            found = shutil.which(name)
            assert found, name
            (self.bin / name).symlink_to(found)

    def stub(self, name: str, body: str = "", folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nprintf \'%s\\n\' "{name} $*" >>"{self.calls}"\n{body}\n')
        path.chmod(0o755)

    def python(self, name: str = "python3.11", version: str = "3.11", *, optimised: bool = False) -> None:
        """A Python that answers the launcher's question, as the real one of that version would."""
        answer = f"echo {self.bin}/{name}" + "; echo optimised" * optimised
        self.stub(name, f'[ "$1" != -c ] || {{ [ {version} = 3.11 ] && {{ {answer}; }}; exit $?; }}')

    def java(self, version: str = "17.0.15") -> None:
        self.stub("java", f"echo 'openjdk version \"{version}\"' >&2")

    def uv(self) -> None:
        """A uv whose `sync` makes an environment with a `pulse` and a `python` that fetches jars."""
        venv = self.root / ".venv" / "bin"
        jars = self.root / ".pulse" / "jars"
        script = f'''[ "$1" = sync ] || exit 0
mkdir -p "{venv}"
cat >"{venv}/pulse" <<'END'
#!/bin/sh
echo "installed $*" >>"{self.calls}"
END
cat >"{venv}/python" <<'END'
#!/bin/sh
mkdir -p "{jars}"
echo {self.sha256("infra/flink/pom.xml")} >"{jars}/pom.sha256"
echo "jars $*" >>"{self.calls}"
END
chmod +x "{venv}/pulse" "{venv}/python"'''
        self.stub("uv", script)

    def sha256(self, path: str) -> str:
        return hashlib.sha256((self.root / path).read_bytes()).hexdigest()

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(self.root / "pulse"), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.root)} | environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def equipped(machine) -> Machine:
    machine.python()
    machine.java()
    machine.stub("mvn")
    machine.uv()
    return machine


def test_a_first_start_installs_and_hands_over(equipped):
    done = equipped.run("demo", "--speed", "max 2")
    assert done.returncode == 0, done.stderr
    sync = next(call for call in equipped.called() if call.startswith("uv sync"))
    assert "--frozen" in sync
    assert "--no-dev" in sync
    assert f"--python {equipped.bin}/python3.11" in sync
    assert equipped.called()[-2:] == ["jars -m infra.local.jars", "installed demo --speed max 2"]
    assert "installing the locked Python packages" in done.stderr


def test_a_warm_start_installs_nothing(equipped):
    equipped.run("demo")
    equipped.calls.unlink()
    done = equipped.run("demo")
    assert equipped.called() == ["installed demo"]
    assert done.stderr == ""


@pytest.mark.parametrize("path", ["uv.lock", "infra/flink/pom.xml"])
def test_a_changed_lock_or_pom_is_installed_again(equipped, path):
    equipped.run("demo")
    (equipped.root / path).write_text("changed\n")
    equipped.uv()
    equipped.calls.unlink()
    done = equipped.run("demo")
    assert done.returncode == 0, done.stderr
    assert len(equipped.called()) > 1


def test_tests_get_the_development_packages_and_say_that_chromium_is_missing(equipped):
    done = equipped.run("test", "--fast")
    assert done.returncode == 0, done.stderr
    assert any(call.startswith("uv sync") and "--dev" in call.split() for call in equipped.called())
    assert "apt-get install -y chromium" in done.stderr
    assert "apt-get install -y prometheus prometheus-alertmanager" in done.stderr
    equipped.calls.unlink()
    assert equipped.run("test", "--fast").stderr == ""
    assert equipped.called() == ["installed test --fast"]


def test_prometheus_comes_without_its_services(equipped):
    equipped.stub("chromium")
    programs = f'for name in prometheus prometheus-alertmanager; do : >"{equipped.bin}/$name"'
    equipped.stub("apt-get", f'[ "$1" = update ] || {{ {programs}; chmod +x "{equipped.bin}/$name"; done; }}')
    equipped.stub("sudo", 'exec "$@"')
    done = equipped.run("test")
    assert done.returncode == 0, done.stderr
    (install,) = [call for call in equipped.called() if call.startswith("apt-get install")]
    assert "prometheus prometheus-alertmanager" in install
    for folder in ("/etc/init.d", "/lib/systemd/system"):
        assert f"--path-exclude={folder}/prometheus*" in install
    equipped.calls.unlink()
    equipped.run("test")
    assert equipped.called() == ["installed test"]


def test_commands_without_servers_need_no_java(machine):
    machine.python()
    machine.uv()
    done = machine.run("detect", "chat.jsonl")
    assert done.returncode == 0, done.stderr
    assert machine.called()[-1] == "installed detect chat.jsonl"


def test_java_and_maven_come_through_the_systems_packages(machine):
    machine.python()
    machine.uv()
    install = f"""[ "$1" = update ] || case "$*" in
*openjdk*) printf '#!/bin/sh\\necho "version \\\\"17\\\\"" >&2\\n' >"{machine.bin}/java" ;;
*maven*) printf '#!/bin/sh\\n' >"{machine.bin}/mvn" ;;
esac
chmod +x "{machine.bin}"/*  2>/dev/null || :"""
    machine.stub("apt-get", install)
    machine.stub("sudo", 'exec "$@"')
    done = machine.run("up")
    assert done.returncode == 0, done.stderr
    calls = "\n".join(machine.called())
    assert calls.count("apt-get update") == 1
    assert "openjdk-17-jre-headless" in calls
    assert "maven" in calls
    assert machine.called()[-1] == "installed up"


def test_a_java_that_cannot_be_installed_is_named_with_the_command(machine):
    machine.python()
    machine.uv()
    done = machine.run("up")
    assert done.returncode == 1
    assert "Java 17" in done.stderr
    assert "apt-get install -y openjdk-17-jre-headless" in done.stderr


def test_an_old_java_does_not_do(machine):
    machine.python()
    machine.uv()
    machine.java("11.0.2")
    assert machine.run("up").returncode == 1


def test_a_failing_apt_get_is_reported(machine):
    machine.python()
    machine.uv()
    machine.stub("apt-get", "exit 100")
    machine.stub("sudo", 'exec "$@"')
    done = machine.run("up")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr


def test_python_3_11_may_be_called_python3(equipped):
    (equipped.bin / "python3.11").unlink()
    equipped.python("python3")
    assert equipped.run("doctor").returncode == 0


def test_an_optimised_python_is_preferred(equipped):
    equipped.python("python3", optimised=True)
    assert equipped.run("doctor").returncode == 0
    assert f"--python {equipped.bin}/python3\n" in "\n".join(equipped.called()) + "\n"


def test_a_shim_that_does_not_run_is_passed_over(equipped):
    equipped.stub("python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    equipped.python("python3")
    done = equipped.run("doctor")
    assert done.returncode == 0, done.stderr
    assert f"--python {equipped.bin}/python3" in "\n".join(equipped.called())


def test_a_missing_python_is_named_with_the_command(machine):
    machine.python("python3", version="3.12")
    done = machine.run("doctor")
    assert done.returncode == 1
    assert "Python 3.11 is needed" in done.stderr
    assert "apt-get install" in done.stderr


def test_uv_comes_from_pypi_into_a_folder_of_its_own(machine):
    machine.python()
    machine.uv()
    target = machine.root / ".pulse" / "uv" / "bin"
    machine.stub(
        "python3.11",
        f"""case "$*" in
-c*) echo {machine.bin}/python3.11 ;;
*"pip install"*) mkdir -p "{target}" && mv "{machine.bin}/hidden-uv" "{target}/uv" ;;
esac""",
    )
    (machine.bin / "mv").symlink_to(str(shutil.which("mv")))
    (machine.bin / "uv").rename(machine.bin / "hidden-uv")
    done = machine.run("doctor")
    assert done.returncode == 0, done.stderr
    assert any("pip install" in call and "--target" in call and "uv==" in call for call in machine.called())


def test_a_failed_sync_leaves_no_stamp_and_names_the_command(equipped):
    equipped.stub("uv", '[ "$1" != sync ] || exit 2')
    done = equipped.run("doctor")
    assert done.returncode == 1
    assert "sync --frozen" in done.stderr
    assert not (equipped.root / ".venv" / "pulse.lock.sha256").exists()


def test_two_set_ups_at_once_take_turns(equipped):
    environment = {"PATH": str(equipped.bin), "HOME": str(equipped.root)}
    command = ["sh", str(equipped.root / "pulse"), "doctor"]
    runs = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0]
    for run in runs:
        run.stderr.close()
    assert sum(call.startswith("uv sync") for call in equipped.called()) == 1


def test_the_launcher_needs_no_bash():
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("no dash on this machine")
    subprocess.run([dash, "-n", str(ROOT / "pulse")], check=True)


def test_the_launcher_may_be_run():
    assert os.access(ROOT / "pulse", os.X_OK)
    assert sys.version_info[:2] == (3, 11)
