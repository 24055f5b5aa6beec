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

    /// Reads how far the Data API is behind, then all pages.
    func read() async -> PositionWatch.Event {
        // A delay that is not told is taken for the usual one.
        let status = await self.get(DataStatus.path, nil)
        let behind = (try? status.get()).flatMap { DataStatus($0)?.behind } ?? .zero
        var positions = DataPositions(wallet: self.wallet)
        while true {
            switch await self.get(positions.path, DataPositions.memberNames) {
            case .failure(let problem): return .failed(reason: problem.reason)
            case .success(let page):
                do throws(DataPositions.Fault) {
                    if try positions.take(page) { return .read(positions, behind: behind) }
                } catch { return .failed(reason: "\(error)") }
            }
        }
    }

    private func get(_ path: String, _ names: MemberNames?) async -> Result<JSONValue, Problem> {
        do throws(VenueReader.Failure) {
            let answer = try await self.reader.get(path, keeping: names, attemptCountMax: Self.attemptCountMax)
            guard case .value(let value) = answer else { return .failure(Problem(reason: "answered with status 404")) }
            return .success(value)
        } catch { return .failure(Problem(reason: "\(error)")) }
    }
}
