"""The help centre."""

from helpdesk_core.api import Context, Html, Router

router = Router("help", tag="Pages")


@router.get("/", public=True)
def show(ctx: Context) -> Html:  # noqa: ARG001
    """Nothing yet."""
    return Html("kb/home.html")
