/// What a request is answered.
package struct Response: Sendable, Equatable {
    package var status: UInt32
    package var contentType: String
    package var body: String

    package init(status: UInt32, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
