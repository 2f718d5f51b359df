"""The OpenAPI document, made from the declared endpoints and nothing else."""

from helpdesk_core.web.openapi.document import build_document

__all__ = ["build_document"]
