import Common
import Testing

@Suite("Who may read and publish")
struct AccessPolicyTests {
    private func stream(_ subscribe: [String]? = nil, _ publish: [String]? = nil) -> StreamDefinition {
        StreamDefinition(
            name: "s", topics: ["s"], mode: .append, columns: [Column("n", .bigint)], subscribe: subscribe,
            publish: publish)
    }

    /// Roles that may, of nobody, viewer, operator, admin and one of a stream's own.
    private func allowed(_ policy: AccessPolicy, _ action: AccessPolicy.Action, _ stream: StreamDefinition) -> String {
        [nil, "viewer", "operator", "admin", "sensor"].filter { policy.allows(action, stream, role: $0) }
            .map { ($0 ?? "nobody").prefix(1) }.joined()
    }

    @Test("On this machine anyone reads; elsewhere users; publishing takes a role; an open edge lets everybody do both")
    func defaults() {
        let loopback = AccessPolicy(isOpen: false, isLoopback: true)
        let reachable = AccessPolicy(isOpen: false, isLoopback: false)
        let open = AccessPolicy(isOpen: true, isLoopback: false)
        #expect(allowed(loopback, .subscribe, stream()) == "nvoas" && allowed(loopback, .publish, stream()) == "oa")
        #expect(allowed(reachable, .subscribe, stream()) == "voa" && allowed(reachable, .publish, stream()) == "oa")
        #expect(allowed(open, .subscribe, stream()) == "nvoas" && allowed(open, .publish, stream()) == "nvoas")
    }

    @Test("What a stream says comes first, and admins may everything", arguments: [true, false])
    func lists(isOpen: Bool) {
        let policy = AccessPolicy(isOpen: isOpen, isLoopback: true)
        let own = stream(["viewer"], ["sensor"])
        #expect(allowed(policy, .subscribe, own) == "va" && allowed(policy, .publish, own) == "as")
        #expect(allowed(policy, .subscribe, stream([], [])) == "a")
        #expect(allowed(policy, .publish, stream(nil, ["public"])) == "nvoas")
    }

    @Test(
        "Lists of roles that let nobody in by a slip are refused",
        arguments: [
            (["operater"], "did you mean operator"), (["Viewer"], "did you mean viewer"), (["a b"], "a role's name"),
            (["public", "viewer"], "'public' means anyone"), (["x", "x"], "listed twice"), (["sensor", "viewer"], nil),
        ] as [([String], String?)])
    func validation(roles: [String], problem: String?) {
        let problems = StreamValidation([stream(roles, nil)]).problems
        #expect(
            problem.map { text in problems.contains { $0.contains("subscribe:") && $0.contains(text) } }
                ?? problems.isEmpty, "\(problems)")
        #expect(StreamValidation([stream(nil, roles)]).problems.count == problems.count)
    }

    @Test(
        "Addresses that only this machine reaches",
        arguments: [
            ("127.0.0.1:1", true), ("127.1.2.3:1", true), ("localhost:1", true), ("[::1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false), ("10.0.0.1:1", false),
        ])
    func loopback(address: String, isLoopback: Bool) {
        #expect(ListenAddress(address)?.isLoopback == isLoopback)
    }
}
