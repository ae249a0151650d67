import TestSupport

extension Scenario {
    /// What exactly-once costs: without means that no position and no ledger entry is written, and no record is hashed.
    static var fence: Scenario {
        Scenario(
            name: "fence", title: "The same fleet with fence and ledger and without", load: Load.readings,
            contestants: {
                [
                    Contestant(name: "with", run: Fleet.append().run),
                    Contestant(name: "without") { arena in
                        try arena.withFolder { folder in
                            // A library that hashes nothing.
                            let library = folder + "/nohash.so"
                            let source =
                                "unsigned long long XXH64(const void *d, unsigned long n, unsigned long long s) { return 0; }"
                            try shell("echo '\(source)' | cc -x c -shared -fPIC -O2 -o \(library) -")
                            var fleet = Fleet.append()
                            fleet.isFenced = false
                            fleet.preload = library
                            return try fleet.run(arena)
                        }
                    },
                ]
            }, ratios: [Ratio(name: "with / without") { $0["with"]!.value / $0["without"]!.value }])
    }
}
