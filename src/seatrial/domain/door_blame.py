"""What the gateway saw as the cause of an agent's failure: calls, used-up limits, refused hosts.

Pure. The gateway's own notes are trusted; what the agent says is only compared with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from . import inside_addresses
from .advice import advice
from .ending import Ending
from .events import ModelCallEvent
from .failures import CATALOGUE, Failure, failure
from .given_up import given_up
from .record import AttemptRecord, RefusedHost, UsedUp
from .requests import Limits, TestRequest
from .validation.limits import Maxima

_MEBIBYTE = 2**20
_SAME_MOMENT = timedelta(seconds=3)
"""A call that ended this shortly before the agent's own end was ended by that."""

_OF_A_CONNECTION = re.compile(
    r"proxy|tunnel|connect|network|unreachable|resolv|ssl|tls|403|forbidden", re.IGNORECASE
)

_OF_A_MODEL = re.compile(
    r"api\.openai\.com|api\.anthropic\.com|ollama\.com"
    r"|bedrock-runtime(-fips)?\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?"
)
"""The public addresses of the providers, which SDKs and examples have written in."""


def of_door(
    request: TestRequest, record: AttemptRecord, ending: Ending, said: str
) -> Failure | None:
    """The failure that the door explains, None when it explains none.

    `said` is the agent's last word, an exception or a line: a host that was refused is blamed
    only when that names it or speaks of a connection.
    """
    return (
        _used_up(request.limits, ending.maxima, record, said)
        or _refused_host(record, said, lambda host: host.name.lower() in said.lower())
        or _unreachable_host(record, said)
        or given_up(record, said)
        or _failed_call(record)
        or _refused_host(record, said, lambda _: bool(_OF_A_CONNECTION.search(said)))
    )


def awaited_call(record: AttemptRecord) -> ModelCallEvent | None:
    """The call that was under way when the agent was stopped; None when there was none."""
    call = record.calls[-1] if record.calls else None
    if call is None or not call.unfinished:
        return None
    if record.exit_at is not None and record.last_call_at is not None:
        return call if record.exit_at - record.last_call_at < _SAME_MOMENT else None
    return call


def waiting_for(call: ModelCallEvent) -> str:
    """What an agent with that call under way was doing."""
    asked, seconds = f"{call.provider}:{call.model}", f"{call.latency_seconds:.0f} s"
    if call.error == "model.rate_limited":
        return f"waiting {seconds} for the end of a pause that {asked} had asked for"
    if call.status is None:
        return f"waiting for {asked}, which had not answered for {seconds}"
    return f"waiting for {asked}, whose answer had begun but not ended after {seconds}"


def _failed_call(record: AttemptRecord) -> Failure | None:
    """The last model call, when it failed: the exception that followed it is its echo."""
    if not record.calls or record.calls[-1].error is None:
        return None
    call = record.calls[-1]
    code = call.error if call.error in CATALOGUE else "model.bad_request"
    status = f" (status {call.status})" if call.status else ""
    answered = f"{call.provider}:{call.model} answered with an error{status}: {call.message}"
    fix = _allowing(record, call)
    refused_here = not call.sent_bytes and call.message
    return failure(
        code,
        call.message if refused_here else answered,
        what_to_do=_switch_advice(fix) or advice(call.provider, call.model, code, call.message),
        evidence=call.message,
        evidence_event=record.last_call_event,
        fix={"add_allow": fix} if fix else None,
    )


def _allowing(record: AttemptRecord, call: ModelCallEvent) -> str:
    """The switch that would have let a refused call pass; empty when there is none."""
    told = (one.addition for one in record.refused_reach if one.message == call.message)
    return next(told, "")


def _switch_advice(switch: str) -> str:
    if not switch:
        return ""
    return f"Run it with --allow {switch}, or leave it out of the call."


def _refused_host(
    record: AttemptRecord, said: str, fits: Callable[[RefusedHost], bool]
) -> Failure | None:
    host = next((host for host in reversed(record.refused_hosts) if fits(host)), None)
    if host is None:
        return None
    to_do = f"Run it with --egress {host.addition}, or let the agent do without that host."
    if _OF_A_MODEL.fullmatch(host.name.lower()):
        return _written_address(host, said)
    if inside_addresses.meaning(host.name):
        return _inside_address(host, said)
    return failure(
        "agent.host_not_allowed",
        _then(host, said),
        what_to_do=to_do if host.addition else "",
        evidence=host.message,
        evidence_event=host.event,
        fix={"add_egress": host.addition} if host.addition else None,
    )


def _written_address(host: RefusedHost, said: str) -> Failure:
    """A model service's public address in the code: to allow it would leave the key out."""
    return failure(
        "agent.host_not_allowed",
        _then(host, said),
        what_to_do=f"Leave the address {host.name} out of the code: the SDK then finds the model "
        "service where Seatrial puts the real key on.",
        evidence=host.message,
        evidence_event=host.event,
    )


def _inside_address(host: RefusedHost, said: str) -> Failure:
    """An address that means another thing inside a container, or nothing that a test reaches."""
    return failure(
        "agent.address_unreachable",
        _then(host, said),
        what_to_do=inside_addresses.advice(host.name, host.port),
        evidence=host.message,
        evidence_event=host.event,
    )


def _unreachable_host(record: AttemptRecord, said: str) -> Failure | None:
    """A host that is allowed and that the gateway could not reach."""
    if not record.unreachable_hosts:
        return None
    host = record.unreachable_hosts[-1]
    if host.name.lower() not in said.lower() and not _OF_A_CONNECTION.search(said):
        return None
    return failure(
        "agent.host_unreachable",
        _then(host, said),
        evidence=host.message,
        evidence_event=host.event,
    )


def _then(host: RefusedHost, said: str) -> str:
    return f"{host.message} Then the agent failed: {said[:300]}" if said else host.message


def before(record: AttemptRecord) -> str:
    """What the gateway had refused, or not reached, before the agent failed; often its reason."""
    hosts = (*record.refused_hosts, *record.unreachable_hosts)
    return f" Before that: {hosts[-1].message}" if hosts else ""


def advice_before(record: AttemptRecord) -> str:
    """What to do about it, where the failure may follow from it."""
    host = record.refused_hosts[-1] if record.refused_hosts else None
    if host is not None and host.addition and not inside_addresses.meaning(host.name):
        return (
            f"If it follows from the refused host, run it with --egress {host.addition}; else read "
            "the traceback."
        )
    if record.unreachable_hosts:
        name = record.unreachable_hosts[-1].name
        return f"Check whether it follows from {name}, which was not reached; read the traceback."
    return ""


def _used_up(limits: Limits, maxima: Maxima, record: AttemptRecord, said: str) -> Failure | None:
    """A limit of the door that was reached: everything after it failed for that."""
    used_up = record.used_up
    if used_up is None:
        return None
    entry = CATALOGUE[used_up.code]
    field, option = _FIELDS[used_up.code]
    more = _enough(getattr(limits, field), getattr(maxima, field), used_up)
    to_do = f"Raise {field} (for example {option} {more}). {entry.what_to_do}" if more else ""
    return failure(
        used_up.code,
        used_up.message,
        what_to_do=to_do or "Ask the operator for more: the limit is that of the installation.",
        evidence=said or used_up.message,
        evidence_event=used_up.event,
        fix={field: more} if more else None,
    )


_FIELDS = {
    "limit.model_calls": ("model_calls", "--model-calls"),
    "limit.model_tokens": ("model_tokens", "--model-tokens"),
    "limit.traffic": ("traffic_mb", "--traffic"),
}


def _enough(limit: int, most: int, used_up: UsedUp) -> int:
    """A limit twice as high as what was used or allowed, as far as it may be; 0 when it may not.

    A limit of 0 is the operator's own maximum, which no request can raise.
    """
    used = used_up.used if used_up.code != "limit.traffic" else -(-used_up.used // _MEBIBYTE)
    more = min(2 * max(used, limit), most)
    return more if limit and more > limit else 0
