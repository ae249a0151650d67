import Common
import Foundation
import Testing

@Suite("Control messages")
struct ControlEnvelopeTests {
    private func decoded<Message: Codable & Sendable>(_ text: String) throws(ForeignMessage) -> Message {
        try ControlEnvelope<Message>.decode(Array(text.utf8))
    }

    private func failure<Message: Codable & Sendable>(_: Message.Type, _ text: String) -> ForeignMessage? {
        do throws(ForeignMessage) {
            let _: Message = try decoded(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("What can't be read is told by its version, or by its name")
    func foreign() {
        let version = failure(CommandRequest.self, #"{"version":2,"message":{"status":{}}}"#)
        #expect(version == .version(2))
        #expect(
            version?.description == "a message in version 2 of the control protocol, and this program speaks 1")
        let name = failure(CommandRequest.self, #"{"version":1,"message":{"teleport":{"to":"b"}}}"#)
        #expect(name == .name("teleport"))
        #expect(
            name?.description == "a message 'teleport' that this program does not know, or not in that form")
        #expect(
            failure(CoordinatorMessage.self, #"{"version":1,"message":{"assign":{"sources":7}}}"#) == .name("assign"))
        for noise in ["", "{}", "[1]", "\u{0}", #"{"version":1}"#, #"{"version":1,"message":{}}"#, "GET / HTTP/1.1"] {
            #expect(failure(CommandRequest.self, noise) == .noise)
        }
    }

    @Test("What a refusal says is read by who asks as a command, and by who asks as an edge")
    func refusal() throws {
        let frame = try ControlEnvelope.encode(CommandReply.refused("no"))
        #expect(try ControlEnvelope<EdgeReply>.decode(frame) == .refused("no"))
    }

    /// Word for word what was on the wire when there was no group of hosts yet. Whoever adds a field makes it optional.
    @Test("Messages that a program of an earlier build sends are read")
    func earlier() throws {
        let hello: WorkerMessage = try decoded(#"{"version":1,"message":{"hello":{"shard":3,"pid":77,"version":1}}}"#)
        #expect(hello == .hello(shard: 3, pid: 77, version: 1))
        let heartbeat: WorkerMessage = try decoded(
            #"""
            {"message":{"heartbeat":{"_0":{"generation":7,"processorSeconds":1.5,"residentBytes":100,"sources":[
                {"endOffset":9,"id":1,"nextOffset":5}],"streams":[{"batchSize":{"counts":[],"sum":0},
                "commitTime":{"counts":[],"sum":0},"deadLetters":0,"latency":{"counts":[],"sum":0},"name":"events","rows":5,
                "transactions":1}]}}},"version":1}
            """#)
        guard case .heartbeat(let progress) = heartbeat else { throw ForeignMessage.noise }
        #expect(progress.sources.map(\.nextOffset) == [5] && progress.streams.map(\.rows) == [5])
        let assign: CoordinatorMessage = try decoded(
            #"{"message":{"assign":{"generation":2,"sources":[1,2]}},"version":1}"#)
        #expect(assign == .assign(generation: 2, sources: [1, 2].map { SourceID(rawValue: $0) }))
        let edge: EdgeMessage = try decoded(
            #"""
            {"message":{"report":{"_0":{"address":"127.0.0.1:8080","clients":2,"id":"a","messages":9,"pid":5,
                "slowClients":0}}},"version":1}
            """#)
        guard case .report(let report) = edge else { throw ForeignMessage.noise }
        #expect(report.clients == 2)
        let known: EdgeReply = try decoded(
            #"""
            {"message":{"configure":{"_0":{"feeds":[{"endpoint":"ipc:///run/feed-0-7","shard":0}],"schema":"millrace",
                "streams":[]}}},"version":1}
            """#)
        guard case .configure(let configuration) = known else { throw ForeignMessage.noise }
        #expect(configuration.feeds.map(\.shard) == [0])
    }
}
