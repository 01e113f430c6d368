import type { Destination } from '../../src/contracts/delivery.ts'
import { bearerToken } from '../../src/demo/presented-key.ts'
import { type Fault, type PeerRequest, startScriptedServer } from '../../src/demo/scripted-server.ts'
import { readSegmentRequest } from '../../src/demo/segment-request.ts'
import { namesIn } from './identifies.ts'
import type { Ledger, Taken } from './ledger.ts'
import type { Chance } from './random.ts'

/** Segment and Refiner as they are on a bad day. */
export interface Peers {
  readonly segment: string
  readonly refiner: string
  /** Until it is called with null, this one answers nothing but 503: what is meant for it waits. */
  leave(destination: Destination | null): void
  /** From now on they take everything at once. */
  calmDown(): void
  stop(): Promise<void>
}

/** What becomes of a request, by weight. `lost-…`: it is taken, and the answer is not given. */
const FATES = {
  taken: 86,
  error: 4,
  throttled: 2,
  dropped: 2,
  hanging: 1,
  refused: 1,
  'lost-dropped': 3,
  'lost-hanging': 1,
}

/** Starts both; what they take goes into the ledger, under the tenant whose key it came with. */
export function startPeers(ledger: Ledger, random: Chance): Peers {
  let isCalm = false
  let away: Destination | null = null
  const serve = (destination: Destination, read: (request: PeerRequest) => Taken) =>
    startScriptedServer({
      port: 0,
      respond(request) {
        if (isCalm) return null
        if (destination === away) return new Response('', { status: 503 })
        return act(random.pick(FATES), ledger, read(request))
      },
      answer(request) {
        ledger.took(read(request))
        return Response.json({ success: true })
      },
    })
  const segment = serve('segment', readSegment)
  const refiner = serve('refiner', readRefiner)
  return {
    segment: segment.url,
    refiner: refiner.url,
    leave(destination) {
      away = destination
    },
    calmDown() {
      isCalm = true
    },
    async stop() {
      await Promise.all([segment.stop(), refiner.stop()])
    },
  }
}

function act(fate: keyof typeof FATES, ledger: Ledger, taken: Taken): Fault | null {
  switch (fate) {
    case 'taken':
      return null
    case 'error':
      return new Response('', { status: 500 })
    case 'throttled':
      return new Response('', { status: 429 })
    case 'dropped':
      return 'drop'
    case 'hanging':
      return 'hang'
    case 'refused':
      ledger.refused(taken)
      return Response.json({ message: 'refused by chance' }, { status: 400 })
    case 'lost-dropped':
      ledger.took(taken)
      return 'drop'
    case 'lost-hanging':
      ledger.took(taken)
      return 'hang'
  }
}

/** Both parts of a name are the tenant's: `acme-write-key`. */
function tenantOf(key: string | null, suffix: string): string | null {
  return key?.endsWith(suffix) === true ? key.slice(0, -suffix.length) : null
}

function readSegment(request: PeerRequest): Taken {
  const read = readSegmentRequest(request)
  if (!read.ok) throw new Error(`Segment cannot read a request: ${read.message}`)
  const arrivals = read.messages.map((message) => {
    const said = (message['traits'] ?? message['properties']) as Record<string, unknown> | undefined
    return {
      destination: 'segment' as const,
      tenant: tenantOf(read.writeKey, '-write-key'),
      call: String(message['type']),
      name: String(said?.['refiner_name'] ?? said?.['name']),
      messageId: String(message['messageId']),
    }
  })
  return { arrivals, identified: null }
}

/** A call that says who a user is may carry many identifies. */
function readRefiner({ headers, path, body }: PeerRequest): Taken {
  const isIdentify = path === '/v1/identify-user'
  const { id, event, ...traits } = body as Record<string, unknown>
  const arrivals = (isIdentify ? namesIn(traits) : [String(event)]).map((name) => ({
    destination: 'refiner' as const,
    tenant: tenantOf(bearerToken(headers), '-refiner-key'),
    call: isIdentify ? 'identify' : 'track',
    name,
    messageId: null,
  }))
  return { arrivals, identified: isIdentify ? { id, ...traits } : null }
}
