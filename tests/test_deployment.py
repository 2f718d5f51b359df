"""The deployment examples name nothing that there is not: settings, commands, options, metrics."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from helpdesk_core.cli import main
from helpdesk_core.cli.group import COMMANDS
from helpdesk_core.settings import Settings, load_settings
from helpdesk_core.telemetry.families import core_metrics
from helpdesk_core.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "deployment"
UNITS = sorted((EXAMPLES / "systemd").glob("*"))
COMPOSE = yaml.safe_load((EXAMPLES / "compose" / "compose.yaml").read_text(encoding="utf-8"))
RULES = yaml.safe_load((EXAMPLES / "prometheus" / "helpdesk.rules.yml").read_text(encoding="utf-8"))
GUIDE = ROOT / "docs" / "operations.md"
TEXTS = [path for path in [*EXAMPLES.rglob("*"), GUIDE] if path.is_file() and path.name != "constraints.txt"]


def commands():
    """Return every call of the command: its words after `helpdesk`."""
    for unit in UNITS:
        for line in re.findall(r"/bin/helpdesk ([^&'\n]+)", unit.read_text(encoding="utf-8")):
            yield pytest.param(line.split(), id=f"{unit.name} {line.split()[0]}")
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "helpdesk":
            yield pytest.param(service["command"], id=f"compose {name}")


@pytest.mark.parametrize("words", [*commands()])
def test_every_command_and_option_exists(words):
    if words[0] not in COMMANDS:
        pytest.skip(f"helpdesk {words[0]} is not in this version")
    command = main.get_command(main.make_context("helpdesk", [words[0]], resilient_parsing=True), words[0])
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_setting_exists(path):
    named = set(re.findall(r"HELPDESK_([A-Z_]+[A-Z])", path.read_text(encoding="utf-8")))
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


def test_the_file_of_settings_is_valid(tmp_path):
    lines = (EXAMPLES / "helpdesk.env").read_text(encoding="utf-8").splitlines()
    load_settings(dict(line.split("=", 1) for line in lines if line and not line.startswith("#")), tmp_path)


def test_there_is_no_password_in_any_file():
    for path in TEXTS:
        for found in re.findall(r"://[^/\s:@]+:([^@\s/]+)@", path.read_text(encoding="utf-8")):
            assert found in {"password", "%s"}
    assert not any("PASSWORD" in name for name in COMPOSE["x-helpdesk"]["environment"])
    assert "POSTGRES_PASSWORD" not in COMPOSE["services"]["database"]["environment"]


def test_processes_have_longer_to_stop_than_what_they_run():
    for name in ("helpdesk.service", "helpdesk-worker@.service"):
        unit = (EXAMPLES / "systemd" / name).read_text(encoding="utf-8")
        grace = re.search(r"--grace (\d+)", unit)
        assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > int(grace[1] if grace else 30)
    for name in ("serve", "worker"):
        assert COMPOSE["services"][name]["stop_grace_period"] == "60s"


def test_containers_start_in_their_order():
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("serve", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "/readyz" in str(services["serve"]["healthcheck"])


def test_the_database_is_asked_where_it_does_not_answer_before_it_is_set_up():
    assert COMPOSE["services"]["database"]["healthcheck"]["test"][2:4] == ["--host", "127.0.0.1"]


def test_the_image_can_back_up_the_database_beside_it():
    version = COMPOSE["services"]["database"]["image"].removeprefix("postgres:")
    dockerfile = (EXAMPLES / "compose" / "Dockerfile").read_text(encoding="utf-8")
    assert f"postgresql-client-{version} " in dockerfile
    (folder,) = (each.split(":")[1] for each in COMPOSE["x-helpdesk"]["volumes"] if each.startswith("backups:"))
    assert f"-o helpdesk -g helpdesk {folder}\n" in dockerfile
    assert "backups" in COMPOSE["volumes"]


def test_what_comes_through_the_port_of_the_container_is_believed_as_a_proxy():
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert COMPOSE["x-helpdesk"]["environment"]["HELPDESK_TRUSTED_PROXIES"] == network["gateway"]


def test_the_folder_of_the_nightly_backup_is_made_and_what_is_in_it_verified():
    unit = (EXAMPLES / "systemd" / "helpdesk-backup.service").read_text(encoding="utf-8")
    folder = re.search(r"^ReadWritePaths=(.+)$", unit, re.MULTILINE)[1]
    assert re.search(rf"^install -d .*{folder}\b", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.search(rf't="{folder}/.*helpdesk backup "\$\$t" && \S+ verify "\$\$t"', unit, re.DOTALL)


def test_proxies_let_the_largest_upload_through():
    largest = Settings.model_fields["max_upload_bytes"].default
    caddy = re.search(r"max_size (\d+)MiB", (EXAMPLES / "proxy" / "Caddyfile").read_text(encoding="utf-8"))
    nginx = re.search(r"client_max_body_size (\d+)m;", (EXAMPLES / "proxy" / "nginx.conf").read_text(encoding="utf-8"))
    for found in (caddy, nginx):
        assert int(found[1]) * 2**20 > largest + 2**16  # with what surrounds a file in a form


def test_every_metric_that_is_watched_exists(helpdesk_host):
    declared = [(plugin.id, metric) for plugin, metric in helpdesk_host.declared("register_metrics")]
    known = {*dict(core_metrics()), *Metrics(declared).names.values()}
    known |= {f"{name}_bucket" for name in known}
    expressions = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    named = set(re.findall(r"\b(?:helpdesk|process)_[a-z_]+", " ".join(expressions)))
    if not any("integrations" in name for name in known):
        named = {name for name in named if "integrations" not in name}
    assert named <= known


def test_the_guide_says_what_to_do_about_every_alert():
    text = GUIDE.read_text(encoding="utf-8")
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_units(tmp_path):
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/helpdesk/bin/helpdesk", "/bin/true")
        (tmp_path / unit.name).write_text(text.replace("User=helpdesk", "User=root").replace("Group=helpdesk\n", ""))
    names = [str(tmp_path / unit.name.replace("@.", "@1.")) for unit in UNITS]
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
        check=False,
        capture_output=True,
        text=True,
    )
    assert not [line for line in told.stderr.splitlines() if "helpdesk" in line]
