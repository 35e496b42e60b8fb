"""The profile of an org: what a calibration found, when, on which release of Salesforce, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rotator.checks.calibrate.consequences import Consequence, consequences
from rotator.checks.calibrate.experiments import Found
from rotator.domain.chain import canonical
from rotator.domain.facts import FACTS, Facts

Json = dict[str, object]
HUMAN = 3  # the exit code


@dataclass(frozen=True, slots=True)
class Profile:
    """One calibration's result. `at`: the database's clock. `release`: the newest API version of the org, which moves
    with each release of Salesforce. `facts`: with what the configuration states laid over what was found."""

    org: str
    org_id: str
    app_id: str
    consumer_id: str
    at: datetime
    release: str
    found: Mapping[str, Found]
    facts: Facts
    second_stage: str
    stated: Mapping[str, str]
    key_id: str = ""
    signature: str = ""

    @property
    def learned(self) -> dict[str, str]:
        """What is worth writing down: nothing unknown over what was seen before."""
        return {name: one.value for name, one in self.found.items() if one.known}

    @property
    def differ(self) -> dict[str, str]:
        """Facts that the configuration states otherwise than they were found; its word wins, and it may be old."""
        return {name: self.learned[name] for name, value in self.stated.items()
                if self.learned.get(name, value) != value}  # fmt: skip

    @property
    def missing(self) -> tuple[str, ...]:
        """Facts that should have been found."""
        return tuple(name for name, one in self.found.items() if not one.known and not one.dark)

    @property
    def exit_code(self) -> int:
        return HUMAN if self.missing else 0

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        return consequences(self.facts)

    @property
    def body(self) -> bytes:
        """What is signed: everything that was found, canonical JSON."""
        return canonical(self._told()).encode()

    def signed(self, key_id: str, signature: str) -> Profile:
        return replace(self, key_id=key_id, signature=signature)

    def knowing(self, seen: Facts) -> Profile:
        """With all that is known of the org by now."""
        return replace(self, facts=seen.merged(self.stated))

    def _told(self) -> Json:
        return {
            "org": self.org, "org_id": self.org_id, "app_id": self.app_id, "consumer_id": self.consumer_id,
            "at": self.at.isoformat(timespec="milliseconds"), "release": self.release,
            "facts": {name: one.value for name, one in self.found.items()},
            "seen": {name: one.how for name, one in self.found.items()},
            "second_stage": self.second_stage,
        }  # fmt: skip

    @property
    def evidence(self) -> Json:
        """For the trail: the profile with its signature."""
        return {"profile": self._told(), "key_id": self.key_id or None, "signature": self.signature or None}

    @property
    def document(self) -> Json:
        """For programs."""
        told = [{"question": one.question, "answer": one.answer, "why": one.why} for one in self.consequences]
        return {"ok": self.exit_code == 0, "exit": self.exit_code, **self._told(), "missing": list(self.missing),
                "differ": self.differ, "consequences": told, "key_id": self.key_id or None,
                "signature": self.signature or None}  # fmt: skip

    def toml(self) -> Iterator[str]:
        """The table for the configuration, which needs it only where it shall stand there."""
        yield f"# found by `rotator calibrate {self.org}` on {self.at:%Y-%m-%d}, Salesforce release {self.release}"
        yield f"[orgs.{self.org}.facts]"
        for name in FACTS:
            one = self.found[name]
            yield f'{name} = "{one.value}"' if one.known else f"# {name} = \"unknown\"  # {one.how}"
