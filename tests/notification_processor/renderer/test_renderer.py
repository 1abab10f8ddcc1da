"""The renderer as a process: what it can reach, how it ends, and who notices."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from packaging.version import Version

from monitoring.doctor import install
from notification_processor import renderer_process
from notification_processor.bounded_memory import ENTRY, BoundedMemory
from notification_processor.filling import Outline, size_of
from notification_processor.renderer.allowed import SAFE_FILTERS, SAFE_TESTS
from notification_processor.renderer.sandbox import BOUNDED_FILTERS
from notification_processor.renderer.wire import RENDER, encoded
from notification_processor.renderer_jobs import IN_TURN, Job, answered, at_once
from notification_processor.renderer_process import Gone, Renderer, Unstartable
from notification_processor.rendering import Source, TemplateFault, inline_source, render
from traffic_control.errors import Problem

LIVE = "{{ a|upper }}"
SPINS = "{% for a in range(1000) %}{{ big|list|sort|unique|list|length }}{% endfor %}"
DATA = {"a": "x", "big": "a" * 20_000}
REFUSED_FILTERS = {
    "attr", "batch", "center", "filesizeformat", "format", "groupby", "indent", "map", "pprint", "random", "reject",
    "safe", "slice", "urlize", "wordwrap", "xmlattr",
}  # fmt: skip
ORPHAN = """
import os
from notification_processor.renderer_process import Renderer
renderer = Renderer()
renderer.wait()
print(renderer.pid, flush=True)
os._exit(0)
"""
REFUSED_TESTS = {"callable", "escaped", "filter", "greaterthan", "test"}


@pytest.fixture
def renderer():
    started = Renderer()
    started.wait()
    yield started
    started.close()


def ask(renderer, text, context):
    question = {"sources": [["", text, ""]], "contexts": [context], "jobs": [[RENDER, 0, 0, None]]}
    ((_, _, value),) = renderer.ask(encoded(question), seconds=10)
    return value


def is_alive(pid):
    """Not a zombie either."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_renderer_has_neither_environment_nor_files(renderer, monkeypatch):
    place = Path(f"/proc/{renderer.pid}")
    files = {os.readlink(fd).split(":")[0] for fd in (place / "fd").iterdir()}

    assert (place / "environ").read_bytes() in (b"", b"LC_CTYPE=C.UTF-8\0")
    assert files <= {"pipe", "/dev/null", f"/proc/{renderer.pid}/statm"}
    assert renderer.limits == {"memory": 256 * 2**20, "cpu": 120, "files": 0}


def test_renderer_is_in_a_session_of_its_own(renderer):
    assert os.getsid(renderer.pid) == renderer.pid


def test_renderer_ends_when_its_parent_does():
    parent = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, check=True, text=True)
    pid = int(parent.stdout)
    wait_until(lambda: not is_alive(pid))


def test_child_of_a_fork_does_not_hold_the_renderer(pool):
    with pool.place("") as place:
        pid = place.renderer().pid
        child = os.fork()
        if child == 0:
            pool.forget()
            os._exit(0 if place._renderer is None else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ask(place.renderer(), LIVE, DATA)[1] == "X"
        assert place.renderer().pid == pid


def test_renderer_killed_in_the_middle_is_replaced(pool):
    with pool.place("") as place:
        os.kill(place.renderer().pid, signal.SIGKILL)

    assert render(inline_source(channel="email", subject="", body=LIVE, html=""), DATA).body == "X"


def test_renderer_that_left_by_itself_is_replaced(pool):
    with pool.place("") as place:
        pid = place.renderer().pid
        os.kill(pid, signal.SIGALRM)
        wait_until(lambda: not is_alive(pid))

    assert answered([Job(RENDER, ("", LIVE, ""), DATA)], effort=at_once()) == [["", "X", ""]]


def test_renderer_out_of_time_is_killed(renderer):
    question = {"sources": [["", SPINS, ""]], "contexts": [DATA], "jobs": [[RENDER, 0, 0, None]]}
    with pytest.raises(Gone):
        renderer.ask(encoded(question), seconds=0.01)
    wait_until(lambda: not is_alive(renderer.pid))


def test_renderer_without_time_is_not_the_templates_fault(pool, monkeypatch):
    """The processor was with others: whoever asks is to ask again, and nobody says that the template was slow."""
    with pool.place("") as place:
        os.kill(place.renderer().pid, signal.SIGSTOP)
    monkeypatch.setattr("notification_processor.renderer_jobs.WALL", 0.05)

    with pytest.raises(Problem) as caught:
        answered([Job(RENDER, ("", LIVE, ""), DATA)], effort=at_once())
    assert caught.value.code == "renderer_unavailable"


def test_renderer_without_time_is_replaced_for_who_is_patient(pool):
    with pool.place("") as place:
        os.kill(place.renderer().pid, signal.SIGSTOP)

    assert answered([Job(RENDER, ("", LIVE, ""), DATA)], effort=IN_TURN) == [["", "X", ""]]


def test_no_renderer_is_an_error_that_says_so(pool, monkeypatch):
    monkeypatch.setattr(renderer_process, "PROGRAM", Path("/nowhere/__main__.py"))

    with pytest.raises(Problem) as caught:
        answered([Job(RENDER, ("", LIVE, ""), DATA)], effort=at_once())

    assert (caught.value.code, caught.value.status_code) == ("renderer_unavailable", 503)
    with pytest.raises(Unstartable):
        Renderer().wait()
    assert [verdict.level for verdict in install.renderer()] == ["fail"]


def test_doctor_starts_a_renderer():
    assert [(v.level, v.found) for v in install.renderer()] == [("ok", "templates are rendered apart, within 256 MB")]


def test_words_and_names_need_no_renderer(monkeypatch):
    source = Source("plain", "email", "{{ id }}", "{{ a.b }} {{ n }} {{ t }} {{ z }}", "<b>{{ a['b'] }}</b>")
    context = {"id": 7, "a": {"b": "<&>"}, "n": 1.5, "t": True, "z": None}
    first = render(source, context)
    monkeypatch.setattr("notification_processor.renderer_jobs.POOL", None)

    assert render(source, context) == first
    assert (first.subject, first.body, first.html) == ("7", "<&> 1.5 True None", "<b>&lt;&amp;&gt;</b>")


@pytest.mark.parametrize("value", [[1], {"a": 1}, ["<"], None, True, 7, -0.5, 1e300, "", "<x>"])
@pytest.mark.parametrize("part", ["body", "html"])
def test_filled_text_is_what_jinja_makes(part, value):
    plain, live = (
        inline_source(channel="email", **({"subject": "", "body": "", "html": ""} | {part: "a{{ v }}b" + more}))
        for more in ("", "{{ ''|upper }}")
    )

    assert render(plain, {"v": value}) == render(live, {"v": value})


def test_remembered_outlines_are_bounded():
    outline = [[["x" * 100]], [], []]
    outlines: BoundedMemory[str, Outline] = BoundedMemory(3 * (ENTRY + size_of(outline)))
    for key in "abcdef":
        outlines.keep(key, outline, size=size_of(outline))
    assert [key for key in "abcdef" if key in outlines] == ["d", "e", "f"]


def test_names_count_as_what_an_outline_takes():
    assert size_of([["a" * 1_000], [["b" * 1_000, "c" * 1_000]], []]) > 3_000


def test_every_filter_and_test_of_jinja_is_classified():
    """A release of Jinja that adds one fails here, and somebody decides."""
    assert set(FILTERS) == (set(SAFE_FILTERS) | set(BOUNDED_FILTERS) & set(FILTERS)) | REFUSED_FILTERS
    assert set(TESTS) == set(SAFE_TESTS) | REFUSED_TESTS
    assert Version(version("jinja2")) >= Version("3.1.6")


@pytest.mark.parametrize(("text", "words"), [("{{ a|join(x=1) }}", "join()"), ("{{ [1]|dictsort }}", "items")])
def test_fault_names_nothing_of_ours(text, words):
    with pytest.raises(TemplateFault) as caught:
        render(inline_source(channel="email", subject="", body=text, html=""), DATA)
    assert words in str(caught.value)
    assert "bounded" not in str(caught.value)
