import Common
import Testing

@testable import CoordinatorCore

@Suite("What hosts of a group tell each other")
struct MemberTests {
    private func member(_ report: MemberReport?) -> Member {
        Member(name: "a", ownsSchema: false, silence: 0, version: 9, report: report)
    }

    @Test("Until one that has just come tells something, what it told before holds")
    func empty() {
        var told = MemberReport()
        told.clients = ["a key"]
        #expect(member(MemberReport()).after(member(told)).report == told)
        #expect(member(told).after(member(MemberReport())).report == told)
        #expect(member(nil).after(member(told)).report == nil, "it is of another version now")
        #expect(member(MemberReport()).after(nil).report == MemberReport())
    }

    @Test(
        "What listens everywhere is reached at the address that is advertised, what listens at one address there",
        arguments: [
            ("tcp://0.0.0.0:9200", "tcp://10.1.0.5:9200"), ("tcp://[::]:9200", "tcp://10.1.0.5:9200"),
            ("tcp://10.0.0.5:9200", "tcp://10.0.0.5:9200"), ("tcp://[fd00::5]:9200", "tcp://[fd00::5]:9200"),
        ])
    func reached(endpoint: String, told: String) {
        #expect(Coordinator.reachable(endpoint, at: "10.1.0.5") == told)
        #expect(Coordinator.reachable(endpoint, at: nil) == endpoint)
    }
}
