import Common
import Foundation
import TestSupport
import Testing

/// clients/python, where no other test uses it.
@Suite("The client for Python", .serialized, .timeLimit(.minutes(5)))
struct PythonClientTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "clients/python").path

    @Test("A token that does not count ends what waits, with its reason; who publishes while rows wait is answered")
    func refusedAndBusy() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "one")
        try fleet.wait("an edge that is ready", seconds: 60) {
            try HTTPClient(edge.address).get("/readyz").status == 200
        }
        let lines = try edge.run(
            """
            sys.path.insert(0, "\(Self.folder)")
            import asyncio, millrace
            async def refused():
                async with millrace.Client([url], token="none of ours") as client:
                    events = client.follow("events")
                    try:
                        async for change in events: pass
                    except millrace.Refused as error: print("follow", error.code)
                    try: await client.publish("events", {"n": 1})
                    except millrace.Refused as error: print("publish", error.code)
                    try:
                        async for change in client.follow("events"): pass
                    except millrace.Refused as error: print("later", error.code)
            async def busy():
                async with millrace.Client([url]) as client:
                    events, seen, sent = client.follow("events").__aiter__(), [], 0
                    async def begin():
                        while events.sub is None: await asyncio.sleep(0.01)
                    await begin()
                    places = [await client.publish("events", {"n": sent})]
                    async for change in events:
                        seen += [row["n"] for row in change.rows]
                        # More than it takes: what waits becomes more and more.
                        for _ in range(4):
                            if sent < 600:
                                sent += 1
                                places.append(await client.publish("events", {"n": sent}))
                        if len(seen) > 600: break
                    print(seen == sorted(seen), len(set(seen)), len(places))
            asyncio.run(asyncio.wait_for(refused(), 60))
            asyncio.run(asyncio.wait_for(busy(), 120))
            """)
        #expect(
            lines == [
                "follow unauthorized", "publish unauthorized", "later unauthorized", "True 601 601",
            ], "\(lines)")
        try fleet.stop()
    }
}
