import ArgumentParser

@main
struct Convert: ParsableCommand {}
