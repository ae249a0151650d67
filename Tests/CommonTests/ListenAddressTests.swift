import Common
import Testing

@Suite("Listen addresses")
struct ListenAddressTests {
    @Test(
        "A host and a port are told apart, and written as they were read",
        arguments: [
            ("127.0.0.1:9464", "127.0.0.1", UInt16(9464)), ("localhost:0", "localhost", 0), ("[::1]:80", "::1", 80),
        ])
    func good(text: String, host: String, port: UInt16) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port && address.description == text)
    }

    @Test(
        "What is no HOST:PORT is none",
        arguments: [
            "", "9464", ":9464", "localhost", "localhost:", "localhost:http", "a:65536", "::1:80", "[]:80", "a:-1",
        ]
    )
    func bad(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
