import Common
import Foundation
import TestSupport
import Testing
import WebServer

/// What no library would send: frames by hand (Tests/Clients/frames.py).
@Suite("Hostile WebSocket frames", .timeLimit(.minutes(5)))
struct HostileFrameTests {
    /// Runs a server that echoes while a client in Python does something; its output.
    private func output(of client: String, limits: WebServerLimits = .init()) throws -> [String] {
        let server = try WebServerThread(ListenAddress("127.0.0.1:0")!, limits: limits, name: "test") {
            let handler = EchoHandler()
            handler.openLimit = 1000
            var routes = Routes()
            routes.webSocket("/ws", subprotocols: [], isPlainAllowed: true, handler)
            return routes
        }
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients").path
        let script = """
            import sys
            sys.path.insert(0, "\(folder)")
            from frames import *
            address = "\(server.address)"
            def raw(**more): return Raw(address, **more)
            def ends(*frames):
                c = raw()
                c.send(*frames)
                return c.end()
            \(client)
            """
        return try shell("python3 - <<'PYTHON'\n\(script)\nPYTHON").split(separator: "\n").map(String.init)
    }

    @Test("Each ping is answered, in their order, however many come at once, and messages between them too")
    func pings() throws {
        let lines = try output(
            of: """
                c = raw()
                c.send(*(frame(PING, str(n).encode()) + frame(TEXT, b"m") for n in range(200)))
                seen = [c.next() for _ in range(400)]
                print([int(p) for o, p in seen if o == PONG] == list(range(200)), sum(p == b"m" for o, p in seen))
                # Behind an answer that takes its time.
                c.send(frame(TEXT, b"burst 30000"), *(frame(PING, str(n).encode()) for n in range(20)))
                seen = [c.next() for _ in range(30020)]
                print([int(p) for o, p in seen if o == PONG] == list(range(20)))
                c.send(frame(PING, b"last"), frame(CLOSE, b"\\x03\\xe8"))
                print(c.next()[1], c.end())
                """)
        #expect(lines == ["True 200", "True", "b'last' (1000, '')"])
    }

    @Test("However frames are ordered and cut, messages come back whole and pings are answered, each in its order")
    func cuts() throws {
        let lines = try output(
            of: """
                import random, threading
                def run(seed):
                    r = random.Random(seed)
                    pieces, texts, pings = [], [], []
                    for n in range(r.randrange(1, 60)):
                        text = ("é€x" * r.choice((0, 1, 50, 400, 5000)) + str(n)).encode()
                        texts.append(text)
                        cuts = sorted(r.randrange(len(text) + 1) for _ in range(r.randrange(4)))
                        parts = [text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)])]
                        for i, part in enumerate(parts):
                            pieces.append(frame(CONTINUATION if i else TEXT, part, final=i == len(parts) - 1))
                            for _ in range(r.choice((0, 0, 1, 3, 20))):
                                pings.append(os.urandom(r.randrange(126)))
                                pieces.append(frame(PING, pings[-1]))
                            if r.random() < 0.2: pieces.append(frame(PONG, os.urandom(r.randrange(126))))
                    stream = b"".join(pieces)
                    c = raw()
                    def send():
                        at = 0
                        while at < len(stream):
                            count = r.choice((1, 2, 3, 7, 500, 512, 513, 5000, 100000))
                            c.send(stream[at:at + count])
                            at += count
                    sender = threading.Thread(target=send)
                    sender.start()
                    seen = [c.next() for _ in range(len(texts) + len(pings))]
                    sender.join()
                    return [p for o, p in seen if o == TEXT] == texts and [p for o, p in seen if o == PONG] == pings
                print([seed for seed in range(150) if not run(seed)])
                """)
        #expect(lines == ["[]"])
    }

    @Test("A large message comes whole to who reads slowly, with pings and messages behind it, each in its turn")
    func slowReaders() throws {
        let lines = try output(
            of: """
                c = raw()
                c.send(frame(TEXT, b"large 6000000"), *(frame(PING, b"%d" % n) for n in range(50)), frame(TEXT, b"behind"))
                c.send(frame(TEXT, b"large 3000000"), frame(PING, b"50"))
                def slowly(left=[200]):
                    if left[0] > 0:
                        left[0] -= 1
                        time.sleep(0.001)
                    return Raw._more(c)
                import time
                c._more = slowly
                seen = [c.next() for _ in range(54)]
                print([len(p) for o, p in seen if o == TEXT], [int(p) for o, p in seen if o == PONG] == list(range(51)))
                c.send(frame(CLOSE, b"\\x03\\xe8")); print(c.end())
                print(set(b"".join(p for o, p in seen if o == TEXT and len(p) > 10)) == {65})
                # One that goes away in the middle harms nobody.
                for _ in range(20):
                    c = raw(); c.send(frame(TEXT, b"large 6000000"), frame(PING, b"x")); c.socket.recv(1000); c.socket.close()
                c = raw(); c.send(frame(TEXT, b"fine")); print(c.text())
                """)
        #expect(lines == ["[6000000, 6, 3000000] True", "(1000, '')", "True", "fine"])
    }

    @Test(
        "A client that does not mask its first frame is told so; one whose frame comes with its request is not mistaken for it"
    )
    func masks() throws {
        let lines = try output(
            of: """
                print(ends(frame(TEXT, b"plain", masked=False)))
                print(ends(frame(PING, b"", masked=False)))
                c = raw(); c.send(frame(TEXT, b"masked")); print(c.text())
                # Looks like a head without a mask, and is the rest of a frame.
                message = frame(TEXT, b"x" * 200)
                for cut in (1, 3, 100): 
                    c = raw(behind=message[:cut]); c.send(message[cut:]); print(len(c.text()))
                """)
        #expect(
            lines == [
                "(1002, 'clients mask their frames')", "(1002, 'clients mask their frames')", "masked", "200", "200",
                "200",
            ])
    }

    @Test("Text that is no UTF-8 ends its connection, however it is cut; control frames between are none of the text")
    func characters() throws {
        let lines = try output(
            of: """
                e = "é".encode()
                print(ends(frame(TEXT, b"a\\xff")))
                print(ends(frame(TEXT, e[:1])))
                print(ends(frame(TEXT, e[:1], final=False), frame(CONTINUATION)))
                print(ends(frame(TEXT, b"\\xed\\xa0\\x80")))
                c = raw(); c.send(frame(TEXT, e[:1], final=False), frame(PONG, b"\\xff\\xfe"), frame(CONTINUATION, e[1:]))
                print(c.text())
                c.send(frame(PONG, b"\\xff")); c.send(frame(TEXT, b"on")); print(c.text())
                print(ends(frame(CLOSE, b"\\x03\\xe8\\xff")), ends(frame(CLOSE, b"\\x03")), ends(frame(CLOSE, b"\\x00\\x00")), ends(frame(CLOSE)))
                """)
        #expect(
            lines == [
                "(1007, 'text is UTF-8')", "(1007, 'text is UTF-8')", "(1007, 'text is UTF-8')",
                "(1007, 'text is UTF-8')",
                "é", "on", "(1007, 'text is UTF-8') (1002, 'a close has a code of two bytes') (1002, '') (1005, '')",
            ])
    }

    @Test("A reason that a close has no room for ends with a whole character")
    func reasons() throws {
        let lines = try output(
            of: """
                for text in ("é" * 100, "a" + "é" * 100, "€" * 100, "short"):
                    c = raw(); c.send(frame(TEXT, b"close " + text.encode()))
                    code, reason = c.end()
                    print(code, len(reason.encode()), text.startswith(reason))
                """)
        #expect(lines == ["4503 122 True", "4503 123 True", "4503 123 True", "4503 5 True"])
    }

    @Test("What breaks the rules of frames ends its connection: reserved bits and opcodes, control frames, lengths")
    func framing() throws {
        let lines = try output(
            of: """
                print(*(ends(frame(TEXT, b"x", reserved=r))[0] for r in (1, 2, 4)))
                print(*(ends(frame(o, b"x"))[0] for o in (3, 7, 11, 15)))
                print(ends(frame(PING, b"x" * 126)), ends(frame(PING, b"x", final=False))[0])
                print(ends(frame(CONTINUATION, b"x"))[0], ends(frame(TEXT, b"x", final=False), frame(TEXT, b"y"))[0])
                print(ends(frame(TEXT, b"x", length=2 ** 63)))
                # One that announces much is refused once more has come than may.
                c = raw(); c.send(frame(TEXT, b"x" * 65537, length=2 ** 62)); print(c.end()[0])
                c = raw(); c.send(frame(TEXT, b"x", final=False), *(frame(CONTINUATION, b"y" * 1000, final=False) for _ in range(70)))
                print(c.end()[0])
                """)
        #expect(
            lines == ["1002 1002 1002", "1002 1002 1002 1002", "no word 1002", "1002 1002", "no word", "1009", "1009"])
    }

    @Test(
        "Messages that don't end take a bounded memory; whoever would take more is let go, and those that end are answered"
    )
    func unfinished() throws {
        var limits = WebServerLimits()
        limits.messagesByteCount = 200_000
        let lines = try output(
            of: """
                held = [raw() for _ in range(3)]
                for c in held:
                    c.send(frame(TEXT, b"x" * 60000, final=False), frame(PING))
                    c.next()
                last = raw(); last.send(frame(TEXT, b"x" * 60000, final=False)); print(last.end())
                good = raw(); good.send(frame(TEXT, b"fine")); print(good.text())
                held[0].send(frame(CONTINUATION)); print(len(held[0].text()))
                held[1].socket.close()
                while True:
                    last = raw(); last.send(frame(TEXT, b"x" * 60000, final=False), frame(CONTINUATION))
                    if len(text := last.text()) == 60000: break
                print("room again")
                """, limits: limits)
        #expect(lines == ["(1013, 'too much is being sent to this server')", "fine", "60000", "room again"])
    }
}
