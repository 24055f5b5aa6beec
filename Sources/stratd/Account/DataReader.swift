import DaemonKit
import Shared

/// Asks the venue's Data API for a wallet's positions. Confined to its loop.
final class DataReader {
    /// The venue allows fifteen a second to all who share our address. Source: reference, 2.9.
    private static let requestsPerSecond: Int64 = 2
    /// A reading comes again by itself.
    private static let attemptCountMax = 2

    /// Of a first look, which others wait for.
    private static let lookTimeout = Duration.seconds(5)

    struct Problem: Error { let reason: String }

    private let reader: VenueReader
    private let wallet: String

    init(client: RESTClient, baseURL: String, wallet: String, loop: EventLoop) {
        self.wallet = wallet
        self.reader = VenueReader(
            client: client, baseURL: baseURL, requestsPerSecond: Self.requestsPerSecond, loop: loop,
            seed: UInt64.random(in: .min ... .max))
    }

    /// Reads the first page once.
    ///
    /// - Returns: how many positions stand there.
    static func look(_ client: RESTClient, baseURL: String, wallet: String) async -> Result<Int, Problem> {
        var positions = DataPositions(wallet: wallet)
        let response: RESTResponse
        do {
            response = try await client.request(
                RESTRequest(url: baseURL + positions.path, timeout: Self.lookTimeout))
        } catch { return .failure(Problem(reason: "\(error)")) }
        guard response.isSuccess else {
            return .failure(Problem(reason: "answered with status \(response.status)"))
        }
        do throws(JSONError) {
            let page = try JSONValue(parsing: response.body, keeping: DataPositions.memberNames)
            do throws(DataPositions.Fault) { _ = try positions.take(page) } catch {
                return .failure(Problem(reason: "\(error)"))
            }
        } catch { return .failure(Problem(reason: "\(error)")) }
        return .success(positions.holdings.count)
    }

    /// Reads all pages.
    func read() async -> PositionWatch.Event {
        var positions = DataPositions(wallet: self.wallet)
        while true {
            let answer: VenueReader.Answer
            do throws(VenueReader.Failure) {
                answer = try await self.reader.get(
                    positions.path, keeping: DataPositions.memberNames, attemptCountMax: Self.attemptCountMax)
            } catch { return .failed(reason: "\(error)") }
            guard case .value(let page) = answer else { return .failed(reason: "answered with status 404") }
            do throws(DataPositions.Fault) {
                if try positions.take(page) { return .read(positions) }
            } catch { return .failed(reason: "\(error)") }
        }
    }
}
