import Testing

/// An authority of our own, whose word a daemon takes when `venue.ca_file` names it.
struct TestAuthority {
    private let directory: TemporaryDirectory
    /// For `venue.ca_file`.
    var file: String { self.directory.file("authority.pem") }

    struct Certificate {
        fileprivate let directory: TemporaryDirectory
        fileprivate let name: String
        var file: String { self.directory.file("\(self.name).pem") }
        var key: String { self.directory.file("\(self.name).key") }
    }

    init() async throws {
        self.directory = try TemporaryDirectory()
        try await self.run(
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=polybot tests" \
                -keyout authority.key -out authority.pem
            """)
    }

    /// - Parameter days: how long it is good; below zero it has been over for as long.
    func sign(for host: String, days: Int = 2) async throws -> Certificate {
        let name = "\(host)\(days)"
        try await self.run(
            """
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=\(host)" \
                -keyout \(name).key -out \(name).csr
            printf 'subjectAltName=DNS:\(host)\\n' >names
            openssl x509 -req -in \(name).csr -CA authority.pem -CAkey authority.key -CAcreateserial -days \(days) \
                -extfile names -out \(name).pem
            """)
        return Certificate(directory: self.directory, name: name)
    }

    private func run(_ script: String) async throws {
        let maker = try RunningProgram("/bin/sh", ["-ec", script], in: self.directory.path)
        #expect(try await maker.waitForEnd() == .exited(0), "\(maker.report)")
    }
}
