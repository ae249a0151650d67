/// When the server's turn began: for times that are taken at each of a hundred thousand writes a second, and compared with
/// limits of many seconds. Belongs to the server's thread.
final class TurnClock {
    var now = ContinuousClock.now
}
