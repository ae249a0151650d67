import Accounts
import Foundation
import Testing

@Suite("Password hashes", .timeLimit(.minutes(1)))
struct PasswordHashTests {
    private static let password = "correct horse battery"

    @Test("A password is known again from the text of its hash, and another is not")
    func check() throws {
        let text = try #require(PasswordHash(of: Self.password)).text
        #expect(text.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
        let hash = try #require(PasswordHash(text: text))
        #expect(PasswordHash.check(Self.password, of: hash))
        #expect(!PasswordHash.check(Self.password + " ", of: hash))
        #expect(!PasswordHash.check("", of: hash))
    }

    @Test("Two hashes of one password have nothing in common")
    func salt() throws {
        let texts = (0..<2).map { _ in PasswordHash(of: Self.password)!.text.split(separator: "$") }
        #expect(texts[0][2] != texts[1][2] && texts[0][3] != texts[1][3])
    }

    /// RFC 7914, section 12, the third vector.
    @Test("It is scrypt as RFC 7914 has it")
    func vector() throws {
        let hash = try #require(
            PasswordHash(
                text:
                    "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
            ))
        #expect(PasswordHash.check("pleaseletmein", of: hash))
    }

    @Test("Letters count the same however they are composed")
    func normalization() throws {
        let hash = try #require(PasswordHash(of: "Stra\u{00DF}enk\u{00F6}ter!"))
        #expect(PasswordHash.check("Stra\u{00DF}enko\u{0308}ter!", of: hash))
    }

    @Test(
        "What is no hash of ours, or would take all memory, is none",
        arguments: [
            "", "plain", "$2b$12$abcdefghijklmnopqrstuv",
            "$scrypt$ln=30,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf04/w",
            "$scrypt$ln=15,r=8$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf04/w",
            "$scrypt$ln=15,r=8,p=1$$cCO9yzr9c0hGHAbNgf04/w",
            "$scrypt$ln=15,r=8,p=-1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf04/w",
        ])
    func foreign(text: String) {
        #expect(PasswordHash(text: text) == nil)
    }

    /// Time of the processor that this thread takes: what a wait costs does not count.
    private func work(_ body: () -> Void) -> Double {
        var before = timespec()
        var after = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before)
        body()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after)
        return Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9
    }

    @Test("A check for nobody fails, and is as much work as one for somebody")
    func unknown() throws {
        let hash = try #require(PasswordHash(of: Self.password))
        _ = PasswordHash.check("warm", of: nil)
        let known = work { _ = PasswordHash.check("something else", of: hash) }
        let unknown = work { #expect(!PasswordHash.check("something else", of: nil)) }
        // A check that was left out would be thousands of times less.
        #expect(unknown > known / 4 && unknown < known * 4)
    }
}
