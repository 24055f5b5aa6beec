import DaemonKit
import Glibc
import Logging

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

    /// Whatever is there, in the order in which it counts.
    static func findings(_ configuration: Configuration, environment: [String: String]) -> [Finding] {
        var findings: [Finding] = []
        func look(
            _ credential: Credential, at place: String, _ check: () throws(Credential.Problem) -> Bool
        ) {
            do throws(Credential.Problem) {
                if try check() { findings.append(Finding(credential: credential, place: place, problem: nil)) }
            } catch { findings.append(Finding(credential: credential, place: place, problem: error)) }
        }
        func look(_ credential: Credential, in file: String, keptBy keeper: Credential.Keeper) {
            look(credential, at: file) { () throws(Credential.Problem) in
                try credential.check(file: file, keptBy: keeper)
            }
        }
        if let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty {
            for credential in Credential.allCases {
                look(credential, in: "\(directory)/\(credential.rawValue)", keptBy: .manager)
            }
        }
        guard !ProcessEnvironment.isUnderSystemd(environment, process: getpid()) else { return findings }
        for (credential, file) in [
            (Credential.privateKey, configuration.trading.privateKeyFile),
            (.apiCredentials, configuration.trading.credentialsFile),
        ] {
            guard let file else { continue }
            look(credential, at: file) { () throws(Credential.Problem) in
                guard try credential.check(file: file, keptBy: .user) else {
                    throw .unreadable("it does not exist, but the configuration names it")
                }
                return true
            }
        }
        if let text = environment[Self.keyVariable], !text.isEmpty {
            look(.privateKey, at: Self.keyVariable) { () throws(Credential.Problem) in try Self.checkKey(text) }
        }
        let dotEnv = configuration.dotEnvPath
        if let text = configuration.dotEnvValue(of: Self.keyVariable), !text.isEmpty {
            look(.privateKey, at: "\(dotEnv): \(Self.keyVariable)") { () throws(Credential.Problem) in
                try SecretFile.checkAccess(file: dotEnv)
                return try Self.checkKey(text)
            }
        }
        return findings
    }

    private static func checkKey(_ text: String) throws(Credential.Problem) -> Bool {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(Credential.Problem) in try Credential.privateKey.checkForm(bytes) }
        }
        try result.get()
        return true
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
