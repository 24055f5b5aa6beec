import DaemonKit
import Glibc
import Shared
import Synchronization

/// The venue's listing, read without any daemon.
struct MarketListing {
    private let venue: Configuration.Venue

    init(_ venue: Configuration.Venue) { self.venue = venue }

    /// All pages, judged by `filter`.
    ///
    /// - Throws: code 69 when the venue cannot be read.
    func read(_ filter: MarketFilter) throws(DaemonExit) -> Listing {
        let venue = self.venue
        return try WaitedRequests.run(self.venue) { client, loop throws(DaemonExit) in
            var listing = Listing(for: Universe(filter: filter), now: .now())
            do {
                let gamma = GammaClient(
                    client: client, baseURL: venue.gammaURL, loop: loop, seed: UInt64.random(in: .min ... .max))
                try await gamma.readAll(into: &listing)
            } catch {
                throw DaemonExit(.unreachable, "The listing at \(venue.gammaURL) cannot be read: \(error).")
            }
            return listing
        }
    }

    /// Whether `text` may be a slug: everything else would have a meaning in an address.
    static func isSlug(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// The market of that slug as the venue lists it; `nil` when it lists none.
    ///
    /// - Throws: code 69 when the venue cannot be read.
    func market(slug: String) throws(DaemonExit) -> JSONValue? {
        try self.get("/markets/slug/\(slug)")
    }

    /// The market of that condition; `nil` when none that is open is listed.
    ///
    /// - Throws: code 69 when the venue cannot be read.
    func market(_ condition: ConditionID) throws(DaemonExit) -> JSONValue? {
        // Filters that the venue does not know are passed over by it, so the answer is looked through.
        try self.get("/markets/keyset?limit=1&condition_ids=\(condition)")?["markets"]?.array?.first {
            $0["conditionId"]?.string.flatMap { ConditionID($0) } == condition
        }
    }

    /// What the order book service knows of a market; `nil` when it does not know it.
    ///
    /// - Throws: code 69 when the venue cannot be read.
    func terms(_ condition: ConditionID) throws(DaemonExit) -> JSONValue? {
        try self.get("/clob-markets/\(condition)", at: self.venue.clobURL)
    }

    /// The first page of the active markets.
    ///
    /// - Throws: code 69 when the venue cannot be read.
    func firstPage() throws(DaemonExit) -> [JSONValue] {
        let path = "/markets/keyset?limit=\(GammaClient.pageMarketCount)&active=true&closed=false"
        return try self.get(path)?["markets"]?.array ?? []
    }

    /// `nil` for what the venue does not have.
    private func get(_ path: String, at base: String? = nil) throws(DaemonExit) -> JSONValue? {
        let url = (base ?? self.venue.gammaURL) + path
        return try WaitedRequests.run(self.venue) { client, _ throws(DaemonExit) in
            let response: RESTResponse
            do {
                response = try await client.request(RESTRequest(url: url))
            } catch {
                throw DaemonExit(.unreachable, "\(url) cannot be read: \(error).")
            }
            if response.status == 404 { return nil }
            guard response.isSuccess, let value = try? JSONValue(parsing: response.body) else {
                throw DaemonExit(.unreachable, "\(url) answered with status \(response.status), not with a market.")
            }
            return value
        }
    }
}
