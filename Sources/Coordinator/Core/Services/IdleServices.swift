/// The private services of a fleet that does not run now, brought up for one command: so the proof, a reset or another name
/// need no fleet. They end with this process, whatever ends it.
package final class IdleServices {
    /// So that no fleet begins on them meanwhile.
    private var folder: RuntimeFolder?
    private var services = EmbeddedServices()

    package init() {}

    /// Brings up what the configuration lacks and an earlier fleet left in the runtime folder, and puts where it is into the
    /// configuration. Blocking.
    ///
    /// - Returns: false, and nothing was done, where nothing is lacking, a fleet runs, or what is lacking was never there.
    package func bringUp(_ configuration: inout CoordinatorConfiguration, _ needs: ServiceNeeds) throws -> Bool {
        let path = configuration.runtimeFolder
        let (kafka, postgres) = configuration.lacking(needs)
        guard kafka || postgres, !RuntimeFolder.isHeld(path), !kafka || EmbeddedKafka.hasRecords(in: path),
            !postgres || EmbeddedPostgres.hasRows(in: path)
        else { return false }
        folder = try RuntimeFolder(path)
        configuration.embedded.kafka = kafka ? .apache : nil
        configuration.embedded.postgres = postgres
        services = try EmbeddedServices(&configuration, StartWatch(signals: StartWatch.noSignals)) { _, _ in }
        return true
    }

    /// Waits until they have ended, so that a fleet can be started at once.
    package func end() { services.end() }
}
