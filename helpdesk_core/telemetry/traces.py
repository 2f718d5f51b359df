"""Whether this process traces, told by the variables that OpenTelemetry has for it."""

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from helpdesk_core.settings import BadSetting, Settings
from helpdesk_core.tracing import NO_TRACES, Tracing

log = logging.getLogger("helpdesk.telemetry")

EXPORTERS = ("otlp", "console", "none")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
HTTP = "http/protobuf"


def tracing_of(settings: Settings, environment: Mapping[str, str]) -> Tracing:
    """Return what traces; where nobody wants traces, nothing of OpenTelemetry is imported.

    Raises:
        BadSetting: a variable asks for what there is not.
    """
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter and exporter not in EXPORTERS:
        raise BadSetting(f"OTEL_TRACES_EXPORTER: use one of {', '.join(EXPORTERS)}.")
    if not wanted(environment):
        return NO_TRACES
    for name in PROTOCOLS:
        if exporter != "console" and environment.get(name, HTTP) != HTTP:
            raise BadSetting(f"{name}: only {HTTP} is spoken here. Collectors take it at port 4318.")
    try:
        module: Any = import_module("helpdesk_core.telemetry.otel")
    except ModuleNotFoundError as error:
        log.warning("traces need helpdesk-core[otel]; nothing is traced", extra={"error": str(error)})
        return NO_TRACES
    made: Tracing = module.traces(exporter or "otlp", settings.traced_hosts)
    return made


def wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether somebody wants traces."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return bool(exporter) or any(environment.get(name) for name in ENDPOINTS)
