"""Orchestration: the nightly flow and the command line. The only package that imports prefect."""

import os

# Before numpy is imported. The contrast solves thousands of small systems; threads that wait for each other over one of
# them cost ten times what they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
