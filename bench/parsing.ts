/**
 * What a request costs on its way in, without socket and disk: authentication, the body, reading it, its answer. The limit
 * is a request whose JSON is parsed and answered, as a bare server would. Microseconds for each request, of the best round.
 */
import { answer } from '../src/intake/answers.ts'
import { KeyRing } from '../src/intake/authenticate.ts'
import { RefinerWebhook } from '../src/intake/refiner-webhook.ts'
import { SegmentIntake } from '../src/intake/segment-intake.ts'
import { testTenant } from '../test/support/configuration.ts'
import { recordedWebhook, segmentMessage } from './messages.ts'

const REQUESTS = 1000
const ROUNDS = 40

const tenant = testTenant('bench')
const tenants = new Map([[tenant.name, tenant]])
const inbox = {
  append: (items: readonly unknown[]) => Promise.resolve({ stored: items.length, duplicates: 0 }),
}
const shared = { tenants, inbox, maxBodyBytes: 1024 * 1024 }
const segment = new SegmentIntake({ ...shared, keys: new KeyRing(tenants.values()) })
const refiner = new RefinerWebhook(shared)

const cases = [
  {
    name: 'Segment track, 0.5 KB',
    body: (n: number) => segmentMessage(`user-${n % 1000}`, crypto.randomUUID()),
    authorization: `Basic ${btoa('bench-destination-key:')}`,
    take: async (request: Request) => answer(await segment.takeDirect(request)),
  },
  {
    name: 'Refiner webhook, 2.4 KB',
    body: recordedWebhook,
    authorization: 'Bearer bench-webhook-secret',
    take: async (request: Request) => answer(await refiner.take(request, 'bench')),
  },
]

/** Microseconds a request, one after the other. */
async function measure(
  requests: readonly Request[],
  take: (request: Request) => Promise<Response>,
): Promise<number> {
  const started = performance.now()
  for (const request of requests) {
    const { status } = await take(request)
    if (status !== 200) throw new Error(`it was answered ${status}`)
  }
  return ((performance.now() - started) * 1000) / requests.length
}

async function parsedOnly(request: Request): Promise<Response> {
  await request.json()
  return Response.json({ success: true })
}

const rows = []
for (const { name, body, authorization, take } of cases) {
  const make = () =>
    Array.from({ length: REQUESTS }, (_, n) => {
      const text = body(n)
      const headers = { authorization, 'content-length': String(Buffer.byteLength(text)) }
      return new Request('http://127.0.0.1/v1', { method: 'POST', headers, body: text })
    })
  const bare: number[] = []
  const ours: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measure(make(), parsedOnly))
    ours.push(await measure(make(), take))
  }
  rows.push({
    case: name,
    'parsed only, µs': Math.min(...bare).toFixed(1),
    'taken in, µs': Math.min(...ours).toFixed(1),
    'ours beside it, µs': (Math.min(...ours) - Math.min(...bare)).toFixed(1),
  })
}
console.table(rows)
