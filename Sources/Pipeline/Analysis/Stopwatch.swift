/// The seconds of each stage of an analysis.
struct Stopwatch {
    private(set) var laps: [Analyzer.Stage: Double] = [:]
    private var start = ContinuousClock.now
    private let networks: NetworkClock
    private var networkStart: Double

    /// - Parameter networks: what tells the time of networks from the rest.
    init(networks: NetworkClock = NetworkClock()) {
        self.networks = networks
        networkStart = networks.seconds
    }

    /// Counts the time since the last lap for a stage.
    /// - Parameter network: the stage that the part of it counts for during which networks ran.
    mutating func lap(_ stage: Analyzer.Stage, network: Analyzer.Stage? = nil) {
        let now = ContinuousClock.now
        let networkNow = networks.seconds
        var time = (now - start).seconds
        if let network {
            let running = min(networkNow - networkStart, time)
            laps[network, default: 0] += running
            time -= running
        }
        laps[stage, default: 0] += time
        start = now
        networkStart = networkNow
    }
}
