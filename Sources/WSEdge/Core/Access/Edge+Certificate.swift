import Common
import WebServer

/// TLS without a restart.
extension Edge {
    private static let certificateInterval = Duration.seconds(60)

    func reloadCertificate() {
        certificateDue = .now + Self.certificateInterval
        guard let server else { return }
        switch server.reloadCertificate() {
        case .same: break
        case .done: Log.standard.say("new connections have the certificate that is there now")
        case .refused(let problem):
            Log.standard.say("the certificate that was there before stays in use: \(problem)", .warning)
        }
    }
}
