"""The pages of the site: for people without a terminal, and for whoever runs it."""

from serving.pages import (  # noqa: F401 - their routes are on the blueprint
    admin,
    examples,
    face,
    interface,
    live,
    model_files,
    result,
    submit,
)
from serving.pages.blueprint import pages
from serving.pages.errors import error_page

__all__ = ["error_page", "pages"]
