import Accounts
import Common
import Foundation

/// Where a command gets a password from: never its arguments, which others see and shells remember.
enum PasswordPrompt {
    /// From a terminal, twice and without an echo; else the first line of standard input.
    static func read(for name: String) throws(StartError) -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine() else {
                throw StartError("standard input holds no password; give it there as a line", .invalidInput)
            }
            return line
        }
        let first = try ask("password for \(name), \(AccountRules.passwordMinimum) characters or more: ")
        // Before it is typed again.
        if let problem = AccountRules.problem(ofPassword: first) { throw StartError(problem, .usage) }
        guard try ask("again: ") == first else { throw StartError("the two differ; nothing was changed", .usage) }
        return first
    }

    private static func ask(_ question: String) throws(StartError) -> String {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw StartError("the terminal does not answer", .unavailable)
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        // Whoever interrupts has the signal once the terminal shows again what is typed.
        hidden.c_lflag &= ~tcflag_t(ISIG)
        FileHandle.standardError.write(Data(question.utf8))
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw StartError("the terminal would show the password", .unavailable)
        }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            FileHandle.standardError.write(Data("\n".utf8))
        }
        guard let line = readLine(), !line.utf8.contains(3) else { throw StartError("no password was given", .usage) }
        return line
    }
}
