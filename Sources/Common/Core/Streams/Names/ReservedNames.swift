/// Names that no declared column can have, since Millrace or Postgres has them in the same tables.
package enum ReservedNames {
    /// Columns that Millrace needs for a moment begin with this, and no stream's column may.
    package static let prefix = "millrace_"
    /// Columns that Millrace adds to streams' tables.
    private static let own: Set<String> = ["source_id", "source_offset", "row_version", "deleted"]
    /// Columns that every table of Postgres has (Postgres documentation, 5.6, System Columns).
    private static let system: Set<String> = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]

    /// Why a column can't have the name; nil when it can.
    package static func reason(_ name: String) -> String? {
        if own.contains(name) { return "is a column that Millrace adds itself" }
        if name.hasPrefix(prefix) { return "begins with \(prefix), which Millrace keeps for itself" }
        if system.contains(name) { return "is a system column, which Postgres has in every table" }
        return nil
    }
}
