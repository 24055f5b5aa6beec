import DaemonKit
import Logging
import Shared

/// How many of the venue's hashes are compared.
extension FeedService {
    /// Said once when some are left out, and once when all are compared again.
    func addHashShare(_ books: BookBuilder.Counters, to counters: inout [String: Int64]) {
        let change = self.hashShare.note(checked: books.checked, leftOut: books.leftOut)
        counters["hashes_permille"] = self.hashShare.permille
        switch change {
        case .fell:
            self.logger.warning(
                "Not every hash is compared",
                metadata: [
                    "permille": "\(self.hashShare.permille)",
                    "budget_percent": "\(self.context.configuration.feed.hashBudgetPercent)",
                ])
        case .whole: self.logger.notice("Every hash is compared again")
        case nil: break
        }
    }
}
