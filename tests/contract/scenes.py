"""How to bring about the circumstances in which each documented example is sent.

The documents' examples name records by made-up ids (`"user_id": 2`). A scene makes such records, and puts
their ids where the example has its own; everything else of the example is sent word for word.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpdesk_core.accounts import otp
from helpdesk_core.testing import START
from tests.contract.documents import Variant, variant
from tests.contract.steps import assign, comment_on, created, log_in, open_ticket, register, rows, served


@dataclass
class Stage:
    """The cast, and the records that an example needs, made when they are first asked for."""

    owner: Any
    agent: Any
    technician: Any
    member: Any
    anonymous: Any

    @cached_property
    def category(self) -> Any:
        return self._make("categories_create")

    @cached_property
    def tags(self) -> list[Any]:
        """Two tags that carry the names of the examples."""
        names = ("login", "authentication")
        return [created(self.owner.post("/tags/", json={"name": name})) for name in names]

    @cached_property
    def ticket(self) -> Any:
        """A ticket of the member in which no part is empty."""
        ticket = open_ticket(
            self.member,
            "Login Issue",
            category=self.category["id"],
            tags=[tag["id"] for tag in self.tags],
            due_date="2124-01-16T17:00:00Z",
        )
        assign(self.agent, ticket, self.agent)
        return ticket

    @cached_property
    def comment(self) -> Any:
        return comment_on(self.agent, self.ticket, "Working on this issue")

    @cached_property
    def template(self) -> Any:
        return self._make("templates_create")

    @cached_property
    def saved_filter(self) -> Any:
        return self._make("filters_create")

    @cached_property
    def automation(self) -> Any:
        example = variant("automations_create", "comprehensive")
        return created(self.owner.post(example.path, json={**example.request, **_automation(self)}))

    @cached_property
    def api_integration(self) -> Any:
        return self._make("api_integrations_create", "comprehensive")

    @cached_property
    def webhook(self) -> Any:
        return self._make("webhooks_create", "comprehensive")

    @cached_property
    def kb_category(self) -> Any:
        body = {"name": "Authentication", "description": "Articles about authentication"}
        return created(self.owner.post("/knowledge-base/categories/", json=body))

    @cached_property
    def kb_article(self) -> Any:
        example = variant("kb_articles_create", "comprehensive")
        return created(self.owner.post(example.path, json={**example.request, "category": self.kb_category["id"]}))

    @cached_property
    def device(self) -> Any:
        """A device of the member that is not verified yet."""
        example = variant("users_2fa_setup", "comprehensive")
        return served(self.member.post(example.path, json=example.request))

    @cached_property
    def second_factor(self) -> Any:
        return served(self.member.post("/users/2fa/verify/", json={"code": code_of(self.device)}))

    @cached_property
    def tokens(self) -> Any:
        """What the login of a freshly registered account answered with."""
        register(self.anonymous)
        return log_in(self.anonymous)

    def account(self, username: str, password: str, email: str = "someone@example.com") -> None:
        register(self.anonymous, username, password=password, email=email)

    def _make(self, operation: str, document: str = "classic") -> Any:
        """The record of the documented example."""
        example = variant(operation, document)
        return created(self.owner.post(example.path, json=example.request))


def code_of(device: Any) -> str:
    """The code that a device shows at the time that all tests begin at."""
    return otp.code_at(device["secret_key"], START)


@dataclass(frozen=True)
class Scene:
    """Who sends an example, where to, and what replaces the made-up ids.

    Attributes:
        caller: the name of one of the cast.
        needs: records that must exist beforehand.
        path: gives the values of the path's placeholders.
        body: gives the fields that replace or complete those of the example.
        prepare: does what else must have happened.
    """

    caller: str = "agent"
    needs: tuple[str, ...] = ()
    path: Callable[[Stage], dict[str, Any]] = lambda stage: {}
    body: Callable[[Stage], dict[str, Any]] = lambda stage: {}
    prepare: Callable[[Stage], object] = lambda stage: None

    def set(self, stage: Stage, described: Variant) -> tuple[str, dict[str, Any]]:
        """Make what the example needs; return the path and the body to send."""
        self.prepare(stage)
        for record in self.needs:
            getattr(stage, record)
        body = self.body(stage) if described.method in {"POST", "PUT", "PATCH"} else {}
        return described.path.format(**self.path(stage)), {**described.request, **body}


def _ticket_id(stage: Stage) -> dict[str, Any]:
    return {"id": stage.ticket["id"]}


def _comment_id(stage: Stage) -> dict[str, Any]:
    return {"ticket_id": stage.ticket["id"], "id": stage.comment["id"]}


def _organization_id(stage: Stage) -> dict[str, Any]:
    return {"id": stage.owner.organization_id}


def _ticket_references(stage: Stage) -> dict[str, Any]:
    """The ids in CLASSIC's ticket example."""
    return {
        "category": stage.category["id"],
        "assigned_to": stage.agent.user.id,
        "tags": [tag["id"] for tag in stage.tags],
    }


def _password_of_member(stage: Stage) -> dict[str, Any]:
    return {"password": stage.member.user.password}


def _automation(stage: Stage) -> dict[str, Any]:
    """The ids in the example of an automation, whose category has to be there."""
    if "technical_support" not in [each["slug"] for each in rows(stage.owner, "/categories/", include="slug")]:
        created(stage.owner.post("/categories/", json={"name": "Technical Support"}))
    first, *more = variant("automations_create", "comprehensive").request["actions"]
    return {"actions": [{**first, "parameters": {"agent_id": stage.agent.user.id}}, *more]}


NEW_COMMENT = variant("ticket_comments_create", "classic").request
NEW_TICKET = variant("tickets_create", "classic").request

SCENES = {
    "auth_token_obtain": Scene("anonymous", prepare=lambda stage: stage.account("your_username", "your_password")),
    "auth_token_refresh": Scene("anonymous", body=lambda stage: {"refresh": stage.tokens["refresh"]}),
    "auth_token_verify": Scene("anonymous", body=lambda stage: {"token": stage.tokens["access"]}),
    "users_login": Scene(
        "anonymous", prepare=lambda stage: stage.account("johndoe", "securepassword123", "user@example.com")
    ),
    "users_refresh": Scene("anonymous", body=lambda stage: {"refresh": stage.tokens["refresh"]}),
    "users_verify": Scene("anonymous", body=lambda stage: {"token": stage.tokens["access"]}),
    "users_list": Scene(),
    "users_register": Scene("anonymous"),
    "users_profile_retrieve": Scene("member"),
    "users_profile_update": Scene("member"),
    "users_change_password": Scene("member", body=lambda stage: {"old_password": stage.member.user.password}),
    "users_2fa_setup": Scene("member"),
    "users_2fa_verify": Scene("member", body=lambda stage: {"code": code_of(stage.device)}),
    "users_2fa_disable": Scene("member", needs=("second_factor",), body=_password_of_member),
    "organizations_list": Scene("owner"),
    "organizations_retrieve": Scene("owner", path=_organization_id),
    "organizations_update": Scene("owner", path=_organization_id),
    "tickets_list": Scene(needs=("ticket",)),
    "tickets_create": Scene(),
    "tickets_retrieve": Scene(path=_ticket_id, needs=("comment",)),
    "tickets_update": Scene(path=_ticket_id, needs=("comment",)),
    "tickets_partial_update": Scene(path=_ticket_id, needs=("comment",), body=lambda stage: {"priority": "urgent"}),
    "tickets_delete": Scene(path=_ticket_id),
    "tickets_assign": Scene(
        path=_ticket_id, needs=("comment",), body=lambda stage: {"user_id": stage.technician.user.id}
    ),
    "tickets_change_status": Scene(path=_ticket_id, needs=("comment",)),
    "tickets_stats": Scene(needs=("ticket",)),
    "tickets_statistics": Scene(needs=("ticket",)),
    "tickets_my_tickets": Scene("member", needs=("ticket",)),
    "ticket_comments_list": Scene(path=_comment_id, needs=("comment",)),
    "ticket_comments_create": Scene(path=lambda stage: {"ticket_id": stage.ticket["id"]}),
    "ticket_comments_update": Scene(path=_comment_id, body=lambda stage: NEW_COMMENT),
    "ticket_comments_partial_update": Scene(path=_comment_id, body=lambda stage: NEW_COMMENT),
    "ticket_comments_delete": Scene(path=_comment_id),
    "categories_list": Scene(needs=("category",)),
    "categories_create": Scene("owner"),
    "tags_list": Scene(needs=("tags",)),
    "tags_popular": Scene(needs=("ticket",)),
    "tags_create": Scene("owner"),
    "templates_list": Scene("owner", needs=("template",)),
    "templates_create": Scene(),
    "templates_use_template": Scene(path=lambda stage: {"id": stage.template["id"]}),
    "filters_list": Scene("owner", needs=("saved_filter",)),
    "filters_create": Scene(),
    "automations_list": Scene("owner", needs=("automation",)),
    "automations_create": Scene("owner", body=_automation),
    "api_integrations_list": Scene("owner", needs=("api_integration",)),
    "api_integrations_create": Scene("owner"),
    "kb_articles_list": Scene("member", needs=("kb_article",)),
    "kb_articles_create": Scene(body=lambda stage: {"category": stage.kb_category["id"]}),
    "kb_categories_list": Scene("member", needs=("kb_category",)),
    "kb_categories_create": Scene(),
    "webhooks_list": Scene("owner", needs=("webhook",)),
    "webhooks_create": Scene("owner"),
}
"""One scene per operation."""

VARIANT_SCENES = {
    ("tickets_create", "classic"): Scene(body=_ticket_references),
    ("tickets_update", "classic"): Scene(
        path=_ticket_id, needs=("comment",), body=lambda stage: {**NEW_TICKET, **_ticket_references(stage)}
    ),
    ("tickets_update", "comprehensive"): Scene(
        path=_ticket_id, needs=("comment",), body=lambda stage: {"assigned_agent": stage.agent.user.id}
    ),
}
"""Where the two documents' examples need different scenes."""


def scene_of(described: Variant) -> Scene:
    return VARIANT_SCENES.get((described.operation, described.document)) or SCENES[described.operation]
