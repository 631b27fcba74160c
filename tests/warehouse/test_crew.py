"""Jobs that do not wait for each other run at the same time, in an order that is always allowed."""

from __future__ import annotations

import threading
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.crew import together


def test_every_job_is_done_once_and_results_stand_in_the_order_of_the_jobs() -> None:
    done: list[str] = []
    jobs = {name: lambda worker, name=name: (done.append(name), name.upper())[1] for name in "cab"}
    assert list(together([1, 2], jobs).items()) == [("c", "C"), ("a", "A"), ("b", "B")]
    assert sorted(done) == ["a", "b", "c"]


def test_one_worker_takes_them_in_the_order_given() -> None:
    done: list[str] = []
    together([None], {name: lambda _, name=name: done.append(name) for name in "cab"})
    assert done == ["c", "a", "b"]


def test_two_workers_are_at_work_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)
    assert len(together(["x", "y"], {name: lambda _: both.wait() for name in "ab"})) == 2


def test_a_worker_never_has_two_jobs_at_once() -> None:
    busy = {"x": threading.Lock(), "y": threading.Lock()}

    def job(worker: str) -> bool:
        mine = busy[worker].acquire(blocking=False)
        if mine:
            busy[worker].release()
        return mine

    assert all(together(list(busy), {str(number): job for number in range(200)}).values())


@given(st.data())
def test_no_job_begins_before_those_that_it_waits_for(data: st.DataObject) -> None:
    names = [str(number) for number in range(data.draw(st.integers(1, 9)))]
    after = {
        name: data.draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }
    done: set[str] = set()

    def job(_: int, name: str) -> bool:
        was_ready = set(after[name]) <= done
        done.add(name)
        return was_ready

    shuffled = data.draw(st.permutations(names))
    jobs = {name: lambda worker, name=name: job(worker, name) for name in shuffled}
    assert together([1, 2, 3], jobs, after) == dict.fromkeys(shuffled, True)


def test_what_is_waited_for_outside_the_jobs_is_there_already() -> None:
    assert together([0], {"a": lambda _: 1}, {"a": ["made before"]}) == {"a": 1}


def test_after_a_failure_nothing_more_begins_and_what_runs_is_awaited() -> None:
    begun = threading.Event()
    ended: list[str] = []

    def slow(_: int) -> None:
        begun.set()
        threading.Event().wait(0.1)
        ended.append("slow")

    def fails(_: int) -> None:
        begun.wait(10)
        raise ValueError("of its own")

    jobs = {"slow": slow, "fails": fails, "later": lambda _: ended.append("later")}
    with pytest.raises(ValueError, match="of its own"):
        together([1, 2], jobs, {"later": ["slow", "fails"]})
    assert ended == ["slow"]


def test_jobs_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        together([1], {"a": lambda _: 0, "b": lambda _: 0}, {"a": ["b"], "b": ["a"]})
