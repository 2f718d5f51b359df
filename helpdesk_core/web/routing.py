"""Declared endpoints: a plain function, its permission, and types that say the rest.

    router = Router("rotas", tag="On-call")

    @router.get("/{shift_id}/", permission=permissions.VIEW)
    def retrieve_shift(ctx: Context, shift_id: Key) -> ShiftRead:
        '''One shift.'''
        return ctx.one(queries.shifts, shift_id)

A parameter of type `Context` is the request; one called `query` or `body` is validated by its schema; one of type
`Upload` is the file of a multipart request; any other is a part of the path.
"""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import TypeAdapter
from starlette.datastructures import UploadFile

from helpdesk_core.permissions import Permission
from helpdesk_core.schemas import DbInt, Dialect, Schema
from helpdesk_core.web.context import Context

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

Upload = UploadFile
"""The type of the parameter that receives the file of a multipart request."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Annotates a path parameter with what its text looks like; other text is another path, hence 404.

    Attributes:
        regex: matches all of it.
        example: a text that it matches, for the conformance suite, where neither a number nor a word does.
    """

    regex: str
    example: str = ""


Key = Annotated[DbInt, PathPattern(r"[0-9]{1,19}")]
"""An integer key in a path."""


@dataclass(frozen=True, slots=True)
class PathParameter:
    """One parameter of a path."""

    name: str
    adapter: TypeAdapter[Any]
    pattern: str
    example: str = ""


@dataclass(frozen=True)
class Endpoint:
    """Everything there is to know about one operation: it is served, documented and tested from this.

    Attributes:
        method: in capitals.
        path: below `/api/v1`, with the final slash, `/tickets/{ticket}/assign/`.
        function: what runs.
        tag: the group it is documented in.
        permission: what the caller needs; nothing on public ones and where any signed-in caller may.
        needs: what the verb asks for as well, once the caller has proved to see the object: checked there, so that
            what somebody cannot see stays unknown to them; declared here for the documentation and the role matrix.
        public: answers without a credential.
        personal: for people themselves: API keys are refused.
        enrolling: also for those who have to set up a second factor before anything else.
        reveals: shows a secret this once: what is kept of its answer for `Idempotency-Key` is encrypted.
        status: of success.
        document: the published document that alone defines it (rule R2), if only one does.
        form: whether the body may be form-encoded.
        snapshot: all that it reads is of one moment, whatever is committed meanwhile.
        forgets: what it reads is kept for a while only, and is answered with 410 afterwards.
        slow: runs apart from the quick ones: searches, exports, password hashing.
        prepare: called first, with the same arguments, in a session that only reads: for what must not hold up a
            writer, such as hashing. The endpoint gets its result as `prepared`.
        limit: what a request takes beside the caller's hourly share and their organisation's quota: `authentication`
            or `webhooks` one of that bucket as well; `general` lets callers without a credential have the share of a
            user instead of the small one of strangers; `none` takes nothing at all from callers with a credential.
        within: the path parameter that names the organisation to work in. Another than one's own is 404, except for
            platform administrators.
        include: optional fields that callers may ask for.
        aliases: other paths of the same operation.
        context: name of the parameter that takes the context.
        query: schema of the query parameters.
        body: schema of the body.
        upload: name of the parameter that takes the uploaded file.
        answer: type of the answer, for the documentation.
        parameters: of the path.
    """

    method: str
    path: str
    function: Callable[..., Any]
    tag: str
    permission: Permission | None = None
    needs: Permission | None = None
    public: bool = False
    personal: bool = False
    enrolling: bool = False
    reveals: bool = False
    status: int = 200
    document: Dialect | None = None
    form: bool = False
    snapshot: bool = False
    forgets: bool = False
    slow: bool = False
    prepare: Callable[..., Any] | None = None
    limit: Literal["", "authentication", "webhooks", "general", "none"] = ""
    within: str = ""
    include: type[Schema] | None = None
    aliases: tuple[str, ...] = ()
    context: str = "ctx"
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    upload: str | None = None
    answer: Any = None
    parameters: tuple[PathParameter, ...] = ()
    plugin: str = ""

    @property
    def operation_id(self) -> str:
        """Return `<module of the plugin>_<function>`, unique over all plugins."""
        return f"{self.plugin}_{self.function.__name__}" if self.plugin else self.function.__name__

    @property
    def summary(self) -> str:
        """Return the first line of the docstring."""
        return (inspect.getdoc(self.function) or self.function.__name__.replace("_", " ")).splitlines()[0]

    @property
    def description(self) -> str:
        """Return the docstring below its first line."""
        return "\n".join((inspect.getdoc(self.function) or "").splitlines()[1:]).strip()

    @property
    def writes(self) -> bool:
        """Tell whether the method may change something."""
        return self.method not in {"GET", "HEAD", "OPTIONS"}


@dataclass
class Router:
    """The endpoints below one first path segment, which the plugin's manifest must list.

    Attributes:
        prefix: the segment, without slashes.
        tag: the group in the documentation.
        endpoints: in the order of declaration.
    """

    prefix: str
    tag: str
    document: Dialect | None = None
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers GET; options are those of `Endpoint`."""
        return self._declare(("GET",), path, options)

    def post(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers POST."""
        return self._declare(("POST",), path, options)

    def put(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers PUT and PATCH, which behave the same (rule R8)."""
        return self._declare(("PUT", "PATCH"), path, options)

    def replace(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers PUT alone."""
        return self._declare(("PUT",), path, options)

    def patch(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers PATCH alone."""
        return self._declare(("PATCH",), path, options)

    def delete(self, path: str, **options: Any) -> Callable[[FunctionT], FunctionT]:
        """Declare what answers DELETE, with 204 unless stated otherwise."""
        return self._declare(("DELETE",), path, {"status": 204, **options})

    def _declare(
        self, methods: Sequence[str], path: str, options: Mapping[str, Any]
    ) -> Callable[[FunctionT], FunctionT]:
        def declare(function: FunctionT) -> FunctionT:
            given = {"document": self.document, **options}
            given["aliases"] = tuple(f"/{self.prefix}{alias}" for alias in given.get("aliases", ()))
            given |= _inspected(function, f"/{self.prefix}{path}", given)
            for method in methods:
                self.endpoints.append(Endpoint(method, f"/{self.prefix}{path}", function, self.tag, **given))
            return function

        return declare


def _inspected(function: Callable[..., Any], path: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read what an `Endpoint` says of a function's signature; a mistake is told at import, with the function's name."""
    if options.get("permission") is None and not options.get("public"):
        raise TypeError(f"{function.__qualname__} declares neither a permission nor public=True")
    signature = inspect.signature(function, eval_str=True)
    in_path = re.findall(r"\{(\w+)\}", path)
    found: dict[str, Any] = {"answer": signature.return_annotation}
    parameters = []
    for name, parameter in signature.parameters.items():
        kind = parameter.annotation
        if kind is Context:
            found["context"] = name
        elif name in {"query", "body"}:
            found[name] = kind
        elif name == "prepared":
            continue
        elif kind is Upload:
            found["upload"] = name
        elif name in in_path:
            pattern = _pattern(kind)
            parameters.append(PathParameter(name, _adapter(kind), pattern.regex, pattern.example))
        else:
            raise TypeError(f"{function.__qualname__}: {name} is not a part of {path}")
    return {**found, "parameters": tuple(parameters)}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads a part of a path; one for all parts of a type, because to make one takes half a millisecond."""
    try:
        return _adapter_of(kind)
    except TypeError:  # a type with something in it that has no hash
        return TypeAdapter(kind)


@cache
def _adapter_of(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _pattern(kind: Any) -> PathPattern:
    metadata = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((part for part in metadata if isinstance(part, PathPattern)), PathPattern(r"[^/]+"))
