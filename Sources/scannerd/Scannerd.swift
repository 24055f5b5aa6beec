@main
struct Scannerd {
    static func main() {}
}
