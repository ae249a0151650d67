import TestSupport

extension EdgeUnderTest {
    /// Runs a client that is not ours, and returns the lines that it printed.
    ///
    /// What stands before the script: `url`, `v1` with a connected client, `ask` that sends a request and awaits its
    /// answer, `heard` that awaits a message of a type, `post`, and `until` for what doesn't succeed at once.
    func run(_ script: String) throws -> [String] {
        let prelude = """
            import json, time, urllib.request, urllib.error
            from websockets.sync.client import connect as dial
            from websockets.exceptions import *
            url, web = "ws://\(address)/ws", "http://\(address)"
            def plain(query=""): return dial(url + query, compression=None, max_size=None)
            def v1():
                c = dial(url, subprotocols=["millrace.v1.json"], compression=None, max_size=None)
                ask(c, {"type": "connect", "id": "hello"})
                return c
            def ask(c, request):
                c.send(json.dumps(request))
                while (answer := json.loads(c.recv(timeout=60))).get("id") != request["id"]: pass
                return answer
            def heard(c, *types):
                while (message := json.loads(c.recv(timeout=60)))["type"] not in types: pass
                return message
            def post(path, body, type="application/json"):
                request = urllib.request.Request(web + path, body.encode(), {"Content-Type": type})
                try: answer = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error: answer = error
                return answer.status, json.loads(answer.read())
            def until(body):
                end = time.time() + 60
                while True:
                    try: return body()
                    except (OSError, AssertionError, WebSocketException, json.JSONDecodeError):
                        if time.time() > end: raise
                        time.sleep(0.05)
            """
        return try shell("python3 - <<'PYTHON'\n\(prelude)\n\(script)\nPYTHON").split(separator: "\n").map(String.init)
    }
}
