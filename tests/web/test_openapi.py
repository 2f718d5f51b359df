"""The OpenAPI document says exactly what the declared endpoints take and answer."""

from dataclasses import replace
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import Field

from helpdesk_core.api import (
    Body,
    Context,
    DbInt,
    Download,
    Filters,
    Instant,
    JsonObject,
    Key,
    Keys,
    Line,
    Message,
    Page,
    Permission,
    QueryBool,
    Ref,
    Router,
    Schema,
    UntilDateTime,
    Upload,
    Words,
)
from helpdesk_core.plugins import PluginHost
from helpdesk_core.settings import Settings
from helpdesk_core.web.openapi import build_document

VIEW = Permission("oncall:shift:view", "See shifts")


class Agent(Schema):
    id: DbInt
    email: str


class ShiftRead(Schema):
    """A shift."""

    id: DbInt
    agent: Agent | None
    starts_at: Instant


class ClassicShift(Schema):
    id: DbInt
    title: str


class ShiftExtras(Schema):
    note: str


class ShiftCreate(Schema):
    read_only = frozenset({"id", "created_at"})
    spellings = {"title": "subject", "assigned_agent": "agent"}  # noqa: RUF012

    subject: Line
    notes: Body = ""
    agent: Ref | None = None
    ends_at: Instant | None = None
    data: JsonObject = Field(default_factory=dict)


class ShiftFilters(Filters):
    spellings = {"assigned_agent": "agent"}  # noqa: RUF012

    kind: Words[Literal["day", "night"]] | None = None
    agent: Keys | None = None
    """Who is on call."""
    open: QueryBool | None = None
    starts_before: UntilDateTime | None = None


router = Router("rotas", tag="On-call")


@router.get("/", permission=VIEW, include=ShiftExtras)
def list_shifts(ctx: Context, query: ShiftFilters) -> Page[ShiftRead] | Page[ClassicShift]:
    """Shifts.

    The newest come first.
    """


@router.post("/", permission=VIEW, status=201)
def create_shift(ctx: Context, body: ShiftCreate) -> ShiftRead | ClassicShift:
    """Put somebody on call."""


@router.get("/{shift}/", permission=VIEW, aliases=("/shift/{shift}/",))
def retrieve_shift(ctx: Context, shift: Key) -> ShiftRead | ClassicShift:
    """One shift."""


@router.put("/{shift}/", permission=VIEW)
def update_shift(ctx: Context, shift: Key, body: ShiftCreate) -> ShiftRead | ClassicShift:
    """Change a shift."""


@router.delete("/{shift}/", permission=VIEW)
def delete_shift(ctx: Context, shift: Key) -> None:
    """Remove a shift."""


@router.post("/{shift}/file/", permission=VIEW)
def attach(ctx: Context, shift: Key, file: Upload) -> Message:
    """Attach a file."""


@router.get("/{shift}/file/", permission=VIEW)
def download(ctx: Context, shift: Key) -> Download:
    """The file."""


@router.post("/reset/", permission=VIEW, status=201)
def reset(ctx: Context) -> None:
    """Begin anew."""


@router.post("/token/", public=True, form=True)
def sign_in(ctx: Context, body: Message) -> Message:
    """Sign in."""


class Undocumented:
    """A type that JSON Schema cannot describe."""


def documented(*routers: tuple[str, Router]) -> dict[str, Any]:
    endpoints = [replace(endpoint, plugin=plugin) for plugin, each in routers for endpoint in each.endpoints]
    return build_document(endpoints, PluginHost([]), Settings())


@pytest.fixture(scope="module")
def document():
    return documented(("oncall", router))


@pytest.fixture(scope="module")
def operation(document):
    return lambda method, path: document["paths"][f"/api/v1/rotas{path}"][method]


@pytest.fixture(scope="module")
def accepts(document):
    """Tell whether a body is one by the component of that name."""

    def tell(name, body):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return Draft202012Validator(schema).is_valid(body)

    return tell


@pytest.fixture(scope="module")
def parameters(operation):
    return {each["name"]: each for each in operation("get", "/")["parameters"]}


def test_it_is_a_valid_document(document):
    validate(document)


def test_the_document_of_everything_installed_is_valid_and_complete(installation):
    found = installation.http.get("/api/openapi.json").json()
    validate(found)
    operations = sum(len(methods) for methods in found["paths"].values())
    assert operations == len(installation.parts.endpoints)


def test_operations_are_named_once_although_put_and_patch_are_one_function(document):
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)
    assert {"oncall_update_shift", "oncall_update_shift_patch"} <= set(names)


def test_an_operation_says_what_it_is_for_and_what_it_needs(operation):
    found = operation("get", "/")
    assert (found["summary"], found["tags"], found["x-permission"]) == ("Shifts", ["On-call"], VIEW.code)
    assert found["description"].startswith("The newest come first.")
    assert found["security"] == [{"bearer": []}, {"apiKey": []}, {"session": []}]
    assert operation("post", "/token/")["security"] == []


def test_other_paths_of_an_operation_are_no_operations_of_their_own(operation, document):
    assert operation("get", "/{shift}/")["x-aliases"] == ["/api/v1/rotas/shift/{shift}/"]
    assert "/api/v1/rotas/shift/{shift}/" not in document["paths"]


def test_what_creates_a_resource_links_to_what_can_be_done_with_it(operation):
    links = operation("post", "/")["responses"]["201"]["links"]
    assert links["oncall_retrieve_shift"] == {
        "operationId": "oncall_retrieve_shift", "parameters": {"shift": "$response.body#/id"}
    }  # fmt: skip
    assert {"oncall_update_shift", "oncall_delete_shift", "oncall_attach"} < set(links)
    assert not {"oncall_list_shifts", "oncall_download"} & set(links)
    assert "links" not in operation("post", "/reset/")["responses"]["201"]


def test_a_link_keeps_what_the_path_already_names(installation):
    paths = installation.http.get("/api/openapi.json").json()["paths"]
    created = paths["/api/v1/organizations/{organization_id}/members/"]["post"]["responses"]["201"]
    assert created["links"]["accounts_remove_member"]["parameters"] == {
        "organization_id": "$request.path.organization_id", "user_id": "$response.body#/id"
    }  # fmt: skip


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            {"subject": "a"},
            {"title": "a", "assigned_agent": 5},
            {"subject": "a", "title": "a"},
            {"subject": "a", "agent": {"id": 5, "email": "x"}},
            {"subject": "a", "id": "anything", "created_at": None},
            {"subject": "a", "data": {"deep": [{"er": None}]}},
        ],
    )
    def test_take_both_spellings_references_in_both_forms_and_what_can_only_be_read(self, accepts, body):
        assert accepts("ShiftCreate", body)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"subject": " \t"},
            {"subject": "a", "agent": 0},
            {"subject": "a", "unknown": 1},
            {"subject": "a\u0000"},
            {"subject": "a", "data": {"deep": ["\u0000"]}},
            {"subject": "a" * 256},
        ],
    )
    def test_take_nothing_else(self, accepts, body):
        assert not accepts("ShiftCreate", body)

    def test_have_an_example_with_one_spelling_of_each_field(self, operation, accepts):
        example = operation("post", "/")["requestBody"]["content"]["application/json"]["example"]
        assert example == {"subject": "string", "notes": ""}
        assert accepts("ShiftCreate", example)

    def test_of_updates_have_no_defaults(self, document, operation):
        reference = operation("put", "/{shift}/")["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert not any("default" in field for field in schema["properties"].values())

    def test_may_be_forms_where_the_endpoint_says_so(self, operation):
        media = operation("post", "/token/")["requestBody"]["content"]
        assert list(media) == ["application/json", "application/x-www-form-urlencoded"]

    def test_with_a_file_are_multipart(self, operation):
        (media,) = operation("post", "/{shift}/file/")["requestBody"]["content"].items()
        assert media[0] == "multipart/form-data"
        assert media[1]["schema"]["properties"]["file"]["format"] == "binary"


class TestParameters:
    def test_of_a_query_are_those_of_its_schema_with_both_spellings(self, parameters):
        own = {"search", "ordering", "page", "page_size", "kind", "agent", "open", "starts_before"}
        assert parameters.keys() == own | {"assigned_agent", "include"}
        assert parameters["agent"]["description"] == "Who is on call."
        assert parameters["assigned_agent"]["x-alias-of"] == "agent"

    def test_with_several_values_are_separated_by_commas(self, parameters):
        kind = parameters["kind"]
        assert (kind["style"], kind["explode"]) == ("form", False)
        assert kind["schema"]["items"] == {"type": "string", "enum": ["day", "night"]}
        assert parameters["agent"]["schema"]["items"]["type"] == "integer"

    def test_are_never_null(self, parameters):
        assert parameters["open"]["schema"] == {"type": "boolean"}

    def test_that_are_upper_bounds_may_be_dates(self, parameters):
        forms = {option["format"] for option in parameters["starts_before"]["schema"]["anyOf"]}
        assert forms == {"date-time", "date"}

    def test_of_paths_are_typed(self, operation):
        (shift,) = (each for each in operation("get", "/{shift}/")["parameters"] if each.get("in") == "path")
        assert (shift["name"], shift["schema"]["type"], shift["schema"]["minimum"]) == ("shift", "integer", 1)

    @pytest.mark.parametrize(
        ("method", "path", "header"),
        [
            ("post", "/", "IdempotencyKey"),
            ("put", "/{shift}/", "IfMatch"),
            ("patch", "/{shift}/", "IfMatch"),
            ("delete", "/{shift}/", "IfMatch"),
            ("get", "/{shift}/", "IfNoneMatch"),
        ],
    )
    def test_in_headers_are_those_of_the_method(self, operation, method, path, header):
        assert {"$ref": f"#/components/parameters/{header}"} in operation(method, path)["parameters"]

    def test_that_sort_name_what_the_read_model_sorts_by(self, installation):
        paths = installation.http.get("/api/openapi.json").json()["paths"]
        listed = {each.get("name"): each for each in paths["/api/v1/users/"]["get"]["parameters"]}
        assert {"username", "-created_at"} <= set(listed["ordering"]["schema"]["items"]["enum"])
        assert "`-created_at` when left out" in listed["ordering"]["description"]


class TestAnswers:
    def test_are_in_the_words_of_either_document(self, operation):
        schema = operation("get", "/{shift}/")["responses"]["200"]["content"]["application/json"]["schema"]
        assert [option["$ref"].rpartition("/")[2] for option in schema["anyOf"]] == ["ShiftRead", "ClassicShift"]

    def test_that_are_lists_may_have_more_fields_on_request(self, document, operation):
        schema = operation("get", "/")["responses"]["200"]["content"]["application/json"]["schema"]
        names = [option["$ref"].rpartition("/")[2] for option in schema["anyOf"]]
        assert names == ["ShiftReadWithOptionalPage", "ClassicShiftWithOptionalPage"]
        wider = document["components"]["schemas"]["ShiftReadWithOptional"]
        assert wider["properties"].keys() == {"note", "id", "agent", "starts_at"}
        assert "note" not in wider["required"]

    def test_have_instants_as_such(self, document):
        assert document["components"]["schemas"]["ShiftRead"]["properties"]["starts_at"]["format"] == "date-time"

    def test_without_a_body_have_none(self, operation):
        assert "content" not in operation("delete", "/{shift}/")["responses"]["204"]

    def test_that_are_files_have_no_schema(self, operation):
        media = operation("get", "/{shift}/file/")["responses"]["200"]["content"]
        assert media["application/octet-stream"] == {}

    @pytest.mark.parametrize(
        ("method", "path", "statuses"),
        [
            ("get", "/", {"200", "400", "401", "403", "404", "406", "429", "503"}),
            ("get", "/{shift}/", {"200", "304", "400", "401", "403", "404", "406", "429", "503"}),
            ("post", "/", {"201", "400", "401", "403", "406", "409", "413", "415", "422", "429", "503"}),
            (
                "post",
                "/{shift}/file/",
                {"200", "400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "503"},
            ),
            ("delete", "/{shift}/", {"204", "400", "401", "403", "404", "406", "409", "412", "422", "429", "503"}),
            ("post", "/token/", {"200", "400", "401", "406", "409", "413", "415", "422", "429", "503"}),
        ],
    )
    def test_are_all_documented(self, operation, method, path, statuses):
        assert operation(method, path)["responses"].keys() == statuses | {"default"}

    def test_carry_the_headers_that_every_answer_has(self, operation):
        headers = operation("get", "/")["responses"]["200"]["headers"]
        limits = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit"}
        assert headers.keys() == limits | {"X-Request-ID", "X-API-Version", "X-Count-Capped"}
        assert "ETag" in operation("get", "/{shift}/")["responses"]["200"]["headers"]


class TestPlugins:
    def test_with_equal_schemas_share_them_and_with_unequal_ones_of_one_name_do_not(self):
        class Inner(Schema):
            id: DbInt

        def plugin(prefix: str, kind: type) -> Router:
            made = Router(prefix, tag=prefix)
            note = type("Note", (Schema,), {"__annotations__": {"inner": kind}})

            def notes(ctx: Context) -> Any: ...

            notes.__annotations__["return"] = note
            made.get("/", permission=VIEW)(notes)
            return made

        found = documented(
            ("one", plugin("one", Inner)), ("two", plugin("two", Inner)), ("three", plugin("three", Annotated[str, ""]))
        )
        shown = {
            path.split("/")[3]: methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            for path, methods in found["paths"].items()
        }
        assert shown["one"] == shown["two"] == "#/components/schemas/Note"
        assert shown["three"] == "#/components/schemas/ThreeNote"

    def test_with_a_type_that_cannot_be_described_lose_that_operation_alone(self, caplog):
        broken = Router("broken", tag="Broken")

        @broken.get("/", permission=VIEW)
        def fails(ctx: Context) -> Undocumented: ...

        found = documented(("broken", broken), ("oncall", router))
        assert "/api/v1/broken/" not in found["paths"]
        assert "/api/v1/rotas/" in found["paths"]
        assert caplog.records[0].plugin == "broken"
