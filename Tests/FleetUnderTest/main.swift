// The coordinator's core as a process of its own, configured by the tests through one environment variable.
import Common
import CoordinatorCore
import Foundation
import TestSupport

do {
    let settings = try FleetSettings.fromEnvironment()
    var configuration = CoordinatorConfiguration(
        shards: settings.shards, streams: settings.streams, kafka: settings.kafka, postgres: settings.postgres,
        runtimeFolder: settings.folder, workerExecutable: settings.worker,
        offsetReset: settings.offsetReset.flatMap { .init(rawValue: $0) } ?? .earliest, discoveryInterval: .seconds(1))
    configuration.beginsOnNewCluster = settings.beginsOnNewCluster
    if let group = settings.group, let member = settings.member {
        configuration.group = GroupPlan(name: group, member: member)
    }
    if let seconds = settings.maintenanceSeconds { configuration.maintenanceInterval = .seconds(seconds) }
    configuration.controlAddress = settings.controlAddress
    configuration.advertisedHost = settings.advertisedHost
    exit(try Coordinator(configuration).run().rawValue)
} catch let error as StartError {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(error.exitCode.rawValue)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(ExitCode.internalError.rawValue)
}
