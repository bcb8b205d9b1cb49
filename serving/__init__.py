"""The web service round deep3d: pages, jobs and workers."""
