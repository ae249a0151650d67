private import CLinux
import Common

/// What the loop does about the children beside the workers: edges, the demo's producer, private services.
extension Coordinator {
    func startChildren() {
        for line in services.lines { notice(line, isSaid: true) }
        // These run already.
        for (name, process) in processes {
            _ = children.start(name)
            children.spawned(name, pid: process.pid)
        }
        for address in edgeAddresses { perform(children.start(.edge(address.description))) }
        if configuration.producer != nil { perform(children.start(.producer)) }
    }

    func perform(_ actions: [SupervisedChildren.Action]) {
        for action in actions {
            switch action {
            case .spawn(let name): spawn(name)
            case .end(let name): end(name)
            case .kill(let name): processes[name]?.signal(SIGKILL)
            }
        }
    }

    private func spawn(_ name: ChildName) {
        do {
            let process = try ChildProcess(command(name)) { [mailbox] in mailbox.put(.childEnded(name, $0)) }
            processes[name] = process
            children.spawned(name, pid: process.pid)
        } catch {
            notice("\(name): \(error)")
            perform(children.exited(name, nil, at: .now, random: 1))
        }
    }

    private func command(_ name: ChildName) throws(StartError) -> ChildCommand {
        switch name {
        case .edge(let address):
            var command = ChildCommand(
                configuration.executable("ws-edge"),
                ["--listen", address, "--control", folder.controlEndpoint]
                    + (configuration.edges.isOpen ? ["--open"] : []))
            if let certificate = configuration.edges.certificate, let key = configuration.edges.certificateKey {
                command.arguments += ["--tls-certificate", certificate, "--tls-key", key]
            }
            command.environment[EdgePorts.supervised] = "1"
            return command
        case .producer:
            let coordinator = configuration.executable("coordinator")
            return .kept(
                Keeper([coordinator] + (configuration.producer ?? [])), coordinator: coordinator,
                log: folder.path + "/producer.log")
        case .kafka, .postgres:
            guard let command = services.command(name) else { throw StartError("\(name) is not ours", .internalError) }
            return command
        }
    }

    private func end(_ name: ChildName) {
        switch name {
        case .edge: processes[name]?.signal(SIGTERM)
        case .producer, .kafka, .postgres:
            if let process = processes[name] { EmbeddedServices.end(process) }
        }
    }

    func ended(_ name: ChildName, _ exit: ChildExit) {
        guard processes[name]?.pid == exit.pid else { return }
        processes[name] = nil
        services.ended(name)
        perform(children.exited(name, exit, at: .now, random: .random(in: 0...1)))
        guard let child = children.children[name] else { return }
        let log = (try? command(name))?.log.map { " (see \($0))" } ?? ""
        switch child.state {
        case .refused: notice("\(name) ended with \(exit)\(log), as it would again; it is tried again every 30 s")
        case .backoff: notice("\(name) ended with \(exit)\(log); it starts again")
        case .running, .ending: break
        }
    }

    /// Another life of a mock cluster is another cluster, elsewhere. Its records must not be taken for those of the sources
    /// that there are: these end first.
    func takeNewMock() {
        guard let kafka = services.takeNewMock(configuration) else { return }
        discovery.ask(.kafka(kafka))
    }

    /// Everybody who reads or writes begins anew there.
    func move(to kafka: [String: String]) {
        configuration.kafka = kafka
        // Not before: whoever reads it and asks for the address is given this one.
        if let line = services.newMockLine { notice(line) }
        perform(fleet.restart(fleet.shards.keys.sorted(), rolling: false, at: .now))
        perform(children.restart(.producer, at: .now))
        try? tellEdges()
    }

    // MARK: Stopping

    /// What is being waited for, in this order.
    enum Stopping {
        case producers, fleet, edges, services, finished
    }

    /// The second time, nobody is waited for but the services, which end in a moment.
    func stop() {
        guard stopping == nil else {
            if fleet.isStopping { perform(fleet.stop(at: .now)) }
            return perform(children.hurry(through: .edges))
        }
        stopping = .producers
        perform(children.end(through: .producers, at: .now))
        goOnStopping()
    }

    func goOnStopping() {
        if stopping == .producers, children.isGone(through: .producers) {
            stopping = .fleet
            perform(children.end(through: .edges, at: .now))
            perform(fleet.stop(at: .now))
        }
        if stopping == .edges, children.isGone(through: .edges) {
            stopping = .services
            // It would take their end for an outage.
            discovery.stop()
            perform(children.end(through: .services, at: .now))
        }
        if stopping == .services, children.isGone(through: .services) { stopping = .finished }
    }

    // MARK: Status

    func addChildren(to report: inout StatusReport) {
        for (name, child) in children.children.sorted(by: { $0.key.description < $1.key.description }) {
            if case .edge(let address) = name { report.add(child, address: address) }
            if child.state != .running {
                report.problems.append(
                    "\(name) is \(child.stateName)" + (child.lastExit.map { " after \($0)" } ?? ""))
            }
        }
        report.healthy = report.problems.isEmpty
    }
}

extension StatusReport {
    /// A row of its own while it reports nothing.
    fileprivate mutating func add(_ child: SupervisedChildren.Child, address: String) {
        let index =
            edges.firstIndex { $0.pid != nil && $0.pid == child.pid }
            ?? {
                edges.append(
                    Edge(
                        id: "", pid: child.pid, address: address, clients: 0, messagesPerSecond: 0, slowClients: 0))
                return edges.count - 1
            }()
        edges[index].state = child.stateName
        edges[index].restarts = child.restarts
    }
}
