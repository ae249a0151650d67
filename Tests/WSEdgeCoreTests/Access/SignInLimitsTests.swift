import Testing

@testable import WSEdgeCore

@Suite("How often somebody may try to sign in")
struct SignInLimitsTests {
    private let start = ContinuousClock.now

    @Test("Ten tries at once as one user, whatever the address; then one each six seconds")
    func user() throws {
        var limits = SignInLimits()
        for number in 0..<10 { #expect(limits.admit("ada", from: "10.0.0.\(number)", at: start) == nil) }
        let refused = limits.admit("ada", from: "10.0.1.1", at: start)
        let wait = try #require(refused)
        #expect(wait > .seconds(5) && wait <= .seconds(6))
        #expect(limits.admit("bob", from: "10.0.1.1", at: start) == nil)
        #expect(limits.admit("ada", from: "10.0.1.2", at: start + wait) == nil)
        #expect(limits.admit("ada", from: "10.0.1.3", at: start + wait) != nil)
    }

    @Test("Thirty tries at once from one address, as anybody; users are not locked out elsewhere by it")
    func address() {
        var limits = SignInLimits()
        for number in 0..<30 { #expect(limits.admit("u\(number)", from: "10.0.0.1", at: start) == nil) }
        for _ in 0..<20 { #expect(limits.admit("ada", from: "10.0.0.1", at: start) != nil) }
        #expect(limits.admit("ada", from: "10.0.0.2", at: start) == nil)
    }

    @Test("Who renews a token is held up by nobody else, and by themselves alone")
    func renewals() {
        var limits = SignInLimits()
        for number in 0..<100 { _ = limits.admit("u\(number)", from: "10.0.0.1", at: start) }
        for _ in 0..<20 { _ = limits.admit("ada", from: "10.0.0.2", at: start) }
        for _ in 0..<10 { #expect(limits.admitRenewal(of: "ada", at: start) == nil) }
        #expect(limits.admitRenewal(of: "ada", at: start) != nil)
        #expect(limits.admitRenewal(of: "bob", at: start) == nil)
    }

    @Test("Whoever has the password begins anew")
    func success() {
        var limits = SignInLimits()
        for number in 0..<10 { _ = limits.admit("ada", from: "10.0.0.\(number)", at: start) }
        limits.succeeded("ada")
        #expect(limits.admit("ada", from: "10.0.1.1", at: start) == nil)
    }

    @Test("Many made-up names take no more room than there is, share what is left, and leave in time")
    func bound() {
        var limits = SignInLimits()
        for number in 0..<20_000 {
            _ = limits.admit(
                "u\(number)", from: "10.\(number / 65_536).\(number / 256 % 256).\(number % 256)", at: start)
        }
        // Those without room of their own have used what they share.
        #expect(limits.admit("new", from: "192.0.2.1", at: start) != nil)
        #expect(limits.admit("new", from: "192.0.2.2", at: start + .seconds(60)) == nil)
    }

    @Test(
        "An IPv6 customer is one address",
        arguments: [
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"),
            ("::1", "0:0:0:0::/64"),
            ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ])
    func networks(address: String, network: String) {
        #expect(SignInLimits.network(address) == network)
    }
}
