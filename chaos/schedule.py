"""Whether each message that failed is tried again when the schedule says: a trigger notes what is decided, and when."""

from collections.abc import Iterator
from functools import partial

from chaos import faults
from chaos.demands import Demand
from chaos.scene import RETRY_SCHEDULE, Scene

JITTER = 0.2
RETRY_AFTER = float(faults.RETRY_AFTER)
ROUNDING = 0.005  # seconds
WAITS = [float(seconds) for seconds in RETRY_SCHEDULE.split(",")]
LEDGER = "delivery_gateway_notificationlog"
WATCH = f"""
    DROP TABLE IF EXISTS chaos_decision;
    CREATE TABLE chaos_decision (id uuid, fence bigint, attempts int, error_class text, wait double precision,
                                 due_at timestamptz);
    CREATE OR REPLACE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO chaos_decision VALUES (NEW.id, NEW.fence, NEW.attempts, NEW.error_class,
                                           extract(epoch FROM NEW.due_at - now()), NEW.due_at);
        RETURN NULL;
    END $$;
    DROP TRIGGER IF EXISTS chaos_note ON {LEDGER};
    CREATE TRIGGER chaos_note AFTER UPDATE ON {LEDGER} FOR EACH ROW
        WHEN (NEW.status = 'scheduled' AND NEW.reason = 'retry' AND OLD.status = 'sending')
        EXECUTE FUNCTION chaos_note();
"""
DECISIONS = """
    SELECT d.attempts, d.error_class, d.wait,
        extract(epoch FROM d.due_at - a.started_at)::float - a.duration_ms / 1000.0
    FROM chaos_decision d JOIN delivery_gateway_attempt a ON a.notification_id = d.id AND a.number = d.fence
"""
LATENESS = """
    SELECT extract(epoch FROM min(a.started_at) - d.due_at)
    FROM chaos_decision d JOIN delivery_gateway_attempt a ON a.notification_id = d.id AND a.number > d.fence
    GROUP BY d.id, d.fence, d.due_at
"""


def watch(scene: Scene) -> None:
    """From now on until all has come to its end; then it is judged."""
    scene.servers.do(WATCH)
    scene.afterwards.append(partial(judged, scene))


def judged(scene: Scene) -> Iterator[Demand]:
    scene.servers.do(f"DROP TRIGGER chaos_note ON {LEDGER}")
    decisions = scene.servers.ask(DECISIONS)
    off = [one for one in decisions if not is_on_schedule(*one)]
    example = ", such as {1} after attempt {0}: {2:.2f} to {3:.2f} s".format(*off[0]) if off else ""
    figure = f"{len(off)} of {len(decisions):,} are not{example}"
    yield Demand("each retry is set for its time of the schedule, within 20 %", figure, bool(decisions) and not off)
    late = sorted(float(row[0]) for row in scene.servers.ask(LATENESS))
    early = sum(one < 0 for one in late)
    middle, most = (late[len(late) // 2], late[int(0.95 * len(late))]) if late else (0.0, 0.0)
    figure = f"{early} of {len(late):,} are; {middle:.1f} s late in the middle, {most:.1f} s at 95 of 100"
    yield Demand("none is made before that", figure, bool(late) and not early)


def is_on_schedule(attempts: int, error_class: str, least: float, most: float) -> bool:
    """`attempts`: made so far. The wait that was decided is between `least`, from the transaction that wrote it, and
    `most`, from when the answer had come. A receiver that says when (429) is asked again no sooner."""
    if error_class == "throttled":
        return float(most) >= RETRY_AFTER - ROUNDING
    wanted = WAITS[attempts - 1]
    return float(most) >= (1 - JITTER) * wanted - ROUNDING and float(least) <= (1 + JITTER) * wanted + ROUNDING
