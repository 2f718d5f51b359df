"""Settings: one frozen model, read once from the environment (`HELPDESK_...`) and `helpdesk.toml`.

The environment wins over the file. Anything misspelt stops the start; see `load_settings`.
"""

import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from helpdesk_core.schemas import nearest

PREFIX = "HELPDESK_"
FILE = "helpdesk.toml"


class BadSetting(Exception):
    """A setting that stops the start; the message names it, says what is wrong and gives an example."""


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _networks(listed: tuple[str, ...]) -> tuple[str, ...]:
    for at, network in enumerate(listed, 1):
        try:
            ip_network(network.replace("%", "/"))  # a zone is of no use here; Python would take it
        except ValueError:
            told = "Number {at} of the list is not a network: an address and a length, with nothing but zeros after it"
            raise PydanticCustomError("network", told, {"at": at}) from None
    return listed


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Networks = Annotated[Listed, AfterValidator(_networks)]
Ports = Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], BeforeValidator(_listed)]


class Settings(BaseModel):
    """Everything an operator can set. Each field is `HELPDESK_<NAME>` in the environment, `<name>` in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)

    home: Path = Field(Path("helpdesk-data"), examples=["/var/lib/helpdesk"])
    """Folder of an embedded installation: database, files, generated secret key."""
    database_url: str = Field("", examples=["postgresql://helpdesk@localhost/helpdesk"])
    """SQLAlchemy URL of the database; empty means SQLite in `home`."""
    database_threads: Annotated[int, Field(ge=0, le=200)] = Field(0, examples=[16])
    """Threads that use the database in each process; 0 chooses as measured: on PostgreSQL 8 quick and 4 slow ones, on
    SQLite 1 and 2, and on neither any for quick reads, which run on the event loop."""
    database_direct_url: str = Field("", examples=["postgresql://helpdesk@localhost:5432/helpdesk"])
    """URL of the same database past a pooler of transactions (PgBouncer), for the few connections of each process that
    outlast one: news of other processes, counters of limits. Empty means that of `HELPDESK_DATABASE_URL`."""
    row_security: bool = Field(default=False, examples=[True])
    """Whether PostgreSQL keeps organisations apart as well, by row-level security. `helpdesk migrate` brings the
    database in line, with all servers and workers stopped."""
    sqlite_synchronous: Literal["FULL", "NORMAL"] = Field("FULL", examples=["NORMAL"])
    """`FULL` survives a power loss; `NORMAL` is faster on slow disks and may lose the last writes."""
    plugins: Listed | None = Field(None, examples=["tickets,kb"])
    """Plugins to load, by id and separated by commas; `none` for the core alone; unset for all installed ones."""
    secret_key: SecretStr = Field(SecretStr(""), examples=["a random text of at least 32 characters"])
    """Signs tokens; at least 32 characters. Empty means one that is generated once and kept in `home`."""
    previous_secret_keys: Listed = Field((), examples=["the key of before"], repr=False)
    """Secret keys of before: what they encrypted or sealed can still be read. Tokens that they signed are not valid."""
    public_url: str = Field("", examples=["https://help.example.com"], pattern=r"^(https?://[^/?#\s]+)?$")
    """Scheme and host that clients use; links are built with it. Empty means those of each request, and
    `http://localhost:8000` in mails."""
    smtp_url: SecretStr = Field(SecretStr(""), examples=["smtp://user:password@mail.example.com:587"])
    """Mail server: `smtp://` with STARTTLS, `smtps://` with TLS from the first byte (port 465), or for a relay on this
    machine `smtp://localhost:25?tls=none`. Empty prints mails to standard error, links included: for
    development only."""
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = Field(10.0, examples=[10])
    """How long the mail server may take to connect, and for each step of the conversation."""
    mail_from: str = Field("", examples=["Helpdesk <help@example.com>"])
    """Sender of mails: an address, with a name or without. Needed with a mail server, as is `HELPDESK_PUBLIC_URL`."""
    notification_days: Annotated[int, Field(ge=1, le=3650)] = Field(90, examples=[90])
    """After how many days notifications are forgotten."""
    allowed_hosts: Listed = Field(("*",), examples=["help.example.com,*.example.com"])
    """Host names that requests may carry; `*` allows any."""
    allowed_origins: Listed = Field((), examples=["https://app.example.com"])
    """Origins of web pages that may call the API from a browser."""
    trusted_proxies: Listed = Field((), examples=["10.0.0.1"])
    """Addresses of proxies whose `X-Forwarded-...` headers are believed."""
    outbound_allow: Networks = Field((), examples=["10.1.2.0/24,fd00:1::/64"])
    """Networks that webhooks and integrations may reach although they are not public: there also over `http://`, at any
    port, and by address in place of a name. Everybody who may enter a URL can then send requests to them."""
    outbound_ports: Ports = Field((80, 443), examples=["443,8443"])
    """Ports of public hosts that webhooks and integrations may reach, always over `https://`."""
    traced_hosts: Listed = Field((), examples=["inventory.internal.example.com"])
    """Hosts that webhooks and integrations tell the trace of a request (`traceparent`), where traces are on."""
    default_organization: str = Field("", examples=["acme-corp"])
    """Slug of the organisation that takes registrations which name none; empty means the oldest one."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(1_048_576, examples=[1_048_576])
    """Largest JSON body, in bytes."""
    max_upload_bytes: Annotated[int, Field(ge=1024)] = Field(26_214_400, examples=[26_214_400])
    """Largest uploaded file, in bytes."""
    body_timeout_seconds: Annotated[float, Field(gt=0)] = Field(30.0, examples=[30])
    """How long a client may take to send a body, and a second more for each 100 kB of it."""
    header_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = Field(8.0, examples=[8])
    """How long a client may take to send the head of a request."""
    queue_seconds: Annotated[float, Field(gt=0, le=60)] = Field(1.0, examples=[1])
    """How long requests may wait for their turn. Who would wait for longer is refused at once (503)."""
    access_token_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(15, examples=[15])
    """How long an access token is valid."""
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = Field(14, examples=[14])
    """How long a refresh token is valid when it is not used."""
    session_days: Annotated[int, Field(ge=1, le=365)] = Field(14, examples=[14])
    """How long a browser stays signed in: counted from the sign-in, however much the session is used."""
    password_cost: Literal["normal", "low"] = Field("normal", examples=["normal"])
    """Cost of hashing passwords with Argon2id; `low` is for tests only."""
    demo_password: SecretStr = Field(SecretStr("helpdesk-demo"), examples=["a password of your own"])
    """Password of all accounts of `helpdesk serve --demo`; the default binds the server to loopback."""
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", examples=["warning"])
    """Least serious messages that are logged."""
    log_requests: bool = Field(default=True, examples=[False])
    """Whether a line is logged for every request."""
    job_threads: Annotated[int, Field(ge=2, le=100)] = Field(4, examples=[8])
    """Threads that run jobs and deliver events, in `helpdesk worker` and, on SQLite, in `helpdesk serve`."""
    event_days: Annotated[int, Field(ge=1, le=36500)] = Field(90, examples=[365])
    """How long events are kept: as long, clients of the change feed can stay away."""
    redis_url: str = Field("", examples=["redis://localhost:6379/0"])
    """Redis, for installations with several processes; empty means none."""
    socket_heartbeat_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(30.0, examples=[30])
    """How often clients of the socket are pinged; one that leaves two pings unanswered is closed."""
    metrics_token: SecretStr = Field(
        SecretStr(""), examples=["a random text of at least 16 characters"], max_length=200
    )
    """Whoever sends it, as `Authorization: Bearer ...`, may read `/metrics`. Empty means that only programs on this
    machine may, and nobody once `HELPDESK_PUBLIC_URL` or `HELPDESK_TRUSTED_PROXIES` is set."""
    limits: Literal["enforce", "count", "off"] = Field("enforce", examples=["count"])
    """Rate limits and quotas: `count` tells them and refuses nothing, `off` does not even count."""
    limit_general: Annotated[int, Field(ge=1)] = Field(1000, examples=[1000])
    """Requests an hour of each user, and of each API key."""
    limit_anonymous: Annotated[int, Field(ge=1)] = Field(100, examples=[100])
    """Requests an hour of each address, from callers without a valid credential."""
    limit_authentication: Annotated[int, Field(ge=1)] = Field(10, examples=[10])
    """Attempts a minute of each address together, and for each name to log in, to register and to reset a password."""
    limit_uploads: Annotated[int, Field(ge=1)] = Field(100, examples=[100])
    """Uploads an hour of each user, and of each API key."""
    limit_webhooks: Annotated[int, Field(ge=1)] = Field(500, examples=[500])
    """Requests an hour of each caller to endpoints of webhooks."""
    quota_free: Annotated[int, Field(ge=1)] = Field(1_000, examples=[1000])
    """Requests a month of an organisation with a free subscription."""
    quota_basic: Annotated[int, Field(ge=1)] = Field(10_000, examples=[10000])
    """Requests a month of an organisation with a basic subscription."""
    quota_professional: Annotated[int, Field(ge=1)] = Field(100_000, examples=[100000])
    """Requests a month of an organisation with a professional subscription; an enterprise one has no quota."""
    strict_plugins: bool = Field(default=False, examples=[True])
    """Whether a plugin that is not active stops every command."""
    plugin_start_seconds: Annotated[float, Field(gt=0)] = Field(10.0, examples=[30])
    """How long a plugin may take to be imported, and again to be registered, before it counts as failed."""
    quick_request_seconds: Annotated[float, Field(gt=0)] = Field(20.0, examples=[5])
    """How long an endpoint that takes milliseconds may take before it is broken off, and its plugin pauses."""
    slow_request_seconds: Annotated[float, Field(gt=0)] = Field(120.0, examples=[300])
    """The same for one that is declared as slow: a search, an export."""
    suspend_after: Annotated[int, Field(ge=0)] = Field(20, examples=[50])
    """Failures of a plugin within a minute, at least half of what it does, after which it pauses; 0 for never."""

    @property
    def database(self) -> str:
        """Return the database's URL, SQLite in `home` when none is set."""
        return self.database_url or f"sqlite:///{(self.home / 'helpdesk.db').absolute()}"

    @property
    def direct_database(self) -> str:
        """Return the database's URL for connections that outlast a transaction."""
        return self.database_direct_url or self.database

    @property
    def wanted_plugins(self) -> tuple[str, ...] | None:
        """Return the ids to load: nothing for all that are installed, an empty tuple for none."""
        return () if self.plugins == ("none",) else self.plugins


def load_settings(environment: Mapping[str, str], folder: Path, **overrides: Any) -> Settings:
    """Read the settings; `BadSetting` names what is wrong.

    Args:
        environment: usually `os.environ`; names that begin with `HELPDESK_TEST_` belong to the test suite.
        folder: where `helpdesk.toml` may lie.
        overrides: values that win over both, from command-line options.
    """
    values = {**_from_file(folder / FILE), **_from_environment(environment), **overrides}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadSetting("\n".join(_explain(problem) for problem in error.errors())) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for variable, value in environment.items():
        if variable.startswith(PREFIX) and not variable.startswith(f"{PREFIX}TEST_"):
            name = variable.removeprefix(PREFIX).lower()
            _refuse_unknown(name, variable, lambda known: PREFIX + known.upper())
            values[name] = value
    return values


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path.name} cannot be read: {error}") from None
    for name in values:
        _refuse_unknown(name, f"{name} in {path.name}", str)
    return values


def _refuse_unknown(name: str, where: str, spell: Any) -> None:
    known = list(Settings.model_fields)
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {spell(near)}?" if near else " `helpdesk doctor --settings` lists all settings."
        raise BadSetting(f"{where} is not a setting.{hint}")


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0])
    examples = Settings.model_fields[name].examples or [""]
    return f"{PREFIX}{name.upper()}: {problem['msg']}. Example: {PREFIX}{name.upper()}={examples[0]}"
