"""A server that reads no request and says 401 to each chunk that comes: what an attacker costs by itself.

python -m bench.trivial PORT
"""

import select
import socket
import sys

BODY = b"x" * 420  # as long as our own
ANSWER = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def serve(port: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listening, select.epoll() as poll:
        poll.register(listening, select.EPOLLIN)
        lines: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == listening.fileno():
                    line, _ = listening.accept()
                    lines[line.fileno()] = line
                    poll.register(line, select.EPOLLIN)
                elif lines[descriptor].recv(65_536):
                    lines[descriptor].sendall(ANSWER)
                else:
                    poll.unregister(descriptor)
                    lines.pop(descriptor).close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
