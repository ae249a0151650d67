"""TLS for websockets' threaded client, which reads in one thread and writes in another. OpenSSL forbids both at once on one
connection (openssl-threads(7)), and Python up to 3.13.5 does not keep them apart: a request written while a session ticket is
being read is lost, once in some hundred connections."""

import select, ssl, threading


class Context:
    """In place of an ssl.SSLContext."""

    def __init__(self, authority):
        self.context = ssl.create_default_context(cafile=authority)

    def wrap_socket(self, socket, **options):
        return Connection(self.context.wrap_socket(socket, **options))


class Connection:
    def __init__(self, socket):
        socket.setblocking(False)
        self.socket, self.lock = socket, threading.Lock()

    def __getattr__(self, name):
        return getattr(self.socket, name)

    def settimeout(self, seconds):
        """It never blocks, and so has none."""

    def recv(self, count):
        return self.once_ready(lambda: self.socket.recv(count))

    def sendall(self, data):
        while data:
            data = data[self.once_ready(lambda: self.socket.send(data)) :]

    def once_ready(self, body):
        while True:
            with self.lock:
                try:
                    return body()
                except ssl.SSLWantReadError:
                    waits = [self.socket], []
                except ssl.SSLWantWriteError:
                    waits = [], [self.socket]
            select.select(*waits, [])
