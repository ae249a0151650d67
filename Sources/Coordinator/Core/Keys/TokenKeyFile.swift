package import Accounts
package import Common

/// The fleet's own keys for tokens, in `tokens.json` (0600) of the key folder.
extension KeyFolder {
    private var tokenFile: KeyFile { KeyFile(path: path + "/tokens.json") }

    /// The first call ever makes them; from then on they stay, until they are rotated.
    package func tokenKeys() throws(StartError) -> TokenKeys {
        if let keys = try readTokenKeys() { return keys }
        // False: another process was first, and its keys are the ones.
        _ = try tokenFile.create(TokenKeys.make().text + "\n")
        guard let keys = try readTokenKeys() else {
            throw StartError("\(tokenFile.path) was removed while it was made; try again", .unavailable)
        }
        return keys
    }

    /// A new key signs from now on; what the one before it signed still counts.
    package func rotateTokenKeys() throws(StartError) {
        try tokenFile.replace(try tokenKeys().rotated().text + "\n")
    }

    private func readTokenKeys() throws(StartError) -> TokenKeys? {
        guard let text = try tokenFile.read(secret: true) else { return nil }
        do throws(StartError) { return try TokenKeys(text: text) } catch {
            throw StartError(
                "\(tokenFile.path): \(error); remove it to have new keys made: then everybody has to sign in again",
                .configuration)
        }
    }
}
