"""`python -m serving.live`: the live process, beside `deep3d serve` or by itself."""

from serving.live.process import main

main()
