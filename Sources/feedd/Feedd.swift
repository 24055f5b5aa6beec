import DaemonKit

@main
struct Feedd {
    static func main() {
        Daemon.main("feedd") { context in try FeedService(context) }
    }
}
