import DaemonKit

@main
struct Stratd {
    static func main() {
        Daemon.main("stratd") { context in try StrategyService(context) }
    }
}
