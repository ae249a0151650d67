/// Why a server can't be there: said once, at its start.
package struct WebSocketError: Error, CustomStringConvertible {
    package let description: String
}
