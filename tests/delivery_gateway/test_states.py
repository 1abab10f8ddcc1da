import pytest

from delivery_gateway.states import ALLOWED, TERMINAL, IllegalTransition, Status, sources_of, transition


def test_every_status_has_its_steps():
    assert set(ALLOWED) == set(Status)


def test_transition_allowed_gives_the_target():
    assert transition(Status.QUEUED, Status.SENDING) == Status.SENDING


@pytest.mark.parametrize(
    ("current", "target"),
    [
        (Status.SENT, Status.QUEUED),
        (Status.SUPPRESSED, Status.QUEUED),
        (Status.CANCELLED, Status.SENDING),
        (Status.SENDING, Status.CANCELLED),
        (Status.FAILED, Status.SENT),
    ],
)
def test_transition_not_allowed_is_refused(current, target):
    with pytest.raises(IllegalTransition, match=f"{current} cannot become {target}"):
        transition(current, target)


def test_only_a_replay_leaves_a_failure():
    assert ALLOWED[Status.FAILED] == {Status.QUEUED}
    assert {s for s in TERMINAL if ALLOWED[s]} == {Status.SENT, Status.FAILED}


def test_sources_of_cancelled_are_those_not_yet_sending():
    assert sources_of(Status.CANCELLED) == {Status.PENDING, Status.QUEUED, Status.SCHEDULED, Status.HELD}
