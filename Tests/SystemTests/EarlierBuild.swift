import Foundation

/// The programs of an earlier build, as `scripts/previous` makes them.
enum EarlierBuild: String, CaseIterable {
    /// Knows no groups of hosts.
    case ungrouped
    case grouped

    var programs: URL {
        // Of the package's build folder, whose programs are in PLATFORM/debug.
        Fleet.binaries.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "previous/\(rawValue)/.build/debug")
    }

    static var areThere: Bool {
        allCases.allSatisfy {
            FileManager.default.isExecutableFile(atPath: $0.programs.appending(path: "ws-edge").path)
        }
    }
}
