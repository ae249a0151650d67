import Accounts
import Common
import CoordinatorCore
import Foundation
import ZeroMQ

/// Keys of those who reach the control channel from other hosts.
extension Command {
    static let keys = Command(
        name: "keys", form: "list|add|remove|rotate-tokens [NAME]",
        summary: """
            Says who may reach the control channel over tcp; add prints the file for the other host, once. rotate-tokens gives
            edges a new key for tokens; those of the two before it still count.
            """,
        example: "keys add edge-1 > edge-1.keys"
    ) { arguments, settings in
        let folder = try KeyFolder(in: settings.sources.runtimeFolder())
        let action = try arguments.next("list, add, remove or rotate-tokens")
        switch action {
        case "list":
            try arguments.finish()
            for (name, key) in try folder.clients().sorted(by: { $0.key < $1.key }) { print("\(name)  \(key.text)") }
        case "add":
            let name = try arguments.next("a client's name")
            try arguments.finish()
            print(try folder.makeClient(name).text, terminator: "")
        case "remove":
            let name = try arguments.next("a client's name")
            try arguments.finish()
            guard try folder.removeClient(name) else { throw StartError("there is no client '\(name)'", .usage) }
        case "rotate-tokens":
            try arguments.finish()
            guard try settings.sources.tokenKeys() == nil else {
                throw StartError("the keys are those of \(TokenKeys.variable): rotate them there", .usage)
            }
            try folder.rotateTokenKeys()
        default: throw arguments.usage("'\(action)' is not list, add, remove or rotate-tokens")
        }
        return .success
    }
}

enum Credentials {
    /// The file that `keys add` printed.
    static func read(_ path: String) throws -> CurveCredentials {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartError("\(path): can't be read", .usage)
        }
        do {
            return try CurveCredentials(text: String(decoding: data, as: UTF8.self))
        } catch {
            throw StartError("\(path): \(error.message)", .usage)
        }
    }
}
