import DaemonKit
import Logging
import Shared

/// The one way to the engine, and the journal of what goes through it.
extension StrategyService {
    /// Lets the engine take in what happened, and performs what it asks for.
    ///
    /// - Parameter frame: the body of the feed's frame that told it, where one did.
    @discardableResult
    func take(
        _ input: EngineInput, frame: UnsafeBufferPointer<UInt8>? = nil, now: Moment
    ) -> [EngineAction] {
        let actions = self.decide(input, frame: frame, now: now)
        self.perform(actions, now: now)
        return actions
    }

    /// Lets the engine take in what happened, and keeps that with what it asks for.
    func decide(
        _ input: EngineInput, frame: UnsafeBufferPointer<UInt8>? = nil, now: Moment
    ) -> [EngineAction] {
        let actions = self.engine.apply(input, now: now)
        self.inputJournal?.note(input, frame: frame, actions, now: now)
        return actions
    }

    /// How the input journal fares; said once when it loses lines, and once when it keeps them again.
    func addInputJournal(to counters: inout [String: Int64]) {
        guard let status = self.inputJournal?.file.status else { return }
        counters["journal_lines"] = status.lineCount
        counters["journal_bytes"] = status.byteCount
        counters["journal_line_bytes"] = status.lineByteCount
        counters["journal_dropped"] = status.droppedCount
        switch self.inputJournalWatch.note(status) {
        case .lost(let reason):
            self.logger.error(
                "The input journal loses lines", metadata: ["reason": "\(reason)", "lines": "\(status.droppedCount)"])
        case .kept(let count):
            self.logger.notice("The input journal keeps lines again", metadata: ["lines": "\(count)"])
        case nil: break
        }
        counters["journal_down"] = self.inputJournalWatch.isDown ? 1 : 0
    }
}
