"""For processes under libfaketime, by way of PYTHONPATH: sleeps that it does not break.

Python sleeps until a moment of the monotonic clock, which libfaketime 0.9 refuses when it leaves that clock alone; if
it does not, waiting for other threads never ends.
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep  # pyright: ignore[reportAttributeAccessIssue]
