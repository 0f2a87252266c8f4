// Measures parser, store and request path without a network:
// `kiln-micro parse|request|find|hot|put|overwrite|evict|hot-keys|memory|hit-ratio [items]`.
//
// Instructions per call, on a machine too busy for nanoseconds, are in
// `valgrind --tool=callgrind kiln-micro hot 10000` and `callgrind_annotate --inclusive=yes`.

let arguments = CommandLine.arguments
let items = arguments.count > 2 ? Int(arguments[2]) ?? 1_000_000 : 1_000_000
switch arguments.count > 1 ? arguments[1] : "" {
case "find": StoreBenchmark(items: items).find()
case "hot": StoreBenchmark(items: items).findHot()
case "put": StoreBenchmark(items: items).put()
case "overwrite": StoreBenchmark(items: items).overwrite()
case "evict": StoreBenchmark(items: items).evict()
case "parse": RequestBenchmark(items: items).parse()
case "request": RequestBenchmark(items: items).requests()
case "hot-keys": HotKeyBenchmark(items: items).run()
case "memory": StoreBenchmark(items: items).memory()
case "hit-ratio": HitRatio.run(filter: arguments.count > 2 ? arguments[2] : "")
default:
    print(
        "usage: kiln-micro parse|request|find|hot|put|overwrite|evict|hot-keys|memory [items]"
            + " | hit-ratio [word]")
}
