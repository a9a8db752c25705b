"""SQS as its guide allows it to be: messages come twice and in any order, and acknowledgements are forgotten.

Speaks the JSON protocol of boto3's client over HTTP, so that the code under test sends with the client
that is deployed.  `Mischief` says how often it misbehaves; a seed makes it choose the same again.
"""

import heapq
import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


@dataclass
class Mischief:
    seed: int = 1
    duplicates: float = 0.0
    """Share of deliveries after which the message stays visible: two workers have it at once."""

    forgotten: float = 0.0
    """Share of acknowledgements that are lost."""

    max_delay_seconds: float = 0.0
    """A message becomes visible up to so much later than it was sent."""

    speed: float = 1.0
    """How much faster visibility timeouts and delays run than on AWS."""


def is_fifo(queue: str) -> bool:
    return queue.endswith(".fifo")


@dataclass
class Message:
    id: str
    body: str
    attributes: dict[str, Any]
    receives: int = 0
    receipt: str = ""
    group: str = ""


@dataclass
class Queue:
    waiting: list[tuple[float, int, Message]] = field(default_factory=list)
    """A heap by the moment at which each becomes visible, those in flight among them."""

    dead: list[Message] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    deduplicated: dict[str, float] = field(default_factory=dict)
    """Of a FIFO queue: when each deduplication id came first."""


class Broker:
    """Use as a context manager; every queue exists as soon as it is named."""

    VISIBILITY_SECONDS: ClassVar[float] = 60.0
    DEDUPLICATION_SECONDS: ClassVar[float] = 300.0

    def __init__(self, mischief: Mischief) -> None:
        self.max_receives, self.max_receives_in_order = 20, 110
        self.mischief = mischief
        self.counts: Counter[str] = Counter()
        self._random = random.Random(mischief.seed)
        self._queues: dict[str, Queue] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._server.handle_error = lambda request, address: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Broker":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url_of(self, queue: str) -> str:
        return f"{self.url}/000000000000/{queue}"

    def send(
        self, queue: str, body: str, attributes: dict[str, Any] | None = None,
        *, delay: float = 0, group: str = "", unique: str = "",
    ) -> str:  # fmt: skip
        with self._lock:
            message = Message(f"{queue}-{next(self._numbers)}", body, attributes or {}, group=group)
            if self._is_repeated(self._queue(queue), unique):
                return message.id
            late = 0.0 if is_fifo(queue) else self._random.random() * self.mischief.max_delay_seconds
            self._push(self._queue(queue), message, delay / self.mischief.speed + late)
            self.counts["sent"] += 1
            return message.id

    def receive(self, queue: str, limit: int) -> list[Message]:
        if is_fifo(queue):
            return self._receive_in_order(queue, limit)
        with self._lock:
            source, now, taken = self._queue(queue), time.monotonic(), []
            while len(taken) < limit and source.waiting and source.waiting[0][0] <= now:
                message = heapq.heappop(source.waiting)[2]
                if message.id in source.deleted:
                    continue
                if message.receives >= self.max_receives:
                    source.dead.append(message)
                    continue
                taken.append(self._deliver(source, message))
            self._random.shuffle(taken)
            self.counts["delivered"] += len(taken)
            return taken

    def _receive_in_order(self, queue: str, limit: int) -> list[Message]:
        """Take the first of each group that has none in flight."""
        with self._lock:
            source, now, taken = self._queue(queue), time.monotonic(), []
            source.waiting = [item for item in source.waiting if item[2].id not in source.deleted]
            in_flight = {message.group for moment, _, message in source.waiting if moment > now}
            for item in sorted(source.waiting, key=lambda item: item[1]):
                message = item[2]
                if message.group in in_flight or len(taken) == limit:
                    continue
                source.waiting.remove(item)
                if message.receives >= self.max_receives_in_order:
                    source.dead.append(message)
                    continue
                taken.append(self._hand_out(message))
                source.waiting.append((now + self.VISIBILITY_SECONDS / self.mischief.speed, item[1], message))
            heapq.heapify(source.waiting)
            self.counts["delivered"] += len(taken)
            return taken

    def _is_repeated(self, source: Queue, unique: str) -> bool:
        now = time.monotonic()
        first = source.deduplicated.setdefault(unique, now)
        if not unique or first == now:
            return False
        if now - first < self.DEDUPLICATION_SECONDS / self.mischief.speed:
            return True
        source.deduplicated[unique] = now
        return False

    def delete(self, queue: str, message_ids: list[str]) -> None:
        with self._lock:
            for message_id in message_ids:
                if self._random.random() < self.mischief.forgotten:
                    self.counts["forgotten"] += 1
                else:
                    self._queue(queue).deleted.add(message_id)

    def hide(self, queue: str, receipts: dict[str, float]) -> None:
        with self._lock:
            source, now = self._queue(queue), time.monotonic()
            source.waiting = [
                (now + receipts[message.receipt] / self.mischief.speed, number, message)
                if message.receipt in receipts
                else (moment, number, message)
                for moment, number, message in source.waiting
            ]
            heapq.heapify(source.waiting)

    def show_all(self) -> None:
        """Let every message be visible now, as if each timeout had passed."""
        with self._lock:
            for source in self._queues.values():
                source.waiting = [(0.0, number, message) for _, number, message in source.waiting]

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()

    def waiting(self, *, besides: str = "\0") -> int:
        """Return how many messages are not acknowledged, without dead letters and those with `besides` in them."""
        with self._lock:
            return len(
                {
                    message.id
                    for name, source in self._queues.items()
                    if not name.endswith("-dead")
                    for _, _, message in source.waiting
                    if message.id not in source.deleted and besides not in message.body
                }
            )

    def dead(self) -> list[str]:
        """Return the bodies of the dead letters: those given up by us, and by the broker itself."""
        with self._lock:
            buried = [
                item[2] for name, source in self._queues.items() if name.endswith("-dead") for item in source.waiting
            ]
            return [message.body for message in (*buried, *(m for s in self._queues.values() for m in s.dead))]

    def take_dead(self) -> dict[str, list[Message]]:
        """Remove the dead letters and return them by the queue that they came from."""
        with self._lock:
            taken: dict[str, list[Message]] = {}
            for name, source in self._queues.items():
                taken.setdefault(name.removesuffix("-dead"), []).extend(source.dead)
                source.dead = []
                if name.endswith("-dead"):
                    taken[name.removesuffix("-dead")] += [message for _, _, message in source.waiting]
                    source.waiting = []
            return taken

    def _deliver(self, source: Queue, message: Message) -> Message:
        visible = self._hand_out(message)
        if self._random.random() < self.mischief.duplicates:
            self.counts["duplicated"] += 1
            # The other copy has its own receipt, as on AWS, and its own timeout.
            message.receives -= 1
            self._push(source, message, 0)
        else:
            self._push(source, message, self.VISIBILITY_SECONDS / self.mischief.speed)
        return visible

    def _hand_out(self, message: Message) -> Message:
        message.receives += 1
        message.receipt = f"{message.id}#{message.receives}"
        return replace(message)

    def _push(self, source: Queue, message: Message, wait: float) -> None:
        heapq.heappush(source.waiting, (time.monotonic() + wait, next(self._numbers), message))

    def _queue(self, name: str) -> Queue:
        return self._queues.setdefault(name, Queue())

    # The operations of SQS that the code under test uses.

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        queue = request["QueueUrl"].rpartition("/")[2]
        return getattr(self, f"_on_{operation}")(queue, request)  # type: ignore[no-any-return]

    def _on_SendMessageBatch(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        sent = [
            {
                "Id": entry["Id"],
                "MessageId": self.send(
                    queue, entry["MessageBody"], entry.get("MessageAttributes"), delay=entry.get("DelaySeconds", 0),
                    group=entry.get("MessageGroupId", ""), unique=entry.get("MessageDeduplicationId", ""),
                ),
                "MD5OfMessageBody": "",
            }
            for entry in request["Entries"]
        ]  # fmt: skip
        return {"Successful": sent, "Failed": []}

    def _on_ChangeMessageVisibilityBatch(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.hide(queue, {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in request["Entries"]})
        return {"Successful": [], "Failed": []}

    def _on_DeleteMessageBatch(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.delete(queue, [entry["ReceiptHandle"].partition("#")[0] for entry in request["Entries"]])
        return {"Successful": [], "Failed": []}

    def _on_GetQueueAttributes(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        target = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{queue}-dead"})
        return {"Attributes": {"RedrivePolicy": target}}

    def _on_Poll(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Lambda's own poller, which takes more at once than a client may."""
        return {
            "Records": [
                {
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                    "messageId": message.id,
                    "receiptHandle": message.receipt,
                    "body": message.body,
                    "attributes": {"ApproximateReceiveCount": str(message.receives)}
                    | ({"MessageGroupId": message.group} if message.group else {}),
                }
                for message in self.receive(queue, request["Limit"])
            ]
        }

    def _on_ShowAll(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.show_all()
        return {}

    def _on_Clear(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.clear()
        return {}

    def _on_Acknowledge(self, queue: str, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.delete(queue, request["MessageIds"])
        return {}


def _handler_of(broker: Broker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            try:
                request = json.loads(body)
            except ValueError:
                # Its sender was killed in the middle.
                self.close_connection = True
                return
            answer = json.dumps(broker.answer(operation, request)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    return Handler
