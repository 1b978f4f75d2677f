"""The installer's decisions, on machines made of stand-ins for python, apt-get and the like."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "installer").glob("*.sh"))
SHELLS = [shell for shell in ("dash", "bash", "sh") if shutil.which(shell)]
WINDOW = {"DISPLAY": ":7"}
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins act as Linux tools")

# Notes what it is asked; "python -m venv FOLDER" copies itself there, as the real one links itself.
PYTHON = """#!/bin/sh
echo "python $*" >>"$MACHINE/calls"
case "$*" in
*"import sys, venv, ensurepip"*) ;;
*"print(sys.version"*) echo 3.11.9 ;;
*"-m venv "*)
    for folder; do :; done
    mkdir -p "$folder/bin" && cp "$0" "$folder/bin/python" && : >"$folder/pyvenv.cfg" ;;
*"--report "*)
    while [ "$1" != --report ]; do shift; done
    cp "$MACHINE/report.json" "$2" ;;
*"pip"*install*--editable*)
    [ ! -e "$MACHINE/kill-setup" ] || kill -9 $PPID
    cat "$MACHINE/pip-says"
    [ ! -s "$MACHINE/pip-says" ] ;;
esac
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$MACHINE/calls"
case "$*" in *install*) cp "$MACHINE/all-libraries" "$MACHINE/libraries" ;; esac
"""
CPU_BUILD = '{"install": [{"metadata": {"name": "torch", "version": "2.13.0+cpu"}}]}'
CUDA_BUILD = """{"install": [{"metadata": {"name": "torch", "version": "2.13.0"}},
{"metadata": {"name": "nvidia-cublas", "version": "13"}}]}"""
LIBRARIES = (
    *("libglib-2.0.so.0", "libGL.so.1", "libEGL.so.1", "libxkbcommon.so.0", "libfontconfig.so.1"),
    *("libdbus-1.so.3", "libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1"),
    *("libxcb-xkb.so.1", "libxcb-shape.so.0", "libxkbcommon-x11.so.0"),
)


@dataclass
class Machine:
    """A checkout in ``checkout`` and commands in ``bin`` that only pretend."""

    folder: Path

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "installer", self.checkout / "installer")
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        demo = self.checkout / "resources" / "demo"
        demo.mkdir(parents=True)
        (demo / "CMU-1-Small-Region.svs").touch()
        self.write("all-libraries", "\n".join(LIBRARIES))
        self.write("libraries", "\n".join(LIBRARIES))
        self.write("report.json", CPU_BUILD)
        self.write("pip-says", "")
        self.write("calls", "")
        self.command("python3.11", PYTHON)
        self.command("apt-get", APT_GET)
        self.command("apt-cache", 'case "$2" in *t64) ;; *) echo "$2" ;; esac')
        self.command("ldconfig", 'cat "$MACHINE/libraries"')
        self.command("id", "echo 1000")
        for absent in ("sudo", "nvidia-smi"):
            self.command(absent, "exit 1")

    @property
    def checkout(self) -> Path:
        return self.folder / "a checkout"  # with a space, as a person's folder may have

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def installs(self) -> list[str]:
        return [call for call in self.calls if " install " in call and "--dry-run" not in call]

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def command(self, name: str, body: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(body if body.startswith("#!") else f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "here").mkdir(exist_ok=True)
        return subprocess.run(
            [SHELLS[0], str(self.checkout / "installer" / script), *arguments],
            env={
                "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
                "HOME": str(self.folder),
                "MACHINE": str(self.folder),
                **more,
            },
            cwd=self.folder / "here",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def set_up(self, **more: str) -> None:
        done = self.run("setup.sh", **more)
        assert done.returncode == 0, done.stderr
        self.write("calls", "")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without a display, a GPU, or the right to install, with Python and libraries."""
    return Machine(tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_plain_shell(script: Path, shell: str) -> None:
    checked = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert checked.stderr == ""


def test_a_second_start_asks_python_for_its_version_and_nothing_else(machine: Machine) -> None:
    machine.set_up(**WINDOW)
    done = machine.run("run.sh", "my slide.svs", **WINDOW)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "version" in machine.calls[0]
    assert machine.calls[1:] == ["python -P -m pathoview my slide.svs"]


def test_the_set_up_notes_what_it_did_in_the_environment(machine: Machine) -> None:
    machine.set_up()
    assert (machine.venv / "pathoview-setup" / "setup.log").exists()
    assert not (machine.venv / "pathoview-setup" / "unfinished").exists()
    assert not list(machine.checkout.glob(".venv.*"))


@pytest.mark.parametrize("changed", ["pyproject.toml", "installer/setup.sh", "installer/common.sh"])
def test_a_changed_recipe_sets_up_again(machine: Machine, changed: str) -> None:
    machine.set_up()
    with (machine.checkout / changed).open("a") as file:
        file.write("# changed\n")
    machine.run("setup.sh")
    assert any("--editable" in call for call in machine.installs)
    assert not any("-m venv" in call for call in machine.calls), "the environment was kept"


def test_tools_for_development_come_only_when_asked_for(machine: Machine) -> None:
    machine.command("Xvfb", "")
    machine.command("xauth", "")
    machine.set_up()
    machine.run("setup.sh", "--dev")
    assert machine.installs[-1].endswith("[dev]")
    machine.write("calls", "")
    machine.run("setup.sh")
    assert machine.installs == [], "what suffices for tests suffices for use"


def test_a_cpu_build_that_pip_finds_by_itself_is_taken(machine: Machine) -> None:
    machine.run("setup.sh")
    assert any("torch>=" in call for call in machine.installs)
    assert not any("index-url" in call for call in machine.installs)


def test_without_a_gpu_cuda_packages_are_never_installed(machine: Machine) -> None:
    machine.write("report.json", CUDA_BUILD)
    machine.run("setup.sh")
    torch = [call for call in machine.installs if "torch>=" in call]
    assert len(torch) == 1
    assert f"--no-deps --index-url {CPU_INDEX}" in torch[0]


def test_with_a_gpu_the_ordinary_build_is_taken(machine: Machine) -> None:
    machine.write("report.json", CUDA_BUILD)
    machine.command("nvidia-smi", "echo 'GPU 0: NVIDIA T4'")
    done = machine.run("setup.sh")
    assert "NVIDIA GPU" in done.stderr
    assert not any(CPU_INDEX in call for call in machine.installs)


def test_a_cpu_build_makes_room_when_a_gpu_came(machine: Machine) -> None:
    machine.command("nvidia-smi", "echo 'GPU 0: NVIDIA T4'")
    listing = PYTHON.replace("esac", '"-m pip list") echo "torch 2.13.0+cpu" ;;\nesac')
    machine.command("python3.11", listing)
    machine.run("setup.sh")
    assert "python -m pip uninstall -y torch" in machine.calls


def test_a_torch_that_fits_is_kept(machine: Machine) -> None:
    machine.write("report.json", '{"install": []}')
    machine.run("setup.sh")
    assert not any("torch>=" in call for call in machine.installs)


def test_the_build_of_torch_can_be_chosen_by_hand(machine: Machine) -> None:
    machine.write("report.json", CUDA_BUILD)
    machine.run("setup.sh", PATHOVIEW_TORCH="cuda")
    assert not any(CPU_INDEX in call for call in machine.installs)


def test_an_unknown_build_of_torch_is_refused(machine: Machine) -> None:
    done = machine.run("setup.sh", PATHOVIEW_TORCH="tpu")
    assert done.returncode == 1
    assert "it can be cpu or cuda" in done.stderr


def test_a_folder_of_wheels_needs_no_index(machine: Machine) -> None:
    (machine.folder / "here" / "wheels").mkdir(parents=True)
    machine.set_up(PATHOVIEW_WHEELS="wheels")
    machine.write("calls", "")
    shutil.rmtree(machine.venv)
    machine.run("setup.sh", PATHOVIEW_WHEELS="wheels")
    pip = [call for call in machine.calls if " install " in call]
    assert pip
    assert all("--no-index --find-links" in call for call in pip)


def test_wheels_with_cuda_only_are_refused_without_a_gpu(machine: Machine) -> None:
    (machine.folder / "here" / "wheels").mkdir(parents=True)
    machine.write("report.json", CUDA_BUILD)
    done = machine.run("setup.sh", PATHOVIEW_WHEELS="wheels")
    assert done.returncode == 1
    assert "only the CUDA build" in done.stderr


def test_an_interrupted_set_up_is_noticed_and_done_anew(machine: Machine) -> None:
    machine.write("kill-setup", "")
    assert machine.run("setup.sh").returncode == -9
    (machine.folder / "kill-setup").unlink()
    (machine.venv / "half-installed").touch()
    done = machine.run("setup.sh")
    assert done.returncode == 0, done.stderr
    assert "interrupted" in done.stderr
    assert not (machine.venv / "half-installed").exists()


def test_a_broken_environment_is_made_anew(machine: Machine) -> None:
    machine.set_up()
    (machine.venv / "bin" / "python").unlink()
    done = machine.run("setup.sh")
    assert done.returncode == 0, done.stderr
    assert any("-m venv" in call for call in machine.calls)


def test_a_folder_that_is_not_ours_is_left_alone(machine: Machine) -> None:
    precious = machine.folder / "precious"
    precious.mkdir()
    (precious / "thesis.txt").touch()
    done = machine.run("setup.sh", PATHOVIEW_VENV=str(precious))
    assert done.returncode == 1
    assert "PATHOVIEW_VENV" in done.stderr
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


def test_the_environment_can_live_elsewhere(machine: Machine) -> None:
    machine.set_up(PATHOVIEW_VENV=str(machine.folder / "else where"))
    assert (machine.folder / "else where" / "bin" / "python").exists()
    assert not machine.venv.exists()


def test_two_set_ups_do_not_work_at_once(machine: Machine) -> None:
    lock = machine.checkout / ".venv.setting-up"
    lock.mkdir()
    (lock / "pid").write_text(str(os.getpid()))
    done = machine.run("setup.sh")
    assert done.returncode == 1
    assert "another set-up is at work" in done.stderr
    (lock / "pid").write_text("")  # as one leaves it that was killed
    assert machine.run("setup.sh").returncode == 0


def test_missing_libraries_are_installed_by_an_administrator(machine: Machine) -> None:
    machine.write("libraries", "libGL.so.1")
    machine.command("id", "echo 0")
    done = machine.run("setup.sh", **WINDOW)
    assert done.returncode == 0, done.stderr
    (install,) = [
        call for call in machine.calls if call.startswith("apt-get") and "install" in call
    ]
    assert "libglib2.0-0 " in install
    assert "libxcb-cursor0" in install
    assert "libgl1" not in install


def test_the_new_name_of_glib_is_taken_where_it_is_known(machine: Machine) -> None:
    machine.write("libraries", "")
    machine.command("id", "echo 0")
    machine.command("apt-cache", 'echo "$2"')
    machine.run("setup.sh", **WINDOW)
    assert any("libglib2.0-0t64 " in call for call in machine.calls)


def test_without_the_right_to_install_the_line_to_type_is_printed(machine: Machine) -> None:
    machine.write("libraries", "\n".join(LIBRARIES[:-1]))
    done = machine.run("setup.sh", **WINDOW)
    assert done.returncode == 1
    assert "sudo apt-get update && sudo apt-get install libxkbcommon-x11-0" in done.stderr
    assert machine.installs == []


def test_without_a_display_missing_window_libraries_are_only_noted(machine: Machine) -> None:
    machine.write("libraries", "")
    done = machine.run("setup.sh")
    assert done.returncode == 0, done.stderr
    assert "A window would also need: libglib2.0-0" in done.stderr
    assert not any(call.startswith("apt-get") for call in machine.calls)


def test_a_window_asks_for_libraries_that_work_without_one_did_not_need(machine: Machine) -> None:
    machine.write("libraries", "")
    machine.set_up()
    done = machine.run("run.sh", **WINDOW)
    assert done.returncode == 1
    assert "libegl1" in done.stderr


def test_without_python_its_packages_are_named(machine: Machine) -> None:
    for name in ("python3.11", "python3.12", "python3.13", "python3"):
        machine.command(name, "exit 1")
    done = machine.run("setup.sh")
    assert done.returncode == 1
    assert "apt-get install python3.11 python3.11-venv" in done.stderr


@pytest.mark.parametrize(
    ("pip_says", "hint"),
    [
        ("OSError: [Errno 28] No space left on device", "free some room"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "PIP_CERT"),
        ("Temporary failure in name resolution", "HTTPS_PROXY"),
        ("ERROR: No matching distribution found for shapely", "No matching distribution"),
    ],
)
def test_a_failing_pip_is_explained(machine: Machine, pip_says: str, hint: str) -> None:
    machine.write("pip-says", pip_says)
    done = machine.run("setup.sh")
    assert done.returncode == 1
    assert "PathoView could not be installed" in done.stderr
    assert hint in done.stderr
    assert "PATHOVIEW_WHEELS" in done.stderr
    assert "setup.log" in done.stderr
    machine.write("pip-says", "")
    assert "interrupted" not in machine.run("setup.sh").stderr


def test_a_full_disk_is_noticed_before_anything_is_installed(machine: Machine) -> None:
    machine.command("df", "printf 'header\\n/dev/sda 100 50 1000000 5%% /\\n'")
    done = machine.run("setup.sh")
    assert done.returncode == 1
    assert "About 3 GB are needed, 1 GB are free" in done.stderr
    assert machine.installs == []


def test_without_a_display_the_demo_is_analyzed(machine: Machine) -> None:
    machine.set_up()
    for _again in range(2):
        done = machine.run("run.sh")
        assert done.returncode == 0, done.stderr
        assert "here/demo.geojson" in done.stderr
        (machine.folder / "here" / "demo.geojson").touch()
    assert machine.calls[-1].endswith(
        "CMU-1-Small-Region.svs --output demo.geojson --overview demo.png"
    )


def test_without_a_display_my_slide_is_analyzed_and_replaces_nothing(machine: Machine) -> None:
    machine.set_up()
    assert machine.run("run.sh", "slides/my.svs").returncode == 0
    assert machine.calls[-1].endswith("slides/my.svs --output my.geojson --overview my.png")
    (machine.folder / "here" / "my.geojson").write_text("precious")
    refused = machine.run("run.sh", "slides/my.svs")
    assert refused.returncode == 1
    assert "my.geojson is in this folder already" in refused.stderr


def test_without_a_slide_the_window_opens_on_the_demo(machine: Machine) -> None:
    machine.set_up(**WINDOW)
    machine.run("run.sh", **WINDOW)
    assert machine.calls[-1].endswith(
        "-m pathoview " + str(machine.checkout / "resources" / "demo" / "CMU-1-Small-Region.svs")
    )


@pytest.mark.parametrize(("option", "code"), [("--help", 0), ("--fast", 2)])
def test_run_explains_itself(machine: Machine, option: str, code: int) -> None:
    done = machine.run("run.sh", option)
    assert done.returncode == code
    assert "usage: sh installer/run.sh [SLIDE...]" in done.stderr


def test_every_check_runs_and_each_failure_is_named(machine: Machine) -> None:
    machine.command("Xvfb", "")
    machine.command("xauth", "")
    machine.command(
        "python3.11", PYTHON.replace('case "$*" in\n', 'case "$*" in\n"-m mypy") exit 1 ;;\n', 1)
    )
    done = machine.run("test.sh")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "PathoView: failed: mypy"
    assert machine.calls[-1] == "python -m pytest -n 2"
