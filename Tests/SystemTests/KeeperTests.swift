import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("The keeper", .serialized, .timeLimit(.minutes(2)))
struct KeeperTests {
    private let folder: String
    private let coordinator = Fleet.binaries.appending(path: "coordinator").path

    init() throws {
        folder = try shell("mktemp -d /tmp/millrace-keeper-XXXXXX")
    }

    /// Keeps a shell script that can write into `$1`.
    private func keep(
        _ script: String, signal: KeeperSignal = .terminate, limit: Duration = .seconds(60), lock: String? = nil
    ) throws -> ChildProcess {
        let words = ["/bin/sh", "-c", script, "sh", folder]
        return try ChildProcess(
            .kept(
                Keeper(words, signal: signal, limit: limit, lock: lock), coordinator: coordinator,
                log: folder + "/log", directory: folder))
    }

    private func wait(_ what: String, until isDone: () -> Bool) throws {
        let deadline = Date.now + 60
        while !isDone() {
            try #require(Date.now < deadline, "not in time: \(what)")
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// What a script has written, as soon as it has.
    private func number(_ name: String) throws -> Int32 {
        var found: Int32?
        try wait(name) {
            let text = (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
            found = text.hasSuffix("\n") ? Int32(text.dropLast()) : nil
            return found != nil
        }
        return found!
    }

    private func isThere(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

    private func clean() { try? FileManager.default.removeItem(atPath: folder) }

    @Test("A program's exit status is its keeper's, and its death by a signal too")
    func status() throws {
        defer { clean() }
        for (script, code) in [("exit 7", Int32(7)), ("kill -9 $$", 137), ("exit 0", 0)] {
            let child = try keep(script)
            child.waitForExit()
            try wait("an exit") { child.exit != nil }
            #expect(child.exit?.status == code && child.exit?.isSignal == false)
        }
    }

    @Test(
        "When its input ends it asks the program, and only that, to end",
        arguments: [KeeperSignal.terminate, .interrupt])
    func orderly(signal: KeeperSignal) throws {
        defer { clean() }
        let child = try keep(
            "trap 'echo 1 >$1/asked; exit 5' \(signal.rawValue); echo $$ >$1/pid; while :; do sleep 0.05; done",
            signal: signal)
        let pid = try number("pid")
        // Its own group, and no descriptor but three and the one that the shell itself may have.
        #expect(getpgid(pid) == pid && getpgid(child.pid) != pid)
        child.endInput()
        child.waitForExit()
        #expect(try number("asked") == 1)
        try wait("an exit") { child.exit != nil }
        #expect(child.exit?.status == 5 && !isThere(pid))
    }

    @Test("After its limit everything of the program is killed, also what has left its group")
    func stubborn() throws {
        defer { clean() }
        let child = try keep(
            "trap '' TERM; setsid sh -c 'echo $$ >$1/away; exec sleep 1000' sh $1 & echo $$ >$1/pid; while :; do sleep 1; done",
            limit: .seconds(1))
        let (pid, away) = (try number("pid"), try number("away"))
        child.endInput()
        child.waitForExit()
        #expect(!isThere(pid) && !isThere(away))
        try wait("an exit") { child.exit != nil }
        #expect(child.exit?.status == 137)
    }

    @Test("A keeper that is killed takes its program along")
    func killed() throws {
        defer { clean() }
        let child = try keep("echo $$ >$1/pid; exec sleep 1000")
        let pid = try number("pid")
        child.signal(SIGKILL)
        try wait("the program's end") { !isThere(pid) }
        try wait("an exit") { child.exit != nil }
        #expect(child.exit?.isSignal == true)
    }

    @Test("Its lock holds as long as anything of the program lives, also without a keeper")
    func lock() throws {
        defer { clean() }
        let lock = folder + "/lock"
        let first = try keep("trap '' TERM; echo $$ >$1/pid; while :; do sleep 0.1; done", lock: lock)
        let pid = try number("pid")
        func refusal() throws -> Int32? {
            let second = try keep("exit 0", lock: lock)
            second.waitForExit()
            try wait("an exit") { second.exit != nil }
            return second.exit?.status
        }
        #expect(try refusal() == 69)
        first.signal(SIGKILL)
        try wait("the keeper's end") { first.exit != nil }
        #expect(try refusal() == 69)
        kill(pid, SIGKILL)
        try wait("the lock's end") { (try? refusal()) == 0 }
    }
}
