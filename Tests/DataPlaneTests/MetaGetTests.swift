import Testing

@Suite struct MetaGetTests {
    @Test func flagsAreAnsweredInRequestOrder() {
        ConversationScript(
            #"""
            > ms a 2 F7 T30\r\nhi
            HD
            > mg a
            HD
            > mg a v
            VA 2
            hi
            > mg a f c t s k Oxyz v
            VA 2 f7 c1 t30 s2 ka Oxyz
            hi
            > mg a Oxyz k s t c f
            HD Oxyz ka s2 t30 c1 f7
            > mg a O
            HD O
            # Hints for proxies mean nothing here.
            > mg a Pabc L9 s
            HD s2
            > ms empty 0\r\n
            HD
            > mg empty v s
            VA 0 s0

            """#
        ).run()
    }

    @Test func missesAnswerKeyAndOpaqueOnly() {
        ConversationScript(
            #"""
            > mg a
            EN
            > mg a v k O1 t s f c
            EN ka O1
            > mg Zm9v b k
            EN kZm9v b
            > mg a q
            > mg a q k O1 v
            > ms a 1\r\n1
            HD
            # Quiet hides misses only.
            > mg a q
            HD
            > mg a q v k
            VA 1 ka
            1
            """#
        ).run()
    }

    @Test func timeToLiveIsSetAndShownInOrder() {
        ConversationScript(
            #"""
            > ms a 1\r\n1
            HD
            > mg a t T30
            HD t-1
            > mg a T90 t
            HD t90
            + 30.5
            > mg a t
            HD t60
            > mg a T0 t
            HD t-1
            > mg a T-1
            HD
            > mg a
            EN
            > mg a T30
            EN
            """#
        ).run()
    }

    @Test func hitAndLastAccessAreThoseBeforeTheCommand() {
        ConversationScript(
            #"""
            > ms a 1\r\n1
            HD
            > mg a u h l
            HD h0 l0
            > mg a u h
            HD h0
            + 70
            > mg a h l
            HD h0 l70
            > mg a h l
            HD h1 l0
            # A number that changes in place stays the same item, one that grows does not.
            > incr a 1
            2
            > mg a h u
            HD h1
            > incr a 10
            12
            > mg a h u
            HD h0
            # So is every write.
            > get a
            VALUE a 0 2
            12
            END
            > ms a 2\r\n34
            HD
            > mg a h u
            HD h0
            """#
        ).run()
    }

    @Test func oneClientWinsTheRightToFill() {
        ConversationScript(
            #"""
            > mg s N30 v t s c k
            VA 0 t30 s0 c1 ks W

            > mg s N30 v t
            VA 0 t30 Z

            > mg s
            HD Z
            > mg s h
            HD h1 Z
            > ms s 2 C9\r\nhi
            EX
            > ms s 2 C1 T60\r\nhi
            HD
            > mg s N30 v t
            VA 2 t60
            hi
            # The right ends with the stub.
            > mg s2 N10
            HD W
            + 10
            > mg s2
            EN
            > mg s2 N10
            HD W
            > md s2
            HD
            > mg s2 N10
            HD W
            # Order of T and N decides, as it does in memcached.
            > mg s3 N30 T50 t
            HD t50 W
            > mg s4 T50 N30 t
            HD t30 W
            > mg s5 N-1 c
            HD c8 W
            > mg s5 N30 q
            HD W
            """#
        ).run()
    }

    @Test func stubsAreItemsToMetaCommands() {
        ConversationScript(
            #"""
            > mg s1 N30
            HD W
            > ms s1 1 ME\r\n1
            NS
            > ma s1
            CLIENT_ERROR cannot increment or decrement non-numeric value
            > ms s1 1 MA\r\n1
            HD
            > mg s1 v t
            VA 1 t30
            1
            > get s1
            VALUE s1 0 1
            1
            END
            > mg s2 N30
            HD W
            > ms s2 1 MR\r\n1
            HD
            > mg s2 v t
            VA 1 t-1
            1
            > mg s3 N30
            HD W
            > md s3 I
            HD
            > get s3
            END
            > mg s3 v
            VA 0 X W

            > mg s3 v
            VA 0 Z X

            """#
        ).run()
    }

    @Test func staleItemsAreServedWhileOneClientRefreshes() {
        ConversationScript(
            #"""
            > ms a 2\r\nv1
            HD
            > md a I T30
            HD
            > mg a c v t
            VA 2 c2 t30 X W
            v1
            > mg a c v t
            VA 2 c2 t30 Z X
            v1
            # Classic readers see the value.
            > gets a
            VALUE a 0 2 2
            v1
            END
            # The writer's read was before the invalidation: its value is stored and stays stale.
            > ms a 2 C1 I T90 c\r\nv2
            HD c3
            > mg a c v t
            VA 2 c3 t30 Z X
            v2
            > ms a 2 C1\r\nv3
            EX
            > ms a 2 C99 I\r\nv3
            EX
            > ms a 2 C3 I\r\nv4
            HD
            > mg a c v t
            VA 2 c4 t-1
            v4
            > md a I
            HD
            > ms a 2 C4 I\r\nv5
            HD
            # Nobody had won: the next reader does.
            > mg a v
            VA 2 X W
            v5
            > ms a 2 C0 I\r\nv6
            EX
            """#
        ).run()
    }

    @Test func itemsNearTheirEndAreRefreshedByOneClient() {
        ConversationScript(
            #"""
            > ms a 2 T60\r\nhi
            HD
            > mg a R30
            HD
            > mg a R60
            HD
            > mg a R61
            HD W
            > mg a R61
            HD Z
            > mg a
            HD Z
            > ms a 2 T60\r\nhi
            HD
            > mg a T20 R30
            HD W
            > ms a 2 T60\r\nhi
            HD
            > mg a R30 T20
            HD
            > mg a R0
            HD
            > mg a R-1
            HD
            # An item without an end is never near it.
            > ms b 2\r\nhi
            HD
            > mg b R2592000
            HD
            # A win is not a change of the value.
            > mg a R30 c
            HD c3 W
            > gets a
            VALUE a 0 2 3
            hi
            END
            """#
        ).run()
    }

    @Test func binaryKeysAreAnsweredAsTheyWereStored() {
        ConversationScript(
            #"""
            > ms Zm9v 2 b k F3\r\nhi
            HD kZm9v b
            > mg foo v k
            VA 2 kZm9v b
            hi
            > mg Zm9v b k v f
            VA 2 kZm9v b f3
            hi
            > get foo
            VALUE foo 3 2
            hi
            END
            > me foo
            ME Zm9v exp=-1 la=0 cas=1 fetch=yes cls=1 size=68
            > ms foo2 1\r\n1
            HD
            > mg Zm9vMg== b k
            HD kfoo2
            # A key that was not stored in base64 and can't be sent as it is: "a b".
            > mg YSBi b N30 k
            HD kYSBi b W
            > md YSBi b k
            HD kYSBi b
            """#
        ).run()
    }

    @Test func aChosenCASIsWhatClientsSeeAndCompare() {
        ConversationScript(
            #"""
            > ms a 1 E1000 c\r\n1
            HD c1000
            > gets a
            VALUE a 0 1 1000
            1
            END
            > cas a 0 0 1 1\r\n2
            EXISTS
            > ms a 1 C1000 E2000\r\n2
            HD
            > mg a c
            HD c2000
            > touch a 60
            TOUCHED
            > mg a c
            HD c2000
            > md a I E3000
            HD
            > mg a c
            HD c3000 X W
            > ms a 1 C2999 I E4000 c\r\n3
            HD c4000
            > mg a c
            HD c4000 Z X
            > cas a 0 0 1 4000\r\n4
            STORED
            > gets a
            VALUE a 0 1 5
            4
            END
            > mg n N0 E77 c
            HD c77 W
            > ma m N0 E88 c
            HD c88
            > ma m E99 c
            HD c99
            > ma m c
            HD c9
            > append a 0 0 1\r\n4
            STORED
            > ms a 1 MA E5000 c\r\n4
            HD c5000
            """#
        ).run()
    }

    @Test func debugShowsOneLine() {
        ConversationScript(
            #"""
            > me a
            EN
            > ms a 1\r\n1
            HD
            > me a
            ME a exp=-1 la=0 cas=1 fetch=no cls=1 size=61
            > set e 5 60 2\r\nhi
            STORED
            + 10
            > me e
            ME e exp=-50 la=10 cas=2 fetch=no cls=1 size=66
            > get a
            VALUE a 0 1
            1
            END
            > me a
            ME a exp=-1 la=10 cas=1 fetch=yes cls=1 size=61
            """#
        ).run()
    }
}
