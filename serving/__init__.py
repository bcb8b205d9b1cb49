"""The web service round deep3d: pages, jobs and workers."""

__version__ = "0.1.0"
