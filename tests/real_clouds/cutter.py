"""A proxy of bytes that counts the calls that go through it, and does something at the n-th: before it
is passed on, or after it was and before its answer comes back. Of HTTP each request line is a call;
of any other protocol each piece that the client sends."""
import contextlib
import re
import socket
import threading

REQUEST = re.compile(rb"^(GET|HEAD|POST|PUT|PATCH|DELETE) ")


class Cutter:
    def __init__(self):
        self.lock = threading.Lock()
        self.arm(0, None, False)

    def arm(self, at, act, after):
        """`act` is called once, at call number `at` from now on; 0: never."""
        with self.lock:
            self.calls, self.at, self.act, self.after, self.done = 0, at, act, after, False

    def seen(self):
        with self.lock:
            return self.calls

    def _count(self, data, http):
        with self.lock:
            if http and not REQUEST.match(data):
                return None
            self.calls += 1
            if self.done or self.calls != self.at:
                return None
            self.done = True
            return self.act

    def listen(self, target, at=None, http=True):
        """Forwards to `target`, a (host, port) or the path of a socket; where to connect instead."""
        if at is None:
            listener = socket.create_server(("127.0.0.1", 0))
        else:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(at)
            listener.listen(64)
        threading.Thread(target=self._accept, args=(listener, target, http), daemon=True).start()
        return listener.getsockname()

    def _accept(self, listener, target, http):
        while True:
            near, _ = listener.accept()
            try:
                if isinstance(target, str):
                    far = socket.socket(socket.AF_UNIX)
                    far.connect(target)
                else:
                    far = socket.create_connection(target)
            except OSError:
                near.close()
                continue
            threading.Thread(target=self._up, args=(near, far, http), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near), daemon=True).start()

    def _up(self, near, far, http):
        with contextlib.suppress(OSError):
            while data := near.recv(1 << 16):
                act = self._count(data, http)
                if act and not self.after:
                    act()
                    break
                far.sendall(data)
                if act:
                    act()
                    break
        self._end(near, far)

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        self._end(source, sink)

    @staticmethod
    def _end(*sockets):
        for s in sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()
