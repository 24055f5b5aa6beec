@main
struct Stratd {
    static func main() {}
}
