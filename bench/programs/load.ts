/** The load generator: takes its plan as JSON in the first argument, prints the result as JSON. */
import { Load } from '../load/load.ts'
import type { LoadPlan } from '../load/plan.ts'

const result = await new Load(JSON.parse(process.argv[2]!) as LoadPlan).run()
console.log(JSON.stringify(result))
process.exit(0)
