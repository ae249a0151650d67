/// Who may read and publish what, where streams don't say it themselves. An edge's own.
package struct AccessPolicy: Sendable, Equatable {
    package enum Action: Sendable {
        case subscribe
        case publish
    }

    /// Streams that name no roles are anyone's, to read and to publish.
    package var isOpen: Bool
    /// Only this machine reaches the edge: then reading needs no user.
    package var isLoopback: Bool

    package init(isOpen: Bool, isLoopback: Bool) {
        self.isOpen = isOpen
        self.isLoopback = isLoopback
    }

    /// - Parameter role: nil: nobody has signed in.
    package func allows(_ action: Action, _ stream: StreamDefinition, role: String?) -> Bool {
        let roles = roles(for: action, stream)
        if roles.contains(Role.anyone) { return true }
        guard let role else { return false }
        return role == Role.admin || roles.contains(role)
    }

    /// - Returns: those that the stream names; else the defaults.
    package func roles(for action: AccessPolicy.Action, _ stream: StreamDefinition) -> [String] {
        switch action {
        case .subscribe:
            stream.subscribe ?? (isOpen || isLoopback ? [Role.anyone] : [Role.viewer, Role.operatorRole, Role.admin])
        case .publish: stream.publish ?? (isOpen ? [Role.anyone] : [Role.operatorRole, Role.admin])
        }
    }
}
