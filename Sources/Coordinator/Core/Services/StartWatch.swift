private import CLinux
import Common
import Foundation

/// Beside a start that takes long: tells whoever waits for it what is going on, and whether they have had enough.
struct StartWatch: Sendable {
    /// A signalfd: readable when the fleet is to stop. Nothing is read here.
    let signals: Int32

    /// Nobody but a signal that ends the process stops it: poll(2) passes over negative descriptors.
    static let noSignals: Int32 = -1

    func say(_ line: String) { Log.standard.say(line) }

    /// For each turn of a wait.
    func check() throws(StartError) {
        var entry = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 0) == 0 else { throw StartError("stopped before it had started", .unavailable) }
    }
}
