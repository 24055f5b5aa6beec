@main
struct Polybot {
    static func main() {}
}
