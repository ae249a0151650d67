import Common

/// Which hosts of a group a command is about: this one, unless it is said.
struct Hosts {
    private let host: String?
    private let isAll: Bool

    init(_ arguments: inout Arguments) throws {
        host = try arguments.option("--host")
        isAll = arguments.flag("--all")
        guard host == nil || !isAll else { throw arguments.usage("--host and --all exclude each other") }
    }

    var isOwn: Bool { host == nil && !isAll }

    /// Nil for this host.
    func request(_ request: MemberRequest) -> CommandRequest? {
        isOwn ? nil : .members(host: host, request, by: Settings.user)
    }

    /// - Parameters:
    ///   - name: a shard's; nil but in a group.
    ///   - own: this host's.
    func includes(_ name: String?, own: String?) -> Bool {
        isAll || name == (host ?? own)
    }
}
