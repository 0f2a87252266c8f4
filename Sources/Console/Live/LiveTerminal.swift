import Glibc

/// The terminal while the live screen has it: its own page, keys as they are pressed, no cursor.
///
/// Leaving puts everything back as it was, also when the process is told to end.
struct LiveTerminal: ~Copyable {
    private var before = termios()
    private let styled: Bool

    /// Takes standard input and output, which must be a terminal.
    init(styled: Bool) throws(ConsoleError) {
        self.styled = styled
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw .streamFailed(name: "the terminal", reason: systemText(errno))
        }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        raw.c_iflag &= ~tcflag_t(ICRNL | IXON)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        Self.blockSignals()
        // Its own page, no cursor (xterm's private modes 1049 and 25).
        try Terminal.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    deinit {
        _ = try? Terminal.write("\u{1B}[?25h\u{1B}[?1049l")
        var before = before
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    /// Columns and lines now; 80 by 24 where the terminal does not say.
    var size: (columns: Int, lines: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Draws `state` over what is there.
    func show(_ state: LiveState) throws(ConsoleError) {
        let (columns, lines) = size
        let drawn = LiveScreen(columns: columns, lines: lines, styled: styled).draw(state)
        let rows = drawn.map { "\($0)\u{1B}[K" }
        try Terminal.write("\u{1B}[H" + rows.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// The keys pressed within `milliseconds`; ends early with the first of them.
    func keys(within milliseconds: Int32) -> [LiveKey] {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, milliseconds) > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        // The end of the input is the end of the screen: nobody could leave it any more.
        return count <= 0 ? [.interrupt] : LiveKey.keys(in: Array(bytes[..<count]))
    }

    /// Whether a signal has asked the process to end.
    var wasToldToEnd: Bool {
        var set = Self.endSignals
        var now = timespec(tv_sec: 0, tv_nsec: 0)
        return sigtimedwait(&set, nil, &now) > 0
    }

    private static var endSignals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    private static func blockSignals() {
        var set = endSignals
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
