/// Why a server can't be there.
package struct WebServerError: Error, Sendable, Equatable {
    package let operation: String
    /// An errno, or what getaddrinfo(3) answered for `resolve`; zero where the library gives none.
    package let code: Int32
    package let message: String

    package init(operation: String, code: Int32, message: String) {
        self.operation = operation
        self.code = code
        self.message = message
    }
}

extension WebServerError: CustomStringConvertible {
    package var description: String { "\(operation): \(message)" }
}
