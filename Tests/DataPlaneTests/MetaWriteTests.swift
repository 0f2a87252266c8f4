import Testing

@Suite struct MetaWriteTests {
    @Test func setHasFiveModes() {
        ConversationScript(
            #"""
            > ms a 1 MR\r\n0
            NS
            > ms a 1 ME F1\r\n1
            HD
            > ms a 1 ME\r\n2
            NS
            > ms a 1 MA F9 T1000\r\n2
            HD
            > ms a 1 MP\r\n0
            HD
            > mg a v f t
            VA 3 f1 t-1
            012
            > ms a 1 MR F2\r\n3
            HD
            > ms a 1 MS F3\r\n4
            HD
            > mg a v f
            VA 1 f3
            4
            > ms a 1 MX\r\n4
            CLIENT_ERROR invalid mode for ms M token
            """#
        ).run()
    }

    @Test func appendCreatesOnlyWithVivify() {
        ConversationScript(
            #"""
            > ms a 1 MA\r\n1
            NS
            > ms a 1 MP T30\r\n1
            NS
            > ms a 1 MA N90 T10 F8\r\n1
            HD
            > mg a v t f
            VA 1 t90 f8
            1
            > ms a 2 MP N5 F1\r\n23
            HD
            > mg a v t f
            VA 3 t90 f8
            231
            """#
        ).run()
    }

    @Test func setComparesCAS() {
        ConversationScript(
            #"""
            > ms a 1 C1\r\n1
            NF
            > ms a 1 MR C1\r\n1
            NF
            # Add ignores the CAS, append ignores one of 0.
            > ms a 1 ME C5\r\n1
            HD
            > ms a 1 C2\r\n1
            EX
            > ms a 1 C0\r\n1
            EX
            > ms a 1 MR C2\r\n1
            EX
            > ms a 1 MA C2\r\n1
            EX
            > ms a 1 MA C0\r\n2
            HD
            > ms a 1 MA C2 c\r\n3
            HD c3
            > ms a 1 MR C3 c\r\n4
            HD c4
            > ms a 1 I\r\n5
            HD
            > mg a v
            VA 1
            5
            """#
        ).run()
    }

    @Test func setAnswersItsFlagsInOrder() {
        ConversationScript(
            #"""
            > ms a 2 c k Oabc s\r\nhi
            HD c1 ka Oabc s2
            > ms a 2 Oabc s c k b\r\nhi
            CLIENT_ERROR error decoding key
            > ms a 3 MA s c\r\n345
            HD s5 c2
            > ms a 1 ME c s k O1\r\nx
            NS c0 s1 ka O1
            > ms a 1 C9 c k O1\r\nx
            EX c0 ka O1
            > ms z 1 C9 k O1\r\nx
            NF kz O1
            """#
        ).run()
    }

    @Test func quietHidesSuccessOnly() {
        ConversationScript(
            #"""
            > ms a 2 q k O1\r\nhi
            > ms a 2 ME q k O1\r\nhi
            NS ka O1
            > ms a 2 C9 q\r\nhi
            EX
            > ms z 2 C9 q\r\nhi
            NF
            > md z q k
            NF kz
            > md a C9 q O1
            EX O1
            > md a I q
            > md a q
            > mg a q
            > ma z q
            NF
            # As in memcached, a number that is created is told of.
            > ma z N0 q
            HD
            > ma z q
            > ma z C1 q k
            EX kz
            > ma z v q
            """#
        ).run()
    }

    @Test func deleteTakesConditionsAndEchoes() {
        ConversationScript(
            #"""
            > md a
            NF
            > md a k O1
            NF ka O1
            > ms a 2\r\nhi
            HD
            > md a C2
            EX
            > md a C0 k
            EX ka
            > md a C1 O1 k
            HD O1 ka
            > mg a
            EN
            # T alone means nothing; with I it is the time a stale value may be served.
            > ms a 2 T60\r\nhi
            HD
            > md a I
            HD
            > mg a t
            HD t60 X W
            > md a I T5
            HD
            > mg a t
            HD t5 X W
            > md a I T-1
            HD
            > mg a
            EN
            """#
        ).run()
    }

    @Test func deleteCanTakeTheValueOnly() {
        ConversationScript(
            #"""
            > md a x
            NF
            > ms a 2 F5 T60\r\nhi
            HD
            > md a x
            HD
            # Flags and time to live go, the CAS stays.
            > mg a v f t c
            VA 0 f0 t-1 c1

            > get a
            VALUE a 0 0

            END
            > ms a 2 C1\r\nv2
            HD
            > md a x I T30 q
            > mg a v f t c
            VA 0 f0 t30 c4 X W

            > md a x E50
            HD
            > mg a v c
            VA 0 c50

            """#
        ).run()
    }

    @Test func arithmeticCountsBothWays() {
        ConversationScript(
            #"""
            > ma n
            NF
            > ma n k O1
            NF kn O1
            > ma n N0 J13 v t c k Oq
            VA 2 t-1 c1 kn Oq
            13
            > ma n v t
            VA 2 t-1
            14
            > ma n D10 MD v
            VA 1
            4
            > ma n D10 M- v
            VA 1
            0
            > ma n D5 MI v
            VA 1
            5
            > ma n D5 M+
            HD
            > ma n MX
            CLIENT_ERROR invalid mode for ma M token
            > mg n v
            VA 2
            10
            > ma n C1
            EX
            > ma n C6 v c
            VA 2 c7
            11
            > ma n C0 T30 t
            HD t30
            > ma n t T60
            HD t30
            > mg n t
            HD t60
            > ma n T-1 v
            VA 2
            14
            > mg n
            EN
            > ma n2 t N30 J5 v
            VA 1 t-1
            5
            > mg n2 t
            HD t30
            > ma n3 N30 T50 t
            HD t50
            """#
        ).run()
    }

    @Test func countingInPlaceKeepsTheLeaseStateAndGrowingEndsIt() {
        ConversationScript(
            #"""
            > ms n 1 F4 T60\r\n8
            HD
            > md n I
            HD
            > mg n
            HD X W
            > ma n v
            VA 1
            9
            > mg n f t
            HD f4 t60 Z X
            > incr n 1
            10
            > mg n f t
            HD f4 t60
            """#
        ).run()
    }
}
