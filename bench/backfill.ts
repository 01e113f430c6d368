/**
 * What a backfill does to live traffic, and that it comes to its end: `bun bench/backfill.ts [--responses 200000] [--live 100]
 * [--seconds 8]`. One run of one backfill: pages whose answers are now and then 429, a `kill -9` in between, after which it is
 * resumed, and an outage of Refiner of twenty minutes. The delay of webhooks from their answer to their arrival at Segment's
 * stand-in is measured alone (before it begins, while it waits for Refiner, and after its end) and beside it (at its beginning,
 * after the kill, and after the outage).
 *
 * Nobody waits for twenty minutes: once the rounds during the outage are over, the daemon's clock runs sixty times as fast as
 * time does, and with it all that waits for it, until the twenty minutes are over on it. All that is compared is measured while
 * the clock goes at its own pace.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ADMIN_HEADERS } from './daemon.ts'
import { median, type Quantiles } from './load/plan.ts'
import { sinkCounts, sinkTracks } from './load/sink-counts.ts'
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
    rounds: { type: 'string', default: '4' },
  },
})
const [responses, live, seconds, rounds] = [
  Number(values.responses),
  Number(values.live),
  Number(values.seconds),
  Number(values.rounds),
]
const THROTTLED = 50
const SPEED = 60
const OUTAGE_MS = 20 * 60_000

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
const began = performance.now()
const alone: Quantiles[] = []
const beside: Quantiles[] = []
try {
  await measure('before it', alone, rounds)
  const { backfill: id } = await call<Shown>('POST', '/api/backfills?tenant=bench&since=2022-12-01')
  const shown = () => call<Shown>('GET', `/api/backfills/${id}`)
  const backfillAt = performance.now()
  let measured = 0
  /** Live traffic beside the backfill. */
  const round = async (when: string, count: number) => {
    const [from, before] = [performance.now(), (await shown()).counts['read']!]
    await measure(when, beside, count)
    measured += performance.now() - from
    const pace = ((await shown()).counts['read']! - before) / ((performance.now() - from) / 1000)
    say(`  the backfill went on at ${pace.toFixed(0)} responses a second`)
  }
  /** Nothing but the backfill, until it has read this share of it. */
  const until = async (share: number) => {
    for (;;) {
      const { state, counts } = await shown()
      if (state !== 'running' || counts['read']! >= share * responses) return
      await Bun.sleep(200)
    }
  }

  await round('at its beginning', rounds)
  await until(0.2)
  await daemon.stop()
  daemon = await start()
  say(`killed with ${(await shown()).counts['read']} responses read, and started again`)
  await round('after the kill', rounds)
  await until(0.5)

  await fetch(`${past.url}/away`, { method: 'POST' })
  const awayAt = performance.now()
  await measure('while it waits for Refiner', alone, rounds)
  const slowMs = performance.now() - awayAt
  hasten()
  const hastenedAt = performance.now()
  const whileAway: Quantiles[] = []
  await measure('the same with the clock hastened', whileAway, 1)
  const awayMs = () => slowMs + (performance.now() - hastenedAt) * SPEED
  await Bun.sleep(Math.max(0, (OUTAGE_MS - awayMs()) / SPEED))
  const { counts: atEnd, waiting_for } = await shown()
  const awayMinutes = awayMs() / 60_000
  await fetch(`${past.url}/back`, { method: 'POST' })
  const { read: before } = atEnd
  while ((await shown()).counts['read'] === before) await Bun.sleep(20)
  hasten()
  const { unavailable } = await asked()
  say(
    `away for ${awayMinutes.toFixed(1)} min of the daemon's clock, with ${atEnd['read']} responses read, waiting for "${waiting_for}"; asked ${unavailable} times`,
  )
  await round('after the outage', rounds)

  await until(1.1)
  const end = await shown()
  const took = (performance.now() - backfillAt) / 1000
  say(
    `${end.state} after ${took.toFixed(0)} s, of which ${(measured / 1000).toFixed(0)} s beside live traffic; ${JSON.stringify(end.counts)}`,
  )
  say(`Refiner: ${JSON.stringify(await asked())}`)
  await measure('after it', alone, rounds)

  const tracks = Object.keys(await sinkTracks(sink.url))
  const ofPast = tracks.filter((uuid) => uuid.startsWith('10000000-0000-4000-8000-')).length
  const { messages } = await sinkCounts(sink.url)
  say(
    `at Segment: ${ofPast} of ${responses} responses of the past; ${messages} messages by their IDs for ${tracks.length} responses, so ${(messages / tracks.length).toFixed(4)} each`,
  )
  const p99 = (all: readonly Quantiles[]) => median(all.map((one) => one.p99))
  const p50 = (all: readonly Quantiles[]) => median(all.map((one) => one.p50))
  say(
    `p50 ${ms(p50(alone))} alone, ${ms(p50(beside))} beside it, ${ms(p50(whileAway))} with the clock hastened`,
  )
  say(
    `p99 ${ms(p99(alone))} alone, ${ms(p99(beside))} beside it: ${(p99(beside) / p99(alone)).toFixed(2)}×; ${ms(p99(whileAway))} with the clock hastened; all in ${((performance.now() - began) / 1000).toFixed(0)} s`,
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
  const program = join(import.meta.dir, 'programs', 'hastened-daemon.ts')
  return startListening([process.execPath, program, file, String(SPEED)])
}

/** Has the daemon's clock run fast, or at its own pace again. */
function hasten(): void {
  process.kill(daemon.pid, 'SIGUSR2')
}

async function measure(when: string, into: Quantiles[], count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    const plan = { ...steadily(daemon.url, sink.url, live, seconds), waitForArrivals: true }
    const delay = (await runLoad(plan)).arrivalMs!
    into.push(delay)
    say(`${when}: p50 ${ms(delay.p50)}, p99 ${ms(delay.p99)}, at most ${ms(delay.most)}`)
  }
}

async function asked(): Promise<{ requests: number; refused: number; unavailable: number }> {
  return (await (await fetch(`${past.url}/requests`)).json()) as {
    requests: number
    refused: number
    unavailable: number
  }
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
