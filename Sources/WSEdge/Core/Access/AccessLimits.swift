/// What bounds signing in. Times in seconds.
package struct AccessLimits: Sendable {
    /// From a token's making to its end; one that is renewed in time goes on.
    package var tokenSeconds: Int64 = 3600
    /// After so long a password is asked for again, however often the token was renewed.
    package var sessionSeconds: Int64 = 12 * 3600
    /// Bytes of a request to sign in.
    package var bodyByteCount = 4096
    /// Requests that wait for their password's check.
    package var waitingSignIns = 32
    /// How often it is asked whether users that have signed in have changed.
    package var userCheckSeconds = 5
    /// Users that are asked about; beyond it those that were heard of the longest time ago are forgotten, unless connected.
    package var watchedUsers = 4096
    /// One that is not connected is forgotten after so long.
    package var watchSeconds = 300

    package init() {}
}
