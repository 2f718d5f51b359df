"""The dialect of an answer follows media type, credential and path, in this order."""

import pytest

from helpdesk_core.errors import NotAcceptable
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.dialects import Wanted, choose, wanted_by

CLASSIC, COMPREHENSIVE = Dialect.CLASSIC, Dialect.COMPREHENSIVE


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Wanted()),
        ("*/*", Wanted()),
        ("application/json", Wanted()),
        ("text/html, application/xml;q=0.9", Wanted()),
        ("application/vnd.helpdesk.v1+json", Wanted(COMPREHENSIVE)),
        ("application/vnd.helpdesk.classic.v1+json", Wanted(CLASSIC)),
        ("application/vnd.helpdesk.v1+json; envelope=standard", Wanted(COMPREHENSIVE, envelope=True)),
        ("text/html, Application/Vnd.Helpdesk.V1+JSON;q=0.8", Wanted(COMPREHENSIVE)),
        ("application/vnd.helpdesk.v2+json, application/vnd.helpdesk.v1+json", Wanted(COMPREHENSIVE)),
    ],
)
def test_an_accept_header_names_at_most_one_document(accept: str, wanted: Wanted) -> None:
    assert wanted_by(accept) == wanted


def test_an_unknown_version_is_not_acceptable() -> None:
    with pytest.raises(NotAcceptable, match="v2"):
        wanted_by("application/vnd.helpdesk.v2+json")


def test_the_media_type_wins_over_the_credential_and_that_over_the_path() -> None:
    assert choose(Wanted(CLASSIC), COMPREHENSIVE, COMPREHENSIVE) is CLASSIC
    assert choose(Wanted(), CLASSIC, COMPREHENSIVE) is CLASSIC
    assert choose(Wanted(), None, CLASSIC) is CLASSIC
    assert choose(Wanted(), None, None) is COMPREHENSIVE
