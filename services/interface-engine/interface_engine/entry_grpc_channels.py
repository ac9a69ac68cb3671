"""The gRPC door to channels: what is in force, and dry runs of what shall be."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from bus import Database
from chassis import call_of
from google.protobuf.timestamp_pb2 import Timestamp
from kernel.clock import Clock
from kernel.errors import Refused, Unreadable
from kernel.rules import RuleError
from rcm.engine.v1 import channels_pb2 as pb
from rcm.engine.v1.channels_pb2_grpc import ChannelServiceServicer

from interface_engine.handlers.inferring import infer_channel
from interface_engine.handlers.trying import Trial, Tried, difference, is_read, try_messages, try_samples
from interface_engine.rules import Channel, ChannelBook
from interface_engine.rules.loading import SHIPPED, read_channel
from interface_engine.store.channels import ChannelVersion, ChannelVersions
from interface_engine.wire.hl7 import bundle_of
from interface_engine.wire.text import json_bytes

MOST_BYTES = 16 * 1024 * 1024
MOST_REPLAYED = 10_000
_REPLAYED = 1_000
_DIFFERENCES = 500


class Traffic(Protocol):
    """Stored messages of a channel, the oldest first."""

    def __call__(
        self, tenant: str, channel: str, since: datetime | None, limit: int
    ) -> AsyncIterator[tuple[str, bytes]]: ...


@dataclass
class Refusals:
    """The last refusal of the channels' files; empty when they are all in force."""

    last: RuleError | None = field(default=None)

    def __call__(self, error: RuleError) -> None:
        self.last = error

    def clear(self) -> None:
        """All of them are in force again."""
        self.last = None

    @property
    def text(self) -> str:
        return self.last.reason if self.last is not None else ""


@dataclass(frozen=True)
class ChannelServicer(ChannelServiceServicer):
    """Answers for the caller's tenant; samples stay in memory and are gone with the answer."""

    database: Database
    book: ChannelBook
    traffic: Traffic
    clock: Clock
    site: Path | None = None
    refusals: Refusals = field(default_factory=Refusals)

    async def ListChannels(self, request: pb.ListChannelsRequest, context: Any) -> pb.ListChannelsResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            newest = await ChannelVersions(unit).newest()
        found = [self._summary(one, newest.get(name)) for name, one in sorted(self.book.channels().items())]
        return pb.ListChannelsResponse(channels=found, refusal=self.refusals.text)

    async def GetChannel(self, request: pb.GetChannelRequest, context: Any) -> pb.GetChannelResponse:
        channel = self.book.channel(request.name)
        at = request.at.ToDatetime(UTC) if request.HasField("at") else self.clock.now()
        async with self.database.unit(call_of(context).tenant) as unit:
            versions = ChannelVersions(unit)
            history, then = await versions.history(request.name), await versions.in_force(request.name, at)
        if then is None and request.HasField("at"):
            raise Refused("channel-version", "the channel had no version at that time", "not_found")
        files = then.files if then is not None else {}
        return pb.GetChannelResponse(
            channel=self._summary(channel, history[0] if history else None),
            versions=[
                pb.ChannelVersion(
                    number=one.number, sha256=one.sha256, since=_stamp(one.since), recorded_by=one.recorded_by
                )
                for one in history
            ],
            files=[pb.NamedFile(name=name, content=text.encode()) for name, text in sorted(files.items())],
        )

    async def TestChannel(self, request: pb.TestChannelRequest, context: Any) -> pb.TestChannelResponse:
        channel = self._candidate(request.name, request.files)
        samples = _samples(request.samples)
        trial = await try_samples(channel, samples, self.clock.now())
        current = self.book.channels().get(channel.name)
        lines = Counter[str]()
        if current is not None and current.format == channel.format:
            lines = (await try_samples(current, samples, self.clock.now())).lines
        return _report(channel, trial, difference(lines, trial.lines) if current is not None else [])

    async def InferChannel(self, request: pb.InferChannelRequest, context: Any) -> pb.InferChannelResponse:
        made = infer_channel(request.name or "new-feed", _samples(request.samples))
        files = [pb.NamedFile(name=name, content=text.encode()) for name, text in made.files.items()]
        return pb.InferChannelResponse(files=files, findings=made.findings)

    async def ReplayChannel(self, request: pb.ReplayChannelRequest, context: Any) -> pb.ReplayChannelResponse:
        current, candidate = self.book.channel(request.name), self._candidate(request.name, request.files)
        since = request.since.ToDatetime(UTC) if request.HasField("since") else None
        limit = min(request.limit or _REPLAYED, MOST_REPLAYED)
        tenant, trials = call_of(context).tenant, []
        for channel in (current, candidate):
            messages = self.traffic(tenant, current.name, since, limit)
            trials.append(await try_messages(channel, messages, self.clock.now()))
        return pb.ReplayChannelResponse(
            now=_total(trials[0]),
            then=_total(trials[1]),
            differences=_differences(difference(trials[0].lines, trials[1].lines)),
        )

    def _summary(self, channel: Channel, version: ChannelVersion | None) -> pb.ChannelSummary:
        made = pb.ChannelSummary(
            name=channel.name, format=channel.format, transport=channel.transport.kind, sha256=channel.sha256
        )
        if version is not None:
            made.version, made.recorded_by = version.number, version.recorded_by
            made.since.CopyFrom(_stamp(version.since))
        return made

    def _candidate(self, name: str, files: Sequence[pb.NamedFile]) -> Channel:
        """The channel of the files that came along; without any, the one in force."""
        if not files:
            return self.book.channel(name)
        if sum(len(one.content) for one in files) > MOST_BYTES:
            raise Unreadable("channel-size", "files", "the files are larger than is taken here")
        with tempfile.TemporaryDirectory() as folder:
            named = {file.name: file for file in self._installed()}
            for one in files:
                place = Path(folder) / _plain(one.name)
                place.write_bytes(one.content)
                named[place.name] = place
            sent = [named[_plain(one.name)] for one in files if one.name.endswith((".yaml", ".yml"))]
            if len(sent) != 1:
                raise Unreadable("channel-files", "files", "one YAML file is needed, and the CSV files that it names")
            return read_channel(sent[0], named)

    def _installed(self) -> list[Path]:
        """Files that a channel may name without sending them along."""
        folders = [SHIPPED, *([self.site / "sources"] if self.site is not None else [])]
        return [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir()) if file.is_file()]


def _plain(name: str) -> str:
    plain = PurePosixPath(name).name
    if not plain or plain != name or plain.startswith("."):
        raise Unreadable("channel-files", "files", "a file's name has no folder in it")
    return plain


def _samples(samples: Sequence[pb.NamedFile]) -> list[tuple[str, bytes]]:
    if not samples:
        raise Unreadable("channel-samples", "samples", "at least one sample is needed")
    if sum(len(one.content) for one in samples) > MOST_BYTES:
        raise Unreadable("channel-size", "samples", "the samples are larger than is taken here")
    return [(one.name, one.content) for one in samples]


def _report(channel: Channel, trial: Trial, differences: Sequence[tuple[str, str]]) -> pb.TestChannelResponse:
    return pb.TestChannelResponse(
        samples=[_sample(one) for one in trial.tried],
        fields=[
            pb.FieldUse(field=name, filled=count, read=is_read(trial, name))
            for name, count in sorted(trial.fields.items())
        ],
        unmapped=[
            pb.UnmappedCode(path=path, system=system, code=code, count=count)
            for (path, system, code), count in trial.unmapped.most_common()
        ],
        charges=_charges(trial),
        differences=_differences(differences),
        flaws=[f"{flaw} ({count})" for flaw, count in trial.flaws.most_common()],
    )


def _sample(tried: Tried) -> pb.SampleOutcome:
    made = pb.SampleOutcome(
        sample=tried.sample, kind=tried.kind, outcome=tried.outcome, reason=tried.reason, path=tried.path
    )
    if tried.mapped is not None:
        made.bundle_json = json_bytes(bundle_of(tried.mapped))
        for one in tried.mapped.provenance:
            resource = tried.mapped.entries[one.entry].condition
            made.made.add(resource=resource, element=one.element, source=one.source)
    return made


def _charges(trial: Trial) -> list[pb.ChargeTotal]:
    return [
        pb.ChargeTotal(disposition=disposition, reason=reason, kind=kind, count=count, cents=cents)
        for (disposition, reason, kind), (count, cents) in sorted(trial.charges.items())
    ]


def _total(trial: Trial) -> pb.ReplayTotal:
    failed = trial.count("unreadable") + trial.count("invalid")
    return pb.ReplayTotal(
        messages=len(trial.tried),
        failed=failed,
        filtered=trial.count("filtered"),
        visits=trial.visits,
        charges=_charges(trial),
    )


def _differences(found: Sequence[tuple[str, str]]) -> list[pb.LineDifference]:
    return [pb.LineDifference(change=change, line=line) for change, line in found[:_DIFFERENCES]]


def _stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment.astimezone(UTC))
    return made
