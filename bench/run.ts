/**
 * How fast it is, as one table: each figure next to a limit of the same machine in the same run. See docs/performance.md.
 *   bun run bench [--only PATTERN] [--binary PATH] [--json]
 * BENCH_SECONDS (default 4) is the length of a measurement.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, Case } from './case.ts'
import { batchIn } from './cases/batch-in.ts'
import { deadTenant } from './cases/dead-tenant.ts'
import { delay } from './cases/delay.ts'
import { dispatchRate } from './cases/dispatch-rate.ts'
import { idle } from './cases/idle.ts'
import { intakeP99 } from './cases/intake-p99.ts'
import { mapping } from './cases/mapping.ts'
import { messageIn } from './cases/message-in.ts'
import { sustained } from './cases/sustained.ts'
import { webhookIn } from './cases/webhook-in.ts'
import { appendHistory, readHistory, runOf, slower } from './history.ts'
import { commitHere, loadNow, thisMachine } from './machine.ts'
import { type Row, tableText } from './table.ts'

const CASES: readonly Case[] = [
  messageIn,
  webhookIn,
  batchIn,
  sustained,
  delay,
  dispatchRate,
  intakeP99,
  idle,
]
/** What the table above does not tell. */
const FURTHER: readonly Case[] = [deadTenant, mapping]
const ALL = [...CASES, ...FURTHER]

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    only: { type: 'string' },
    binary: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const say = (text: string) => void process.stderr.write(`${text}\n`)
const bench: Bench = {
  seconds: Number(process.env['BENCH_SECONDS'] ?? 4),
  program: options.binary
    ? [options.binary]
    : [process.execPath, join(import.meta.dir, '..', 'src', 'main.ts')],
  say,
}

const wanted = ALL.filter(({ name }) => options.only === undefined || name.includes(options.only))
if (wanted.length === 0) {
  say(`no row fits ${options.only}; there are ${ALL.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const { load, busy } = loadNow()
if (busy) say(`the machine is busy (load ${load}): these figures are not to be trusted`)
const rows: Row[] = []
for (const one of wanted) {
  say(`${one.name} …`)
  rows.push(await rowOf(one))
}
const run = runOf(rows, {
  at: new Date().toISOString(),
  commit: commitHere(),
  program: options.binary === undefined ? 'sources' : 'binary',
  machine: thisMachine(),
  load,
  busy,
  seconds: bench.seconds,
})
const worse = slower(run, readHistory())
appendHistory(run)
if (options.json) {
  console.log(JSON.stringify({ ...run, slower: worse }, null, 2))
} else {
  const { cpu, cores, memoryGb, kernel, bun } = run.machine
  for (const cases of [CASES, FURTHER]) {
    const ofTable = rows.filter((row) => cases.includes(row.case))
    if (ofTable.length > 0) console.log(`\n${tableText(ofTable)}`)
  }
  console.log()
  console.log(
    `${cpu}, ${cores} cores, ${memoryGb} GB, Linux ${kernel}, Bun ${bun}; commit ${run.commit}, ${run.program}`,
  )
  if (busy)
    console.log(`measured on a busy machine, load ${load}: not to be trusted, and compared with nothing`)
  for (const sentence of worse) console.log(`slower than before: ${sentence}`)
}
process.exit(rows.some(({ failure }) => failure !== null) ? 1 : 0)

async function rowOf(one: Case): Promise<Row> {
  try {
    return { case: one, figures: await one.run(bench), failure: null }
  } catch (error) {
    return { case: one, figures: [], failure: error instanceof Error ? error.message : String(error) }
  }
}
