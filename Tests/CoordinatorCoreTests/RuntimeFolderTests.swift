import Common
import CoordinatorCore
import Foundation
import Testing

@Suite("The runtime folder")
final class RuntimeFolderTests {
    private let base = FileManager.default.temporaryDirectory.appending(path: "mr-\(UUID().uuidString.prefix(8))").path

    init() throws {
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: base)
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func refusal(_ path: String) -> String {
        do throws(StartError) {
            _ = try RuntimeFolder(path)
            return "none"
        } catch {
            #expect(error.exitCode == .usage)
            return error.description
        }
    }

    @Test("A new one lets others pass, and its control folder doesn't")
    func made() throws {
        let path = base + "/a/b"
        let folder = try RuntimeFolder(path)
        #expect(try mode(folder.path) == 0o711 && mode(path + "/control") == 0o700)
    }

    @Test("One that is there keeps its mode", arguments: [0o700, 0o711, 0o755, 0o750])
    func kept(wanted: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: wanted], ofItemAtPath: base)
        let folder = try RuntimeFolder(base)
        #expect(try mode(folder.path) == wanted)
    }

    @Test("One in which others may write is refused as it is, with what to name instead", arguments: [0o1777, 0o770])
    func open(wanted: Int) throws {
        #expect(chmod(base, mode_t(wanted)) == 0)
        let told = refusal(base)
        #expect(told.contains("is open for others to write in") && told.contains("--runtime-dir \(base)/millrace"))
        var status = stat()
        #expect(stat(base, &status) == 0 && status.st_mode & 0o7777 == mode_t(wanted))
        #expect(try FileManager.default.contentsOfDirectory(atPath: base).isEmpty)
        #expect(try RuntimeFolder(base + "/millrace").path == base + "/millrace")
    }

    @Test("Another user's is refused", .enabled(if: getuid() == 0))
    func others() {
        #expect(chown(base, 1, 1) == 0)
        #expect(refusal(base).contains("belongs to another user"))
    }

    @Test("A file is no folder")
    func file() throws {
        try "x".write(toFile: base + "/file", atomically: false, encoding: .utf8)
        #expect(refusal(base + "/file").contains("is no folder"))
    }
}
