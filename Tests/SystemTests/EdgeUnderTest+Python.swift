import TestSupport

extension EdgeUnderTest {
    /// Runs a client that is not ours, and returns the lines that it printed.
    ///
    /// What stands before the script: `url`, `v1` with a connected client, `ask` that sends a request and awaits its
    /// answer, `heard` that awaits a message of a type, `ended` that awaits a close, `http`, `post`, `sign_in`, and `until`
    /// for what doesn't succeed at once.
    func run(_ script: String) throws -> [String] {
        let prelude = """
            import json, time, urllib.request, urllib.error
            from websockets.sync.client import connect as dial
            from websockets.exceptions import *
            url, web = "\(url)", "\(isEncrypted ? "https" : "http")://\(address)"
            def plain(query=""): return dial(url + query, compression=None, max_size=None)
            def raw(token=None):
                headers = {"Authorization": "Bearer " + token} if token else None
                return dial(url, subprotocols=["millrace.v1.json"], compression=None, max_size=None, additional_headers=headers)
            def v1(token=None):
                c = raw()
                ask(c, {"type": "connect", "id": "hello"} | ({"token": token} if token else {}))
                return c
            def ask(c, request):
                c.send(json.dumps(request))
                while (answer := json.loads(c.recv(timeout=60))).get("id") != request["id"]: pass
                return answer
            def heard(c, *types):
                while (message := json.loads(c.recv(timeout=60)))["type"] not in types: pass
                return message
            def http(path, body=None, type="application/json", token=None):
                headers = ({"Content-Type": type} if body else {}) | ({"Authorization": "Bearer " + token} if token else {})
                request = urllib.request.Request(web + path, None if body is None else body.encode(), headers)
                try: answer = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error: answer = error
                return answer.status, answer.headers, answer.read()
            def post(path, body, type="application/json", token=None):
                status, _, text = http(path, body, type, token)
                return status, json.loads(text)
            def sign_in(user, password): return post("/v1/token", json.dumps({"username": user, "password": password}))
            def ended(c):
                try:
                    while True: c.recv(timeout=60)
                except ConnectionClosed as end: return end.rcvd.code, end.rcvd.reason
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
