"""Load tests: how a site bears many people, crashes, hostile files and full disks. `deep3d loadtest` runs them.

Each scenario is a module: crowd, crashes, hostile, full_disk, batches, first_view, heavy, collages, viewers. They start
a site of their own on this machine (local_site.py), with the real servers round it (servers.py), and give a Report.
"""
