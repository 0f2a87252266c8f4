// kiln-simulate: runs clusters that cannot exist, to find what would break those that do.

import ClusterSimulator
import Glibc

let arguments: Arguments
do throws(UsageError) {
    arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
} catch {
    print(error.reason)
    print(Arguments.usage)
    exit(64)
}
let runner = SeedRunner(arguments: arguments)
let bugs = arguments.simulated.bugs
var succeeded = true
switch arguments.fault {
case nil where arguments.measures:
    arguments.simulated.measure(seeds: arguments.seeds, sizes: arguments.sizes, say)
case nil: succeeded = await runner.runAll()
case "list": for bug in bugs { print(bug.rawValue) }
case "all":
    var found = 0
    for bug in bugs where await runner.find(bug) { found += 1 }
    print("\(found) of \(bugs.count) planted bugs found")
    succeeded = found == bugs.count
case .some(let name):
    guard let bug = bugs.first(where: { $0.rawValue == name }) else {
        print("there is no bug \(name); --fault list names them")
        exit(64)
    }
    succeeded = await runner.find(bug)
}
exit(succeeded ? 0 : 1)
