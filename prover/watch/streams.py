"""Holds streams of numbered messages to other pods of its kind, and echoes theirs.

python3 -c THIS PORT SOCKET   SOCKET is the name of an abstract Unix socket that takes one line of JSON a connection and answers with one:
  {"do": "start", "marker": M, "peers": {NAME: ADDRESS}, "udpMs": N, "tcpMs": N}   begins to send
  {"do": "began", "wait": S}   waits until every peer has answered both ways, S seconds at the most; counts from then on, and connects no more
  {"do": "report", "wait": S}  waits until every open connection has answered anew, S seconds at the most; tells all that was counted
Each peer has a UDP stream, which cannot break, for the time between answers, and one TCP connection, which is never made again.
"""

import errno
import json
import selectors
import socket
import sys
import time

GAP = 0.1  # seconds without an answer from which on it is listed
LISTED = 40  # the longest ones
FULL = 65536  # bytes that a slow receiver may leave with us

port, name = int(sys.argv[1]), sys.argv[2]
selector = selectors.DefaultSelector()
peers = []
waiting = []  # [when ready, until when, answer]
began = None
size = 0
marker = ""
AGAIN = (errno.EAGAIN, errno.EINPROGRESS)


def now():
    return time.monotonic()


def closed(sock):
    try:
        selector.unregister(sock)
    except (KeyError, ValueError):
        pass
    sock.close()


class Echo:
    """Sends back what comes on a TCP connection."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ, self.ready)

    def ready(self, _):
        try:
            data = self.sock.recv(FULL)
            if not data:
                return closed(self.sock)
            self.rest = (self.rest + data)[-FULL:]
            sent = self.sock.send(self.rest)
            self.rest = self.rest[sent:]
        except BlockingIOError:
            pass
        except OSError:
            closed(self.sock)


class Peer:
    def __init__(self, peer, address, udp_ms, tcp_ms, offset):
        self.name = peer
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.address = (address, port)
        self.udp_every, self.tcp_every = udp_ms / 1000, tcp_ms / 1000
        self.next_udp = self.next_tcp = now() + offset
        self.udp = socket.socket(self.family, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.udp.connect(self.address)
        selector.register(self.udp, selectors.EVENT_READ, self.udp_ready)
        self.sequence = 0
        self.tcp, self.state, self.why, self.tcp_answer, self.rest, self.got = None, "none", None, 0.0, b"", b""
        self.count()
        self.connect()

    def count(self):
        self.sent = self.answered = 0
        self.first = self.sequence
        self.last = now()
        self.ever = None
        self.spread, self.gaps = {}, []

    def connect(self):
        if self.tcp:
            closed(self.tcp)
        self.tcp = socket.socket(self.family, socket.SOCK_STREAM)
        self.tcp.setblocking(False)
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state, self.tried, self.rest, self.got = "connecting", now(), b"", b""
        code = self.tcp.connect_ex(self.address)
        if code and code not in AGAIN:
            return self.broken(code)
        selector.register(self.tcp, selectors.EVENT_WRITE, self.tcp_ready)

    def broken(self, code):
        closed(self.tcp)
        # One that never came about is none that broke.
        self.state = "broken" if self.tcp_answer else "none"
        self.why = errno.errorcode.get(code, str(code)) if code else "closed by the other side"

    def message(self):
        self.sequence += 1
        return b"%s %010d\n" % (marker, self.sequence)

    def tick(self, at):
        if at >= self.next_udp:
            self.next_udp = max(self.next_udp + self.udp_every, at)
            self.sent += 1
            try:
                self.udp.send(self.message())
            except OSError:
                pass  # no route, refused by a port that was not open yet: nothing comes back, which tells
        if at >= self.next_tcp:
            self.next_tcp = max(self.next_tcp + self.tcp_every, at)
            if self.state == "open":
                self.say(self.message())
            elif began is None and (self.state in ("none", "broken") or at - self.tried > 1):
                self.connect()

    def say(self, data):
        # Beyond what the kernel takes nothing more is said; a message is never cut.
        if len(self.rest) < FULL:
            self.rest += data
        try:
            self.rest = self.rest[self.tcp.send(self.rest):]
        except BlockingIOError:
            pass
        except OSError as error:
            self.broken(error.errno)

    def udp_ready(self, _):
        while True:
            try:
                data = self.udp.recv(256)
            except BlockingIOError:
                return
            except OSError:
                continue
            # From before the count began.
            if not data.startswith(marker) or int(data[len(marker):] or 0) <= self.first:
                continue
            at = now()
            self.gap(at)
            self.last = self.ever = at
            self.answered += 1

    def gap(self, at):
        length = at - self.last
        # The first answer's way is no time between answers.
        if self.ever is not None:
            key = round(length * 1000)
            self.spread[key] = self.spread.get(key, 0) + 1
        if length > GAP:
            self.gaps.append([round((time.time() - length) * 1000), round(length * 1000, 1)])
            self.gaps = sorted(self.gaps, key=lambda gap: -gap[1])[:LISTED]

    def tcp_ready(self, mask):
        if mask & selectors.EVENT_WRITE:
            code = self.tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                return self.broken(code)
            self.state = "open"
            selector.modify(self.tcp, selectors.EVENT_READ, self.tcp_ready)
            return
        try:
            data = self.tcp.recv(FULL)
        except BlockingIOError:
            return
        except OSError as error:
            return self.broken(error.errno)
        if not data:
            return self.broken(0)
        self.got += data
        if len(self.got) >= size:
            self.got = self.got[len(self.got) // size * size:]
            self.tcp_answer = now()

    def answers(self):
        return self.ever is not None and (self.tcp_answer > 0 or self.state == "none")

    def report(self):
        open_gap = now() - self.last
        spread, gaps = dict(self.spread), list(self.gaps)
        if open_gap > GAP:
            gaps.append([round((time.time() - open_gap) * 1000), round(open_gap * 1000, 1)])
        return {
            "to": self.name, "sent": self.sent, "answered": self.answered, "spread": spread, "gaps": gaps,
            "tcp": self.state, "why": self.why,
            "tcpAnswerMs": round((now() - self.tcp_answer) * 1000) if self.tcp_answer else None,
        }


def start(order):
    global marker, size
    if peers:
        return {}  # whoever asked did not get the answer, and asks again
    marker = order["marker"].encode()
    size = len(marker) + 12
    every = order["udpMs"] / 1000
    for index, (peer, address) in enumerate(order["peers"].items()):
        offset = every * index / max(1, len(order["peers"]))
        peers.append(Peer(peer, address, order["udpMs"], order["tcpMs"], offset))
    return {}


def begin():
    global began
    began = now()
    silent = [peer.name for peer in peers if not peer.answers()]
    for peer in peers:
        peer.count()
    return {"silent": silent}


def command(order):
    """When the answer is ready, and the answer."""
    if order["do"] == "start":
        return lambda: True, lambda: start(order)
    if order["do"] == "began":
        return lambda: all(peer.answers() for peer in peers), begin
    asked = now()
    return (
        lambda: all(peer.state != "open" or peer.tcp_answer > asked for peer in peers),
        lambda: {"at": round(time.time() * 1000), "peers": [peer.report() for peer in peers]},
    )


class Control:
    def __init__(self, sock):
        self.sock, self.text = sock, b""
        selector.register(sock, selectors.EVENT_READ, self.ready)

    def ready(self, _):
        data = self.sock.recv(FULL)
        self.text += data
        if b"\n" in self.text:
            order = json.loads(self.text)
            selector.unregister(self.sock)
            ready, answer = command(order)
            waiting.append((ready, now() + order.get("wait", 0), answer, self.sock))
        elif not data:
            closed(self.sock)


def answer_waiting(at):
    for entry in list(waiting):
        ready, until, answer, sock = entry
        if ready() or at >= until:
            waiting.remove(entry)
            try:
                sock.setblocking(True)
                sock.sendall(json.dumps(answer()).encode() + b"\n")
            except OSError:
                pass  # whoever asked is gone, and may ask again
            sock.close()


def serve(family):
    try:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        for sock in (udp, tcp):
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", port))
            sock.setblocking(False)
        tcp.listen(64)
    except OSError:
        return  # a family that the node lacks

    def echo(_):
        while True:
            try:
                data, whence = udp.recvfrom(2048)
                udp.sendto(data, whence)
            except BlockingIOError:
                return
            except OSError:
                pass

    selector.register(udp, selectors.EVENT_READ, echo)
    selector.register(tcp, selectors.EVENT_READ, lambda _: Echo(tcp.accept()[0]))


serve(socket.AF_INET)
serve(socket.AF_INET6)
control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
control.bind("\0" + name)
control.listen(8)
selector.register(control, selectors.EVENT_READ, lambda _: Control(control.accept()[0]))
while True:
    at = now()
    for peer in peers:
        peer.tick(at)
    answer_waiting(at)
    following = min((min(peer.next_udp, peer.next_tcp) for peer in peers), default=at + 1)
    timeout = max(0, min(following - now(), 0.05 if waiting else 1))
    for key, mask in selector.select(timeout):
        key.data(mask)
