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
            if let closed = strategy["closed"] {
                text += "  shut now: \(closed["code"]?.string ?? "")  \(closed["detail"]?.string ?? "")\n"
            }
        }
        return text
    }
}
