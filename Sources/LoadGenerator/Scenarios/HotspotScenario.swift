/// A flash crowd: steady load, then a share of all requests on one key, then steady load again.
public struct HotspotScenario: Sendable {
    /// The load without the crowd.
    public var settings: LoadSettings
    /// Share of the requests that the crowd's key receives, above 0 and below 1.
    public var share = 0.6
    /// Seconds before, during and after the crowd.
    public var seconds = (before: 5.0, during: 10.0, after: 5.0)

    /// A crowd on top of `settings`.
    public init(_ settings: LoadSettings) {
        self.settings = settings
    }

    /// Runs the three phases on the same connections; one result per phase.
    public func run(
        onProgress: (ProgressSnapshot) -> Void
    ) throws(LoadError) -> LoadRun.Outcome {
        guard share > 0, share < 1 else {
            throw .contradiction("--share must be above 0 and below 100 %")
        }
        var crowded = settings
        crowded.crowdShare = share
        let phases = [
            LoadPhase(
                name: "before", settings: settings, length: .seconds(seconds.before),
                isReported: true),
            LoadPhase(
                name: "during", settings: crowded, length: .seconds(seconds.during),
                isReported: true),
            LoadPhase(
                name: "after", settings: settings, length: .seconds(seconds.after),
                isReported: true),
        ]
        return try LoadRun(settings, phases: phases).run(onProgress: onProgress)
    }
}
