internal import Foundation

/// Hands out the files of a folder over https, with a certificate that signs itself.
package final class HTTPSFiles {
    /// `https://127.0.0.1:PORT`
    package let address: String
    /// What is handed out.
    package var files: String { folder + "/files" }
    /// Whom to trust.
    package var certificate: String { folder + "/tls.pem" }
    private let folder: String
    private let server: KeptServer

    private static let script = """
        import functools, http.server, os, ssl, sys
        folder = sys.argv[1]
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder + "/files")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/tls.pem", folder + "/tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(folder + "/port.new", "w") as file: file.write(str(server.server_port))
        os.rename(folder + "/port.new", folder + "/port")
        server.serve_forever()
        """

    package init() throws {
        folder = "/tmp/https-\(UUID().uuidString.prefix(8))"
        try shell(
            """
            mkdir -p \(folder)/files && cd \(folder) && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout tls.key -out tls.pem
            """)
        server = try KeptServer(["/usr/bin/python3", "-c", Self.script, folder], folder: folder)
        let deadline = Date.now + 30
        var port: String?
        while port == nil {
            guard Date.now < deadline, server.exit == nil else {
                throw ShellFailure(command: "an https server", output: server.exit ?? "it does not begin")
            }
            port = try? String(contentsOfFile: folder + "/port", encoding: .utf8)
            // It writes the file when it listens.
            Thread.sleep(forTimeInterval: 0.02)
        }
        address = "https://127.0.0.1:\(port!)"
    }
}
