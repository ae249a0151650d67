package import Foundation

extension Process {
    /// Starts with what it says in files, which are made anew.
    ///
    /// Foundation keeps handles of processes that have ended: this process, which starts a thousand others, closes its own.
    ///
    /// - Parameters:
    ///   - output: a path, for the standard output; nil: as it was set.
    ///   - errors: a path, for the standard error.
    package func run(output: String? = nil, errors: String? = nil) throws {
        let files = try [output, errors].map { path -> FileHandle? in
            guard let path else { return nil }
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
            }
            return try FileHandle(forWritingTo: URL(filePath: path))
        }
        if let file = files[0] { standardOutput = file }
        if let file = files[1] { standardError = file }
        defer { for file in files { try? file?.close() } }
        try run()
    }
}
