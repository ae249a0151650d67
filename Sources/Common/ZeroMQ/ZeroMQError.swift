/// What libzmq answered instead of success.
package struct ZeroMQError: Error, Sendable, Equatable {
    package let operation: String
    /// An errno, or one of libzmq's own numbers.
    package let code: Int32
    package let message: String

    package init(operation: String, code: Int32, message: String) {
        self.operation = operation
        self.code = code
        self.message = message
    }
}

extension ZeroMQError: CustomStringConvertible {
    package var description: String { "\(operation): \(message)" }
}
