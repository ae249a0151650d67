import Foundation

/// Where the dashboard's files are, and the libraries that it uses: Debian's packages libjs-leaflet and libjs-chart.js.
enum EdgeSite {
    static let libraries = [
        "/lib/leaflet": "/usr/share/javascript/leaflet", "/lib/chart.js": "/usr/share/javascript/chart.js",
    ]

    /// What is said about this edge's interface, for programs: OpenAPI and AsyncAPI.
    static let documents = ["openapi.json", "asyncapi.json"]

    /// Beside the program, where the build and the installation put it; nil where it is not.
    static var folder: String? {
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let path = URL(filePath: program).deletingLastPathComponent().path + "/millrace_ws-edge.resources/Site"
        return FileManager.default.fileExists(atPath: path + "/index.html") ? path : nil
    }
}
