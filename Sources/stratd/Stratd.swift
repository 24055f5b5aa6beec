import DaemonKit

@main
struct Stratd {
    static func main() {
        Daemon.main(
            "stratd", "runs the strategies: risk, orders, positions",
            commands: [
                CancelAll.command, Doctor.command, ExplainCommand.command, Export.command, ReplayCommand.command,
            ], readsSecrets: true
        ) {
            context in
            try StrategyService(context)
        }
    }
}
