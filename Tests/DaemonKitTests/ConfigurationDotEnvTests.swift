import Testing

@testable import DaemonKit

@Suite struct ConfigurationDotEnvTests {
    @Test func valuesQuotesCommentsAndExportsAreRead() throws {
        let values = try DotEnv.parse(
            """
            # a comment

            A=1
              export B = two words  # said so
            C="a # b"   # outside
            D='it"s'
            E=
            F=http://host/#anchor
            G=x=y\r
            """, name: ".env")
        #expect(
            values == [
                "A": "1", "B": "two words", "C": "a # b", "D": "it\"s", "E": "", "F": "http://host/#anchor", "G": "x=y",
            ])
    }

    @Test func secretsAreDroppedUnlessAskedFor() throws {
        let text = "POLYGON_PRIVATE_KEY=0x4f\nA=1\n"
        #expect(try DotEnv.parse(text, name: ".env") == ["A": "1"])
        #expect(try DotEnv.parse(text, name: ".env", keepsSecrets: true)["POLYGON_PRIVATE_KEY"] == "0x4f")
    }

    @Test func brokenLinesAreNamedAndNotRepeated() {
        let error = #expect(throws: ConfigurationError.self) {
            try DotEnv.parse("A=1\nhunter2\nB=\"open\n9C=1\n", name: ".env")
        }
        #expect(
            error?.problems.map(\.description) == [
                ".env:2: found a line without \"=\", allowed is NAME=value",
                ".env:3: B: found a quote that does not end on its line",
                ".env:4: found a name that is not made of letters, digits and \"_\"",
            ])
    }

    @Test func linesOfAnotherSystemAreLines() throws {
        #expect(try DotEnv.parse("A=1\r\n# no\r\nB='2'\r\n", name: ".env") == ["A": "1", "B": "2"])
    }
}
