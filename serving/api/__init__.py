"""The HTTP API under /api/v1; health, readiness and metrics for operators."""

from serving.api.operations import operations
from serving.api.routes import api

__all__ = ["api", "operations"]
