internal import Foundation

/// nginx before a web server, with a cache that has those who ask for the same wait for one of them. Used from one thread.
package final class CachingProxy {
    private let process = Process()
    private let folder: String
    /// Where it listens: a unix socket.
    package var socket: String { folder + "/socket" }

    /// A request that it had: what its cache said (`HIT`, `MISS`, `EXPIRED`, `UPDATING`, `-`), and what was asked for.
    package struct Request: Sendable {
        package var status: String
        package var path: String
    }

    /// - Parameters:
    ///   - upstream: `HOST:PORT`.
    ///   - folder: its own; made here.
    package init(_ upstream: String, folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.settings(upstream, folder).write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
        process.executableURL = URL(filePath: "/usr/sbin/nginx")
        process.arguments = ["-p", folder, "-e", folder + "/error.log", "-c", folder + "/nginx.conf"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { stop() }

    /// It listens as soon as its socket is there.
    package var isListening: Bool { FileManager.default.fileExists(atPath: socket) }

    package var requests: [Request] {
        let text = (try? String(contentsOfFile: folder + "/access.log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return Request(status: String(words[0]), path: String(words[1]))
        }
    }

    package var log: String { (try? String(contentsOfFile: folder + "/error.log", encoding: .utf8)) ?? "" }

    package func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGTERM) }
        process.waitUntilExit()
    }

    private static func settings(_ upstream: String, _ folder: String) -> String {
        """
        daemon off;
        user root;
        pid \(folder)/pid;
        worker_processes 1;
        worker_rlimit_nofile 16384;
        events { worker_connections 8192; }
        http {
            log_format cache '$upstream_cache_status $request_uri';
            access_log \(folder)/access.log cache;
            client_body_temp_path \(folder)/body;
            proxy_temp_path \(folder)/temp;
            fastcgi_temp_path \(folder)/fastcgi;
            uwsgi_temp_path \(folder)/uwsgi;
            scgi_temp_path \(folder)/scgi;
            proxy_cache_path \(folder)/cache keys_zone=log:10m;
            keepalive_requests 1000000;
            server {
                listen unix:\(folder)/socket backlog=4096;
                location / {
                    proxy_pass http://\(upstream);
                    proxy_cache log;
                    proxy_cache_lock on;
                    proxy_cache_lock_timeout 60s;
                    proxy_cache_lock_age 60s;
                    proxy_cache_revalidate on;
                }
            }
        }

        """
    }
}
