"""What the renderer takes from itself before it reads the first template. The kernel enforces it from then on."""

import contextlib
import gc
import os
import resource
import signal
import sys

MEMORY = 256 * 1024 * 1024  # bytes of address space
CPU_LIFE = 120  # seconds of processor time until the kernel ends it
CPU_USED_UP = 100  # seconds after which it leaves by itself
CPU_JOB = 0.25  # seconds of processor time for one template with one context
FAT = 128 * 1024 * 1024  # resident bytes after which it leaves by itself: Python does not give everything back
ENDING = (signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU)
IDLE = 300  # seconds without a question after which it leaves by itself
PAGE = resource.getpagesize()

_memory_map: int | None = None


def bound() -> None:
    """Memory and processor time; the rest of the start still opens files. Raises OSError or ValueError if refused."""
    _let_clocks_end_it()
    _be_the_first_to_go()
    try:
        _lower(resource.RLIMIT_AS, MEMORY)
    except (OSError, ValueError):
        if is_memory_bounded():
            raise
    _lower(resource.RLIMIT_CPU, CPU_LIFE)
    _lower(resource.RLIMIT_CORE, 0)


def is_memory_bounded() -> bool:
    """Other kernels refuse or ignore RLIMIT_AS."""
    return sys.platform == "linux"


def _let_clocks_end_it() -> None:
    """Whatever the parent had blocked or ignored: both outlive an exec."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _be_the_first_to_go() -> None:
    """When a machine or a container runs out of memory, Linux ends the process with the highest score."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def seal() -> None:
    """From here on nothing can be opened: no file, no connection, no process. Raises OSError or ValueError."""
    global _memory_map
    _memory_map = os.open("/proc/self/statm", os.O_RDONLY) if os.path.exists("/proc/self/statm") else None
    gc.freeze()
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NPROC, 0)
    _lower(resource.RLIMIT_NOFILE, 0)


def in_force() -> dict[str, int]:
    """As the kernel tells them; memory is 0 where nothing bounds it."""
    return {
        "memory": resource.getrlimit(resource.RLIMIT_AS)[1] if is_memory_bounded() else 0,
        "cpu": resource.getrlimit(resource.RLIMIT_CPU)[1],
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def start_clock() -> None:
    """The process ends by SIGPROF when the job takes more than its share, whatever code it is in."""
    signal.setitimer(signal.ITIMER_PROF, CPU_JOB)


def stop_clock() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)


def is_worn_out(processor_seconds: float) -> bool:
    return processor_seconds > CPU_USED_UP or _resident() > FAT


def _resident() -> int:
    if _memory_map is not None:
        return int(os.pread(_memory_map, 128, 0).split()[1]) * PAGE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _lower(what: int, most: int) -> None:
    """A harder limit that is there already stays."""
    hard = resource.getrlimit(what)[1]
    allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (allowed, allowed))
