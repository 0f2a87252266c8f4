import Primitives
import Testing

@Suite struct ClassicCommandTests {
    @Test func retrievalAnswersHitsInOrder() {
        ConversationScript(
            #"""
            > get a
            END
            > set a 7 0 3\r\nabc
            STORED
            > get a
            VALUE a 7 3
            abc
            END
            > set b 4294967295 0 0\r\n
            STORED
            > gets b nothing a
            VALUE b 4294967295 0 2

            VALUE a 7 3 1
            abc
            END
            > get a a
            VALUE a 7 3
            abc
            VALUE a 7 3
            abc
            END
            """#
        ).run()
    }

    @Test func storageCommandsJudgeWhatIsThere() {
        ConversationScript(
            #"""
            > replace a 0 0 1\r\n1
            NOT_STORED
            > append a 0 0 1\r\n1
            NOT_STORED
            > prepend a 0 0 1\r\n1
            NOT_STORED
            > add a 1 0 1\r\n1
            STORED
            > add a 2 0 1\r\n2
            NOT_STORED
            > replace a 3 0 1\r\n3
            STORED
            > append a 9 9 2\r\n45
            STORED
            > prepend a 9 9 2\r\n12
            STORED
            > append a 0 0 0\r\n
            STORED
            # Flags and time to live of the old value stay.
            > gets a
            VALUE a 3 5 5
            12345
            END
            > mg a t
            HD t-1
            """#
        ).run()
    }

    @Test func casStoresOverTheSameVersionOnly() {
        ConversationScript(
            #"""
            > cas a 0 0 1 1\r\nx
            NOT_FOUND
            > cas a 0 0 1 0\r\nx
            NOT_FOUND
            > set a 0 0 1\r\n1
            STORED
            > cas a 0 0 1 2\r\nx
            EXISTS
            > cas a 0 0 1 0\r\nx
            EXISTS
            > cas a 5 0 1 1\r\n2
            STORED
            > cas a 5 0 1 1\r\n3
            EXISTS
            > gets a
            VALUE a 5 1 2
            2
            END
            # A new time to live does not void a client's CAS.
            > touch a 100
            TOUCHED
            > gats 50 a
            VALUE a 5 1 2
            2
            END
            > cas a 5 0 1 2\r\n4
            STORED
            """#
        ).run()
    }

    @Test func countingWrapsFloorsAndKeepsItsWidth() {
        ConversationScript(
            #"""
            > incr a 1
            NOT_FOUND
            > decr a 1
            NOT_FOUND
            > set a 5 0 2\r\n99
            STORED
            > incr a 1
            100
            > decr a 95
            5
            > get a
            VALUE a 5 3
            5  
            END
            > decr a 6
            0
            > set a 0 0 20\r\n18446744073709551615
            STORED
            > incr a 2
            1
            > get a
            VALUE a 0 20
            1                   
            END
            """#
        ).run()
    }

    @Test(arguments: [
        (" 12", "13"), ("12 ", "13"), ("12 x", "13"), ("+12", "13"), ("0012", "13"),
        ("12\0ab", "13"),
        ("\t\n 12", "13"), ("-0", "1"), ("-18446744073709551615", "2"),
        ("000000000000000000000000000000000012", "13"), ("18446744073709551615", "0"),
    ])
    func numbersAreReadAsMemcachedReadsThem(value: String, sum: String) {
        let harness = ShardHarness()
        #expect(harness.run("set a 0 0 \(value.utf8.count)\r\n\(value)\r\n") == "STORED\r\n")
        #expect(harness.run("incr a 1\r\n") == sum + "\r\n")
    }

    @Test(arguments: [
        "", " ", "x", "12x", "-12", "-", "+", "+-1", "18446744073709551616", "1e3", "\0",
    ])
    func otherValuesAreNoNumbers(value: String) {
        let harness = ShardHarness()
        let error = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
        #expect(harness.run("set a 0 0 \(value.utf8.count)\r\n\(value)\r\n") == "STORED\r\n")
        #expect(harness.run("incr a 1\r\n") == error)
        #expect(harness.run("decr a 1\r\n") == error)
        #expect(harness.run("ma a\r\n") == error)
    }

    @Test func touchAndDelete() {
        ConversationScript(
            #"""
            > touch a 10
            NOT_FOUND
            > delete a
            NOT_FOUND
            > set a 0 0 1\r\n1
            STORED
            > touch a 10
            TOUCHED
            > mg a t
            HD t10
            > touch a 0
            TOUCHED
            > mg a t
            HD t-1
            > delete a
            DELETED
            > get a
            END
            > gat 10 a b
            END
            > set a 0 0 1\r\n1
            STORED
            > gat 10 a b
            VALUE a 0 1
            1
            END
            > mg a t
            HD t10
            """#
        ).run()
    }

    @Test func noreplySilencesEverything() {
        ConversationScript(
            #"""
            > set a 0 0 1 noreply\r\n1
            > add a 0 0 1 noreply\r\n2
            > add b 0 0 1 noreply\r\nx
            > append c 0 0 1 noreply\r\n2
            > cas a 0 0 1 99 noreply\r\n2
            > incr a 4 noreply
            > incr b 1 noreply
            > incr c 1 noreply
            > touch a 0 noreply
            > touch c 0 noreply
            > delete b noreply
            > delete c noreply
            > get a b c
            VALUE a 0 1
            5
            END
            """#
        ).run()
    }

    @Test func itemsExpireExactly() {
        ConversationScript(
            #"""
            > set a 0 2 1\r\n1
            STORED
            > set never 0 0 1\r\n1
            STORED
            + 1.9
            > get a
            VALUE a 0 1
            1
            END
            > mg a t
            HD t1
            + 0.1
            > get a
            END
            > touch a 10
            NOT_FOUND
            > incr a 1
            NOT_FOUND
            > replace a 0 0 1\r\n1
            NOT_STORED
            > delete a
            NOT_FOUND
            > add a 0 2592000 1\r\n1
            STORED
            > mg a t
            HD t2592000
            + 2592000
            > get a never
            VALUE never 0 1
            1
            END
            """#
        ).run()
    }

    @Test func expiryTimesAboveThirtyDaysAreDates() {
        let harness = ShardHarness()
        let date = harness.now.unixSeconds + 50
        #expect(harness.run("set a 0 \(date) 1\r\n1\r\n") == "STORED\r\n")
        #expect(harness.run("mg a t\r\n") == "HD t50\r\n")
        // A step of the wall clock afterwards changes nothing.
        harness.now.unixSeconds += 1_000
        #expect(harness.run("mg a t\r\n") == "HD t50\r\n")
        #expect(harness.run("set b 0 \(date) 1\r\n1\r\nget b\r\n") == "STORED\r\nEND\r\n")
        #expect(harness.run("set c 0 2592001 1\r\n1\r\nget c\r\n") == "STORED\r\nEND\r\n")
    }

    @Test func negativeExpiryTimesEndAtOnce() {
        ConversationScript(
            #"""
            > set a 0 0 1\r\n1
            STORED
            > set a 0 -1 1\r\n2
            STORED
            > get a
            END
            > add a 0 -5 1\r\n2
            STORED
            > add a 0 0 1\r\n2
            STORED
            > touch a -1
            TOUCHED
            > get a
            END
            > set a 0 0 1\r\n1
            STORED
            > gat -1 a
            VALUE a 0 1
            1
            END
            > get a
            END
            """#
        ).run()
    }

    @Test func flushEndsEverythingStoredBefore() {
        ConversationScript(
            #"""
            > set a 0 0 1\r\n1
            STORED
            > set b 0 0 1\r\n1
            STORED
            > flush_all
            OK
            > get a b
            END
            > append a 0 0 1\r\n2
            NOT_STORED
            > add a 0 0 1\r\n2
            STORED
            > get a b
            VALUE a 0 1
            2
            END
            """#
        ).run()
    }

    @Test func stubsAreMissesToClassicCommands() {
        let commands = [
            ("get s", "END"), ("gets s", "END"), ("gat 9 s", "END"), ("touch s 9", "NOT_FOUND"),
            ("incr s 1", "NOT_FOUND"), ("decr s 1", "NOT_FOUND"), ("delete s", "NOT_FOUND"),
            ("replace s 0 0 1\r\nx", "NOT_STORED"), ("append s 0 0 1\r\nx", "NOT_STORED"),
            ("prepend s 0 0 1\r\nx", "NOT_STORED"), ("cas s 0 0 1 1\r\nx", "NOT_FOUND"),
            ("add s 0 0 1\r\nx", "STORED"), ("set s 0 0 1\r\nx", "STORED"),
        ]
        for (command, expected) in commands {
            let harness = ShardHarness()
            #expect(harness.run("mg s N30\r\n") == "HD W\r\n")
            #expect(harness.run(command + "\r\n") == expected + "\r\n", "\(command)")
            // What was written, and what was deleted, is a stub no more, and the old token is void.
            let stays = expected != "STORED" && !command.hasPrefix("delete")
            let filled = harness.run("ms s 2 C1\r\nhi\r\n")
            let refused = command.hasPrefix("delete") ? "NF\r\n" : "EX\r\n"
            #expect(filled == (stays ? "HD\r\n" : refused), "\(command)")
        }
    }
}
