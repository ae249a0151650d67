/// What a client calls its request, a number or a text: comes back byte for byte.
struct RequestID: Sendable, Equatable {
    let json: String

    /// Of what is asked for by an address.
    static let none = RequestID(json: "null")

    private init(json: String) { self.json = json }

    /// Nil where the request has none.
    /// - Parameter request: JSON, as a parser has found.
    init?(of request: JSONText) {
        guard let bytes = request.member("id"), let first = bytes.first,
            "\"-0123456789".utf8.contains(first)
        else { return nil }
        json = String(decoding: bytes, as: UTF8.self)
    }
}
