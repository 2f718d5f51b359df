"""Templates of the core and of plugins, and the files that pages load."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from helpdesk_core.web.contents import Content

OURS = Path(__file__).parent
_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin"}


class Templates:
    """Renders `<owner>/<template>`, and serves `/assets/<owner>/<file>`."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Keep where each plugin's package lies; nothing is read yet.

        Args:
            folders: by the plugin's id; `templates` and `static` below them are looked into.
        """
        loaders = {owner: FileSystemLoader(folder / "templates") for owner, folder in folders.items()}
        loaders["core"] = FileSystemLoader(OURS / "templates")
        self._static = {owner: folder / "static" for owner, folder in folders.items()}
        self._static["core"] = OURS / "static" / "core"
        self._contents: dict[tuple[str, str], tuple[Content, Content]] = {}
        self._environment = Environment(
            loader=PrefixLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["asset"] = self.link

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Return the page that a template makes of `values`."""
        return self._environment.get_template(name).render(values)

    def link(self, name: str) -> str:
        """Return the address of `<owner>/<file>`, which changes with its content: browsers may keep it for good."""
        owner, _, file = name.partition("/")
        found = self._find(owner, file)
        if found is None:
            raise LookupError(f"there is no asset {name}")
        return f"/assets/{name}?v={found[0].tag}"

    def asset(self, request: Request) -> Response:
        """Answer a request for a file; a plain function, so that reading and compressing take a thread."""
        found = self._find(request.path_params["owner"], request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        current, named = found
        return (named if request.query_params.get("v") == current.tag else current).answer(request)

    def _find(self, owner: str, name: str) -> tuple[Content, Content] | None:
        """Return a file twice: to be asked for anew each time, and to be kept."""
        kept = self._contents.get((owner, name))
        folder = self._static.get(owner)
        if kept is not None or folder is None:
            return kept
        # Looked up in the folder's listing, so that no name can lead out of it.
        path = next((each for each in folder.glob("*") if each.name == name and each.is_file()), None)
        if path is None:
            return None
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        read = path.read_bytes
        kept = self._contents[owner, name] = (
            Content(read, media, {**_HEADERS, "Cache-Control": "no-cache"}),
            Content(read, media, {**_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}),
        )
        return kept
