"""sink.py MODE FOLDER [options]: a server that takes what it is sent, for tests.

MODE is smtp (STARTTLS), smtps, smtp-plain, http or https. It listens on a port of
127.0.0.1 that the kernel chose and writes it into FOLDER/port. Each message is a file
FOLDER/1, FOLDER/2, ...; each connection a line of FOLDER/connections.

  --cert F --key F      for TLS
  --login USER:PASSWORD refuses mail without it
  --answers A,B,...     of the first requests (HTTP status, or SMTP reply to RCPT); then
                        200 or 250
  --header "A: b"       in each HTTP response
  --size N              of each HTTP response
  --silent              accepts and says nothing
It ends when its standard input does.
"""

import argparse
import asyncio
import base64
import os
import ssl
import sys


class Sink:
    def __init__(self, options):
        self.options = options
        self.n = 0
        self.answers = [a for a in (options.answers or "").split(",") if a]
        self.tls = None
        if options.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.cert, options.key)

    def path(self, name):
        return os.path.join(self.options.folder, str(name))

    def keep(self, data):
        self.n += 1
        with open(self.path(".new"), "wb") as f:
            f.write(data)
        os.rename(self.path(".new"), self.path(self.n))

    def answer(self, usual):
        return self.answers.pop(0) if self.answers else usual

    async def connected(self, reader, writer):
        with open(self.path("connections"), "a") as f:
            f.write("connected\n")
        try:
            if self.options.silent:
                await reader.read()
            elif self.options.mode.startswith("http"):
                await self.http(reader, writer)
            else:
                await self.smtp(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    # ------------------------------------------------------------------ HTTP

    async def http(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await reader.readexactly(length)
        self.keep(head.replace(b"\r\n", b"\n") + body)
        status = self.answer("200")
        text = b"x" * self.options.size if self.options.size else b"sink says " + status.encode()
        lines = ["HTTP/1.1 %s Answer" % status, "Content-Length: %d" % len(text), "Connection: close"]
        lines += self.options.header
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        await writer.drain()

    # ------------------------------------------------------------------ SMTP

    async def smtp(self, reader, writer):
        async def say(text):
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        secure = self.options.mode == "smtps"
        login = None
        sender, to = None, []
        await say("220 sink")
        while line := await reader.readline():
            line = line.decode("latin-1").rstrip("\r\n")
            word = line.split(" ")[0].upper()
            if word in ("EHLO", "HELO"):
                extra = [] if secure or self.options.mode == "smtp-plain" else ["STARTTLS"]
                extra += ["AUTH PLAIN LOGIN"] if self.options.login and secure else []
                for name in extra:
                    await say("250-" + name)
                await say("250 8BITMIME")
            elif word == "STARTTLS" and not secure and self.tls:
                await say("220 go")
                await writer.start_tls(self.tls)
                secure, login, sender, to = True, None, None, []
            elif word == "AUTH":
                login = await self.smtp_auth(line.split(" "), reader, say)
                ok = login == self.options.login
                await say("235 welcome" if ok else "535 who are you")
                login = login if ok else None
            elif word == "MAIL":
                if self.options.login and not login:
                    await say("530 log in first")
                    continue
                sender = line
                await say("250 ok")
            elif word == "RCPT":
                reply = self.answer("250")
                if reply == "250":
                    to.append(line)
                await say(reply + " rcpt")
            elif word == "DATA" and to:
                await say("354 go on")
                data = await reader.readuntil(b"\r\n.\r\n")
                notes = ["TLS: " + ("yes" if secure else "no"), "LOGIN: %s" % login, sender] + to
                self.keep("\n".join(notes).encode() + b"\n\n" + data)
                await say("250 taken")
            elif word == "QUIT":
                await say("221 bye")
                return
            elif word == "RSET":
                sender, to = None, []
                await say("250 ok")
            else:
                await say("502 no")

    async def smtp_auth(self, words, reader, say):
        async def ask(prompt):
            await say("334 " + base64.b64encode(prompt).decode())
            return base64.b64decode(await reader.readline()).decode()

        if words[1].upper() == "PLAIN":
            text = base64.b64decode(words[2]).decode() if len(words) > 2 else await ask(b"")
            return ":".join(text.split("\0")[1:])
        user = base64.b64decode(words[2]).decode() if len(words) > 2 else await ask(b"Username:")
        return user + ":" + await ask(b"Password:")

    # ------------------------------------------------------------------ run

    async def run(self):
        tls = self.tls if self.options.mode in ("https", "smtps") else None
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, ssl=tls)
        with open(self.path(".port"), "w") as f:
            f.write(str(server.sockets[0].getsockname()[1]))
        os.rename(self.path(".port"), self.path("port"))
        loop = asyncio.get_running_loop()
        end = loop.create_future()
        # Whoever started it may die in any way: then this pipe closes.
        loop.add_reader(sys.stdin.fileno(), lambda: os.read(0, 1) or end.done() or end.set_result(0))
        await end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    parser.add_argument("folder")
    for name in ("cert", "key", "login", "answers"):
        parser.add_argument("--" + name)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--silent", action="store_true")
    asyncio.run(Sink(parser.parse_args()).run())


main()
