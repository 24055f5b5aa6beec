/// What stratd answers to `explain`, for people.
public enum Explanation {
    public static func text(_ answer: JSONValue) -> String {
        var text = "\(answer["market"]?.string ?? "")\n"
        let book = answer["trusted"]?.bool == true ? "trusted" : "not trusted"
        let settled = answer["settled"]?.bool == true ? "settled" : "not settled"
        text += "book      \(book), \(settled)\norders    \(answer["open_orders"]?.integer ?? 0) open\n"
        for strategy in answer["strategies"]?.array ?? [] {
            text += "\(strategy["strategy"]?.string ?? "")\n"
            if let time = strategy["time"]?.integer {
                let at = Timestamp(microseconds: time)
                text +=
                    "  decided \(strategy["action"]?.string ?? "") at \(at.rfc3339), update \(strategy["update"]?.integer ?? 0)\n"
            } else {
                text += "  has not looked yet\n"
            }
            for reason in strategy["reasons"]?.array ?? [] {
                text +=
                    "    \(reason["gate"]?.string ?? ""): \(reason["code"]?.string ?? "")  \(reason["detail"]?.string ?? "")\n"
            }
            text += Self.limits(strategy["limits"], indent: "  ")
            for wish in strategy["wants"]?.array ?? [] {
                let outcome = wish["outcome"]?.integer == 0 ? "first" : "second"
                let state =
                    switch wish["state"]?.string {
                    case "rests": "rests"
                    case "waits": "waits until another order is gone"
                    default: "is still to be placed"
                    }
                text +=
                    "  wants \(wish["side"]?.string ?? "") \(outcome), \(wish["size"]?.string ?? "") at \(wish["price"]?.string ?? ""): \(state)\n"
                text += Self.limits(wish["limits"], indent: "    ")
            }
        }
        return text
    }

    private static func limits(_ limits: JSONValue?, indent: String) -> String {
        var text = ""
        for limit in limits?.array ?? [] {
            let word = limit["kept"]?.bool == true ? "passed" : "shut now"
            let detail = limit["detail"]?.string ?? ""
            text += "\(indent)\(word): \(limit["code"]?.string ?? "")\(detail.isEmpty ? "" : "  " + detail)\n"
        }
        return text
    }
}
