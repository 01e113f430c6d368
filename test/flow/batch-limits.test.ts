import { expect, test } from 'bun:test'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { bearer, startLoop, until } from '../support/loop.ts'

/** Segment's own: 500 KB and 2,500 messages a request. */
const MOST_BYTES = 500_000
const MOST_MESSAGES = 2500

test.each([
  ['large', 60, 20_000],
  ['small', 1800, 10],
])(
  'a backlog of %s messages goes out in requests within the limits, each message once',
  async (_, webhooks, size) => {
    let open = false
    const requests: { bytes: number; messages: number }[] = []
    await using loop = await startLoop({
      segment: ({ text, body }) => {
        if (!open) return new Response('', { status: 503 })
        requests.push({
          bytes: Buffer.byteLength(text),
          messages: (body as { batch: unknown[] }).batch.length,
        })
        return null
      },
    })
    const send = (n: number) => {
      const data = { comment: 'ä'.repeat(size / 2) }
      const body = withResponse({ uuid: `r-${n}`, data }, { remote_id: `user-${n}`, account: null })
      return loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))
    }
    for (let n = 0; n < webhooks; n += 60) {
      await Promise.all(Array.from({ length: Math.min(60, webhooks - n) }, (_, at) => send(n + at)))
    }
    await until(() => loop.daemon.health().tenants['acme']!.destinations.segment.pending === 2 * webhooks)
    open = true
    await until(() => loop.daemon.health().tenants['acme']!.pending === 0)
    expect(loop.segment.messages).toHaveLength(2 * webhooks)
    expect(loop.segment.delivered).toHaveLength(2 * webhooks)
    for (const { bytes, messages } of requests) {
      expect(bytes).toBeLessThanOrEqual(MOST_BYTES)
      expect(messages).toBeLessThanOrEqual(MOST_MESSAGES)
    }
    expect(requests.length).toBeLessThan(webhooks / 4)
  },
)
