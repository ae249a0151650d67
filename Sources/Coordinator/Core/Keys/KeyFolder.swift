package import Common
import Foundation
package import ZeroMQ

/// The keys of a fleet that is reached over tcp, in `keys/` (0700) of its runtime folder:
///
///     coordinator.secret     the coordinator's secret key, made once (0600)
///     clients/NAME.public    the public key of a client: the files are the list of who may connect
///
/// A client's secret key is never kept here: it is made, handed out and forgotten. Works beside a running coordinator,
/// which sees a change when it asks again.
package struct KeyFolder {
    package let path: String

    private var clientsPath: String { path + "/clients" }
    private var secretFile: KeyFile { KeyFile(path: path + "/coordinator.secret") }
    private static let publicSuffix = ".public"

    /// Makes the folder where it is missing, and closes it to others.
    package init(in runtimeFolder: String) throws(StartError) {
        path = runtimeFolder + "/keys"
        try RuntimeFolder.make(runtimeFolder)
        for folder in [path, clientsPath] {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw StartError("key folder \(folder): \(error.localizedDescription)", .unavailable)
            }
            var status = stat()
            guard stat(folder, &status) == 0, status.st_mode & 0o077 == 0 || chmod(folder, 0o700) == 0 else {
                throw StartError(
                    "key folder \(folder) can't be closed to others: \(String(cString: strerror(errno))); run `chmod 700 \(folder)`",
                    .unavailable)
            }
        }
    }

    /// The coordinator's keys. The first call ever makes them; from then on they stay.
    package func coordinatorKeys() throws(StartError) -> CurveKeyPair {
        if let text = try secretFile.read(secret: true) { return try Self.pair(text, secretFile.path) }
        let made = try Self.newPair()
        // False: another process was first, and its keys are the ones.
        _ = try secretFile.create(made.secretKey.text + "\n")
        guard let text = try secretFile.read(secret: true) else {
            throw StartError("\(secretFile.path) was removed while it was made; try again", .unavailable)
        }
        return try Self.pair(text, secretFile.path)
    }

    /// Makes a client's keys, allows the client, and returns what its host needs; `text` is the file to copy there.
    /// This is the only time that its secret key is to be had. When it gets lost, remove the client and make it anew.
    package func makeClient(_ name: String) throws(StartError) -> CurveCredentials {
        let server = try coordinatorKeys().publicKey
        let own = try Self.newPair()
        try allow(own.publicKey, name: name)
        return CurveCredentials(own: own, server: server)
    }

    /// Allows a client that made its keys itself, so that its secret key never leaves its host.
    package func allow(_ key: CurvePublicKey, name: String) throws(StartError) {
        let file = try clientFile(name)
        guard try file.create(key.text + "\n") else {
            throw StartError(
                "client \(name) has a key already (\(file.path)); remove the client first, or choose another name",
                .usage)
        }
    }

    /// False when there is no such client. Connections that exist are not ended by it.
    package func removeClient(_ name: String) throws(StartError) -> Bool {
        try clientFile(name).remove()
    }

    /// Who may connect, by name. A file without a key is an error and not an absence: a client that was
    /// locked out by a slip would be hard to explain.
    package func clients() throws(StartError) -> [String: CurvePublicKey] {
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: clientsPath)
        } catch {
            throw StartError("key folder \(clientsPath): \(error.localizedDescription)", .unavailable)
        }
        var clients: [String: CurvePublicKey] = [:]
        for file in files where file.hasSuffix(Self.publicSuffix) && !file.hasPrefix(".") {
            let path = clientsPath + "/" + file
            // Nil: removed since the folder was read.
            guard let text = try KeyFile(path: path).read(secret: false) else { continue }
            do throws(ZeroMQError) {
                clients[String(file.dropLast(Self.publicSuffix.count))] = try CurvePublicKey(text)
            } catch {
                throw StartError("\(path): \(error); put a key into it, or remove it", .configuration)
            }
        }
        return clients
    }

    /// A name becomes a file's name, so that it must not lead elsewhere or be hidden.
    private func clientFile(_ name: String) throws(StartError) -> KeyFile {
        let characters = name.utf8
        guard
            (1...64).contains(characters.count), characters.first != UInt8(ascii: "."),
            characters.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "-_.".utf8.contains(byte)
                }
            })
        else {
            throw StartError(
                "a client's name has 1 to 64 of the characters a-z, A-Z, 0-9, '-', '_' and '.', and no '.' in front",
                .usage)
        }
        return KeyFile(path: clientsPath + "/" + name + Self.publicSuffix)
    }

    private static func newPair() throws(StartError) -> CurveKeyPair {
        do throws(ZeroMQError) {
            return try CurveKeyPair.generate()
        } catch {
            throw StartError("can't make keys: \(error)", .unavailable)
        }
    }

    private static func pair(_ secret: String, _ path: String) throws(StartError) -> CurveKeyPair {
        do throws(ZeroMQError) {
            return try CurveKeyPair(secretKey: CurveSecretKey(secret))
        } catch {
            // The error counts characters, and does not repeat them.
            throw StartError(
                "\(path): \(error); restore it, or remove it to have a new one made: clients then need the new public key",
                .configuration)
        }
    }
}
