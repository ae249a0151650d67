import Common
import WebServer

/// Which segment of which log: `/v1/streams/S/log/VERSION/SOURCE/FROM`.
struct SegmentAddress: Hashable, Sendable {
    let version: LogVersion
    let source: SourceID
    let from: Int64

    /// Each segment has one address, or caches would hold it twice.
    init(_ request: HTTPRequest) throws(RequestError) {
        let parameters = request.parameters
        guard let source = Int32(parameters[2]), let from = Int64(parameters[3]), from >= 0, from < .max,
            parameters[2] == String(source), parameters[3] == String(from)
        else {
            throw RequestError(
                code: "bad_request", message: "a segment is at log/VERSION/SOURCE/OFFSET, in plain numbers")
        }
        version = LogVersion(text: parameters[1])
        self.source = SourceID(rawValue: source)
        self.from = from
    }
}
