import Common
import CoordinatorCore
import Foundation

/// A look into the fleet's database.
extension Command {
    static let psql = Command(
        name: "psql", form: "[ARGUMENTS OF PSQL…]",
        summary: "Opens psql on the fleet's database; whatever follows is psql's",
        example: "psql -c 'SELECT count(*) FROM traffic_data'"
    ) { arguments, settings in
        let words = arguments.takeAll()
        // psql takes this process's place, so it looks at a fleet that runs.
        var configuration = try settings.written()
        try configuration.takeWhatIsMissing(fromFleet: settings.client, .postgres)
        throw PostgresShell(configuration.postgres).run(words)
    }
}
