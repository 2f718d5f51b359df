"""The signing key is given, or made once and kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from helpdesk_core.keys import signing_key
from helpdesk_core.settings import BadSetting, Settings


def test_a_key_in_the_settings_is_used_and_nothing_is_written(tmp_path):
    settings = Settings(home=tmp_path / "home", secret_key="a" * 32)
    assert signing_key(settings) == b"a" * 32
    assert not (tmp_path / "home").exists()


def test_without_one_a_key_is_made_for_this_user_alone_and_kept(tmp_path):
    settings = Settings(home=tmp_path / "home")
    key = signing_key(settings)
    assert len(key) >= 32
    assert signing_key(settings) == key
    (file,) = (tmp_path / "home").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_processes_that_start_together_agree_on_one(tmp_path):
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: signing_key(settings), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_a_short_key_is_refused_without_being_shown(tmp_path):
    with pytest.raises(BadSetting, match="at least 32") as refused:
        signing_key(Settings(home=tmp_path, secret_key="hunter2"))
    assert "hunter2" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="HELPDESK_SECRET_KEY takes a key instead"):
        signing_key(Settings(home=tmp_path / "file" / "home"))
