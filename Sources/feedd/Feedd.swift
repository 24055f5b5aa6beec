import DaemonKit

@main
struct Feedd {
    static func main() {
        Daemon.main("feedd", "keeps the order books of the watched markets and publishes them") { context in
            try FeedService(context)
        }
    }
}
