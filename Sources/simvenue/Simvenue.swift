@main
struct Simvenue {
    static func main() {}
}
