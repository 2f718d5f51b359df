"""A list runs the same number of statements whether it shows one row or many."""

from helpdesk_core.testing import Installation
from tests.guards.samples import sample_body


def test_every_list_runs_a_constant_number_of_statements(installation: Installation) -> None:
    owner = installation.client("owner")
    endpoints = installation.parts.endpoints
    makers = {e.path: e for e in endpoints if e.method == "POST" and e.body and "{" not in e.path and e.status == 201}
    lists = [e for e in endpoints if e.method == "GET" and "{" not in e.path and e.query and not e.public]
    checked = 0
    for endpoint in lists:
        maker = makers.get(endpoint.path)
        if maker is None or maker.body is None or "page_size" not in endpoint.query.model_fields:
            continue
        made = 0
        for _ in range(4):
            made += owner.post(maker.path, json=sample_body(maker.body, {})).status_code == 201
        if made < 4:
            continue
        counts = []
        for size in (1, 1, 3):
            with installation.statements() as seen:
                reply = owner.get(f"{endpoint.path}?page_size={size}")
            assert reply.status_code == 200, reply.text
            assert len(reply.json()["results"]) == size, endpoint.path
            counts.append(len(seen))
        assert counts[1] == counts[2], f"{endpoint.path}: {counts[1]} statements for 1 row, {counts[2]} for 3"
        assert counts[2] <= 12, f"{endpoint.path}: {counts[2]} statements"
        checked += 1
    assert checked >= 1
