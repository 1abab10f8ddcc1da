"""Whether each message that failed is tried again when the schedule says: a trigger notes what is decided, and when."""

from collections.abc import Iterator
from functools import partial

from chaos.demands import Demand
from chaos.scene import RETRY_SCHEDULE, Scene

JITTER = 0.2
LATENCY = 0.15  # seconds between the decision and the transaction that notes it
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
DECISIONS = "SELECT attempts, error_class, wait FROM chaos_decision"
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
    example = ", such as {1} after attempt {0}: {2:.2f} s".format(*off[0]) if off else ""
    figure = f"{len(off)} of {len(decisions):,} are not{example}"
    yield Demand("each retry is set for its time of the schedule, within 20 %", figure, bool(decisions) and not off)
    late = sorted(float(row[0]) for row in scene.servers.ask(LATENESS))
    early = sum(one < 0 for one in late)
    middle, most = (late[len(late) // 2], late[int(0.95 * len(late))]) if late else (0.0, 0.0)
    figure = f"{early} of {len(late):,} are; {middle:.1f} s late in the middle, {most:.1f} s at 95 of 100"
    yield Demand("none is made before that", figure, bool(late) and not early)


def is_on_schedule(attempts: int, error_class: str, wait: float) -> bool:
    """`attempts`: made so far. A receiver that says when (429) is asked again then."""
    if error_class == "throttled":
        return wait >= 1.0 - LATENCY
    wanted = WAITS[attempts - 1]
    return (1 - JITTER) * wanted - LATENCY <= float(wait) <= (1 + JITTER) * wanted
