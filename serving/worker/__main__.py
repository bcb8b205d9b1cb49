"""`python -m serving.worker`: the worker beside `deep3d serve`."""

from serving.worker.process import main

main()
