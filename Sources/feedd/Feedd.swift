@main
struct Feedd {
    static func main() {}
}
