"""The driver's side: actors on the nodes of a cluster, the shards in their hands, and what they say."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from robseg.errors import IncompleteRun, InputError
from robseg.evaluation.job import Job
from robseg.evaluation.progress import Place
from robseg.evaluation.ray.actor import Actor, ActorNews
from robseg.evaluation.request import Request
from robseg.evaluation.shards import Shard
from robseg.evaluation.worker import Counted

__all__ = ["Pool"]

CHECKED_EVERY = 1.0  # seconds, for actors that say nothing and for nodes that come and go
OPENING_LIMIT = 120.0  # seconds until work begins, if the actors of some nodes are not ready
NO_NODE_LIMIT = 60.0  # seconds without any node that has room
MOST_LOSSES = 3  # of actors with the same shard in their hands

logger = logging.getLogger("robseg")


@dataclasses.dataclass
class Hand:
    """An actor on a node, as the driver sees it.

    It is at work on `shards`, has made `predicted` predictions for these, wants another if `wants`, and is
    `ready` when it has loaded the models and checked the data. `answer` is the news that it owes.
    """

    actor: Any
    node: str
    address: str
    answer: Any
    shards: list[Shard] = dataclasses.field(default_factory=list)
    predicted: int = 0
    wants: bool = False
    ready: bool = False


class Pool:
    """Hands shards to actors, and those of a lost actor to another one.

    Ray restarts and repeats nothing here: its own repetition lost a task without an error when a node died
    and no other had room for the new actor.
    """

    def __init__(self, ray: Any, job: Job, request: Request) -> None:
        self._ray = ray
        self._request = request
        self._cpus, self._gpus = request.cpus_per_worker, request.reserved_gpus(request.device)
        there = dataclasses.replace(request, executor="local", num_workers=0, progress=None, out=None)
        self._asked = (ray.put(there), job.context, str(Path.cwd()))
        resources = {"num_cpus": self._cpus, "num_gpus": self._gpus}
        self._remote = ray.remote(max_restarts=0, max_task_retries=0, **resources)(Actor)
        self._hands: list[Hand] = []
        self._unusable: set[str] = set()
        self._open = False
        self._losses: Counter[Shard] = Counter()
        self._stillborn: Counter[str] = Counter()  # actors of a node that died before they were ready

    def run(self, shards: Sequence[Shard]) -> Generator[int | Counted | Place, None, None]:
        """Yield the number of predictions after each batch, each counted shard, and each change of place.

        A number is negative where predictions were lost with an actor.
        """
        left, unfinished = deque(shards), len(shards)
        started = seen = time.monotonic()
        place = None
        try:
            while unfinished:
                if self._grow(len(left)) or self._hands:
                    seen = time.monotonic()
                elif time.monotonic() - seen > NO_NODE_LIMIT:
                    raise IncompleteRun(
                        f"Expected nodes with room for a worker, but the cluster has had none for "
                        f"{NO_NODE_LIMIT:.0f} seconds: run the same command again when it has."
                    )
                self._open = self._open or time.monotonic() - started > OPENING_LIMIT or self._all_ready()
                if place != (place := self._place()):
                    yield place
                self._feed(left)
                for hand in self._answered():
                    for news in self._news(hand, left):
                        unfinished -= isinstance(news, Counted)
                        yield news
        finally:
            for hand in self._hands:
                self._ray.kill(hand.actor)

    def _grow(self, shards: int) -> bool:
        """Start actors where nodes have room, at most one for each shard; return whether any started."""
        rooms = {node["NodeID"]: (node, self._room(node)) for node in self._ray.nodes() if node["Alive"]}
        if not self._hands and not self._open and not any(room for _, room in rooms.values()):
            raise InputError(
                f"Expected a node with {self._cpus} cores and {self._gpus:g} GPUs for a worker, but the "
                f"cluster has {'; '.join(_resources(node) for node, _ in rooms.values())}: ask for less, or "
                "add a node."
            )
        most = self._request.num_workers or sum(room for _, room in rooms.values())
        before = len(self._hands)
        busy = Counter(hand.node for hand in self._hands)
        scouts_ready = {hand.node for hand in self._hands if hand.ready}
        wanted = min(most, shards + before)
        for number in range(max((room for _, room in rooms.values()), default=0)):
            for name, (node, room) in rooms.items():
                # The first actor of a node checks it before others start.
                may = number == 0 or name in scouts_ready
                if may and busy[name] == number < room and len(self._hands) < wanted:
                    self._hands.append(self._started(name, node["NodeManagerAddress"]))
                    busy[name] += 1
        return len(self._hands) > before

    def _room(self, node: dict[str, Any]) -> int:
        """Return how many actors a node has room for."""
        if node["NodeID"] in self._unusable:
            return 0
        resources = node["Resources"]
        room = resources.get("CPU", 0) // self._cpus
        return int(min(room, resources.get("GPU", 0) // self._gpus) if self._gpus else room)

    def _started(self, node: str, address: str) -> Hand:
        pinned = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        actor = self._remote.options(scheduling_strategy=pinned).remote(*self._asked)
        return Hand(actor, node, address, actor.work.remote([]))

    def _all_ready(self) -> bool:
        return all(hand.ready for hand in self._hands)

    def _place(self) -> Place:
        ready = [hand for hand in self._hands if hand.ready]
        return Place(len({hand.node for hand in ready}), len(ready))

    def _feed(self, left: deque[Shard]) -> None:
        """Give shards to actors that want one, and ask for the news of all that have something to say."""
        for hand in self._hands:
            if hand.answer is not None:
                continue
            given: list[Shard | None] = []
            if hand.wants and self._open and left:
                hand.shards.append(left.popleft())
                given = [hand.shards[-1]]
            elif hand.wants and hand.shards:
                given = [None]  # it need not wait for others to fill a batch
            if given or not hand.wants:
                hand.wants = False
                hand.answer = hand.actor.work.remote(given)

    def _answered(self) -> list[Hand]:
        """Wait a while for answers, and return the actors that have answered or are lost."""
        owing = {hand.answer: hand for hand in self._hands if hand.answer is not None}
        if not owing:
            time.sleep(CHECKED_EVERY)
            return []
        done, _ = self._ray.wait(list(owing), timeout=CHECKED_EVERY)
        return [owing[answer] for answer in done]

    def _news(self, hand: Hand, left: deque[Shard]) -> Iterator[int | Counted]:
        try:
            answer: list[ActorNews] = self._ray.get(hand.answer)
        except self._ray.exceptions.RayError as error:
            yield from self._lose(hand, left, error)
            return
        hand.answer = None
        for news in answer:
            if news is None:
                hand.wants = True
            elif isinstance(news, Exception):
                yield from self._refuse(hand, left, news)
            elif isinstance(news, Counted):
                hand.shards.remove(news.shard)
                hand.predicted -= len(news.shard)
                yield news
            else:
                hand.ready = True
                hand.predicted += news
                yield news

    def _refuse(self, hand: Hand, left: deque[Shard], error: Exception) -> Iterator[int]:
        """Raise the error of an actor; a node that joined late and does not fit is only left out."""
        if hand.ready:
            raise error
        told = type(error)(f"On the node {hand.address}: {error}") if isinstance(error, InputError) else error
        if not self._open or not isinstance(error, InputError):
            raise told
        logger.warning("%s The node is not used.", told)
        self._unusable.add(hand.node)
        yield from self._give_back(hand, left)

    def _lose(self, hand: Hand, left: deque[Shard], error: Exception) -> Iterator[int]:
        """Hand out the shards of an actor that died again, unless they may be the reason."""
        # Ray goes on with paragraphs of advice.
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].split(". ")[0]
        if not hand.ready and "ModuleNotFoundError" in str(error):
            raise InputError(
                f"Expected robseg on the node {hand.address}, but it cannot be imported there ({reason}): "
                "install the same version on every node."
            ) from error
        logger.warning("Lost a worker on %s (%s). Its work is handed out again.", hand.address, reason)
        if not hand.ready:
            self._stillborn[hand.node] += 1
            if self._stillborn[hand.node] == MOST_LOSSES:
                self._unusable.add(hand.node)
        for shard in hand.shards:
            self._losses[shard] += 1
            if self._losses[shard] >= MOST_LOSSES:
                condition = shard.condition
                raise IncompleteRun(
                    f"Expected workers to stay alive, but {MOST_LOSSES} died at {condition.corruption} "
                    f"{condition.severity} with {', '.join(shard.models)}: run the same command again, with "
                    "more memory for each worker if it ran out."
                )
        yield from self._give_back(hand, left)

    def _give_back(self, hand: Hand, left: deque[Shard]) -> Iterator[int]:
        """Put the shards of an actor back, and make sure that it does not go on with them."""
        self._ray.kill(hand.actor)
        self._hands.remove(hand)
        left.extendleft(reversed(hand.shards))
        if hand.predicted:
            yield -hand.predicted


def _resources(node: dict[str, Any]) -> str:
    there = node["Resources"]
    return f"{there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} GPUs on {node['NodeManagerAddress']}"
