import Testing

@testable import WSEdgeCore

@Suite("Users that have signed in")
struct UserWatchTests {
    private let start = ContinuousClock.now
    private let fine = UserState(role: "viewer", isDisabled: false, version: 1)
    private static let nobody: @Sendable (String) -> Bool = { _ in false }

    private var limits: AccessLimits {
        var limits = AccessLimits()
        limits.watchedUsers = 3
        return limits
    }

    @Test("Who is new is asked about at once, all of them now and then, one question at a time")
    func questions() {
        var watch = UserWatch(limits)
        #expect(watch.question(at: start, isConnected: Self.nobody) == nil)
        watch.heard("ada", at: start, isConnected: Self.nobody)
        #expect(watch.question(at: start, isConnected: Self.nobody) == ["ada"])
        watch.heard("bob", at: start, isConnected: Self.nobody)
        #expect(watch.question(at: start + .seconds(1), isConnected: Self.nobody) == nil)
        watch.answered(["ada": fine])
        #expect(watch.state(of: "ada") == fine && watch.state(of: "bob") == nil)
        #expect(watch.question(at: start + .seconds(1), isConnected: Self.nobody) == ["bob"])
        watch.answered(["bob": .gone])
        #expect(watch.question(at: start + .seconds(4), isConnected: Self.nobody) == nil)
        #expect(Set(watch.question(at: start + .seconds(5), isConnected: Self.nobody) ?? []) == ["ada", "bob"])
    }

    @Test("While Postgres is away what was known counts on, and is asked again")
    func outage() {
        var watch = UserWatch(limits)
        watch.heard("ada", at: start, isConnected: Self.nobody)
        _ = watch.question(at: start, isConnected: Self.nobody)
        watch.answered(["ada": fine])
        _ = watch.question(at: start + .seconds(5), isConnected: Self.nobody)
        watch.answered(nil)
        #expect(watch.state(of: "ada") == fine)
        #expect(watch.question(at: start + .seconds(10), isConnected: Self.nobody) == ["ada"])
    }

    @Test("No more are kept than there is room for, and nobody who is connected is forgotten")
    func bound() {
        var watch = UserWatch(limits)
        let isConnected = { (user: String) in user == "ada" }
        for (second, user) in ["ada", "bob", "cyd", "dan"].enumerated() {
            watch.heard(user, at: start + .seconds(second), isConnected: isConnected)
        }
        #expect(Set(watch.question(at: start + .seconds(4), isConnected: isConnected) ?? []) == ["ada", "cyd", "dan"])
        watch.answered([:])
        #expect(watch.question(at: start + .seconds(400), isConnected: isConnected) == ["ada"])
    }
}
