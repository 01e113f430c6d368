/**
 * What a backfill does to live traffic: `bun bench/backfill.ts [--responses 200000] [--live 100] [--seconds 8]`. The delay of
 * webhooks from their answer to their arrival at Segment's stand-in, by turns without and with a backfill at work; then how
 * long the whole backfill takes, resumed once by a `kill -9`, with some of Refiner's answers being 429; and whether each
 * message arrived once.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ADMIN_HEADERS } from './daemon.ts'
import { median, type Quantiles } from './load/plan.ts'
import { sinkCounts } from './load/sink-counts.ts'
import {
  removeFolder,
  runLoad,
  type Running,
  startListening,
  startProgram,
  temporaryFolder,
} from './processes.ts'
import { steadily } from './steady.ts'

const { values } = parseArgs({
  options: {
    responses: { type: 'string', default: '200000' },
    live: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '5' },
  },
})
const [responses, live, seconds, rounds] = [
  Number(values.responses),
  Number(values.live),
  Number(values.seconds),
  Number(values.rounds),
]
const THROTTLED = 50

interface Shown {
  readonly backfill: number
  readonly state: string
  readonly waiting_for: string | null
  readonly counts: Readonly<Record<string, number>>
}

const folder = temporaryFolder()
const sink = await startProgram('sink')
const past = await startProgram('history', String(responses), String(THROTTLED))
let daemon = await start()
try {
  const alone: Quantiles[] = []
  const beside: Quantiles[] = []
  const began = performance.now()
  let id: number | null = null
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await delay())
    if (id === null) {
      id = (await call<Shown>('POST', '/api/backfills?tenant=bench&since=2022-12-01')).backfill
    } else await call('POST', `/api/backfills/${id}/resume`)
    const before = (await call<Shown>('GET', `/api/backfills/${id}`)).counts['read']!
    beside.push(await delay())
    const { state, counts } = await call<Shown>('GET', `/api/backfills/${id}`)
    const pace = Math.round((counts['read']! - before) / (seconds + 1))
    say(
      `round ${round + 1}: p99 ${ms(alone.at(-1)!.p99)} alone, ${ms(beside.at(-1)!.p99)} beside a backfill of about ${pace}/s`,
    )
    if (state !== 'running') {
      say('the backfill ended before the load did: ask for more --responses')
      break
    }
    await call('POST', `/api/backfills/${id}/pause`)
  }
  await call('POST', `/api/backfills/${id}/resume`)
  const restAt = performance.now()
  const already = (await call<Shown>('GET', `/api/backfills/${id}`)).counts['read']!
  await Bun.sleep(3000)
  await daemon.stop()
  daemon = await start()
  let shown = await call<Shown>('GET', `/api/backfills/${id}`)
  while (shown.state === 'running') {
    await Bun.sleep(500)
    shown = await call<Shown>('GET', `/api/backfills/${id}`)
  }
  const took = (performance.now() - restAt) / 1000
  say(`the rest, ${responses - already} responses, with a kill -9: ${took.toFixed(0)} s`)
  say(JSON.stringify(shown.counts))
  say(JSON.stringify(await (await fetch(`${past.url}/requests`)).json()))
  await Bun.sleep(2000)
  say(`at Segment: ${JSON.stringify(await sinkCounts(sink.url))}`)
  const p99 = (all: readonly Quantiles[]) => median(all.map((one) => one.p99))
  const p50 = (all: readonly Quantiles[]) => median(all.map((one) => one.p50))
  say(`p50 ${ms(p50(alone))} alone, ${ms(p50(beside))} beside it`)
  say(
    `p99 ${ms(p99(alone))} alone, ${ms(p99(beside))} beside it: ${(p99(beside) / p99(alone)).toFixed(2)}×; all in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  )
} finally {
  await daemon.stop()
  await sink.stop()
  await past.stop()
  removeFolder(folder)
}

async function start(): Promise<Running> {
  const file = join(folder, 'refiner-sync.yaml')
  await Bun.write(
    file,
    `
server: { port: 0, admin_token: bench-admin-token }
database: sqlite://./data/refiner-sync.db
tenants:
  bench:
    refiner: { api_key: k, endpoint: "${past.url}/v1", webhook: { secret: bench-webhook-secret } }
    segment: { write_key: w, endpoint: "${sink.url}/v1", destination_keys: [bench-destination-key] }
`,
  )
  const program = [process.execPath, join(import.meta.dir, '..', 'src', 'main.ts')]
  return startListening([...program, 'serve', '--config', file])
}

async function delay(): Promise<Quantiles> {
  const plan = { ...steadily(daemon.url, sink.url, live, seconds), waitForArrivals: true }
  return (await runLoad(plan)).arrivalMs!
}

async function call<Body>(method: string, path: string): Promise<Body> {
  const response = await fetch(daemon.url + path, { method, headers: ADMIN_HEADERS })
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Body
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function say(text: string): void {
  console.log(text)
}
