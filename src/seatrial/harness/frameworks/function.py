"""Plain Python: functions, coroutines, generators of both kinds, and objects that can be called."""

import inspect
from collections.abc import Awaitable
from typing import Any, Union

from .answers import Answer, text_of
from .base import Adapter, Emit

METHODS = ("run", "invoke", "ask", "chat", "answer")
"""Methods of a user's own object that take the query, in the order of trying."""


class BadSignature(Exception):
    """The entry point wants more than the query."""


def matches(value: Any) -> bool:
    """Whatever can be called and is no class."""
    return callable(value) and not isinstance(value, type)


def call(function: Any, query: str, emit: Emit) -> Union[Answer, Awaitable[Answer]]:
    """Call with the query, or without it if there is no parameter to take it."""
    return call_with(function, query, emit)


def call_with(function: Any, value: Any, emit: Emit) -> Union[Answer, Awaitable[Answer]]:
    """Call with one value, outside of any event loop: plain functions may start their own.

    What is awaitable, or a generator that is, comes back as an awaitable of the answer.
    """
    positional, named = arguments(function, value)
    result = function(*positional, **named)
    if inspect.isawaitable(result) or _is_async_iterable(result):
        return _awaited(result, emit)
    return _finished(result, emit)


async def _awaited(result: Any, emit: Emit) -> Answer:
    if inspect.isawaitable(result):
        result = await result
    if _is_async_iterable(result):
        items: list[Any] = []
        async for item in result:
            items.append(item)
            if emit(text_of(item) or "") is False:
                break
        return _gathered(items)
    return _finished(result, emit)


def _finished(result: Any, emit: Emit) -> Answer:
    if inspect.isgenerator(result):
        items: list[Any] = []
        for item in result:
            items.append(item)
            if emit(text_of(item) or "") is False:
                break
        return _gathered(items)
    return Answer(result)


def arguments(function: Any, value: Any) -> tuple[list[Any], dict[str, Any]]:
    """How to pass one value. Raises BadSignature when the function needs others besides."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return [value], {}
    first = next((item for item in parameters if item.kind is not item.VAR_KEYWORD), None)
    needed = [item.name for item in parameters if item is not first and _is_required(item)]
    if needed:
        name = getattr(function, "__name__", type(function).__name__)
        raise BadSignature(
            f"{name}() needs values for {', '.join(needed)}; a test gives it only the query."
        )
    if first is None:
        return [], {}
    return ([], {first.name: value}) if first.kind is first.KEYWORD_ONLY else ([value], {})


def takes(function: Any, place: int, name: str) -> bool:
    """Whether its parameter at that place has that name."""
    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return False
    return parameters[place : place + 1] == [name]


def _is_required(parameter: inspect.Parameter) -> bool:
    variable = (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.kind not in variable and parameter.default is parameter.empty


def _is_async_iterable(value: Any) -> bool:
    return inspect.isasyncgen(value) or hasattr(value, "__aiter__")


def _gathered(items: list[Any]) -> Answer:
    """Texts make one text; anything else is kept as a list besides."""
    text = "".join(text_of(item) or "" for item in items)
    only_texts = all(isinstance(item, str) for item in items)
    return Answer(None if only_texts else items, text)


ADAPTER = Adapter("function", matches, call)
