import DaemonKit
import Shared
import Signing

/// The account at the venue, as a command uses it: the key, the venue's clock, and credentials that are kept between runs.
struct AccountSession {
    /// A clock that differs by more is told of, and the venue's is used.
    static let clockOffsetMax = Duration.seconds(2)

    /// Credentials that the operator put somewhere: then none are asked of the venue.
    struct Given {
        let credentials: AccountCredentials
        /// For people.
        let place: String
    }

    private(set) var clob: ClobClient
    let given: Given?
    let store: CredentialStore
    private(set) var credentials: AccountCredentials?
    /// Whether what is kept was found to be of no use.
    private(set) var hasForgotten = false
    /// What is told, line by line.
    let tell: (String) -> Void

    init(_ clob: ClobClient, given: Given? = nil, store: CredentialStore, tell: @escaping (String) -> Void) {
        self.clob = clob
        self.given = given
        self.store = store
        self.tell = tell
    }

    /// - Throws: code 78 without a key.
    init(_ context: DaemonCommand.Context) throws(DaemonExit) {
        try self.init(
            context.configuration, environment: context.environment, stateDirectory: context.stateDirectory,
            tell: context.tell)
    }

    /// - Throws: code 78 without a key, and with credentials that cannot be used.
    init(
        _ configuration: Configuration, environment: [String: String], stateDirectory: String,
        tell: @escaping (String) -> Void
    ) throws(DaemonExit) {
        let key = try CredentialSearch.privateKey(configuration, environment: environment)
        let given = try CredentialSearch.apiCredentials(configuration, environment: environment)
        let venue = configuration.venue
        var options = RESTClient.Options()
        options.caFile = venue.authorityFile
        options.proxy = venue.proxy
        let client: RESTClient
        do throws(SystemError) { client = try RESTClient(options: options) } catch {
            throw DaemonExit(.bug, "Requests cannot be made: \(error).")
        }
        self.init(
            ClobClient(client: client, baseURL: venue.clobURL, key: key), given: given,
            store: CredentialStore(directory: stateDirectory, owner: key.address), tell: tell)
    }

    func end() { self.clob.client.stop() }

    /// Asks the venue for its time. Where ours differs much, the venue's counts from now on.
    ///
    /// - Returns: how far ahead of ours it is.
    mutating func learnClock() async throws(ClobFailure) -> Duration {
        let before = Timestamp.now()
        let venueTime = try await self.clob.time()
        let offset = venueTime - before
        let isFar = offset > Self.clockOffsetMax || offset < .zero - Self.clockOffsetMax
        self.clob.clockOffset = isFar ? offset : .zero
        return offset
    }

    /// The venue does not know the credentials any more: the next login gets others from it.
    mutating func forget() {
        self.credentials = nil
        self.hasForgotten = true
    }

    /// Credentials that are known, that were given, that are kept, or that the venue gives. Given ones stay, whatever the venue
    /// says of them: who gave them does not want others.
    mutating func login() async throws(ClobFailure) -> AccountCredentials {
        if let credentials { return credentials }
        if let given {
            self.credentials = given.credentials
            return given.credentials
        }
        do throws(SecretFile.Problem) {
            if !self.hasForgotten, let kept = try self.store.read() {
                self.credentials = kept
                return kept
            }
        } catch { self.tell("\(self.store.path) cannot be used and is made anew: \(error.reason)") }
        let (credentials, text) = try await self.clob.makeCredentials(now: .now())
        do throws(SystemError) { try self.store.write(text) } catch {
            self.tell("the credentials cannot be kept: \(error)")
        }
        self.credentials = credentials
        return credentials
    }
}
