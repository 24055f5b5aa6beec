import DaemonKit
import Glibc
import Logging
import Signing

/// Looks for the account's secrets where they may stand, and says which of them could not be used.
///
/// Under systemd that is `$CREDENTIALS_DIRECTORY` alone; elsewhere also the files that the configuration names, and
/// `POLYGON_PRIVATE_KEY` of the environment or of the `.env` file.
struct CredentialSearch {
    /// The predecessor's name.
    static let keyVariable = "POLYGON_PRIVATE_KEY"

    struct Finding: Hashable {
        let credential: Credential
        /// A path, or the variable's name.
        let place: String
        /// `nil` when it has the right form.
        let problem: Credential.Problem?
    }

    /// Where a secret may stand.
    private struct Place {
        let credential: Credential
        /// For people.
        let name: String
        /// Lends what is there; false when nothing is.
        let lend: (Lender) throws(Credential.Problem) -> Bool
    }
    typealias Lender = (UnsafeBufferPointer<UInt8>) throws(Credential.Problem) -> Void

    /// All of them, in the order in which they count.
    private static func places(_ configuration: Configuration, environment: [String: String]) -> [Place] {
        var places: [Place] = []
        if let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty {
            for credential in Credential.allCases {
                let path = "\(directory)/\(credential.rawValue)"
                places.append(
                    Place(credential: credential, name: path) { (lender) throws(Credential.Problem) in
                        try SecretFile.read(path, keptBy: .manager, lender)
                    })
            }
        }
        guard !ProcessEnvironment.isUnderSystemd(environment, process: getpid()) else { return places }
        for (credential, path) in [
            (Credential.privateKey, configuration.trading.privateKeyFile),
            (.apiCredentials, configuration.trading.credentialsFile),
        ] {
            guard let path else { continue }
            places.append(
                Place(credential: credential, name: path) { (lender) throws(Credential.Problem) in
                    guard try SecretFile.read(path, keptBy: .user, lender) else {
                        throw .unreadable("it does not exist, but the configuration names it")
                    }
                    return true
                })
        }
        if let text = environment[Self.keyVariable], !text.isEmpty {
            places.append(
                Place(credential: .privateKey, name: Self.keyVariable) { (lender) throws(Credential.Problem) in
                    try Self.lend(text, to: lender)
                })
        }
        let dotEnv = configuration.dotEnvPath
        if let text = configuration.dotEnvValue(of: Self.keyVariable), !text.isEmpty {
            places.append(
                Place(credential: .privateKey, name: "\(dotEnv): \(Self.keyVariable)") {
                    (lender) throws(Credential.Problem) in
                    try SecretFile.checkAccess(file: dotEnv)
                    return try Self.lend(text, to: lender)
                })
        }
        return places
    }

    private static func lend(_ text: String, to lender: Lender) throws(Credential.Problem) -> Bool {
        var text = text
        let result = text.withUTF8 { bytes in Result { () throws(Credential.Problem) in try lender(bytes) } }
        try result.get()
        return true
    }

    /// Whatever is there, in the order in which it counts.
    static func findings(_ configuration: Configuration, environment: [String: String]) -> [Finding] {
        var findings: [Finding] = []
        for place in Self.places(configuration, environment: environment) {
            do throws(Credential.Problem) {
                let isThere = try place.lend { (bytes) throws(Credential.Problem) in
                    try place.credential.checkForm(bytes)
                }
                if isThere { findings.append(Finding(credential: place.credential, place: place.name, problem: nil)) }
            } catch { findings.append(Finding(credential: place.credential, place: place.name, problem: error)) }
        }
        return findings
    }

    /// The account's key, from the first place that has one.
    ///
    /// - Throws: code 78 when there is none, or when one that is there cannot be used: another is not taken for it.
    static func privateKey(
        _ configuration: Configuration, environment: [String: String]
    ) throws(DaemonExit) -> PrivateKey {
        for place in Self.places(configuration, environment: environment) where place.credential == .privateKey {
            var key: PrivateKey?
            do throws(Credential.Problem) {
                let isThere = try place.lend { (bytes) throws(Credential.Problem) in
                    try Credential.privateKey.checkForm(bytes)
                    key = PrivateKey(
                        hex: UnsafeBufferPointer(
                            rebasing: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]))
                    guard key != nil else { throw .malformed("the curve has no such key") }
                }
                guard isThere else { continue }
            } catch {
                throw DaemonExit(.configuration, "The private key at \(place.name) cannot be used: \(error.reason).")
            }
            if let key { return key }
        }
        throw DaemonExit(
            .configuration, Self.absence(ProcessEnvironment.isUnderSystemd(environment, process: getpid())))
    }

    /// Why there is no key, and where to put one. Never in a command line: those are kept in a shell's history.
    static func absence(_ isUnderSystemd: Bool) -> String {
        guard !isUnderSystemd else {
            return """
                There is no private key: polybot-stratd.service takes it from /etc/credstore/polybot.private_key, a file of \
                root's with mode 0600.
                """
        }
        return """
            There is no private key: name its file, of mode 0600, in trading.private_key_file, or keep \(Self.keyVariable) in \
            an .env file of mode 0600. The key of the system's unit is used with --service: sudo polybot doctor --service, \
            sudo polybot cancel-all --service.
            """
    }

    /// API credentials that somebody put where they may stand, from the first place that has some; `nil` without any.
    ///
    /// - Throws: code 78 when those that are there cannot be used: others are not taken for them.
    static func apiCredentials(
        _ configuration: Configuration, environment: [String: String]
    ) throws(DaemonExit) -> AccountSession.Given? {
        for place in Self.places(configuration, environment: environment) where place.credential == .apiCredentials {
            var credentials: AccountCredentials?
            do throws(Credential.Problem) {
                let isThere = try place.lend { (bytes) throws(Credential.Problem) in
                    try Credential.apiCredentials.checkForm(bytes)
                    credentials = AccountCredentials(bytes)
                    guard credentials != nil else {
                        throw .malformed(
                            "its secret is no base64, or a text is empty, too long or not of one line of ASCII")
                    }
                }
                guard isThere else { continue }
            } catch {
                throw DaemonExit(
                    .configuration, "The API credentials at \(place.name) cannot be used: \(error.reason).")
            }
            if let credentials { return AccountSession.Given(credentials: credentials, place: place.name) }
        }
        return nil
    }

    /// Says in the log what was found, and returns what a status line adds for it; empty when all is well.
    static func report(_ findings: [Finding], to logger: Logger) -> String {
        if findings.isEmpty { logger.debug("No credential was found; paper trading needs none") }
        var status = ""
        for finding in findings {
            let name = finding.credential.rawValue
            guard let problem = finding.problem else {
                logger.debug("A credential is there", metadata: ["credential": "\(name)", "place": "\(finding.place)"])
                continue
            }
            logger.warning(
                "A credential cannot be used",
                metadata: ["credential": "\(name)", "place": "\(finding.place)", "reason": "\(problem.reason)"])
            status += " · credential \(name) \(problem.word)"
        }
        return status
    }
}
