"""The HTTP interface under /api/v1, and what operators ask: health, readiness, metrics."""

from serving.api.operations import operations
from serving.api.routes import api

__all__ = ["api", "operations"]
