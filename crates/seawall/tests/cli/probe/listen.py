"""Listens where something of a cluster would: accepts, answers HTTP at port 80 and DNS at UDP 53."""

import pathlib
import socket
import threading

OPEN = [
    ("169.254.169.254", 80), ("168.63.129.16", 80), ("10.0.0.1", 443), ("10.0.12.7", 5432), ("10.0.12.8", 80),
    ("10.0.12.9", 80), ("10.224.0.4", 10250), ("1.2.3.4", 443),
]


def answer(listener, port):
    while True:
        connection, _ = listener.accept()
        with connection:
            if port == 80:
                connection.settimeout(1)
                try:
                    connection.recv(1024)
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"access_token":"CANARY-4711"}')
                except OSError:
                    pass


def names(server):
    while True:
        packet, client = server.recvfrom(512)
        # The question back as an answer: the name does not exist.
        server.sendto(packet[:2] + b"\x81\x83" + packet[4:], client)


for host, port in OPEN:
    listener = socket.create_server((host, port))
    threading.Thread(target=answer, args=(listener, port), daemon=True).start()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("10.0.0.10", 53))
pathlib.Path("/run/listening").touch()
names(server)
