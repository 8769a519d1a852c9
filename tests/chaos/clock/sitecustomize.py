"""Makes the wall clock of a Python process jump: by as many seconds as a file says now.

Python imports this by itself when it starts with this folder on its path. Only the wall clock is
moved: the steady clock that timeouts are counted by is not, as when somebody sets the time.
"""

import datetime
import os
import time

_FILE = os.environ["CHAOS_CLOCK"]
_true_time = time.time
_TrueDatetime = datetime.datetime


def _jump() -> float:
    with open(_FILE) as file:
        return float(file.read() or 0)


def _time() -> float:
    return _true_time() + _jump()


class _Meta(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _TrueDatetime)


class _Datetime(_TrueDatetime, metaclass=_Meta):
    __slots__ = ()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return _TrueDatetime.fromtimestamp(_time(), tz)


time.time = _time
datetime.datetime = _Datetime  # type: ignore[misc]
