import DaemonKit

@main
struct Scannerd {
    static func main() {
        Daemon.main("scannerd") { context in try ScanService(context) }
    }
}
