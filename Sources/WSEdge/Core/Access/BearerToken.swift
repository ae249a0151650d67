/// A token in a request's `Authorization` (RFC 6750, section 2.1).
struct BearerToken {
    let text: String

    /// Nil where there is none, or another kind of credentials.
    init?(_ field: String?) {
        guard let field else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        text = String(parts[1].drop { $0 == " " })
    }
}
