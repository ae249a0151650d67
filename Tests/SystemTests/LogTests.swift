import Common
import Foundation
import TestSupport
import Testing

@Suite("A stream's log over HTTP", .serialized, .timeLimit(.minutes(5)))
struct LogTests {
    private static let numbers = StreamDefinition(
        name: "numbers", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("text", .text)])

    private func edge(_ fleet: Fleet, options: [String] = ["--open"]) throws -> EdgeUnderTest {
        let edge = try EdgeUnderTest(fleet, name: "one", options: options)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        return edge
    }

    private func records(_ numbers: Range<Int>) -> [String] { numbers.map { #"{"n":\#($0)}"# } }

    /// What stands before the scripts.
    private static let prelude = """
        def index(token=None): return json.loads(http("/v1/streams/numbers/log", token=token)[2])
        base = "/v1/streams/numbers/log/" + index()["version"]
        def segment(offset, query="", **more):
            status, headers, body = http(f"{base}/1/{offset}{query}", **more)
            rows = [json.loads(line) for line in body.splitlines()] if status == 200 else json.loads(body)["error"]["code"]
            return status, rows, headers
        def shown(offset, query=""):
            status, rows, headers = segment(offset, query)
            # The same tag as long as nobody who waits has waited in vain.
            tag = headers["etag"].replace("-" + headers.get("millrace-cursor", ""), "-C")
            print(offset, status, len(rows), headers["millrace-next"], headers["millrace-tail"], headers["cache-control"], tag)

        """

    @Test("Segments end where their offsets say, large rows and holes included; what is whole never changes")
    func bounds() throws {
        let fleet = try Fleet(Self.numbers, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try edge(fleet)
        try fleet.kafka.produce(records(0..<1500), to: fleet.topic, partition: 0)
        try fleet.waitForRecords(1500)
        let first = try edge.run(
            Self.prelude + """
                print(index()["sources"], index()["segment"])
                for offset in (0, 700, 1000, 1500): shown(offset)
                print([row["n"] for row in segment(1498)[1]])
                """)
        let (whole, growing) = ("public, max-age=86400, immutable", "public, max-age=1, stale-while-revalidate=1")
        #expect(
            first == [
                "{'1': {'topic': '\(fleet.topic)', 'partition': 0, 'from': 0, 'next': 1500}} 1000",
                #"0 200 1000 1000 None \#(whole) "1000""#, #"700 200 300 1000 None \#(whole) "1000""#,
                #"1000 200 500 1500 true \#(growing) "1500-C""#, #"1500 200 0 1500 true \#(growing) "1500-C""#,
                "[1498, 1499]",
            ], "\(first)")
        // A hole up to 5400, such as dead letters leave; large rows behind it.
        try fleet.kafka.produce(records(1500..<5400), to: fleet.topic, partition: 0)
        try fleet.waitForRecords(5400)
        try fleet.execute("DELETE FROM numbers WHERE source_offset >= 1500")
        let hole = try edge.run(Self.prelude + "for offset in (1000, 2000, 2500): shown(offset)")
        #expect(
            hole == [
                #"1000 200 500 2000 None \#(whole) "2000""#, #"2000 200 0 5400 true \#(growing) "5400-C""#,
                #"2500 200 0 5400 true \#(growing) "5400-C""#,
            ], "\(hole)")
        let large = (5400..<5404).map { #"{"n":\#($0),"text":"\#(String(repeating: "x", count: 150_000))"}"# }
        try fleet.kafka.produce(large + records(5404..<6100), to: fleet.topic, partition: 0)
        try fleet.waitForRecords(6100)
        let lines = try edge.run(
            Self.prelude + """
                for offset in (1000, 2000, 2500, 5000, 5402, 5404, 6000): shown(offset)
                print([row["n"] for row in segment(5000)[1]])
                """)
        #expect(
            lines == [
                #"1000 200 500 2000 None \#(whole) "2000""#, #"2000 200 0 5000 None \#(whole) "5000""#,
                #"2500 200 0 5000 None \#(whole) "5000""#, #"5000 200 2 5402 None \#(whole) "5402""#,
                #"5402 200 2 5404 None \#(whole) "5404""#, #"5404 200 596 6000 None \#(whole) "6000""#,
                #"6000 200 100 6100 true \#(growing) "6100-C""#, "[5400, 5401]",
            ], "\(lines)")
        let conditional = try edge.run(
            Self.prelude + """
                def conditional(tag):
                    request = urllib.request.Request(web + base + "/1/0", headers={"If-None-Match": tag})
                    try: return urllib.request.urlopen(request).status
                    except urllib.error.HTTPError as error: return error.status, error.headers["etag"], error.read()
                print(conditional('"999", "1000"'), conditional('"999"'))
                for path in (f"{base}/1/01", f"{base}/1/x", f"{base}/9/0", base[:-1] + "x/1/0", "/v1/streams/nothing/log"):
                    status, headers, body = http(path)
                    print(status, json.loads(body)["error"]["code"], headers["cache-control"])
                """)
        #expect(
            conditional == [
                #"(304, '"1000"', b'') 200"#, "400 bad_request no-store", "400 bad_request no-store",
                "404 not_found no-store", "410 gone no-store", "404 unknown_stream no-store",
            ], "\(conditional)")
        // Retention, as the coordinator does it.
        try fleet.execute("DELETE FROM numbers WHERE source_offset < 300")
        try fleet.execute("UPDATE millrace.source SET retained_from = 300")
        let retained = try edge.run(
            Self.prelude + """
                print(index()["sources"]["1"]["from"], segment(0)[:2], len(segment(300)[1]))
                """)
        #expect(retained == ["300 (410, 'gone') 700"], "\(retained)")
    }

    @Test("Who waits at the end of a log is told of the next row by one reading for all; who drains lets them go")
    func waiting() throws {
        let fleet = try Fleet(Self.numbers, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try edge(fleet)
        try fleet.kafka.produce(records(0..<10), to: fleet.topic, partition: 0)
        try fleet.waitForRecords(10)
        let lines = try edge.run(
            Self.prelude + """
                import threading, os, signal
                def requests(): return float(http("/metrics")[2].decode().split("millrace_edge_log_requests_total ")[-1].split()[0])
                def live(): assert index()["sources"]["1"]["next"] == 10
                until(live)
                answers = []
                def ask(offset):
                    status, rows, headers = segment(offset, "?live=true")
                    answers.append((rows, headers["millrace-next"]))
                def asked():
                    threads = [threading.Thread(target=ask, args=(10,)) for _ in range(50)]
                    for thread in threads: thread.start()
                    # All are there when the edge has counted them.
                    def counted(): assert requests() >= before + 50
                    until(counted)
                    return threads
                before = requests()
                threads = asked()
                post("/v1/streams/numbers", '{"n":10}')
                for thread in threads: thread.join()
                print(len(answers), set(map(str, answers)), requests() - before)
                answers.clear()
                before += 50
                threads = [threading.Thread(target=ask, args=(11,))]
                threads[0].start()
                def counted(): assert requests() >= before + 1
                until(counted)
                os.kill(\(edge.pid), signal.SIGTERM)
                threads[0].join()
                print(answers)
                """)
        #expect(lines == ["50 {\"([{'n': 10, 'text': None}], '11')\"} 50.0", "[([], '11')]"], "\(lines)")
        #expect(edge.drain() == ExitCode.success.rawValue)
    }

    @Test("Caches keep for all only what all may read; what a token shows nobody keeps")
    func access() throws {
        var stream = Self.numbers
        stream.subscribe = ["analyst"]
        let fleet = try Fleet(stream, partitions: 1)
        let issuer = TestIssuer("RS256")
        try fleet.trust([issuer], roles: ["a": "analyst", "v": "viewer"])
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        let edge = try edge(fleet)
        let expires = Int64(Date().timeIntervalSince1970) + 600
        func token(_ group: String, _ more: String = "") -> String {
            issuer.token(
                #"{"iss":"https://login.example.org/","aud":"millrace","sub":"t","exp":\#(expires),"groups":["\#(group)"]\#(more)}"#
            )
        }
        try fleet.kafka.produce(records(0..<1500), to: fleet.topic, partition: 0)
        try fleet.waitForRecords(1500)
        let lines = try edge.run(
            """
            reader, viewer, tenant = "\(token("a"))", "\(token("v"))", "\(token("a", #","where":{"numbers":{"n":[2,1200]}}"#))"
            def known(): assert http("/v1/streams/numbers/log", token=reader)[0] == 200
            until(known)
            base = "/v1/streams/numbers/log/" + json.loads(http("/v1/streams/numbers/log", token=reader)[2])["version"]
            for token in (None, viewer, reader, tenant):
                for offset in (0, 1000):
                    status, headers, body = http(f"{base}/1/{offset}", token=token)
                    tag = (headers["etag"] or "None").replace("-" + headers.get("millrace-cursor", ""), "-C")
                    print(status, body.count(b'"n"'), *(headers[name] for name in ("millrace-next", "cache-control", "vary")), tag)
            """)
        #expect(
            lines == [
                "401 0 None no-store None None", "401 0 None no-store None None",
                "403 0 None no-store None None", "403 0 None no-store None None",
                #"200 1000 1000 private, max-age=86400, immutable authorization "1000""#,
                #"200 500 1500 private, max-age=1, stale-while-revalidate=1 authorization "1500-C""#,
                "200 1 1000 no-store None None", "200 1 1500 no-store None None",
            ], "\(lines)")
    }

    @Test("Two thousand clients that catch up behind a cache cost the edge one request a segment")
    func cached() throws {
        let fleet = try Fleet(Self.numbers, partitions: 2)
        try fleet.launch(shards: 1)
        let edge = try edge(fleet)
        let (clients, rows) = (2000, 9200)
        for partition: Int32 in 0..<2 {
            try fleet.kafka.produce(records(0..<(rows / 2)), to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(Int64(rows))
        let proxy = try CachingProxy(edge.address, folder: fleet.folder + "/nginx")
        try fleet.wait("nginx; it says: \(proxy.log)") { proxy.isListening }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/catch_up.py").path
        process.arguments = [script, proxy.socket, "numbers", "\(clients)", "\(rows)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        let caughtUp = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(caughtUp == "caught up \(clients * rows)\n")
        let web = try HTTPClient(edge.address)
        func asked() throws -> Double {
            try PrometheusScrape(try web.get("/metrics").body).value("millrace_edge_log_requests_total") ?? 0
        }
        let whole = (0..<2).flatMap { _ in stride(from: 0, to: 4000, by: 1000) }
        let segments = proxy.requests.filter { $0.path.hasSuffix("000") || $0.path.hasSuffix("/0") }
            .filter { !$0.path.hasSuffix("/4000") }
        #expect(segments.count == clients * whole.count)
        #expect(segments.filter { $0.status != "HIT" }.count == whole.count)
        // Beside them the index and the log's end, which grows, and is asked for once a second at most.
        let before = try asked()
        #expect(before < Double(clients) / 20, "\(before)")
        // Nobody goes in circles by what the cache keeps of an answer without rows: the next one is for all again.
        let waited = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        #expect(waited == "waited \(clients)\n")
        try fleet.kafka.produce([#"{"n":-1}"#], to: fleet.topic, partition: 0)
        let told = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(told == "told \(clients)\n")
        let waiting = try asked() - before
        #expect(waiting < Double(clients) / 20, "\(waiting)")
        print("2,000 clients: the edge had \(before) requests to catch up, \(waiting) to wait for a row at the end")
    }
}
