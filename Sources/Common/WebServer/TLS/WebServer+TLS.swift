internal import CWebSockets

extension WebServer {
    package enum Reload: Sendable, Equatable {
        /// The files are what they were.
        case same
        /// New connections have the new certificate; open ones go on.
        case done
        /// The old ones stay in use.
        case refused(String)
    }

    /// Takes files that have changed. On the server's thread.
    package func reloadCertificate() -> Reload {
        guard let tls, let context = libraryContext else { return .same }
        let version = tls.version
        guard version != certificateVersion else { return .same }
        // A wrong pair is told once, and looked at again when it changes again.
        certificateVersion = version
        // The library says nothing about files that it can't use, and would be left without.
        if let problem = tls.problem { return .refused(problem) }
        lws_tls_cert_updated(context, tls.certificate, tls.key, nil, 0, nil, 0)
        return .done
    }
}
