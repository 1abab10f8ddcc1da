"""What a run draws from its seed is the same in every run."""

from collections import Counter

from chaos.faults import OK, Script

SHARES = {"error": 0.3, "hang": 0.1}


def test_same_message_meets_the_same_fate_in_every_run():
    fates = [[Script(7, SHARES).fate(f"message {i}", call) for i in range(50) for call in (1, 2)] for _ in range(2)]

    assert fates[0] == fates[1]
    assert fates[0] != [Script(8, SHARES).fate(f"message {i}", call) for i in range(50) for call in (1, 2)]


def test_faults_have_their_shares():
    counted = Counter(Script(7, SHARES).fate(f"message {i}", 1) for i in range(2_000))

    assert 500 < counted["error"] < 700
    assert 140 < counted["hang"] < 260
    assert counted[OK] == 2_000 - counted["error"] - counted["hang"]


def test_nobody_meets_faults_for_ever():
    script = Script(7, {"error": 1.0}, most=3)

    assert [script.fate("one", call) for call in range(1, 6)] == ["error"] * 3 + [OK] * 2
