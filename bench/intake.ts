/**
 * How fast messages are taken in durably, next to the limit: a bare Bun.serve that parses the same bytes and answers.
 * Both run in the same minute under the same load; the ratio is what counts. What is taken in is mapped meanwhile.
 */
import { segmentMessage, refinerWebhook } from './messages.ts'
import { load, quantile, SEGMENT_HEADERS, startDaemon, startScript, WEBHOOK_HEADERS } from './support.ts'

const ROUNDS = 3
const BARE = `
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    await request.json()
    return Response.json({ success: true })
  },
})
console.log('http://127.0.0.1:' + server.port)`

const cases = [
  { name: 'Segment message in, 0.5 KB', path: '/v1/segment', headers: SEGMENT_HEADERS, body: segmentMessage },
  {
    name: 'Refiner webhook in, 2 KB',
    path: '/v1/refiner/bench',
    headers: WEBHOOK_HEADERS,
    body: (n: number) => refinerWebhook(n),
  },
]

const rows = []
for (const { name, path, headers, body } of cases) {
  const bare: number[] = []
  const ours: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const limit = await startScript(BARE)
    bare.push(await load(limit.url, headers, body))
    limit.stop()
    // Destinations that nobody listens at: only the way in is measured.
    const daemon = await startDaemon('http://127.0.0.1:9', '1/s')
    ours.push(await load(daemon.url + path, headers, body))
    daemon.stop()
  }
  rows.push({
    case: name,
    'bare Bun.serve, /s': Math.round(quantile(bare, 0.5)),
    'refiner-sync, durable, /s': Math.round(quantile(ours, 0.5)),
    ratio: (quantile(ours, 0.5) / quantile(bare, 0.5)).toFixed(2),
  })
}
console.table(rows)
