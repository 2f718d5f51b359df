"""HTML pages beside the API: declared like endpoints, made from templates.

A page goes the way of any request: the same authenticators, the same permissions, a session on a database thread. Only
what it returns differs, and what it says when something is wrong. Pages only read; what they change goes through the
API, by scripts of ours, which carry the header against forged requests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.routing import BaseRoute, Route

from helpdesk_core.errors import HelpdeskError, Unauthenticated
from helpdesk_core.limits.spending import Spending
from helpdesk_core.plugins import Phase, PluginHost
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import Answer, Form
from helpdesk_core.web.authentication import Authenticator
from helpdesk_core.web.context import Context, Services
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.lanes import Lanes
from helpdesk_core.web.requests import Incoming
from helpdesk_core.web.routing import Endpoint
from helpdesk_core.web.templates import Templates
from helpdesk_core.web.unit_of_work import UnitOfWork

SIGN_IN = "/account/sign-in/"
HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
POLICY_WITH_FORMS = POLICY.replace("form-action 'none'", "form-action 'self'")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


@dataclass(frozen=True, slots=True)
class Html:
    """What a page shows.

    Attributes:
        template: its name behind the plugin's id, `kb/article.html`; most extend `core/page.html`.
        values: what the template gets; text is escaped. `caller` and `path` are there already.
        status: of the answer.
        forms: whether what people enter may be sent to this host, as a search is. Elsewhere scripts do it, and nothing
            is sent should they fail: no password gets into an address.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    forms: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What a page gives to programs: a site map, a feed.

    Attributes:
        template: its name behind the plugin's id, `kb/feed.xml`.
        values: what the template gets; text is escaped, as XML and HTML both want it.
        media_type: of the document.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another page to go to, by its path on this host.

    Attributes:
        to: the path.
        permanently: whether it has moved for good, so that those who keep links change them.
    """

    to: str
    permanently: bool = False


class Pages(UnitOfWork):
    """Runs pages as `UnitOfWork` runs endpoints."""

    phase = Phase.PAGE

    def __init__(
        self, services: Services, authenticators: Sequence[Authenticator], host: PluginHost, templates: Templates
    ) -> None:
        """Prepare; no template is read before somebody asks for it."""
        super().__init__(services, authenticators, host.gate, {})
        self._templates = templates

    def _begin(self, now: datetime) -> Spending | None:
        """Take nothing: limits are those of the API, which the scripts of pages call."""
        return None

    def _arguments(self, endpoint: Endpoint, ctx: Context, values: Mapping[str, str]) -> dict[str, Any]:
        """Leave out parameters that the page does not know: links carry those of newsletters and campaigns."""
        known = endpoint.query.model_fields if endpoint.query is not None else {}
        return super()._arguments(endpoint, ctx, {name: value for name, value in values.items() if name in known})

    def _written(self, endpoint: Endpoint, value: Any, ctx: Context, form: Form) -> Answer:
        if isinstance(value, Redirect):
            return _redirect(value.to, 301 if value.permanently else 303)
        if isinstance(value, Document):
            body = self._templates.render(value.template, value.values)
            return Answer(200, body.encode(), {**HEADERS, **ctx.headers}, value.media_type)
        if not isinstance(value, Html):
            raise TypeError(
                f"page {endpoint.path} returned {type(value).__name__}, neither Html nor Document nor Redirect"
            )
        values = {**value.values, "caller": ctx.actor if ctx.principal else None, "path": ctx.incoming.path}
        headers = {**ctx.headers, "Content-Security-Policy": POLICY_WITH_FORMS} if value.forms else ctx.headers
        return self._html(value.status, value.template, values, headers)

    def _refused(self, error: HelpdeskError, incoming: Incoming, dialect: Dialect, form: Form) -> Answer:
        if isinstance(error, Unauthenticated):
            wanted = f"{incoming.path}?{incoming.query}" if incoming.query else incoming.path
            return _redirect(f"{SIGN_IN}?next={quote(wanted, safe='/')}")
        values = {
            "title": HTTPStatus(error.status).phrase,
            "message": error.message,
            "problems": [problem.message for problem in error.errors],
            "request_id": form.request_id if error.status >= 500 else None,
            "caller": None,
            "path": incoming.path,
        }
        answer = self._html(error.status, "core/problem.html", values, error.headers)
        answer.code = error.code
        return answer

    def _html(self, status: int, template: str, values: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        body = self._templates.render(template, values)
        return Answer(status, body.encode(), {**HEADERS, **headers}, HTML)


def page_routes(
    host: PluginHost, services: Services, authenticators: Sequence[Authenticator], lanes: Lanes
) -> list[BaseRoute]:
    """Return the routes of all pages, and of what they load."""
    endpoints = [
        replace(endpoint, plugin=plugin.id)
        for plugin, router in host.declared("register_pages")
        for endpoint in router.endpoints
    ]
    templates = Templates({plugin.id: plugin.folder for plugin in host.active})
    app = Api(endpoints, Pages(services, authenticators, host, templates), lanes, services.settings)
    prefixes = dict.fromkeys(router.prefix for _, router in host.declared("register_pages"))
    served: list[BaseRoute] = [Route(f"/{prefix}/{{rest:path}}", app) for prefix in prefixes]
    return [*served, Route("/assets/{owner}/{name}", templates.asset)]


def local_path(text: str, otherwise: str) -> str:
    """Return `text` if it is a path on this host, else `otherwise`: no link of ours may lead to somebody else's.

    Browsers take a backslash for a slash, and leave out tabs and line breaks wherever they are.
    """
    printable = all("!" <= character <= "~" for character in text)
    if not printable or not text.startswith("/") or text.startswith("//") or "\\" in text:
        return otherwise
    return text


def _redirect(to: str, status: int = 303) -> Answer:
    return Answer(status, b"", {**HEADERS, "Location": to}, HTML)
