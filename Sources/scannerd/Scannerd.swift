import DaemonKit

@main
struct Scannerd {
    static func main() {
        Daemon.main("scannerd", "decides which markets are watched") { context in try ScanService(context) }
    }
}
