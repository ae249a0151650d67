internal import Foundation

/// A host of its own on this machine: a network namespace with one cable to here. It ends with the test process,
/// whatever ended that. Needs root.
package final class NetworkNamespace {
    /// The address of this machine, and that of the new host, on the cable between them.
    package let here: String
    package let there: String
    /// The command in front of one that is to run there.
    package var prefix: [String] { ["nsenter", "--net=/proc/\(holder.processIdentifier)/ns/net"] }
    private let near: String
    private let holder = Process()
    private let input = Pipe()

    package init() throws {
        // A network that nobody here has, with room for two.
        let network = "10.\(Int.random(in: 64..<128)).\(Int.random(in: 0..<256))"
        (here, there) = ("\(network).1", "\(network).2")
        holder.executableURL = URL(filePath: "/usr/bin/env")
        holder.arguments = ["unshare", "--net", "sh", "-c", "echo there; exec cat"]
        holder.standardInput = input
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        try input.fileHandleForReading.close()
        guard output.fileHandleForReading.availableData.count > 0 else {
            throw ShellFailure(command: "unshare --net", output: "it ended")
        }
        let pid = holder.processIdentifier
        // The kernel takes interfaces' names of up to 15 letters; the pid makes them ours.
        let far = "mr\(pid)b"
        near = "mr\(pid)a"
        let inside = prefix.joined(separator: " ")
        try shell(
            """
            set -e
            ip link add \(near) type veth peer name \(far) netns \(pid)
            ip addr add \(here)/24 dev \(near)
            ip link set \(near) up
            \(inside) ip addr add \(there)/24 dev \(far)
            \(inside) ip link set \(far) up
            \(inside) ip link set lo up
            \(inside) ip route add default via \(here)
            """)
    }

    /// Pulls the cable, or puts it back.
    package func setLink(up: Bool) throws {
        try shell("ip link set \(near) \(up ? "up" : "down")")
    }

    /// The cable goes with the namespace, and that with its last process.
    deinit {
        try? input.fileHandleForWriting.close()
        holder.waitUntilExit()
    }
}
