import Common
import CoordinatorCore
import Foundation
import Testing
import ZeroMQ

@Suite("Key folder")
final class KeyFolderTests {
    private let runtimeFolder: String

    init() {
        runtimeFolder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: runtimeFolder)
    }

    private var secretPath: String { runtimeFolder + "/keys/coordinator.secret" }

    private func folder() throws -> KeyFolder { try KeyFolder(in: runtimeFolder) }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private func set(_ mode: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// The message of what went wrong.
    private func message(_ body: () throws -> Void) throws -> String {
        do {
            try body()
        } catch let error as StartError {
            return error.description
        }
        Issue.record("nothing went wrong")
        return ""
    }

    @Test("The coordinator's keys are made once, and are its owner's only")
    func coordinatorKeys() throws {
        let keys = try folder().coordinatorKeys()
        #expect(try folder().coordinatorKeys() == keys)
        #expect(try mode(secretPath) == 0o600)
        #expect(try mode(runtimeFolder + "/keys") == 0o700)
        #expect(try mode(runtimeFolder + "/keys/clients") == 0o700)
    }

    @Test("Of many who make the coordinator's keys at once, all get the same")
    func race() throws {
        let runtimeFolder = runtimeFolder
        let secrets = SecretCollection()
        DispatchQueue.concurrentPerform(iterations: 32) { _ in
            secrets.append((try? KeyFolder(in: runtimeFolder).coordinatorKeys().secretKey.text) ?? "failed")
        }
        #expect(secrets.all.count == 1 && !secrets.all.contains("failed"))
        // No half-made file is left behind.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: runtimeFolder + "/keys").sorted() == [
                "clients", "coordinator.secret",
            ])
    }

    @Test(
        "A secret to which others have access is refused, and the message says what to do",
        arguments: [0o640, 0o604, 0o620])
    func openSecret(mode: Int) throws {
        let keys = try folder().coordinatorKeys()
        try set(mode, secretPath)
        let message = try message { _ = try folder().coordinatorKeys() }
        #expect(message.contains("chmod 600 \(secretPath)"))
        #expect(!message.contains(keys.secretKey.text))
        try set(0o600, secretPath)
        #expect(try folder().coordinatorKeys() == keys)
    }

    @Test("A secret of another user is refused", .enabled(if: geteuid() == 0, "only root can give a file away"))
    func foreignSecret() throws {
        _ = try folder().coordinatorKeys()
        try #require(chown(secretPath, 4711, 4711) == 0)
        #expect(try message { _ = try folder().coordinatorKeys() }.contains("chown"))
    }

    @Test("A broken secret is an error that names the file and not what is in it")
    func brokenSecret() throws {
        let keys = try folder().coordinatorKeys()
        for text in ["", "x" + keys.secretKey.text, String(repeating: keys.secretKey.text, count: 100)] {
            try text.write(toFile: secretPath, atomically: false, encoding: .utf8)
            let message = try message { _ = try folder().coordinatorKeys() }
            #expect(message.contains(secretPath) && !message.contains(keys.secretKey.text))
        }
        try FileManager.default.removeItem(atPath: secretPath)
        try FileManager.default.createDirectory(atPath: secretPath, withIntermediateDirectories: false)
        #expect(try message { _ = try folder().coordinatorKeys() }.contains("is not a file"))
    }

    @Test("A folder that is open to others is closed")
    func openFolder() throws {
        _ = try folder()
        for path in [runtimeFolder + "/keys", runtimeFolder + "/keys/clients"] { try set(0o755, path) }
        _ = try folder()
        for path in [runtimeFolder + "/keys", runtimeFolder + "/keys/clients"] { #expect(try mode(path) == 0o700) }
    }

    @Test("A client that was made is in the list, and its secret key is only in what was returned")
    func makeClient() throws {
        let folder = try folder()
        let credentials = try folder.makeClient("edge-1")
        #expect(try CurveCredentials(text: credentials.text) == credentials)
        #expect(try credentials.server == folder.coordinatorKeys().publicKey)
        #expect(try folder.clients() == ["edge-1": credentials.own.publicKey])
        let files = try FileManager.default.subpathsOfDirectory(atPath: runtimeFolder)
        #expect(files.contains("keys/clients/edge-1.public"))
        for file in files {
            let text = try? String(contentsOfFile: runtimeFolder + "/" + file, encoding: .utf8)
            #expect(text?.contains(credentials.own.secretKey.text) != true)
        }
    }

    @Test("A name that is taken is refused, and its key stays, until the client is removed")
    func taken() throws {
        let folder = try folder()
        let first = try folder.makeClient("edge").own.publicKey
        #expect(try message { _ = try folder.makeClient("edge") }.contains("edge has a key already"))
        #expect(try folder.clients() == ["edge": first])
        #expect(try folder.removeClient("edge"))
        #expect(try folder.removeClient("edge") == false)
        #expect(try folder.clients().isEmpty)
        let second = try folder.makeClient("edge").own.publicKey
        #expect(second != first)
        #expect(try folder.clients() == ["edge": second])
    }

    @Test("A client's own public key can be listed")
    func allow() throws {
        let key = try CurveKeyPair.generate().publicKey
        try folder().allow(key, name: "Edge_2.example")
        #expect(try folder().clients() == ["Edge_2.example": key])
    }

    @Test(
        "A name that can't be a file's is refused",
        arguments: [
            "", ".", "..", ".hidden", "../edge", "a/b", "a b", "a\n", "a\0", "é", String(repeating: "a", count: 65),
        ])
    func names(name: String) throws {
        #expect(try message { _ = try folder().makeClient(name) }.contains("a client's name has"))
        #expect(try message { _ = try folder().removeClient(name) }.contains("a client's name has"))
        #expect(try folder().clients().isEmpty)
    }

    @Test("A client's file without a key is an error that names it; other files don't count")
    func brokenClient() throws {
        let folder = try folder()
        let key = try folder.makeClient("edge").own.publicKey
        let clients = runtimeFolder + "/keys/clients/"
        for name in ["README", "edge.public.bak", ".new-key-1"] {
            try "no key".write(toFile: clients + name, atomically: false, encoding: .utf8)
        }
        #expect(try folder.clients() == ["edge": key])
        try "no key".write(toFile: clients + "other.public", atomically: false, encoding: .utf8)
        #expect(try message { _ = try folder.clients() }.contains(clients + "other.public"))
    }
}
