"""One door's policy: what its test's calls may make a provider do, and what they did."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from seatrial.domain.allowances import SECRET, Allowances
from seatrial.domain.ports import DoorSpec
from seatrial.domain.record import REACH_REFUSED, REACH_USED, SECRET_SENT
from seatrial.gateway.admission import Refusal
from seatrial.gateway.headers import Headers, is_replaced
from seatrial.gateway.journal import DoorJournal
from seatrial.gateway.providers.base import Operation, Provider

from .judge import Judge, Refused
from .outgoing import OutgoingSecrets
from .received import ReceivedIds
from .shapes import Need
from .wire import wire_needs

NOT_ALLOWED = "agent.reach_not_allowed"
SECRET_REFUSED = "agent.secret_sent"  # noqa: S105 - a failure's code


@dataclass(frozen=True)
class Sent:
    """What stands beside a call's body."""

    headers: Headers
    path: str
    query: str

    def texts(self, private: Collection[str]) -> list[str]:
        """Everything of it that goes to the provider, as it is written and as it is meant."""
        passed = (item for item in self.headers.items() if not is_replaced(item[0].lower()))
        lines = [text for item in passed if item[0].lower() not in private for text in item]
        beside = (self.path, unquote(self.path), self.query, unquote_plus(self.query))
        return list(dict.fromkeys((*beside, *lines)))


class ReachPolicy:
    """Judges the calls of one door and journals what was refused and what was used."""

    def __init__(self, spec: DoorSpec, journal: DoorJournal) -> None:
        """A replay asks no provider: any id may stand in its calls."""
        self.received = ReceivedIds(spec.received_ids)
        self._allowed = Allowances(spec.allow)
        self._journal = journal
        self._replayed = spec.replay is not None
        self._secrets = OutgoingSecrets(spec.secrets)

    def judge(self, operation: Operation, offers: Callable[[str], bool]) -> Judge:
        """For one body: visit its members, then ask `verdict`."""
        return Judge(operation.body, self._allowed, self._is_known, offers)

    def _is_known(self, one: str) -> bool:
        return self._replayed or one in self.received

    async def verdict(
        self, provider: Provider, judge: Judge, sent: Sent, body: bytes
    ) -> tuple[Refusal | None, int | None]:
        """Why a call may not be made, None when it may.

        With it how often stored secrets stand in the call, None where there are none to find.
        """
        refused = judge.refused or self._of_wire(provider, judge, sent)
        if refused is not None:
            return self._refusal(provider, refused), None
        found = await self._secrets.found(body, sent.texts(provider.private_headers))
        if found and (refusal := self._of_secrets(provider, judge, found)) is not None:
            return refusal, sum(found.values())
        for entry in sorted(judge.used):
            text = f"A call to {provider.name} used what the test allows with {entry}."
            self._journal.add_notice(REACH_USED, entry, text, {"allow": entry})
        return None, sum(found.values()) if self._secrets.active else None

    def _of_wire(self, provider: Provider, judge: Judge, sent: Sent) -> Refused | None:
        for place, need in wire_needs(sent.headers.items(), sent.query, provider.wire):
            if self._missing(judge, need):
                return Refused(place, need)
        return None

    def _missing(self, judge: Judge, need: Need) -> bool:
        entry = self._allowed.entry(need.switch)
        if entry is not None:
            judge.used.add(entry)
        return entry is None

    def _of_secrets(
        self, provider: Provider, judge: Judge, found: dict[str, int]
    ) -> Refusal | None:
        for name, hits in found.items():
            entry = self._allowed.entry(f"{SECRET}={name}")
            if entry is not None:
                judge.used.add(entry)
                continue
            text = (
                f"The call to {provider.name} holds the stored secret of the variable {name}. "
                "It is for a service that the agent uses, so the call was refused. "
                f"Keep it out of what is sent, or run the test with --allow {SECRET}={name}."
            )
            data = {"variable": name, "hits": hits, "add_allow": f"{SECRET}={name}"}
            self._journal.add_notice(SECRET_SENT, name, text, data)
            return Refusal(403, "secret_refused", text, SECRET_REFUSED)
        return None

    def _refusal(self, provider: Provider, refused: Refused) -> Refusal:
        switch = refused.need.switch
        way = f"Run the test with --allow {switch}" if switch else "Nothing allows this"
        text = (
            f"The call's {refused.field} {refused.need.why}. A test may ask its model of "
            f"{provider.name} and nothing beyond it. {way}, or leave it out."
        )
        data = {"provider": provider.name, "field": refused.field}
        if switch:
            data["add_allow"] = switch
        about = f"{provider.name} {switch} {text}"
        self._journal.add_notice(REACH_REFUSED, about, text, data)
        return Refusal(403, "reach_not_allowed", text, NOT_ALLOWED)
