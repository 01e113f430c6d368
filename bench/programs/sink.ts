/**
 * Stands for Segment: `POST …/batch` counts each message once, by its ID; `GET /counts` says how many webhooks have all
 * their three messages here; `GET /tracks` when the track of each response came, in ms since 1970.
 */
interface Message {
  readonly type: string
  readonly messageId: string
  readonly properties?: { readonly response_uuid?: string }
}

const seen = new Set<string>()
const byType: Record<string, number> = { identify: 0, group: 0, track: 0 }
const tracks = new Map<string, number>()

function receive(batch: readonly Message[]): void {
  const now = performance.timeOrigin + performance.now()
  for (const { type, messageId, properties } of batch) {
    if (seen.has(messageId)) continue
    seen.add(messageId)
    byType[type] = (byType[type] ?? 0) + 1
    const response = properties?.response_uuid
    if (type === 'track' && response !== undefined) tracks.set(response, now)
  }
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    if (request.method === 'POST') {
      const { batch } = (await request.json()) as { batch: readonly Message[] }
      receive(batch)
      return Response.json({ success: true })
    }
    if (request.url.endsWith('/tracks')) return Response.json(Object.fromEntries(tracks))
    const webhooks = Math.min(...Object.values(byType))
    return Response.json({ webhooks, messages: seen.size })
  },
})
console.log(`http://127.0.0.1:${server.port}`)
