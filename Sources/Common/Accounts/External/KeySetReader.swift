internal import Common
private import Foundation
private import FoundationNetworking

/// Reads a key set, from a file or over https. Blocking.
enum KeySetReader {
    static let byteLimit = 1024 * 1024
    private static let timeout: TimeInterval = 10

    static func read(_ place: String) throws(StartError) -> [UInt8] {
        if place.hasPrefix("/") { return try file(place) }
        guard place.hasPrefix("https://"), let url = URL(string: place) else {
            throw StartError("\(place) is no https URL and no path", .configuration)
        }
        return try Fetch().bytes(of: url)
    }

    private static func file(_ path: String) throws(StartError) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw StartError("\(path) can't be read", .configuration)
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: byteLimit + 1), data.count <= byteLimit else {
            throw StartError("\(path) can't be read, or is longer than \(byteLimit) bytes", .configuration)
        }
        return Array(data)
    }

    /// One answer of a server, as far as it may go.
    ///
    /// Sendable by this proof: the session calls on one queue, and the reader looks after it has been told of the end.
    private final class Fetch: NSObject, URLSessionDataDelegate, @unchecked Sendable {
        private var received = Data()
        private var failure: String?
        private let hasEnded = DispatchSemaphore(value: 0)

        func bytes(of url: URL) throws(StartError) -> [UInt8] {
            let configuration = URLSessionConfiguration.ephemeral
            configuration.timeoutIntervalForRequest = KeySetReader.timeout
            configuration.timeoutIntervalForResource = KeySetReader.timeout
            let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
            defer { session.invalidateAndCancel() }
            session.dataTask(with: url).resume()
            hasEnded.wait()
            if let failure { throw StartError("\(url.absoluteString): \(failure)", .unavailable) }
            return Array(received)
        }

        func urlSession(
            _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
            completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
        ) {
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            if status != 200 { failure = "the server answers \(status)" }
            completionHandler(status == 200 ? .allow : .cancel)
        }

        func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
            guard received.count + data.count <= KeySetReader.byteLimit else {
                failure = "it is longer than \(KeySetReader.byteLimit) bytes"
                return dataTask.cancel()
            }
            received += data
        }

        /// Not to where anybody between could change the keys.
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) {
            completionHandler(request.url?.scheme == "https" ? request : nil)
        }

        func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
            if failure == nil, let error { failure = error.localizedDescription }
            hasEnded.signal()
        }
    }
}
