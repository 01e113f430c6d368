/**
 * How fast webhooks become delivered messages, three each, and how long one takes. The limit beside it: raw bun:sqlite
 * that writes as many rows of the same size, synced, 64 rows a commit.
 */
import { Database } from 'bun:sqlite'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refinerWebhook } from './messages.ts'
import { load, quantile, SECONDS, startDaemon, startScript, WEBHOOK_HEADERS } from './support.ts'

/** Stands for Segment: counts messages, and says when the track of each response came. */
const SINK = `
const tracks = {}
let messages = 0
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    if (request.method === 'GET') return Response.json({ messages, tracks })
    const { batch } = await request.json()
    messages += batch.length
    for (const { type, properties } of batch) if (type === 'track') tracks[properties.response_uuid] = Date.now()
    return Response.json({ success: true })
  },
})
console.log('http://127.0.0.1:' + server.port)`

interface Seen {
  readonly messages: number
  /** When each came, in ms since 1970, by response. */
  readonly tracks: Readonly<Record<string, number>>
}

async function sustained(): Promise<{ webhooks: number; messages: number }> {
  const sink = await startScript(SINK)
  const daemon = await startDaemon(sink.url, '1000/s')
  const webhooks = await load(`${daemon.url}/v1/refiner/bench`, WEBHOOK_HEADERS, (n) => refinerWebhook(n))
  const { messages } = (await (await fetch(sink.url)).json()) as Seen
  daemon.stop()
  sink.stop()
  return { webhooks, messages: messages / SECONDS }
}

/** From the answer to a webhook to the arrival of its track, in ms, at a steady rate. */
async function delays(perSecond: number): Promise<number[]> {
  const sink = await startScript(SINK)
  const daemon = await startDaemon(sink.url, '50/s')
  const acknowledged = new Map<string, number>()
  const start = performance.now()
  const sending: Promise<void>[] = []
  for (let n = 0; n < perSecond * SECONDS; n++) {
    const wait = start + (n * 1000) / perSecond - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    const uuid = crypto.randomUUID()
    const body = refinerWebhook(n, uuid)
    const sent = fetch(`${daemon.url}/v1/refiner/bench`, { method: 'POST', headers: WEBHOOK_HEADERS, body })
    sending.push(sent.then(() => void acknowledged.set(uuid, Date.now())))
  }
  await Promise.all(sending)
  await Bun.sleep(1000)
  const { tracks } = (await (await fetch(sink.url)).json()) as Seen
  daemon.stop()
  sink.stop()
  return [...acknowledged].map(([uuid, at]) => Math.max(0, tracks[uuid]! - at))
}

/** Rows of a webhook and its three messages, a second. */
function rawSqlite(): number {
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-bench-'))
  const db = new Database(join(folder, 'raw.db'))
  db.run('pragma journal_mode = wal')
  db.run('pragma synchronous = full')
  db.run('create table rows (id integer primary key, payload text)')
  const insert = db.prepare('insert into rows (payload) values (?)')
  const payloads = [2000, 400, 400, 800].map((length) => 'x'.repeat(length))
  const commit = db.transaction(() => {
    for (let n = 0; n < 64; n++) insert.run(payloads[n % 4]!)
  })
  const end = performance.now() + SECONDS * 1000
  let rows = 0
  for (; performance.now() < end; rows += 64) commit()
  db.close()
  rmSync(folder, { recursive: true, force: true })
  return rows / SECONDS
}

const raw = rawSqlite()
const { webhooks, messages } = await sustained()
const late = await delays(200)
console.table([
  {
    case: 'webhook in and its messages delivered, sustained',
    'raw bun:sqlite, rows/s': Math.round(raw),
    'webhooks/s': Math.round(webhooks),
    'messages delivered/s': Math.round(messages),
    'ratio of rows': ((webhooks * 4) / raw).toFixed(2),
  },
])
console.table([
  {
    case: 'acknowledged to delivered, 200 webhooks/s, ms',
    p50: quantile(late, 0.5),
    p99: quantile(late, 0.99),
    most: quantile(late, 1),
  },
])
