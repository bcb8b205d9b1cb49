"""What a worker process does: takes messages, makes faces of photos, and does the chores.

Run `dramatiq serving.worker:setup`, or `python -m serving.worker` beside `deep3d serve`.
"""

from serving.worker.process import setup

__all__ = ["setup"]
