"""Statements that do not wait for each other, at the same time: one connection each, all on one database.

DuckDB uses many threads within a statement only where a table has several row groups (122,880 rows). A supplier's
tables mostly have one, so that a night of small statements would leave all threads but one idle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TypeVar

Worker = TypeVar("Worker")
Result = TypeVar("Result")


def together(
    crew: Sequence[Worker],
    jobs: Mapping[str, Callable[[Worker], Result]],
    after: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Result]:
    """Do every job, each by one worker of the crew; results in the order of `jobs`.

    A job begins once those that `after` names for it are done; of several that may begin, the one that stands first.
    When one fails, no further one begins, and its error is raised as soon as those that run have ended; of several
    errors that of the job that stands first.

    Raises:
        graphlib.CycleError: jobs wait for each other in a circle.
    """
    order = TopologicalSorter({name: sorted(set((after or {}).get(name, ())) & jobs.keys()) for name in jobs})
    order.prepare()
    place = {name: position for position, name in enumerate(jobs)}
    results: dict[str, Result] = {}
    idle, waiting = list(crew), list[str]()
    running: dict[Future[Result], tuple[str, Worker]] = {}
    with ThreadPoolExecutor(len(crew)) as pool:
        while order.is_active():
            waiting = sorted([*waiting, *order.get_ready()], key=place.__getitem__)
            while waiting and idle:
                name, worker = waiting.pop(0), idle.pop(0)
                running[pool.submit(jobs[name], worker)] = (name, worker)
            done = sorted(wait(running, return_when=FIRST_COMPLETED).done, key=lambda each: place[running[each][0]])
            if any(each.exception() for each in done):
                done = sorted(wait(running).done, key=lambda each: place[running[each][0]])
            for future in done:
                name, worker = running.pop(future)
                results[name] = future.result()
                order.done(name)
                idle.append(worker)
    return {name: results[name] for name in jobs}
