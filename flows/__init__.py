"""Orchestration: the nightly flow and the command line. The only package that imports prefect."""
