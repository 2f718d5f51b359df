"""Settings come from the environment and `helpdesk.toml`; whatever is wrong with one is told in a sentence."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from helpdesk_core.settings import FILE, BadSetting, Settings, load_settings

ROOT = Path(__file__).parent.parent


def refusal(environment, folder):
    with pytest.raises(BadSetting) as refused:
        load_settings(environment, folder)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return str(refused.value)


def test_the_defaults_are_complete(tmp_path):
    assert load_settings({}, tmp_path) == Settings()


def test_the_environment_wins_over_the_file_and_an_option_over_both(tmp_path):
    (tmp_path / FILE).write_text('log_level = "error"\nhome = "from-file"\n')
    environment = {"HELPDESK_HOME": "from-environment", "PATH": "/bin"}
    settings = load_settings(environment, tmp_path)
    assert (settings.home, settings.log_level) == (Path("from-environment"), "error")
    assert load_settings(environment, tmp_path, home="from-option").home == Path("from-option")


def test_lists_are_separated_by_commas(tmp_path):
    settings = load_settings({"HELPDESK_ALLOWED_HOSTS": "a.example, b.example,"}, tmp_path)
    assert settings.allowed_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(("given", "wanted"), [(None, None), ("none", ()), ("tickets, kb", ("tickets", "kb"))])
def test_plugins_are_all_none_or_named(tmp_path, given, wanted):
    settings = load_settings({"HELPDESK_PLUGINS": given} if given else {}, tmp_path)
    assert settings.wanted_plugins == wanted


def test_a_misspelt_name_in_the_environment_is_told_with_the_nearest_one(tmp_path):
    assert refusal({"HELPDESK_LOG_LEVLE": "info"}, tmp_path) == (
        "HELPDESK_LOG_LEVLE is not a setting. Did you mean HELPDESK_LOG_LEVEL?"
    )


def test_a_name_like_no_other_points_to_the_list(tmp_path):
    assert "helpdesk doctor --settings" in refusal({"HELPDESK_XYZZY": "1"}, tmp_path)


def test_a_misspelt_name_in_the_file_is_told_with_the_file(tmp_path):
    (tmp_path / FILE).write_text("loglevel = 3\n")
    assert refusal({}, tmp_path) == "loglevel in helpdesk.toml is not a setting. Did you mean log_level?"


def test_a_file_that_is_no_toml_is_told(tmp_path):
    (tmp_path / FILE).write_text("log_level info")
    assert refusal({}, tmp_path).startswith("helpdesk.toml cannot be read: ")


def test_a_wrong_value_is_told_with_an_example_and_without_the_value(tmp_path):
    told = refusal({"HELPDESK_ACCESS_TOKEN_MINUTES": "a secret pasted here"}, tmp_path)
    assert told.startswith("HELPDESK_ACCESS_TOKEN_MINUTES: ")
    assert told.endswith("Example: HELPDESK_ACCESS_TOKEN_MINUTES=15")
    assert "secret" not in told


def test_every_wrong_value_is_told_on_a_line_of_its_own(tmp_path):
    told = refusal({"HELPDESK_LOG_LEVEL": "loud", "HELPDESK_PUBLIC_URL": "help.example.com"}, tmp_path)
    assert [line.partition(":")[0] for line in told.splitlines()] == ["HELPDESK_PUBLIC_URL", "HELPDESK_LOG_LEVEL"]


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "example.com", "10.0.0.0-10.0.0.9", "::1%lo"])
def test_a_network_that_is_none_is_told_by_its_place(tmp_path, wrong):
    assert refusal({"HELPDESK_OUTBOUND_ALLOW": f"127.0.0.0/8,{wrong}"}, tmp_path) == (
        "HELPDESK_OUTBOUND_ALLOW: Number 2 of the list is not a network: an address and a length, with nothing but "
        "zeros after it. Example: HELPDESK_OUTBOUND_ALLOW=10.1.2.0/24,fd00:1::/64"
    )


def test_ports_are_numbers_that_ports_can_have(tmp_path):
    assert load_settings({"HELPDESK_OUTBOUND_PORTS": "443, 8443"}, tmp_path).outbound_ports == (443, 8443)
    for wrong in ("0", "65536", "https"):
        assert refusal({"HELPDESK_OUTBOUND_PORTS": wrong}, tmp_path).startswith("HELPDESK_OUTBOUND_PORTS: ")


def test_variables_of_the_test_suite_are_no_settings(tmp_path):
    assert load_settings({"HELPDESK_TEST_POSTGRES_URL": "postgresql://x"}, tmp_path) == Settings()


def test_secrets_do_not_show():
    settings = Settings(secret_key="a very secret key of some length", demo_password="hush")
    assert "very secret" not in repr(settings)
    assert "hush" not in str(settings)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained_and_has_an_example_that_is_valid(tmp_path, name):
    field = Settings.model_fields[name]
    assert field.description
    assert field.examples
    load_settings({f"HELPDESK_{name.upper()}": str(field.examples[0])}, tmp_path)


def test_the_reference_is_current():
    spec = spec_from_file_location("reference_settings", ROOT / "tools" / "reference_settings.py")
    generator = module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8") == generator.render()
