#!/bin/sh
# Fuzzes the request parser for TIME seconds (60 unless set): libFuzzer with the address sanitizer.
#
# Swift's backtracer is off: it would take a trap away from libFuzzer and keep the process alive.
# New inputs go to WORK (a new temporary directory unless set), crashes too; the seeds stay as they are.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sources="$here/../../Sources"
work=${WORK:-$(mktemp -d "${TMPDIR:-/tmp}/kiln-fuzz.XXXXXX")}
mkdir -p "$work/corpus"
cd "$work"

common="-O -g -swift-version 6 -parse-as-library -wmo
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -enable-experimental-feature Lifetimes
    -I $sources/CXXHash -I $sources/CIntrinsics -I ."
sanitize="-sanitize=fuzzer,address"

# The objects are compiled as libraries, each its own module as in the package.
for room in Primitives MemcacheProtocol; do
    # shellcheck disable=SC2086
    swiftc $common $sanitize -emit-module -emit-object -module-name "$room" \
        "$sources/$room"/*.swift -o "$room.o"
done
# shellcheck disable=SC2086
swiftc $common $sanitize -module-name RequestParserFuzz "$here/RequestParserFuzz.swift" \
    Primitives.o MemcacheProtocol.o -o request-parser-fuzz

echo "fuzzing in $work"
SWIFT_BACKTRACE=enable=no ./request-parser-fuzz -max_total_time="${TIME:-60}" -max_len=20000 \
    -timeout=10 -rss_limit_mb=2048 -dict="$here/RequestParser.dict" -print_final_stats=1 \
    -artifact_prefix="$work/crash-" "$work/corpus" "$here/Seeds/RequestParser"
