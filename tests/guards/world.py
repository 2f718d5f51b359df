"""Two organisations that own one of everything, and requests that walk the registry of endpoints."""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from helpdesk_core.events import OutboxEvent
from helpdesk_core.notifications.models import NotificationTemplate
from helpdesk_core.notifications.service.telling import notify
from helpdesk_core.testing import Client, Installation, Response
from helpdesk_core.web.routing import Endpoint
from tests.guards.samples import sample_body

MADE_BY = {
    "/users/2fa/devices/": "/users/2fa/setup/",
    "/knowledge-base/articles/{article}/versions/": "/knowledge-base/articles/",
    "/integration-platform/webhooks/{webhook_id}/deliveries/": "/integration-platform/webhooks/{webhook_id}/test/",
}
"""What makes the objects below a path when that is not POST there; the answer has no id, the list does."""

OTHERWISE_NAMED = {"move_to": "category", "into": "tag", "custom_role": "users/role"}
"""What fields refer to whose names do not say it."""


NAMED = {"/notification-templates/": "name"}
"""Collections whose objects are known by a name of theirs."""

SHARED = {"{plugin}": "accounts", "{language}": "de"}
"""Parts of paths that name the same thing for every organisation, and one that there is."""


@dataclass
class World:
    """Two organisations that own one of everything, made through the API."""

    installation: Installation
    made: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def object_of(self, who: str, collection: str) -> dict[str, Any] | None:
        """Return an object of `who` below `collection` (a path with parameters), making it if need be."""
        client = self.installation.client(who)
        if collection == "/users/" or collection.endswith("/members/"):
            return {"id": client.user.id} if client.user else None
        if collection == "/organizations/":
            return {"id": client.organization_id}
        if collection == "/users/sessions/":  # made by signing in
            return dict(client.get(collection).json()["results"][0])
        if collection == "/notifications/":  # made by what happens
            return self._told(client)
        if (who, collection) not in self.made:
            self.made[who, collection] = self._make(who, client, collection) or {}
        return self.made[who, collection] or None

    def fill(self, who: str, path: str) -> str | None:
        """Return `path` with keys of objects that `who` owns; nothing when one cannot be made."""
        filled = path
        for parameter, known in SHARED.items():
            filled = filled.replace(parameter, known)
        for parameter in re.findall(r"\{\w+\}", filled):
            owned = self.object_of(who, path.partition(parameter)[0])
            if owned is None:
                return None
            filled = filled.replace(parameter, str(owned["id"]), 1)
        return filled

    def foreign_key(self, name: str) -> int:
        """Return a key of the outsider that a field called `name` could refer to; a user's if nothing is named so."""
        if name == "event_id":
            return self._event_of_the_outsider()
        stem = OTHERWISE_NAMED.get(name, name.removesuffix("s").removesuffix("_id"))
        for collection in (f"/{stem}s/", f"/{stem[:-1]}ies/"):
            if self._endpoint("POST", collection):
                made = self.object_of("outsider", collection)
                if made and isinstance(made["id"], int):
                    return made["id"]
        account = self.installation.accounts["outsider"]
        return account.id

    def _event_of_the_outsider(self) -> int:
        """Return the key of an event of their organisation; it takes a change of their profile to have one."""
        outsider = self.installation.client("outsider")
        assert outsider.patch("/users/profile/", json={"first_name": "Eve"}).status_code == 200
        with self.installation.session(outsider.organization_id) as session:
            key = session.scalar(select(func.max(OutboxEvent.id)))
        assert key is not None
        return int(key)

    def _told(self, client: Client) -> dict[str, Any] | None:
        """Return the newest notification of a client, telling them something if need be."""
        assert client.user is not None
        with self.installation.session(client.organization_id) as session:
            if session.scalars(select(NotificationTemplate)).first() is None:
                moment = self.installation.clock.now()
                words = {"name": "sample", "title": "Sample", "subject": "Sample", "text": "Sample", "variables": []}
                session.add(NotificationTemplate(**words, created_at=moment, updated_at=moment))
                session.flush()
            name = session.scalars(select(NotificationTemplate.name)).first() or ""
            notify(session, [client.user.id], name, key=str(uuid4()))
            self.installation.commit(session)
        return dict(client.get("/notifications/").json()["results"][0])

    def _make(self, who: str, client: Client, collection: str) -> dict[str, Any] | None:
        maker = MADE_BY.get(collection, collection)
        endpoint = self._endpoint("POST", maker)
        path = self.fill(who, maker)
        if endpoint is None or path is None:
            return None
        if endpoint.upload:
            reply = client.post(path, files={"file": ("sample.txt", b"sample", "text/plain")})
        else:
            reply = client.post(path, json=sample_body(endpoint.body, {}) if endpoint.body else {})
        assert reply.status_code in {200, 201}, f"POST {path} as {who}: {reply.text}"
        listed = self.fill(who, collection) or collection
        made = client.get(listed).json()["results"][0] if maker != collection else reply.json()
        if collection in NAMED:
            return {"id": made[NAMED[collection]]}
        return made if isinstance(made, dict) and "id" in made else None

    def _endpoint(self, method: str, path: str) -> Endpoint | None:
        found = (e for e in self.installation.parts.endpoints if e.method == method and e.path == path)
        return next(found, None)


def request(client: Client, endpoint: Endpoint, path: str, body: dict[str, Any] | None = None) -> Response:
    if endpoint.upload:
        return client.raw(endpoint.method, f"/api/v1{path}", files={"file": ("x.txt", b"x", "text/plain")})
    if endpoint.body is None:
        return client.raw(endpoint.method, f"/api/v1{path}")
    return client.raw(endpoint.method, f"/api/v1{path}", json=sample_body(endpoint.body, {}) | (body or {}))
