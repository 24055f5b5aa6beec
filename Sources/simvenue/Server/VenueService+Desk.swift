import Shared

/// The engine of the core, as the desk reaches it. What happens on the market channel goes to the service's subscribers.
struct ServedEngine: EngineAccess {
    let service: VenueService

    var engine: MatchingEngine {
        guard let engine = self.service.core.engine else {
            preconditionFailure("the desk was asked for something although there is no engine")
        }
        return engine
    }

    func handle(_ request: EngineRequest, at time: Timestamp) -> [EngineEvent] {
        self.service.handle(request, at: time.microseconds / 1_000)
    }
}

/// What traders ask for.
extension VenueService {
    /// - Returns: `nil` when it is no matter of the desk.
    func answerTrader(_ request: PageRequest, at time: Int64) -> Answer? {
        let isTruth = request.method == "GET" && request.path == ["truth", "account"]
        guard isTruth || DeskRoute(request) != nil else { return nil }
        // A recording has no engine.
        guard self.core.engine != nil else { return .refusal(.disabled) }
        let engine = ServedEngine(service: self)
        if isTruth { return self.desk.truth(request, engine.engine) }
        return self.withDesk(at: time) { $0.answer(request, at: Timestamp(milliseconds: time), engine: &$1) }
    }

    func perform(_ fault: DeskFault, at time: Int64) throws(FaultProblem) {
        guard self.core.engine != nil else { throw FaultProblem("a recording has no engine") }
        let problem = self.withDesk(at: time) { desk, engine -> FaultProblem? in
            do throws(FaultProblem) {
                try desk.perform(fault, at: Timestamp(milliseconds: time), engine: &engine)
                return nil
            } catch {
                return error
            }
        }
        if let problem { throw problem }
    }

    func healDesk(at time: Int64) {
        guard self.core.engine != nil else { return }
        self.withDesk(at: time) { $0.heal(at: Timestamp(milliseconds: time), engine: &$1) }
    }

    /// Lets the desk do something, and tells everybody what came of it before anybody gets an answer.
    private func withDesk<Result>(at time: Int64, _ body: (inout Desk, inout ServedEngine) -> Result) -> Result {
        var engine = ServedEngine(service: self)
        self.startBatch()
        let result = body(&self.desk, &engine)
        self.noteAccountEvents()
        self.publish(at: time)
        self.reschedule()
        return result
    }

    /// Does what the desk has to do by itself until `time`, and has it hear of what happened to its accounts.
    func advanceDesk(to time: Int64) {
        self.noteAccountEvents()
        guard let next = self.deskTime, next <= time, self.core.engine != nil else { return }
        var engine = ServedEngine(service: self)
        self.desk.advance(to: Timestamp(milliseconds: time), engine: &engine)
        self.noteAccountEvents()
    }

    /// Milliseconds UTC of the next thing that the desk will do by itself, rounded up.
    var deskTime: Int64? { self.desk.nextTime.map { ($0.microseconds + 999) / 1_000 } }
}
