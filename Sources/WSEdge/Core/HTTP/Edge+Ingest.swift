import Common
import WebServer

/// `POST /v1/streams/S`: one record, a JSON array of them, or a line each (NDJSON), with a result for each.
extension Edge {
    /// What becomes of a request's records, until all of them have an answer.
    private final class Ingest {
        let exchange: HTTPExchange
        let isSingle: Bool
        var results: [Result<PublishedPlace, RequestError>?]
        var missing: Int

        init(_ exchange: HTTPExchange, count: Int, isSingle: Bool) {
            self.exchange = exchange
            self.isSingle = isSingle
            results = .init(repeating: nil, count: count)
            missing = count
        }
    }

    func ingest(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let access = try authorize(exchange, .publish, exchange.request.parameters[0])
            let stream = try publishable(exchange.request.parameters[0])
            let (records, isSingle) = try Self.records(of: exchange.request)
            guard !records.isEmpty else { throw RequestError(code: "bad_request", message: "there is no record") }
            guard records.count <= limits.bodyRecords else {
                throw RequestError(code: "too_large", message: "a request has at most \(limits.bodyRecords) records")
            }
            exchange.forgetBody()
            let ingest = Ingest(exchange, count: records.count, isSingle: isSingle)
            for (index, record) in records.enumerated() {
                publish(record, to: stream, by: access) { result in
                    ingest.results[index] = result
                    ingest.missing -= 1
                    if ingest.missing == 0 { Self.respond(ingest) }
                }
            }
        } catch {
            exchange.respond(Self.refusal(error))
        }
    }

    private static func records(of request: HTTPRequest) throws(RequestError) -> ([ArraySlice<UInt8>], isSingle: Bool) {
        let body = request.body
        if request.contentType?.hasPrefix("application/x-ndjson") == true {
            let lines = body.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            return (lines.filter { $0.contains { $0 != 0x20 && $0 != 0x09 } }, false)
        }
        guard body.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "[") else {
            return ([body[...]], true)
        }
        guard let elements = JSONText(body).elements else {
            throw RequestError(code: "bad_request", message: "the body is no JSON array")
        }
        return (elements, false)
    }

    static func refusal(_ error: RequestError) -> HTTPResponse { refusal(status(error), error) }

    static func status(_ error: RequestError) -> UInt32 {
        switch error.code {
        case "bad_request", "bad_record": 400
        case "unauthorized": 401
        case "forbidden": 403
        case "not_found": 404
        case "gone": 410
        case "rate_limited": 429
        case "unsupported": 501
        case "unknown_stream" where error.retryAfter == nil: 404
        case "too_large": 413
        default: 503
        }
    }

    private static func respond(_ ingest: Ingest) {
        let results = ingest.results.compactMap { $0 }
        if ingest.isSingle {
            switch results[0] {
            case .success(let place): ingest.exchange.respond(.json(200, Array("{\(place.json)}".utf8)))
            case .failure(let error): ingest.exchange.respond(refusal(status(error), error))
            }
            return
        }
        var failed = 0
        let texts = results.map { result in
            switch result {
            case .success(let place): return "{\(place.json)}"
            case .failure(let error):
                failed += 1
                return String(decoding: refusal(0, error).body, as: UTF8.self)
            }
        }
        let text =
            #"{"acknowledged":\#(results.count - failed),"failed":\#(failed),"results":[\#(texts.joined(separator: ","))]}"#
        // RFC 4918, section 11.1: more than one outcome.
        ingest.exchange.respond(.json(failed == 0 ? 200 : 207, Array(text.utf8)))
    }
}
