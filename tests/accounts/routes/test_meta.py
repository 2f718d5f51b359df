from datetime import UTC, datetime
from zoneinfo import available_timezones

from tests.contract.steps import served


def test_time_zones_are_those_that_a_profile_takes(anonymous, member):
    zones = {zone["name"]: zone["offset"] for zone in served(anonymous.get("/meta/timezones/"))}
    assert set(zones) < available_timezones()
    assert list(zones) == sorted(zones)
    assert len(zones) > 400
    for name in ("Europe/Zurich", "Asia/Kathmandu", "UTC"):
        assert served(member.patch("/users/profile/", json={"timezone": name}))["timezone"] == name


def test_offsets_are_those_of_the_moment(anonymous, clock):
    def offset(name):
        return {zone["name"]: zone["offset"] for zone in served(anonymous.get("/meta/timezones/"))}[name]

    assert offset("Asia/Kathmandu") == "+05:45"
    assert offset("America/St_Johns") == "-03:30"
    assert offset("UTC") == "+00:00"
    assert offset("Europe/Zurich") == "+01:00"
    clock.advance(days=(datetime(2026, 7, 1, tzinfo=UTC) - clock.now()).days)
    assert offset("Europe/Zurich") == "+02:00"


def test_languages_are_those_that_a_profile_takes(anonymous, member):
    languages = served(anonymous.get("/meta/languages/"))
    assert {"code": "de", "name": "German"} in languages
    assert {"code": "gd", "name": "Scottish Gaelic"} in languages
    assert len(languages) == 183
    assert {len(language["code"]) for language in languages} == {2}
    for language in languages[::40]:
        changed = served(member.patch("/users/profile/", json={"language": language["code"]}))
        assert changed["language"] == language["code"]
